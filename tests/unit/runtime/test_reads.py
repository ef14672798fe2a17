"""Inputs that wait for rows: one query for all, order kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import attrs
import pytest

from order_adapters.clock import VirtualClock
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.journal import MemoryJournal
from order_domain.errors import BrokenInvariant
from order_domain.model.inputs import SignalDelivered, StreamState
from order_domain.model.steps import Need
from order_service.runtime.metrics import Metrics
from order_service.runtime.reads import Reads, merge
from tests.builders import NOW, a_signal, an_order
from tests.unit.runtime.parts import turns, until

FACT = StreamState(healthy=True)
SIGNAL = SignalDelivered(1, a_signal())


@attrs.define
class Library:
    clock: VirtualClock
    database: MemoryDatabase
    reads: Reads
    metrics: Metrics


@asynccontextmanager
async def a_library() -> AsyncIterator[Library]:
    clock, database, metrics = VirtualClock(NOW), MemoryDatabase(), Metrics()
    reads = Reads(MemoryJournal(database, clock), clock, metrics, lambda: None)
    task = asyncio.create_task(reads.run())
    try:
        yield Library(clock, database, reads, metrics)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_needs_are_merged_without_repetition_in_order() -> None:
    merged = merge(
        [
            Need(signals=("b", "a"), executions=(("i", "1"),)),
            Need(signals=("a", "c"), orders=("o",), requests=("r",), venue_orders=("v",)),
        ]
    )

    assert merged == Need(
        signals=("b", "a", "c"),
        orders=("o",),
        venue_orders=("v",),
        executions=(("i", "1"),),
        requests=("r",),
    )


async def test_one_query_answers_for_all_that_wait() -> None:
    async with a_library() as library:
        library.database.write([an_order(client_order_id="x")], library.database.head)
        library.reads.add(FACT, Need(orders=("x",)))
        library.reads.add(SIGNAL, Need(signals=("s",)))
        assert not library.reads.is_idle
        await turns()

        assert library.reads.is_ready
        assert library.reads.holds_rows
        taken = library.reads.take()
        assert library.metrics.reads == 1
        assert [one.message for one in taken] == [FACT, SIGNAL]
        assert [len(one.rows or ()) for one in taken] == [1, 1]
        assert not library.reads.holds_rows
        assert library.reads.is_idle


async def test_rows_found_missing_are_an_answer_too() -> None:
    async with a_library() as library:
        library.reads.add(FACT, Need(orders=("x",)))
        await turns()

        assert [one.rows for one in library.reads.take()] == [[]]


async def test_an_input_may_ask_for_more_and_gets_everything_afresh() -> None:
    async with a_library() as library:
        library.reads.add(FACT, Need(orders=("x",)))
        await turns()
        (waiting,) = library.reads.take()
        library.reads.put_back(waiting, Need(signals=("s",)))
        assert waiting.rows is None
        await turns()
        (again,) = library.reads.take()

        assert again.need == Need(orders=("x",), signals=("s",))
        assert again.is_covered


async def test_an_input_that_asks_for_what_it_was_brought_is_a_broken_engine() -> None:
    async with a_library() as library:
        library.reads.add(FACT, Need(orders=("x",)))
        await turns()
        (waiting,) = library.reads.take()

        with pytest.raises(BrokenInvariant):
            library.reads.put_back(waiting, Need(orders=("x",)))


async def test_only_deliveries_keep_deliveries_waiting() -> None:
    async with a_library() as library:
        library.reads.add(FACT, Need(orders=("x",)))
        assert not library.reads.has_delivery
        library.reads.add(SIGNAL, Need(signals=("s",)))
        assert library.reads.has_delivery
        assert library.reads.drop() == [FACT, SIGNAL]
        assert library.reads.is_empty


async def test_a_store_that_is_away_is_asked_until_it_answers() -> None:
    async with a_library() as library:
        library.database.faults.away = True
        library.reads.add(FACT, Need(orders=("x",)))
        await turns()
        assert library.reads.is_waiting
        assert library.reads.is_idle
        assert library.reads.retry_at == library.clock.next_deadline
        library.database.faults.away = False
        await until(library.clock, lambda: library.reads.is_ready, timedelta(seconds=1))

        assert [one.message for one in library.reads.take()] == [FACT]
