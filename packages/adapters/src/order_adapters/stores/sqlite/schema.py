"""Schema: the tables of the file, made from the columns of the row classes, with checks.

Decimals and times are text, for SQLite's numbers are not exact and a person must be able to read a
file. Every row carries a checksum of its cells, so that a value changed by hand is found.
"""

from collections.abc import Iterator
from typing import Final

from order_adapters.codec.columns import Column, Kind
from order_adapters.codec.tables import TABLES, Table
from order_domain.model.events import Event

SCHEMA_VERSION: Final = 3
"""Raise it with every change of a table: a file of another version is refused, not guessed at.

One that `UPGRADES` leads from is brought up first.
"""

# An order has forty columns, so its checks are those that SQLite does fastest: comparisons, instead
# of GLOB or of IN, for which it builds an index at every row. NaN and Infinity begin with a letter.
_CHECKS: Final = {
    Kind.BOOLEAN: "{0} = 0 OR {0} = 1",
    Kind.DECIMAL: "{0} < 'A' AND {0} NOT BETWEEN '-A' AND '-z'",
    Kind.TIME: "{0} BETWEEN '0' AND ':'",
}
_WHOLE_NUMBERS: Final = frozenset((Kind.INTEGER, Kind.BOOLEAN))
_SYMBOL: Final = "symbol TEXT AS (substr(instrument_id, instr(instrument_id, ':') + 1)) VIRTUAL"
_FURTHER: Final = {
    "signals": (_SYMBOL,),
    "orders": (
        _SYMBOL,
        "row_id TEXT",
        "CHECK (client_order_id <> '')",
        "CHECK (version >= 1)",
        "CHECK (CAST(quantity AS REAL) >= 0)",
        "CHECK (CAST(cum_quantity AS REAL) >= 0)",
    ),
    "executions": (
        _SYMBOL,
        "CHECK (number >= 1)",
        "CHECK (exec_id <> '')",
        "CHECK (CAST(quantity AS REAL) >= 0)",
    ),
    "positions": (_SYMBOL,),
    "events": ("CHECK (number >= 1)", "CHECK (sequence >= 1)"),
}
_REPORTED_MORE: Final = (
    "(CAST(reported_cum AS REAL) > CAST(cum_quantity AS REAL)"
    " OR (CAST(reported_cum AS REAL) = CAST(cum_quantity AS REAL)"
    " AND reported_cum <> cum_quantity AND max(length(reported_cum), length(cum_quantity)) > 15))"
)
"""A report is ahead of the ledger. Numbers tell 15 digits apart; beyond them different texts count.

A fill that came before its report leaves `reported_cum` at 0, for ever: that is not ahead.
"""
OPEN_ORDER: Final = (
    f"(status NOT IN ('DENIED', 'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED') OR {_REPORTED_MORE})"
)
"""Orders something may still happen to, and hardly any more."""
CLOSED_AT: Final = "coalesce(closed_at, updated_at)"
OPEN_COMMAND: Final = "status IN ('PENDING', 'SENT', 'UNKNOWN')"
ORDER_EVENT: Final = "order_version IS NOT NULL"
_HEAD: Final = """
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    account TEXT NOT NULL,
    owner TEXT NOT NULL,
    url TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    expires_at TEXT NOT NULL,
    flush_no INTEGER NOT NULL,
    event_no INTEGER NOT NULL,
    states_version INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT
"""
_OPEN_ORDERS: Final = f"CREATE INDEX orders_open ON orders (row_no) WHERE {OPEN_ORDER}"
_ROW_IDS: Final = "CREATE UNIQUE INDEX orders_row_id ON orders (row_id)"
_INDEXES: Final = (
    "CREATE INDEX signals_decided ON signals (decided_at)",
    "CREATE INDEX signals_delivery ON signals (delivery)",
    "CREATE INDEX signals_newest ON signals (strategy_id, instrument_id, timestamp, decided_at)",
    _OPEN_ORDERS,
    f"CREATE INDEX orders_closed ON orders ({CLOSED_AT})",
    "CREATE INDEX orders_created ON orders (created_at)",
    "CREATE INDEX orders_signal ON orders (signal_id)",
    "CREATE INDEX orders_venue ON orders (venue_order_id) WHERE venue_order_id <> ''",
    _ROW_IDS,
    f"CREATE INDEX commands_open ON commands (client_order_id) WHERE {OPEN_COMMAND}",
    "CREATE INDEX executions_order ON executions (client_order_id)",
    "CREATE INDEX snapshots_at ON position_snapshots (at)",
    "CREATE INDEX requests_at ON requests (at)",
    f"CREATE UNIQUE INDEX order_events ON events (subject, sequence) WHERE {ORDER_EVENT}",
)


UPGRADES: Final = {
    1: (
        "ALTER TABLE orders ADD COLUMN row_id TEXT",
        "UPDATE orders SET row_id = order_row_id(client_order_id)",
        _ROW_IDS,
        "INSERT INTO schema_version VALUES (2)",
    ),
    2: (
        "DROP INDEX orders_open",
        _OPEN_ORDERS,
        "INSERT INTO schema_version VALUES (3)",
    ),
}
"""What brings a file to the next version; `order_row_id` is that of the domain."""


def order_column(table: Table) -> str:
    """Name the primary key: the row's own number, else its place in the order of commits."""
    return "number" if table.key == ("number",) or table.row_type is Event else "row_no"


def statements() -> Iterator[str]:
    """Yield what makes an empty file a store, the first head row aside."""
    yield "CREATE TABLE schema_version (version INTEGER PRIMARY KEY) STRICT"
    yield f"INSERT INTO schema_version VALUES ({SCHEMA_VERSION})"
    yield _HEAD
    for table in TABLES:
        lines = ",\n    ".join(_table_lines(table))
        yield f"CREATE TABLE {table.name} (\n    {lines}\n) STRICT"
    yield from _INDEXES


def _table_lines(table: Table) -> Iterator[str]:
    primary = order_column(table)
    names = {column.name for column in table.columns}
    if primary not in names:
        yield f"{primary} INTEGER PRIMARY KEY"
    for column in table.columns:
        if column.name == primary:
            yield f"{primary} INTEGER PRIMARY KEY"
        else:
            yield _column_line(column)
    yield "checksum INTEGER NOT NULL"
    further = _FURTHER.get(table.name, ())
    yield from (line for line in further if not line.startswith("CHECK"))
    if table.key != (primary,) and table.row_type is not Event:
        yield f"UNIQUE ({', '.join(table.key)})"
    for unique in table.unique:
        yield f"UNIQUE ({', '.join(unique)})"
    yield from (line for line in further if line.startswith("CHECK"))


def _column_line(column: Column) -> str:
    kind = "INTEGER" if column.kind in _WHOLE_NUMBERS else "TEXT"
    line = f"{column.name} {kind}" + ("" if column.is_optional else " NOT NULL")
    check = _CHECKS.get(column.kind)
    if column.kind is Kind.ENUM:
        check = " OR ".join(f"{{0}} = '{member.value}'" for member in column.hint)
    return line if check is None else f"{line} CHECK ({check.format(column.name)})"
