"""How a flush reaches PostgreSQL: in one round trip, unless a table has something against it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from order_adapters.clock import SystemClock
from order_adapters.stores.postgres import PostgresStore
from order_domain.model.rows import TradingStateRow
from order_domain.ports.journal import ChangeRefused
from tests.row_builders import an_entry, one_of_each

TTL = timedelta(seconds=10)
THE_DRIVERS = ("typeinfo", "current_setting")
"""What it asks once of a connection, for its own sake."""


@asynccontextmanager
async def owned(url: str) -> AsyncIterator[tuple[PostgresStore, list[str]]]:
    """A store with the lease, and what its writing connection is asked from then on."""
    store = PostgresStore(url, SystemClock())
    await store.open()
    try:
        await store.journal.acquire(account="dry:default", owner="test", url="", ttl=TTL)
        asked: list[str] = []

        def note(query: Any) -> None:
            if not any(word in query.query for word in THE_DRIVERS):
                asked.append(query.query)

        writer = store.journal._writer._connection
        assert writer is not None
        writer.add_query_logger(note)
        yield store, asked
    finally:
        await store.close()


async def test_rows_of_every_class_are_one_statement(emptied_postgres: str) -> None:
    rows = [row for row in one_of_each() if not isinstance(row, TradingStateRow)]
    async with owned(emptied_postgres) as (store, asked):
        flushed = await store.journal.flush(1, rows)

    assert len(asked) == 1
    assert flushed.head.flush_no == 1


async def test_a_flush_of_nothing_is_one_statement(emptied_postgres: str) -> None:
    async with owned(emptied_postgres) as (store, asked):
        await store.journal.flush(1, [])

    assert len(asked) == 1


async def test_what_a_table_refuses_is_asked_again_table_by_table_and_leaves_nothing(
    emptied_postgres: str,
) -> None:
    async with owned(emptied_postgres) as (store, asked):
        with pytest.raises(ChangeRefused) as refused:
            await store.journal.flush(1, [an_entry(1), an_entry(2, exec_id="e1")])
        head = await store.journal.look()

    assert refused.value.details["table"] == "executions"
    assert head.flush_no == 0
    assert asked[1].startswith("BEGIN")
    assert asked[-1] == "ROLLBACK"
