"""Clocks: the machine's, and the one a test moves."""

import asyncio
from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from order_adapters.clock import SystemClock, VirtualClock
from order_domain.ports.clock import Clock
from tests.builders import NOW, seconds

MOMENT = timedelta(milliseconds=20)


@pytest.fixture(params=[SystemClock, lambda: VirtualClock(NOW)], ids=["system", "virtual"])
def clock(request: pytest.FixtureRequest) -> Clock:
    make: Callable[[], Clock] = request.param
    return make()


class TestEveryClock:
    def test_it_tells_the_time_in_utc(self, clock: Clock) -> None:
        assert clock.now().tzinfo is UTC

    def test_neither_of_its_times_goes_back(self, clock: Clock) -> None:
        now, monotonic = clock.now(), clock.monotonic()

        assert clock.now() >= now
        assert clock.monotonic() >= monotonic

    async def test_a_sleeper_wakes_no_earlier_than_it_asked(self, clock: Clock) -> None:
        until = clock.now() + MOMENT
        sleeper = asyncio.create_task(clock.sleep_until(until))
        await asyncio.sleep(0)
        if isinstance(clock, VirtualClock):
            clock.advance_to(until)

        await sleeper

        assert clock.now() >= until

    async def test_a_moment_that_has_passed_is_not_waited_for(self, clock: Clock) -> None:
        await clock.sleep_until(clock.now() - seconds(1))


class TestVirtualClock:
    async def test_time_stands_still_until_it_is_moved(self) -> None:
        clock = VirtualClock(NOW)
        sleeper = asyncio.create_task(clock.sleep_until(NOW + seconds(1)))
        await asyncio.sleep(0)

        assert (clock.now(), clock.monotonic()) == (NOW, 0)
        assert not sleeper.done()
        sleeper.cancel()

    async def test_sleepers_wake_in_the_order_of_their_deadlines_then_of_their_coming(
        self,
    ) -> None:
        clock, woken = VirtualClock(NOW), []

        async def sleep(name: str, deadline: int) -> None:
            await clock.sleep_until(NOW + seconds(deadline))
            woken.append(name)

        async with asyncio.TaskGroup() as group:
            for name, deadline in (("late", 3), ("early", 1), ("second", 2), ("twin", 1)):
                group.create_task(sleep(name, deadline))
            await asyncio.sleep(0)
            clock.advance_to(NOW + seconds(3))

        assert woken == ["early", "twin", "second", "late"]

    async def test_only_those_it_passes_wake(self) -> None:
        clock = VirtualClock(NOW)
        sleepers = [
            asyncio.create_task(clock.sleep_until(NOW + seconds(number))) for number in (1, 2)
        ]
        await asyncio.sleep(0)
        clock.advance_to(NOW + seconds(1))
        await asyncio.sleep(0)

        assert [sleeper.done() for sleeper in sleepers] == [True, False]
        assert clock.next_deadline == NOW + seconds(2)
        assert clock.monotonic() == 1
        sleepers[1].cancel()

    async def test_a_cancelled_sleeper_is_no_deadline_and_wakes_nobody(self) -> None:
        clock = VirtualClock(NOW)
        sleeper = asyncio.create_task(clock.sleep_until(NOW + seconds(1)))
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.sleep(0)

        assert clock.next_deadline is None
        clock.advance_to(NOW + seconds(2))
        assert sleeper.cancelled()

    async def test_moving_past_a_cancelled_sleeper_wakes_the_others(self) -> None:
        clock = VirtualClock(NOW)
        first, second = (asyncio.create_task(clock.sleep_until(NOW + seconds(1))) for _ in "ab")
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)

        clock.advance_to(NOW + seconds(1))

        await second
        assert first.cancelled()

    def test_time_does_not_go_back(self) -> None:
        clock = VirtualClock(NOW)

        with pytest.raises(ValueError, match="does not go back"):
            clock.advance_to(NOW - seconds(1))
