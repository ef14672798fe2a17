"""OrderBook: one instrument's levels as the stream builds them, and the best of them as a quote."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from order_adapters.venues.bybit.market_records import BookChange, Level
from order_domain.model.quote import Quote

LEVELS_MAX: Final = 5000
"""Many times the deepest topic: a book that grows beyond has lost its removals."""


class OrderBook:
    """Folds snapshots and deltas.

    Attributes:
        is_ready: A snapshot came, and nothing since made the book useless.
    """

    def __init__(self) -> None:
        self.is_ready = False
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def apply(self, change: BookChange) -> Quote | None:
        """Fold one message in; return the best bid and ask.

        None: there is no snapshot yet, a side is empty, or the book crosses itself. A book that
        grew beyond all measure waits for its next snapshot; whoever reads it subscribes again.
        """
        if change.replaces:
            self._bids.clear()
            self._asks.clear()
            self.is_ready = True
        elif not self.is_ready:
            return None
        _put(self._bids, change.bids)
        _put(self._asks, change.asks)
        if len(self._bids) > LEVELS_MAX or len(self._asks) > LEVELS_MAX:
            self.is_ready = False
            return None
        if not self._bids or not self._asks:
            return None
        bid, ask = max(self._bids), min(self._asks)
        if bid >= ask:
            return None
        return Quote(change.instrument_id, bid, self._bids[bid], ask, self._asks[ask], change.at)


def _put(levels: dict[Decimal, Decimal], changes: Iterable[Level]) -> None:
    for price, size in changes:
        if size:
            levels[price] = size
        else:
            levels.pop(price, None)
