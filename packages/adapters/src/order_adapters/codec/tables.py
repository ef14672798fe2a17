"""Tables: one per row class, in the order in which a flush writes them, with their keys."""

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any, Final

import attrs

from order_adapters.codec.columns import Column, columns_of
from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import order_row_id
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.rows import DeliveryRow, Mark, RequestRow, SignalRow, TradingStateRow

_RENAMED: Final = {
    Event: {"order": "order_version", "ledger": "ledger_entry"},
    Instrument: {"id": "instrument_id"},
}


@attrs.frozen(slots=True)
class Alias:
    """A further column by which a row is found: made of its key alone, so never read back."""

    column: str
    of: Callable[[Any], str]


@attrs.frozen(slots=True, eq=False)
class Table:
    """Where the rows of one class are kept.

    Attributes:
        key: Columns that tell one row from another; a later version replaces the earlier one.
        unique: Further columns that no two rows share.
        is_append_only: History: every row stays as it was first written.
        alias: Written beside the columns.
        columns: All columns, in the order of `encode` and `decode`.
        key_of: The key of a row.
    """

    name: str
    row_type: type
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    is_append_only: bool = False
    alias: Alias | None = None
    columns: tuple[Column, ...] = attrs.field(init=False)
    key_of: Callable[[Any], Hashable] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        columns = tuple(columns_of(self.row_type, _RENAMED.get(self.row_type, {})))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "key_of", self.getter(self.key))

    def getter(self, names: tuple[str, ...]) -> Callable[[Any], Hashable]:
        """Make the function that reads these columns of a row."""
        paths = {column.name: ".".join(column.path) for column in self.columns}
        return attrgetter(*(paths[name] for name in names))


TABLES: Final = (
    Table("instruments", Instrument, ("instrument_id",)),
    Table("signals", SignalRow, ("signal_id", "generation")),
    Table("deliveries", DeliveryRow, ("number",)),
    Table(
        "orders",
        Order,
        ("client_order_id",),
        alias=Alias("row_id", lambda order: order_row_id(order.client_order_id)),
    ),
    Table("commands", Command, ("client_order_id", "kind", "number")),
    Table(
        "executions",
        LedgerEntry,
        ("number",),
        unique=(("instrument_id", "exec_id"),),
        is_append_only=True,
    ),
    Table("positions", Position, ("instrument_id", "position_side")),
    Table("position_snapshots", PositionSnapshot, ("instrument_id", "position_side", "at")),
    Table("balances", Balance, ("coin",)),
    Table("trading_states", TradingStateRow, ("scope", "cause")),
    Table("marks", Mark, ("name",)),
    Table("requests", RequestRow, ("request_id",)),
    # Numbered by the journal. The key holds among events of orders; others may be told again.
    Table("events", Event, ("subject", "sequence"), is_append_only=True),
)
TABLE_OF: Final = {table.row_type: table for table in TABLES}
