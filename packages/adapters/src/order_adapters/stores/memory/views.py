"""Views and outbox of the store in memory."""

from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from typing import Any, Final, TypeVar

from order_adapters.stores.memory.database import MemoryDatabase
from order_domain.model.balance import Balance
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import order_row_id, symbol_of
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent
from order_domain.ports.views import OrderQuery, StoredOrder

T = TypeVar("T")


class MemoryViews:
    """Reads committed rows."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def orders(self, query: OrderQuery) -> tuple[Sequence[Order], int]:
        """Return a page of orders and how many match in all."""
        value = _SORT_VALUE[query.sort_by]
        found = [order for order in self._all(Order) if _matches(order, query)]
        if query.descending:
            found.reverse()  # sorting keeps the order of equals, reversed or not
        present = [order for order in found if value(order) is not None]
        present.sort(key=value, reverse=query.descending)
        ordered = present + [order for order in found if value(order) is None]
        return ordered[query.offset : query.offset + query.limit], len(ordered)

    async def order_page(
        self, query: OrderQuery, known: Callable[[Hashable], T | None]
    ) -> tuple[Sequence[T | StoredOrder], int]:
        """Return the same page, without what is known."""
        orders, total = await self.orders(query)
        page: list[T | StoredOrder] = []
        for form in map(_Form, orders):
            kept = known(form)
            page.append(StoredOrder(form, form.order) if kept is None else kept)
        return page, total

    async def order(self, any_id: str) -> Order | None:
        """Find an order by client order id, else by venue order id, else by the id of its row."""
        orders = self._all(Order)
        for order in orders:
            if order.client_order_id == any_id:
                return order
        for order in orders:
            if any_id and order.venue_order_id == any_id:
                return order
        return next((o for o in orders if order_row_id(o.client_order_id) == any_id), None)

    async def order_events(self, client_order_id: str) -> Sequence[NumberedEvent]:
        """Every event of one order."""
        found = [
            NumberedEvent(number, event)
            for number, event in enumerate(self._events(), 1)
            if event.subject == client_order_id and event.order is not None
        ]
        return sorted(found, key=lambda numbered: numbered.event.sequence)

    async def order_ledger(self, client_order_id: str) -> Sequence[LedgerEntry]:
        """Every booked execution of one order."""
        entries = self._all(LedgerEntry)
        return [entry for entry in entries if entry.execution.client_order_id == client_order_id]

    async def ledger_after(self, number: int, limit: int) -> Sequence[LedgerEntry]:
        """Read the next entries of the ledger in number order."""
        return self._all(LedgerEntry)[number : number + limit]

    async def signal(self, signal_id: str) -> Sequence[SignalRow]:
        """All generations of one signal."""
        found = [row for row in self._all(SignalRow) if row.signal.signal_id == signal_id]
        return sorted(found, key=lambda row: row.generation)

    async def signals(self, signal_ids: Sequence[str]) -> Sequence[SignalRow]:
        """The newest generation of each of these signals that there is."""
        found = [await self.signal(each) for each in dict.fromkeys(signal_ids)]
        return [rows[-1] for rows in found if rows]

    async def delivery(self, number: int) -> DeliveryRow | None:
        """Find a delivery that brought nothing new."""
        return next((row for row in self._all(DeliveryRow) if row.number == number), None)

    async def last_delivery(self) -> int:
        """Number of the newest delivery."""
        signals = (row.delivery for row in self._all(SignalRow))
        others = (row.number for row in self._all(DeliveryRow))
        return max((*signals, *others), default=0)

    async def newest(self, row_type: type[T], limit: int) -> Sequence[T]:
        """The rows of one type that were first committed last."""
        return list(self._all(row_type))[: -limit - 1 : -1]

    async def positions(self, symbol: str | None = None) -> Sequence[Position]:
        """Current positions, flat ones included."""
        rows = self._all(Position)
        return [row for row in rows if symbol is None or symbol_of(row.instrument_id) == symbol]

    async def balances(self) -> Sequence[Balance]:
        """Newest wallet snapshot per coin."""
        return self._all(Balance)

    async def trading_states(self) -> Sequence[TradingStateRow]:
        """Every scope and cause that was ever set."""
        return self._all(TradingStateRow)

    async def stream(self, row_type: type[T]) -> AsyncIterator[T]:
        """Every row of one type, in the order of first commit, as of now."""
        rows: Sequence[Any] = list(self._events()) if row_type is Event else self._all(row_type)
        for row in rows:
            yield row

    def _all(self, row_type: type[T]) -> list[T]:
        self._database.check()
        return list(self._database.rows[row_type].values())

    def _events(self) -> Sequence[Event]:
        self._database.check()
        return self._database.events


class _Form:
    """The very object that is stored: a later version is another one."""

    __slots__ = ("order",)

    def __init__(self, order: Order) -> None:
        self.order = order

    def __hash__(self) -> int:
        return id(self.order)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Form) and other.order is self.order


class MemoryOutbox:
    """Reads committed events."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def events_after(self, number: int, limit: int) -> Sequence[NumberedEvent]:
        """Read the next events in number order."""
        self._database.check()
        events = self._database.events[number : number + limit]
        return [NumberedEvent(at, event) for at, event in enumerate(events, number + 1)]


def _matches(order: Order, query: OrderQuery) -> bool:
    terms = order.terms
    return (
        (query.symbol is None or symbol_of(terms.instrument_id) == query.symbol)
        and (not query.statuses or order.status in query.statuses)
        and (query.signal_id is None or terms.signal_id == query.signal_id)
        and (query.strategy_id is None or terms.strategy_id == query.strategy_id)
        and (query.side is None or terms.side is query.side)
        and (query.created_from is None or terms.created_at >= query.created_from)
        and (query.created_to is None or terms.created_at < query.created_to)
    )


_SORT_VALUE: Final[dict[str, Callable[[Order], Any]]] = {
    "created_at": lambda order: order.terms.created_at,
    "updated_at": lambda order: order.updated_at,
    "executed_at": lambda order: order.executed_at,
    "closed_at": lambda order: order.closed_at,
    "symbol": lambda order: symbol_of(order.terms.instrument_id),
    "side": lambda order: order.terms.side.value,
    "status": lambda order: order.status.value,
    "price": lambda order: order.price,
    "quantity": lambda order: order.quantity,
    "strategy_id": lambda order: order.terms.strategy_id,
}
