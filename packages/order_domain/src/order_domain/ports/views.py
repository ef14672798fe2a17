"""Views: committed rows for people. Nobody outside the engine reads the book (protocol 1.7)."""

from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeVar

import attrs

from order_domain.errors import InvalidValue
from order_domain.model.balance import Balance
from order_domain.model.enums import OrderStatus, Side
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent

T = TypeVar("T")
ORDER_SORTS: Final = (
    "created_at",
    "updated_at",
    "executed_at",
    "closed_at",
    "symbol",
    "side",
    "status",
    "price",
    "quantity",
    "strategy_id",
)


@attrs.frozen(slots=True, kw_only=True)
class OrderQuery:
    """Filter, sort and page of an order listing.

    Every filter is optional; times are UTC and half-open [from, to). Orders that lack the value
    they are sorted by come last; equal ones in the order of their first commit, or its reverse.

    Raises:
        InvalidValue: `sort_by` is none of `ORDER_SORTS`, or the page is none.
    """

    symbol: str | None = None
    statuses: tuple[OrderStatus, ...] = ()
    signal_id: str | None = None
    strategy_id: str | None = None
    side: Side | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    sort_by: str = "created_at"
    descending: bool = True
    limit: int = 50
    offset: int = 0

    def __attrs_post_init__(self) -> None:
        if self.sort_by not in ORDER_SORTS:
            rule = f"one of {', '.join(ORDER_SORTS)}"
            raise InvalidValue(field="sort_by", rule=rule, value=self.sort_by)
        if self.limit < 1:
            raise InvalidValue(field="limit", rule=">= 1", value=self.limit)
        if self.offset < 0:
            raise InvalidValue(field="offset", rule=">= 0", value=self.offset)


@attrs.frozen(slots=True)
class StoredOrder:
    """An order as it is stored.

    Attributes:
        form: Equal in two readings only if everything that is stored of the order is equal.
    """

    form: Hashable
    order: Order


class Views(Protocol):
    """Read side of a store."""

    async def orders(self, query: OrderQuery) -> tuple[Sequence[Order], int]:
        """Return a page of orders and how many match in all, as of one moment."""
        ...

    async def order_page(
        self, query: OrderQuery, known: Callable[[Hashable], T | None]
    ) -> tuple[Sequence[T | StoredOrder], int]:
        """Return the same page for a caller who has kept what he made of some orders.

        Args:
            known: What was kept of a form, or None. Only what it does not know is read whole. It
                may be called in another thread.
        """
        ...

    async def order(self, any_id: str) -> Order | None:
        """Find an order by client order id, else by venue order id, else by the id of its row."""
        ...

    async def order_events(self, client_order_id: str) -> Sequence[NumberedEvent]:
        """Every event of one order, by sequence."""
        ...

    async def order_ledger(self, client_order_id: str) -> Sequence[LedgerEntry]:
        """Every booked execution of one order, in booking order."""
        ...

    async def ledger_after(self, number: int, limit: int) -> Sequence[LedgerEntry]:
        """Read the next entries of the ledger in number order."""
        ...

    async def signal(self, signal_id: str) -> Sequence[SignalRow]:
        """All generations of one signal."""
        ...

    async def signals(self, signal_ids: Sequence[str]) -> Sequence[SignalRow]:
        """The newest generation of each of these signals that there is, in no certain order."""
        ...

    async def delivery(self, number: int) -> DeliveryRow | None:
        """Find what was kept of a delivery that brought nothing new."""
        ...

    async def last_delivery(self) -> int:
        """Number of the newest delivery that has a row; 0 before the first."""
        ...

    async def positions(self, symbol: str | None = None) -> Sequence[Position]:
        """Current positions, flat ones included."""
        ...

    async def balances(self) -> Sequence[Balance]:
        """Newest wallet snapshot per coin."""
        ...

    async def trading_states(self) -> Sequence[TradingStateRow]:
        """Every scope and cause that was ever set."""
        ...

    async def newest(self, row_type: type[T], limit: int) -> Sequence[T]:
        """The rows of one type that were first committed last, the newest first."""
        ...

    def stream(self, row_type: type[T]) -> AsyncIterator[T]:
        """Every row of one type, in the order of first commit; ledger and events by number."""
        ...
