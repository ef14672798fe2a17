"""Driving: the rules by which whoever feeds an engine decides what is due (protocol 1.2, 1.4).

A live runtime, a replay and a backtest share them, so the same market leads to the same steps.
"""

from datetime import datetime, timedelta
from typing import Final

from order_domain.book import Book
from order_domain.model.enums import OrderStatus
from order_domain.model.identifiers import InstrumentId
from order_domain.model.order import TERMINAL
from order_domain.model.quote import Quote

LONGEST_PAUSE: Final = timedelta(seconds=1)
"""After this long without one, a quote is a step of its own: something may wait for it."""
LEAST_GAP: Final = timedelta(milliseconds=10)
"""Between two Ticks with nothing in between, when the deadline stays in the past."""


class Quotes:
    """The newest quote per instrument, kept until a step is due.

    Only the quotes' own times count, no clock.
    """

    __slots__ = ("_fed_at", "_pending", "_urgent", "newest")

    def __init__(self) -> None:
        self._pending: dict[InstrumentId, Quote] = {}
        self._fed_at: dict[InstrumentId, datetime] = {}
        self._urgent = False
        self.newest: dict[InstrumentId, Quote] = {}

    def put(self, quote: Quote) -> bool:
        """Keep a quote unless a newer one is known; True when it must not wait for a step."""
        name = quote.instrument_id
        newest = self.newest.get(name)
        if newest is not None and newest.at > quote.at:
            return False
        self.newest[name] = self._pending[name] = quote
        fed_at = self._fed_at.get(name)
        if fed_at is None or quote.at - fed_at >= LONGEST_PAUSE:
            self._urgent = True
        return self._urgent

    @property
    def is_due(self) -> bool:
        """Whether a quote is kept that must not wait for a step."""
        return self._urgent

    def drain(self) -> list[Quote]:
        """Give the quotes the engine has not seen, in the order their instruments spoke up."""
        if not self._pending:
            return []
        quotes = list(self._pending.values())
        for quote in quotes:
            self._fed_at[quote.instrument_id] = quote.at
        self._pending.clear()
        self._urgent = False
        return quotes

    def renew(self) -> None:
        """Keep all of them again: the next engine has seen none."""
        self._pending = dict(self.newest)
        self._fed_at.clear()
        self._urgent = bool(self._pending)


class Ticks:
    """When the next Tick may be sent."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: datetime | None = None

    def ticked(self, now: datetime) -> None:
        """A Tick was the last step."""
        self._last = now

    def stepped(self) -> None:
        """Something else was the last step."""
        self._last = None

    def due_at(self, deadline: datetime | None) -> datetime | None:
        """When a deadline is answered: at once, with a pause when a Tick did not move it."""
        if deadline is None or self._last is None:
            return deadline
        return max(deadline, self._last + LEAST_GAP)


def has_open_ends(book: Book) -> bool:
    """Tell whether time alone may still change an order or signal: no end of a replay, then.

    Orders that rest at the exchange are no open ends; nothing happens to them without a market.
    """
    if book.parked or book.open_commands:
        return True
    return any(
        order.status not in _AT_REST or order.unbooked_quantity or order.reported_status is not None
        for orders in book.live.values()
        for order in orders.values()
    )


_AT_REST: Final = frozenset((OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED, *TERMINAL))
