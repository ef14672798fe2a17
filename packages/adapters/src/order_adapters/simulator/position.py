"""VenuePosition: the exchange's own account of one position, by average cost.

Written without the domain's Position on purpose: the order manager's books are compared with it.
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

import attrs

from order_domain.model.enums import Category, PositionSide
from order_domain.model.instrument import ZERO, Instrument

_QUANTUM = Decimal("1e-12")
"""Divisions end here, so that money keeps a finite number of digits and conservation is exact."""


@attrs.define(slots=True, eq=False)
class VenuePosition:
    """One position of a derivative.

    Attributes:
        size: Base units (contracts for inverse), negative when short.
        cost: What the open size was worth at entry, settle coin, never negative.
        realized, fees, funding: Settle coin since the start; fees and funding as paid.
    """

    instrument: Instrument
    side: PositionSide
    size: Decimal = ZERO
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    updated_at: datetime | None = None

    def trade(self, buys: bool, price: Decimal, quantity: Decimal, value: Decimal) -> Decimal:
        """Book a fill of this value; return what it realised before fees, settle coin."""
        size = self.size
        if not size or (size > 0) is buys:
            self.size = size + quantity if buys else size - quantity
            self.cost += value
            return ZERO
        held = abs(size)
        self.size = size + quantity if buys else size - quantity
        if quantity < held:
            share = (self.cost * quantity / held).quantize(_QUANTUM, ROUND_HALF_EVEN)
            got = value
            self.cost -= share
        else:
            beyond = quantity > held
            share = self.cost
            got = worth(self.instrument, price, held) if beyond else value
            self.cost = worth(self.instrument, price, quantity - held) if beyond else ZERO
        gain = self._gain(got - share, size)
        self.realized += gain
        return gain

    def unrealized(self, mark: Decimal) -> Decimal:
        """What closing at this price would realise before fees, settle coin."""
        size = self.size
        if not size:
            return ZERO
        if self.instrument.category is not _INVERSE:
            return mark * size - self.cost if size > 0 else mark * size + self.cost
        return self._gain(worth(self.instrument, mark, abs(size)) - self.cost, size)

    def average_price(self) -> Decimal | None:
        """Average entry price in quote units; None when flat."""
        if not self.size:
            return None
        if self.instrument.category is Category.INVERSE:
            return abs(self.size) / self.cost
        return self.cost / abs(self.size)

    def _gain(self, rise: Decimal, size: Decimal) -> Decimal:
        # A coin-settled position gains when its worth in coin falls.
        return rise if (size > 0) is (self.instrument.category is not _INVERSE) else -rise


def worth(instrument: Instrument, price: Decimal, quantity: Decimal) -> Decimal:
    """Value of a quantity in the settle coin."""
    if instrument.category is _INVERSE:
        return (quantity / price).quantize(_QUANTUM, ROUND_HALF_EVEN)
    return price * quantity


_INVERSE = Category.INVERSE
