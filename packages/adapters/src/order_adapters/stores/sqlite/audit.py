"""Audit: whether the rows still are what was written, and whether a numbered one is missing."""

import sqlite3
from collections.abc import Iterator
from typing import Final

import attrs

from order_adapters.codec.rows import Cells
from order_adapters.stores.sqlite import head as heads
from order_adapters.stores.sqlite.statements import STATEMENTS, Statements, checksum
from order_adapters.stores.sqlite.transaction import snapshot
from order_domain.model.events import Event
from order_domain.model.position import PositionSnapshot


@attrs.frozen(slots=True)
class Damage:
    """One row (or table) that is not as it was written.

    Attributes:
        row: Its number, or its place in the order of first commit.
    """

    table: str
    row: int
    problem: str


_CHANGED: Final = "a value was changed"
_MISSING: Final = "a row is missing or was renumbered"


def damage(connection: sqlite3.Connection) -> list[Damage]:
    """Compare every row with its checksum, and count those that are numbered without a gap."""
    with snapshot(connection):
        return [*_damage_of_the_head(connection), *_damage_of_the_rows(connection)]


def _damage_of_the_head(connection: sqlite3.Connection) -> Iterator[Damage]:
    *cells, stored = connection.execute(f"SELECT {heads.COLUMNS}, checksum FROM head").fetchone()
    if checksum(tuple(cells)) != stored:
        yield Damage("head", 1, _CHANGED)
    event_no = cells[heads.NAMES.index("event_no")]
    (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()
    if newest != event_no:
        yield Damage("events", event_no, _MISSING)


def _damage_of_the_rows(connection: sqlite3.Connection) -> Iterator[Damage]:
    for row_type, statements in STATEMENTS.items():
        last = 0
        for row, cells, stored in _sealed_rows(connection, statements):
            if checksum(cells) != stored:
                yield Damage(statements.table.name, row, _CHANGED)
            if row != last + 1 and _is_gapless(row_type, statements):
                yield Damage(statements.table.name, row, _MISSING)
            last = row


def _is_gapless(row_type: type, statements: Statements) -> bool:
    """Deliveries have the numbers of their source, and snapshots are pruned."""
    is_counted_here = statements.order == "row_no" or row_type is Event
    return row_type is not PositionSnapshot and (is_counted_here or statements.table.is_append_only)


def _sealed_rows(
    connection: sqlite3.Connection, statements: Statements
) -> Iterator[tuple[int, Cells, int]]:
    found = connection.execute(
        f"SELECT {statements.order}, {statements.columns}, checksum"
        f" FROM {statements.table.name} ORDER BY {statements.order}"
    )
    for row, *cells, stored in found:
        yield row, tuple(cells), stored
