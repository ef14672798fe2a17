"""Exporting: committed rows by kind, each kind in its order, a page in memory at a time."""

from collections.abc import AsyncIterator, Callable
from typing import Final, Literal, TypeVar

from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import Outbox
from order_domain.ports.views import Views
from order_service import rows
from order_service.plain import Row

Kind = Literal["signals", "orders", "executions", "positions", "events"]
PAGE: Final = 1000
T = TypeVar("T")
_Keyed = tuple[tuple[int, int], Row]
"""A row behind its delivery number and its generation."""


def exported(kind: Kind, views: Views, outbox: Outbox) -> AsyncIterator[Row]:
    """Every committed row of a kind. Raises StoreUnavailable."""
    if kind == "signals":
        return _signals(views)
    if kind == "events":
        return _events(outbox)
    return _OTHERS[kind](views)


async def _signals(views: Views) -> AsyncIterator[Row]:
    """Signals and the deliveries that brought nothing new, by delivery and generation."""
    signals = _in_turn(lambda: views.stream(SignalRow), _signal)
    deliveries = _in_turn(lambda: views.stream(DeliveryRow), _delivery)
    left, right = await anext(signals, None), await anext(deliveries, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] <= right[0]):
            yield left[1]  # type: ignore[index]  # one of the two is there
            left = await anext(signals, None)
        else:
            yield right[1]
            right = await anext(deliveries, None)


def _signal(row: SignalRow) -> _Keyed:
    return (row.delivery, row.generation), rows.signal_row(row)


def _delivery(row: DeliveryRow) -> _Keyed:
    return (row.number, 0), rows.delivery_row(row)


async def _in_turn(
    read: Callable[[], AsyncIterator[T]], keyed: Callable[[T], _Keyed]
) -> AsyncIterator[_Keyed]:
    """Rows by their key. Those committed out of turn, as retries are, are held; the rest passes."""
    late, last = [], (0, 0)
    async for row in read():
        each = keyed(row)
        if each[0] < last:
            late.append(each)
        last = max(last, each[0])
    late.sort(key=lambda each: each[0], reverse=True)
    last = (0, 0)
    async for row in read():
        each = keyed(row)
        if each[0] < last:
            continue
        last = each[0]
        while late and late[-1][0] < last:
            yield late.pop()
        yield each
    while late:
        yield late.pop()


async def _orders(views: Views) -> AsyncIterator[Row]:
    async for order in views.stream(Order):
        yield rows.order_row(order)


async def _executions(views: Views) -> AsyncIterator[Row]:
    async for entry in views.stream(LedgerEntry):
        yield rows.execution_row(entry)


async def _positions(views: Views) -> AsyncIterator[Row]:
    async for position in views.stream(Position):
        yield rows.position_row(position)


async def _events(outbox: Outbox) -> AsyncIterator[Row]:
    number = 0
    while page := await outbox.events_after(number, PAGE):
        for event in page:
            yield rows.event_row(event)
        number = page[-1].number


_OTHERS: Final[dict[str, Callable[[Views], AsyncIterator[Row]]]] = {
    "orders": _orders,
    "executions": _executions,
    "positions": _positions,
}
