"""Which rows a book needs: at load, and when a step asks for some."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from order_adapters.stores.memory.database import MemoryDatabase
from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.enums import Verdict
from order_domain.model.execution import LedgerEntry
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import Change, Mark, RequestRow, SignalRow, TradingStateRow
from order_domain.model.steps import Need

T = TypeVar("T")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ALWAYS = (Instrument, Balance, TradingStateRow, Mark, Position)


def rows_of_a_book(database: MemoryDatabase, since: datetime) -> list[Change]:
    """The rows of a book that keeps what was closed or decided since, in the order of `apply`."""
    orders = {
        order.client_order_id: order
        for order in _all(database, Order)
        if _is_live(order) or (order.closed_at or order.updated_at) >= since
    }
    ledger = _all(database, LedgerEntry)
    rows: list[Change] = []
    for row_type in _ALWAYS:
        rows += database.rows[row_type].values()
    rows += _signals_of_a_book(database, orders.values(), since)
    rows += orders.values()
    rows += (
        command
        for command in _all(database, Command)
        if command.is_open or command.client_order_id in orders
    )
    rows += (
        entry
        for entry in ledger
        if entry is ledger[-1] or entry.execution.client_order_id in orders
    )
    rows += (row for row in _all(database, RequestRow) if row.at >= since)
    return rows


def rows_needed(database: MemoryDatabase, need: Need) -> list[Change]:
    """The rows a step asked for; orders come with their commands and ledger entries.

    New signals ask most often, so only orders, which seldom are asked for, cost a walk.
    """
    requests = database.rows[RequestRow]
    booked = (database.booked(*execution) for execution in need.executions)
    entries = {entry.number: entry for entry in booked if entry is not None}
    rows: list[Change] = []
    for signal_id in need.signals:
        rows += _generations(database, signal_id)
    if need.orders or need.venue_orders:
        orders = _orders_needed(database, need)
        rows += orders.values()
        rows += (row for row in _all(database, Command) if row.client_order_id in orders)
        named = (orders.keys() | need.orders) - {""}
        of_venue = frozenset(need.venue_orders) - {""}
        for entry in _all(database, LedgerEntry):
            client_id, venue_id = entry.execution.client_order_id, entry.execution.venue_order_id
            if client_id in named if client_id else venue_id in of_venue:
                entries[entry.number] = entry
    rows += (entries[number] for number in sorted(entries))
    rows += (requests[key] for key in need.requests if key in requests)
    return rows


def _orders_needed(database: MemoryDatabase, need: Need) -> dict[str, Order]:
    asked, asked_of_venue = frozenset(need.orders), frozenset(need.venue_orders) - {""}
    return {
        order.client_order_id: order
        for order in _all(database, Order)
        if order.client_order_id in asked or order.venue_order_id in asked_of_venue
    }


def _generations(database: MemoryDatabase, signal_id: str) -> Iterator[SignalRow]:
    rows, generation = database.rows[SignalRow], 0
    while (row := rows.get((signal_id, generation))) is not None:
        yield row
        generation += 1


def _signals_of_a_book(
    database: MemoryDatabase, orders: Iterable[Order], since: datetime
) -> list[SignalRow]:
    """Those that wait, the lately decided, those of the orders, the newest of each strategy."""
    of_orders = {order.terms.signal_id for order in orders}
    rows = _all(database, SignalRow)
    newest: dict[tuple[str, str], SignalRow] = {}
    for row in rows:
        key = (row.signal.strategy_id, row.signal.instrument_id)
        known = newest.get(key)
        if row.verdict is not Verdict.PARKED and (
            known is None or row.signal.timestamp > known.signal.timestamp
        ):
            newest[key] = row
    of_recency = {id(row) for row in newest.values()}
    kept = (
        row
        for row in rows
        if row.decided_at is None
        or row.decided_at >= since
        or row.signal.signal_id in of_orders
        or id(row) in of_recency
    )
    return sorted(kept, key=_order_of_decision)


def _order_of_decision(row: SignalRow) -> tuple[bool, datetime, int, int]:
    """Decided ones in the order of their decision, then those that wait in the order they came."""
    waits = row.decided_at is None
    return waits, row.decided_at or _LONG_AGO, 0 if not waits else row.delivery, row.generation


def _is_live(order: Order) -> bool:
    """Something may still happen to it: it has not ended, or the ledger has not caught up."""
    return not order.is_terminal or order.reported_cum > order.cum_quantity


def _all(database: MemoryDatabase, row_type: type[T]) -> list[T]:
    return list(database.rows[row_type].values())
