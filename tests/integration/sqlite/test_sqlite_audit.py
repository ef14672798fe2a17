"""The file tells when somebody else has changed it."""

import sqlite3
from pathlib import Path

import pytest

from order_adapters.codec.tables import TABLES
from order_adapters.stores.sqlite import Damage, SqliteStore
from order_domain.model.enums import OrderStatus
from order_domain.model.rows import Change
from tests.integration.sqlite.access import query
from tests.row_builders import (
    an_alarm,
    an_entry,
    an_order_of,
    one_of_each,
)

HEAD = ("account", "owner", "url", "epoch", "expires_at", "flush_no", "event_no", "states_version")
CELLS = [
    *((table.name, column.name) for table in TABLES for column in table.columns),
    *(("head", name) for name in HEAD),
]


class TestAudit:
    async def test_a_store_as_it_was_written_shows_no_damage(self, store: SqliteStore) -> None:
        await store.journal.flush(1, one_of_each())
        await store.journal.flush(2, [an_order_of(2), an_alarm(), an_alarm(2), an_entry(2)])

        assert await store.damage() == []

    @pytest.mark.parametrize(("table", "column"), CELLS)
    async def test_any_value_changed_by_hand_is_found(
        self, store: SqliteStore, path: Path, table: str, column: str
    ) -> None:
        await store.journal.flush(1, one_of_each())
        change_by_hand(path, table, column)

        found = await store.damage()

        assert table in {damage.table for damage in found}
        assert "a value was changed" in {damage.problem for damage in found}

    @pytest.mark.parametrize("table", [table.name for table in TABLES])
    async def test_a_checksum_changed_by_hand_is_found(
        self, store: SqliteStore, path: Path, table: str
    ) -> None:
        await store.journal.flush(1, one_of_each())
        query(path, f"UPDATE {table} SET checksum = checksum + 1")

        assert [damage.table for damage in await store.damage()] == [table]

    @pytest.mark.parametrize("table", ["orders", "executions", "events"])
    async def test_a_missing_row_is_found(self, store: SqliteStore, path: Path, table: str) -> None:
        rows: list[Change] = []
        for number in (1, 2, 3):
            rows += [an_order_of(number), an_entry(number), an_alarm(number)]
        await store.journal.flush(1, rows)
        query(path, f"DELETE FROM {table} WHERE rowid = 2")

        assert await store.damage() == [Damage(table, 3, "a row is missing or was renumbered")]

    async def test_the_missing_newest_event_is_found(self, store: SqliteStore, path: Path) -> None:
        await store.journal.flush(1, [an_alarm(1), an_alarm(2)])
        query(path, "DELETE FROM events WHERE number = 2")

        assert await store.damage() == [Damage("events", 2, "a row is missing or was renumbered")]


def change_by_hand(path: Path, table: str, column: str) -> None:
    """Give one cell another value that the checks of the file let pass."""
    connection = sqlite3.connect(path)
    (value,) = connection.execute(f"SELECT {column} FROM {table}").fetchone()
    candidates = [
        *("0.12345", "2026-01-02T12:00:09.000000Z", "changed", "[]", 77, 1, 0),
        *(status.value for status in OrderStatus),
        *("Sell", "Market", "GTC", "external", "Long", "spot", "close", "Closed", "report", "New"),
        *("amend", "DONE", "invalid", "denied", "HALTED", "ACTIVE", "Funding", "alarm"),
        "order_filled",
    ]
    for candidate in candidates:
        if candidate == value:
            continue
        try:
            with connection:
                connection.execute(f"UPDATE {table} SET {column} = ?", (candidate,))
        except sqlite3.IntegrityError:
            continue
        break
    else:
        pytest.fail(f"no other value for {table}.{column} = {value!r}")
    connection.close()
