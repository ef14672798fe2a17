"""Statements: how the rows of each table are written, many at once, and read.

The rows of a table travel as one JSON text, an array of cells for each; what JSON has no exact word
for (amounts, times, documents) is text in it, and the server casts it. As arrays, one per column,
they cost this process more: the driver asks every cell whether it is an array itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import asyncpg
import attrs
import msgspec

from order_adapters.codec.columns import Kind
from order_adapters.codec.rows import TEXT_CELLS, Cells, Form, decoder, encoder
from order_adapters.codec.tables import TABLES, Alias, Table
from order_adapters.stores.postgres.link import Connection
from order_domain.model.events import Event
from order_domain.model.rows import DeliveryRow, TradingStateRow
from order_domain.ports.journal import ChangeRefused
from order_domain.ports.outbox import NumberedEvent

PAGE: Final = 1_000
_json: Final = msgspec.json.Encoder().encode
_CELLS: Final[Mapping[Kind, Form]] = {
    **TEXT_CELLS,
    Kind.BOOLEAN: Form("{}", "{}"),
    Kind.DECIMAL: Form("{}", "{}"),
    Kind.TIME: Form("({0} if {0}.tzinfo is UTC else in_utc({0}))", "{}"),
}
# A body that is no signal may hold a NUL, which the server takes nowhere in a text.
_CELLS_OF_DELIVERIES: Final = {**_CELLS, Kind.TEXT: Form("{}.replace('\\0', '\u2400')", "{}")}
_CASTS: Final = {
    Kind.INTEGER: "::bigint",
    Kind.BOOLEAN: "::boolean",
    Kind.DECIMAL: "::numeric",
    Kind.TIME: "::timestamptz",
    Kind.PLAIN: "::json",
    Kind.DOCUMENT: "::json",
}
REFUSED: Final = (
    AttributeError,  # a plain string where an enum belongs
    TypeError,  # a value of an unknown type in a detail
    ValueError,  # a time without a zone, text that is not Unicode
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,  # a key too long for its index
)
"""What the content of a row may raise on its way into a table."""


@attrs.frozen(slots=True, eq=False)
class Statements:
    """The SQL of one table.

    Attributes:
        order: The primary key: order of first commit, or the row's own number.
        columns: What is stored, as written in a SELECT.
        written: What is written: the columns, and the alias if there is one.
        values: Of each that is written, the expression over its cell, in that order.
        replacing: The end of an INSERT that puts a later version in the place of the earlier one.
        insert: Insert or replace any number of rows.
        encode, decode: From a row to its cells and back; for events, from a NumberedEvent.
    """

    table: Table
    order: str
    columns: str
    written: str
    values: Sequence[tuple[str, str]]
    replacing: str
    insert: str = attrs.field(init=False)
    encode: Callable[[Any], Cells]
    decode: Callable[..., Any]

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "insert", self.part())

    def part(self, parameter: int = 1, condition: str = "", **other: str) -> str:
        """Write the INSERT as a part of a larger statement.

        Args:
            parameter: Number of the parameter that `text` makes.
            condition: What has to hold, else no row is written.
            other: Expressions over the cells of some columns, `{}` in them.
        """
        values = ", ".join(
            other.get(name, "{}").format(f"(cells->>{at}){cast}")
            for at, (name, cast) in enumerate(self.values)
        )
        return (
            f"INSERT INTO {self.table.name} ({self.written}) SELECT {values}"
            f" FROM jsonb_array_elements(${parameter}::text::jsonb) AS cells"
            f"{condition}{self.replacing}"
        )

    async def write(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Write rows, no two of one key. Raises ChangeRefused, inside a transaction that failed."""
        try:
            await connection.execute(self.insert, self.text(rows))
        except REFUSED as error:
            raise ChangeRefused(table=self.table.name, reason=str(error)) from error

    def text(self, rows: Sequence[Any]) -> str:
        """Write rows as one text of JSON. Raises one of REFUSED."""
        return _json(list(map(self.encode, rows))).decode()

    async def rows(self, connection: Connection, rest: str = "", *parameters: object) -> list[Any]:
        """Read rows: all, or those the rest of the SELECT says."""
        decode = self.decode
        query = f"SELECT {self.columns} FROM {self.table.name} {rest}"
        return [decode(*record) for record in await connection.fetch(query, *parameters)]

    async def page(self, connection: Connection, after: int) -> tuple[list[Any], int | None]:
        """Read the next rows in their order, and where to go on; None at the end."""
        found = await connection.fetch(
            f"SELECT {self.order}, {self.columns} FROM {self.table.name} "
            f"WHERE {self.order} > $1 ORDER BY {self.order} LIMIT {PAGE}",
            after,
        )
        rows = [self.decode(*cells) for _, *cells in found]
        return rows, found[-1][0] if len(found) == PAGE else None


def _make(table: Table) -> Statements:
    names = [column.name for column in table.columns]
    values = [(column.name, _CASTS.get(column.kind, "")) for column in table.columns]
    cells = _CELLS_OF_DELIVERIES if table.row_type is DeliveryRow else _CELLS
    encode, decode = encoder(table, cells), decoder(table, cells)
    if table.row_type is Event:
        names.insert(0, "number")
        values.insert(0, ("number", _CASTS[Kind.INTEGER]))
        encode, decode = _numbered(encode), _with_number(decode)
    columns = ", ".join(names)
    written = columns
    if table.alias is not None:
        written = f"{columns}, {table.alias.column}"
        values.append((table.alias.column, ""))
        encode = _with_alias(encode, table.alias)
    order = "number" if "number" in table.key[:1] or table.row_type is Event else "row_no"
    replacing = _replacing(table)
    return Statements(table, order, columns, written, values, replacing, encode, decode)


def _replacing(table: Table) -> str:
    """The end of an INSERT that puts a later version in the place of the earlier one."""
    if table.is_append_only:
        return ""
    columns = [column.name for column in table.columns if column.name not in table.key]
    if table.alias is not None:  # a row older than this column has none
        columns.append(table.alias.column)
    values = ", ".join(f"{name} = excluded.{name}" for name in columns)
    # what somebody else set meanwhile is newer than what the owner knew
    newer = " WHERE excluded.version > trading_states.version"
    guard = newer if table.row_type is TradingStateRow else ""
    return f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {values}{guard}"


def _with_alias(encode: Callable[[Any], Cells], alias: Alias) -> Callable[[Any], Cells]:
    return lambda row: (*encode(row), alias.of(row))


def _numbered(encode: Callable[[Any], Cells]) -> Callable[[NumberedEvent], Cells]:
    return lambda numbered: (numbered.number, *encode(numbered.event))


def _with_number(decode: Callable[..., Any]) -> Callable[..., NumberedEvent]:
    return lambda number, *cells: NumberedEvent(number, decode(*cells))


STATEMENTS: Final = {table.row_type: _make(table) for table in TABLES}
