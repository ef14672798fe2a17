"""Statements: how the rows of each table are written, read and checked."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from zlib import crc32

import attrs
import msgspec

from order_adapters.codec.rows import TEXT_CELLS, Cells, decoder, encoder
from order_adapters.codec.tables import TABLES, Table
from order_adapters.stores.sqlite.schema import order_column
from order_domain.model.events import Event
from order_domain.model.rows import TradingStateRow
from order_domain.ports.outbox import NumberedEvent

PAGE: Final = 1_000
_json: Final = msgspec.json.Encoder().encode


def checksum(cells: Cells) -> int:
    """Sum up the cells of a row: a changed value changes it."""
    return crc32(_json(cells))


@attrs.frozen(slots=True, eq=False)
class Statements:
    """The SQL of one table.

    Attributes:
        order: The primary key: order of first commit, or the row's own number.
        columns: What is stored, as written in a SELECT.
        write: Insert or replace one row.
        select: `SELECT` of all columns, to be continued with WHERE.
        encode, decode: From a row to its cells and back; for events, from a NumberedEvent.
    """

    table: Table
    order: str
    columns: str
    write: str
    select: str
    encode: Callable[[Any], Cells]
    decode: Callable[..., Any]

    def sealed(self, rows: Iterable[Any]) -> list[Cells]:
        """The parameters of `write` for these rows."""
        encode, alias = self.encode, self.table.alias
        if alias is None:
            return [(*cells, checksum(cells)) for cells in map(encode, rows)]
        return [
            (*cells, checksum(cells), alias.of(row))
            for row, cells in ((row, encode(row)) for row in rows)
        ]

    def rows(
        self, connection: sqlite3.Connection, rest: str = "", parameters: Sequence[object] = ()
    ) -> list[Any]:
        """Read rows: all, or those the rest of the SELECT says."""
        decode = self.decode
        found = connection.execute(f"{self.select} {rest}", parameters)
        return [decode(*cells) for cells in found]

    def select_page(self, where: str, order_by: str) -> str:
        """One statement, and so one moment: how many rows match, and a page of them.

        The page is one text of a line of JSON a row. A row of its own would cost the reader's
        thread the interpreter lock each time, while the loop is waiting for it.
        """
        name, page = self.table.name, f"{where} {order_by} LIMIT ? OFFSET ?"
        lines = f"SELECT json_array({self.columns}) AS line FROM {name} {page}"
        return (
            f"SELECT (SELECT count(*) FROM {name} {where}),"
            f" (SELECT group_concat(line, char(10)) FROM ({lines}))"
        )

    def page(self, connection: sqlite3.Connection, after: int) -> tuple[list[Any], int | None]:
        """Read the next rows in their order, and where to go on; None at the end."""
        found = connection.execute(
            f"SELECT {self.order}, {self.columns} FROM {self.table.name} "
            f"WHERE {self.order} > ? ORDER BY {self.order} LIMIT {PAGE}",
            (after,),
        ).fetchall()
        rows = [self.decode(*cells) for _, *cells in found]
        return rows, found[-1][0] if len(found) == PAGE else None


def _make(table: Table) -> Statements:
    names = [column.name for column in table.columns]
    encode, decode = encoder(table, TEXT_CELLS), decoder(table, TEXT_CELLS)
    if table.row_type is Event:
        names.insert(0, "number")
        encode, decode = _numbered(encode), _with_number(decode)
    columns = ", ".join(names)
    written = [*names, "checksum"]
    if table.alias is not None:
        written.append(table.alias.column)
    marks = ", ".join("?" * len(written))
    return Statements(
        table,
        order_column(table),
        columns,
        f"INSERT INTO {table.name} ({', '.join(written)}) VALUES ({marks}){_replacing(table)}",
        f"SELECT {columns} FROM {table.name}",
        encode,
        decode,
    )


def _replacing(table: Table) -> str:
    """The end of an INSERT that puts a later version in the place of the earlier one."""
    if table.is_append_only:
        return ""
    columns = [column.name for column in table.columns if column.name not in table.key]
    values = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "checksum"))
    # what somebody else set meanwhile is newer than what the owner knew
    newer = " WHERE excluded.version > trading_states.version"
    guard = newer if table.row_type is TradingStateRow else ""
    return f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {values}{guard}"


def _numbered(encode: Callable[[Any], Cells]) -> Callable[[NumberedEvent], Cells]:
    return lambda numbered: (numbered.number, *encode(numbered.event))


def _with_number(decode: Callable[..., Any]) -> Callable[..., NumberedEvent]:
    return lambda number, *cells: NumberedEvent(number, decode(*cells))


STATEMENTS: Final = {table.row_type: _make(table) for table in TABLES}
