"""No byte leaves later than 8 s after the start of the last committed flush."""

import asyncio
from datetime import timedelta

import pytest

from order_domain.errors import InvalidValue
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.lease import Lease, keep_alive
from tests.builders import NOW
from tests.unit.runtime.parts import TTL, a_desk, a_step, pass_time, turns, until


async def test_the_right_to_send_is_counted_from_the_start_of_the_flush() -> None:
    desk = a_desk()
    await desk.begin()
    task = asyncio.create_task(desk.committer.run())
    desk.clock.advance_to(NOW + timedelta(seconds=1))
    desk.database.faults.delay = timedelta(seconds=3)
    desk.add(a_step(1))
    await until(desk.clock, lambda: bool(desk.released))
    task.cancel()

    assert desk.lease.until == 1 + 10 - 2


async def test_a_commit_found_done_counts_from_its_first_run() -> None:
    desk = a_desk()
    await desk.begin()
    task = asyncio.create_task(desk.committer.run())
    desk.clock.advance_to(NOW + timedelta(seconds=1))
    desk.database.faults.lose_answers = 3
    desk.add(a_step(1))
    await until(desk.clock, lambda: bool(desk.released))
    task.cancel()

    assert desk.clock.monotonic() > 1
    assert desk.lease.until == 1 + 10 - 2


def test_an_older_flush_never_shortens_the_lease() -> None:
    lease = Lease(TTL)
    lease.renew(5)
    lease.renew(4)

    assert lease.until == 13


async def test_an_idle_owner_flushes_every_3_s() -> None:
    desk = a_desk()
    await desk.begin()
    tasks = [
        asyncio.create_task(desk.committer.run()),
        asyncio.create_task(keep_alive(desk.lease, desk.clock, desk.committer.request_flush)),
    ]
    await turns()
    await pass_time(desk.clock, timedelta(seconds=30))
    for task in tasks:
        task.cancel()

    assert desk.metrics.flushes == 10
    assert desk.lease.until > desk.clock.monotonic()
    assert desk.database.head.expires_at > desk.clock.now()


@pytest.mark.parametrize(
    ("ttl", "until", "renewal"), [(10, 8, 3), (60, 58, 3), (5, 4, 5 / 3), (1, 0.8, 1 / 3)]
)
def test_a_short_lease_has_margin_and_renewal_shortened_with_it(
    ttl: float, until: float, renewal: float
) -> None:
    lease = Lease(timedelta(seconds=ttl))
    lease.renew(0)

    assert lease.until == until
    assert lease.renewal == timedelta(seconds=renewal)


def test_a_lease_too_short_to_be_kept_is_refused() -> None:
    with pytest.raises(InvalidValue):
        RuntimeConfig(owner="me", ttl=timedelta(milliseconds=999))
