"""The loop is woken when the engine's deadline has come, not before and not much later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from order_adapters.clock import VirtualClock
from order_service.runtime.ticker import Ticker
from tests.builders import NOW, seconds
from tests.unit.runtime.parts import pass_time, turns


@asynccontextmanager
async def a_ticker() -> AsyncIterator[tuple[Ticker, VirtualClock, list[datetime]]]:
    clock = VirtualClock(NOW)
    woken: list[datetime] = []
    ticker = Ticker(clock, lambda: woken.append(clock.now()))
    task = asyncio.create_task(ticker.run())
    try:
        yield ticker, clock, woken
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_wakes_at_the_deadline() -> None:
    async with a_ticker() as (ticker, clock, woken):
        ticker.arm(NOW + seconds(5))
        await pass_time(clock, timedelta(seconds=20))

        assert woken == [NOW + seconds(5)]


async def test_an_earlier_deadline_cuts_the_sleep_short() -> None:
    async with a_ticker() as (ticker, clock, woken):
        ticker.arm(NOW + seconds(5))
        await turns()
        ticker.arm(NOW + seconds(2))
        await pass_time(clock, timedelta(seconds=20))

        assert woken == [NOW + seconds(2)]


async def test_a_later_deadline_is_armed_anew_after_waking() -> None:
    async with a_ticker() as (ticker, clock, woken):
        ticker.arm(NOW + seconds(2))
        await turns()
        ticker.arm(NOW + seconds(5))
        await pass_time(clock, timedelta(seconds=3))
        ticker.arm(NOW + seconds(5))
        await pass_time(clock, timedelta(seconds=3))

        assert woken == [NOW + seconds(2), NOW + seconds(5)]


async def test_a_deadline_in_the_past_wakes_at_once() -> None:
    async with a_ticker() as (ticker, clock, woken):
        ticker.arm(NOW - seconds(1))
        ticker.arm(None)
        await turns()

        assert woken == [NOW]
        assert clock.next_deadline is None
