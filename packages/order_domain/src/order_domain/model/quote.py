"""Quote: best bid and ask of one instrument, with its time."""

from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.identifiers import InstrumentId

_HUNDRED = Decimal(100)


@attrs.define(slots=True)
class Quote:
    """Top of the book.

    Prices in quote units, sizes in base units, `at` is the exchange's time (UTC).
    """

    instrument_id: InstrumentId
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    at: datetime
    mark: Decimal | None = None

    @property
    def mid(self) -> Decimal:
        """Half-way between bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def mark_price(self) -> Decimal:
        """The exchange's mark price, else the mid."""
        return self.mark if self.mark is not None else (self.bid + self.ask) / 2

    @property
    def spread_percent(self) -> Decimal:
        """Spread as percent of mid."""
        return (self.ask - self.bid) * 200 / (self.bid + self.ask)
