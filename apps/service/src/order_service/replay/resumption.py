"""Resumption: what a store already holds of a replay, and where time goes on."""

from collections.abc import Container, Iterable, Iterator
from datetime import datetime

import attrs

from order_adapters.schedule import Due
from order_domain.errors import OrderManagerError
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.views import Views


class StoreNotEmpty(OrderManagerError):
    """The store, or the account beside it, holds rows of an earlier run. Details: `rows`."""

    code = "STORE_NOT_EMPTY"


@attrs.frozen(slots=True)
class Resumption:
    """What was done before.

    Attributes:
        lines: Numbers of the deliveries that are in the store.
        rows: How many rows were looked at; zero for a new store.
        at: The newest time of any of them; None for a new store.
    """

    lines: frozenset[int]
    rows: int
    at: datetime | None


async def look_into(views: Views) -> Resumption:
    """Read what a store holds of earlier runs."""
    lines: set[int] = set()
    times: list[datetime] = []
    rows = 0
    async for signal in views.stream(SignalRow):
        lines.add(signal.delivery)
        times = [max([*times, signal.received_at, signal.decided_at or signal.received_at])]
        rows += 1
    async for delivery in views.stream(DeliveryRow):
        lines.add(delivery.number)
        times = [max([*times, delivery.at])]
        rows += 1
    async for order in views.stream(Order):
        times = [max([*times, order.updated_at])]
        rows += 1
    return Resumption(frozenset(lines), rows, times[0] if times else None)


def without(dues: Iterable[Due], lines: Container[int]) -> Iterator[Due]:
    """Pass over the deliveries that a store holds already; the others keep their moments."""
    return (due for due in dues if due.delivery.number not in lines)
