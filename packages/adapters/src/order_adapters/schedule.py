"""Schedule: a recorded market and its deliveries in virtual time, one instant after another."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Generic, TypeVar

import attrs

from order_adapters.simulator.trade import MarketTrade
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.quote import Quote

MarketRow = Quote | MarketTrade
Delivery = SignalDelivered | DeliveryInvalid
T = TypeVar("T")


@attrs.frozen(slots=True)
class Due:
    """A delivery and its moment."""

    at: datetime
    delivery: Delivery


def timed(deliveries: Iterable[Delivery], first: datetime, last: datetime) -> Iterator[Due]:
    """Give every delivery its moment, in file order.

    A line is delivered at its timestamp, never before the line in front of it, if that lies inside
    the market's span; else (also when it has no timestamp) right after the line in front of it.

    Args:
        deliveries: Lines of a file.
        first: Begin of the market; no line is delivered before it.
        last: End of the market.
    """
    previous = first
    for delivery in deliveries:
        if isinstance(delivery, SignalDelivered):
            moment = max(previous, delivery.signal.timestamp)
            if moment <= last:
                previous = moment
        yield Due(previous, delivery)


class Schedule:
    """What is recorded, one instant after another.

    At one instant the driver takes the market first, then what the exchange answers and reports,
    then lets the engine do what time brings, then takes the deliveries in file order.
    """

    def __init__(self, market: Iterable[MarketRow], deliveries: Iterable[Due]) -> None:
        self._market = _Ahead(market)
        self._deliveries = _Ahead(deliveries)

    @property
    def is_over(self) -> bool:
        """Whether nothing recorded is left."""
        return self._market.head is None and self._deliveries.head is None

    @property
    def is_market_over(self) -> bool:
        """Whether no row is left."""
        return self._market.head is None

    def next_moment(self, *others: datetime | None, deliveries: bool) -> datetime | None:
        """Return the earliest of the next row, the moments given and, if asked, a delivery."""
        market, delivery = self._market.head, self._deliveries.head
        moments = [moment for moment in others if moment is not None]
        if market is not None:
            moments.append(market.at)
        if delivery is not None and deliveries:
            moments.append(delivery.at)
        return min(moments, default=None)

    def market(self, until: datetime) -> Iterator[MarketRow]:
        """Take the rows up to and including an instant."""
        while (row := self._market.head) is not None and row.at <= until:
            self._market.pull()
            yield row

    def deliveries(self, until: datetime) -> Iterator[Delivery]:
        """Take the deliveries up to and including an instant."""
        while (due := self._deliveries.head) is not None and due.at <= until:
            self._deliveries.pull()
            yield due.delivery


class _Ahead(Generic[T]):
    """An iterator whose next item can be seen."""

    __slots__ = ("_items", "head")

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self.head = next(self._items, None)

    def pull(self) -> None:
        self.head = next(self._items, None)
