"""Sleeping on a machine whose clock is set meanwhile."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from order_adapters.clock import SystemClock
from order_service.runtime.lease import Lease, keep_alive
from tests.builders import seconds


class SetClock(SystemClock):
    """The machine's clock, off by so much."""

    offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


async def slept(clock: SetClock, step: timedelta) -> float:
    """Real seconds of a sleep of 0.3 s, in whose middle the clock is set."""
    began_at = time.monotonic()
    sleep = asyncio.create_task(clock.sleep_until(clock.now() + seconds(0.3)))
    await asyncio.sleep(0.1)
    clock.offset = step
    async with asyncio.timeout(3):
        await sleep
    return time.monotonic() - began_at


@pytest.mark.parametrize("step", [timedelta(0), timedelta(hours=-1)])
async def test_a_clock_set_back_makes_no_sleep_longer(step: timedelta) -> None:
    assert 0.28 < await slept(SetClock(), step) < 2.0


async def test_a_clock_set_forward_ends_a_sleep() -> None:
    clock = SetClock()
    sleep = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(hours=1)))
    await asyncio.sleep(0)
    clock.offset = timedelta(hours=2)
    async with asyncio.timeout(5):
        await sleep


async def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    clock = SystemClock()
    began_at = time.monotonic()
    await clock.sleep_until(clock.now() - seconds(5))

    assert time.monotonic() - began_at < 0.5


async def test_an_idle_owner_whose_clock_is_set_back_renews_its_lease_in_time() -> None:
    clock, lease, asked = SetClock(), Lease(seconds(1)), list[float]()

    def flush() -> None:
        asked.append(clock.monotonic())
        lease.renew(clock.monotonic())

    lease.renew(clock.monotonic())
    heartbeat = asyncio.create_task(keep_alive(lease, clock, flush))
    await asyncio.sleep(0.1)
    clock.offset = timedelta(seconds=-9)
    try:
        async with asyncio.timeout(5):
            while len(asked) < 3:
                await asyncio.sleep(0.02)
                assert clock.monotonic() < lease.until + 0.5  # a loaded machine may be late
    finally:
        heartbeat.cancel()
        await asyncio.gather(heartbeat, return_exceptions=True)
