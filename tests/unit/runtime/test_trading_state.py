"""What others set in the store reaches the engine and holds back what was decided without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import attrs

from order_adapters.clock import VirtualClock
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.journal import MemoryJournal
from order_domain.model.enums import CommandKind, Trading
from order_domain.model.rows import TradingStateRow
from order_service.runtime.metrics import Metrics
from order_service.runtime.trading_state import TradingStates
from tests.builders import NOW, an_order
from tests.unit.runtime.parts import pass_time, turns


def a_state(**changes: object) -> TradingStateRow:
    row = TradingStateRow("account", "OPERATOR", Trading.HALTED, 1, "fire", "ann", NOW)
    return attrs.evolve(row, **changes)


@attrs.define
class Watchman:
    clock: VirtualClock
    database: MemoryDatabase
    journal: MemoryJournal
    states: TradingStates
    fed: list[TradingStateRow]


def a_watchman() -> Watchman:
    clock, database = VirtualClock(NOW), MemoryDatabase()
    journal = MemoryJournal(database, clock)
    fed: list[TradingStateRow] = []
    states = TradingStates(journal, clock, Metrics(), fed.append)
    return Watchman(clock, database, journal, states, fed)


@asynccontextmanager
async def polling(watchman: Watchman) -> AsyncIterator[None]:
    tasks = [
        asyncio.create_task(watchman.states.poll()),
        asyncio.create_task(watchman.states.watch()),
    ]
    await turns()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_halt_of_somebody_else_is_fed_within_200_ms_and_once() -> None:
    watchman = a_watchman()
    async with polling(watchman):
        await watchman.journal.set_trading_state(a_state())
        await pass_time(watchman.clock, timedelta(milliseconds=200))
        assert watchman.fed == [a_state()]
        assert watchman.states.forbids(an_order(), CommandKind.CREATE)

        await pass_time(watchman.clock, timedelta(seconds=1))
        assert len(watchman.fed) == 1


async def test_a_halt_that_is_set_again_in_the_same_words_is_fed_with_its_new_version() -> None:
    watchman = a_watchman()
    async with polling(watchman):
        await watchman.journal.set_trading_state(a_state())
        await pass_time(watchman.clock, timedelta(milliseconds=200))
        await watchman.journal.set_trading_state(a_state())
        await pass_time(watchman.clock, timedelta(milliseconds=200))

        assert [row.version for row in watchman.fed] == [1, 2]


async def test_what_the_engine_wrote_itself_is_not_fed_to_it() -> None:
    watchman = a_watchman()
    watchman.states.learn([a_state()])
    watchman.database.put_state(a_state())
    async with polling(watchman):
        assert watchman.fed == []


async def test_an_older_row_than_the_engines_own_is_not_fed() -> None:
    watchman = a_watchman()
    watchman.database.put_state(a_state(version=1, state=Trading.ACTIVE))
    watchman.states.learn([a_state(version=2)])
    async with polling(watchman):
        assert watchman.fed == []


async def test_two_writers_of_one_version_do_not_hide_a_halt() -> None:
    watchman = a_watchman()
    watchman.states.learn([a_state(state=Trading.ACTIVE, actor="engine")])
    watchman.database.put_state(a_state())
    async with polling(watchman):
        assert [(row.state, row.version) for row in watchman.fed] == [(Trading.HALTED, 2)]


async def test_a_flush_that_saw_a_newer_version_is_not_confirmed_and_makes_it_read() -> None:
    watchman = a_watchman()
    watcher = asyncio.create_task(watchman.states.watch())
    await turns()
    await watchman.journal.set_trading_state(a_state())

    assert not watchman.states.confirm(1, (), 0)
    assert not watchman.states.is_idle
    await turns()

    assert watchman.fed == [a_state()]
    assert watchman.states.is_idle
    assert watchman.states.confirm(1, (), 0)
    watcher.cancel()


async def test_a_flush_that_wrote_a_state_itself_is_confirmed() -> None:
    watchman = a_watchman()

    assert watchman.states.confirm(1, [a_state()], 0)
    assert watchman.states.confirm(3, [a_state(version=2), a_state(version=3)], 0)
    assert not watchman.states.confirm(5, [a_state(version=4)], 0)


async def test_a_store_that_is_away_is_asked_again() -> None:
    watchman = a_watchman()
    async with polling(watchman):
        watchman.database.faults.away = True
        await pass_time(watchman.clock, timedelta(seconds=1))
        watchman.database.faults.away = False
        await watchman.journal.set_trading_state(a_state())
        await pass_time(watchman.clock, timedelta(milliseconds=200))

        assert watchman.fed == [a_state()]


async def test_an_unread_change_waits_visibly_while_the_store_is_away() -> None:
    watchman = a_watchman()
    watcher = asyncio.create_task(watchman.states.watch())
    watchman.database.faults.away = True
    watchman.states.confirm(1, (), 0)
    await turns()
    assert watchman.states.is_idle
    assert watchman.states.retry_at == watchman.clock.next_deadline

    watchman.database.faults.away = False
    await pass_time(watchman.clock, timedelta(seconds=1))

    assert watchman.states.is_idle
    assert watchman.states.retry_at is None
    watcher.cancel()
