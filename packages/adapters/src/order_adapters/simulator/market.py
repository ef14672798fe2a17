"""Market: the displayed touch of an instrument, what is left of it, and our resting orders."""

from bisect import insort
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from order_adapters.simulator.stop import TriggerBy
from order_domain.model.enums import Category
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ZERO, Instrument
from order_domain.model.quote import Quote

if TYPE_CHECKING:
    from order_adapters.simulator.order import VenueOrder
    from order_adapters.simulator.position import VenuePosition


@attrs.define(slots=True, eq=False)
class Market:
    """One instrument as our account meets it.

    The recorded market knows nothing of us, so what we took stays displayed. `bid_left` and
    `ask_left` remember it: a displayed size is taken once, until the quote shows a new price or
    raises the size at the same price, and then only by that much.

    Attributes:
        bid_left, ask_left: What is left of the displayed touch; None while we took nothing of it.
        deep: What we took beyond the touch, by level and side; forgotten with the next quote.
        buys, sells: Our resting orders, best price first, then oldest.
        waiting: Our conditional orders whose price has not come, oldest first.
        reducers: How many follow the position: resting reduce-only orders, and waiting guards.
        last: Price of the last trade; the mid of the first quote, cut to its tick,
            before there was one.
        one_way: The position of an account that does not hedge, once there was one.
        hedged: The account keeps a long and a short position of it.
    """

    instrument: Instrument
    quote: Quote | None = None
    bid_left: Decimal | None = None
    ask_left: Decimal | None = None
    deep: dict[tuple[bool, int], Decimal] = attrs.Factory(dict)
    buys: "list[VenueOrder]" = attrs.Factory(list)
    sells: "list[VenueOrder]" = attrs.Factory(list)
    waiting: "list[VenueOrder]" = attrs.Factory(list)
    reducers: int = 0
    last: Decimal | None = None
    one_way: "VenuePosition | None" = None
    hedged: bool = False
    id: InstrumentId = attrs.field(init=False)
    is_spot: bool = attrs.field(init=False)
    open_rate: Decimal = attrs.field(init=False)
    _mark: Decimal | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.change(self.instrument)

    def change(self, instrument: Instrument) -> None:
        """Take new trading rules of the same symbol."""
        self.instrument = instrument
        self.id = instrument.id
        self.is_spot = instrument.category is Category.SPOT
        self.open_rate = instrument.initial_margin_rate + instrument.taker_fee_rate

    def show(self, quote: Quote) -> None:
        """Take the next displayed touch."""
        old = self.quote
        self.quote = quote
        self._mark = None
        if self.deep:
            self.deep.clear()
        if old is None:
            if self.last is None:
                self.last = quote.mid - quote.mid % self.instrument.tick_size
            return
        if self.bid_left is not None:
            same = quote.bid == old.bid
            self.bid_left = _left(self.bid_left, old.bid_size, quote.bid_size) if same else None
        if self.ask_left is not None:
            same = quote.ask == old.ask
            self.ask_left = _left(self.ask_left, old.ask_size, quote.ask_size) if same else None

    def touch(self, buys: bool) -> tuple[Decimal, Decimal] | None:
        """Price and what is left of the side a taker meets; None before the first quote."""
        quote = self.quote
        if quote is None:
            return None
        if buys:
            return quote.ask, quote.ask_size if self.ask_left is None else self.ask_left
        return quote.bid, quote.bid_size if self.bid_left is None else self.bid_left

    def would_take(self, buys: bool, price: Decimal) -> bool:
        """Tell whether a limit price reaches the other side of the displayed touch."""
        quote = self.quote
        if quote is None:
            return False
        return price >= quote.ask if buys else price <= quote.bid

    def consume(self, buys: bool, left: Decimal) -> None:
        """Remember what a taker left of the touch."""
        if buys:
            self.ask_left = left
        else:
            self.bid_left = left

    def levels(self, buys: bool, beyond: int) -> Iterator[tuple[int, Decimal, Decimal]]:
        """Yield number, price and what is left of each assumed level behind the touch."""
        quote = self.quote
        if quote is None:
            return
        tick = self.instrument.tick_size
        price, size = (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
        for level in range(1, beyond + 1):
            price = price + tick if buys else price - tick
            if price <= 0:
                return
            yield level, price, size - self.deep.get((buys, level), ZERO)

    def displayed(self, buys: bool, price: Decimal) -> Decimal | None:
        """Quantity of others at a price: zero where it improves the touch, None behind it."""
        quote = self.quote
        if quote is None:
            return None
        best, size = (quote.bid, quote.bid_size) if buys else (quote.ask, quote.ask_size)
        if price == best:
            return size
        return ZERO if (price > best) is buys else None

    def mark_price(self) -> Decimal | None:
        """Mark price of the newest quote, quote units."""
        mark = self._mark
        if mark is None and self.quote is not None:
            mark = self._mark = self.quote.mark_price
        return mark

    def rest(self, order: "VenueOrder") -> None:
        """Put an order behind those it may not overtake."""
        insort(self.buys if order.buys else self.sells, order, key=_priority)
        self.reducers += order.reduce_only

    def leave(self, order: "VenueOrder") -> None:
        """Take an order out; nothing happens if it neither rested nor waited."""
        side = self.buys if order.buys else self.sells
        if order in side:
            side.remove(order)
            self.reducers -= order.reduce_only
        elif self.waiting and order in self.waiting:
            self.waiting.remove(order)
            self.reducers -= order.stop is not None and order.stop.is_guard

    def wait(self, order: "VenueOrder") -> None:
        """Let a conditional order wait for its price."""
        self.waiting.append(order)
        self.reducers += order.stop is not None and order.stop.is_guard

    def price_by(self, by: TriggerBy) -> Decimal | None:
        """Return the price that a condition looks at; None while there is none."""
        return self.last if by is TriggerBy.LAST else self.mark_price()


def _priority(order: "VenueOrder") -> tuple[Decimal, int]:
    price = order.resting_price
    return (-price if order.buys else price, order.number)


def _left(left: Decimal, old: Decimal, new: Decimal) -> Decimal:
    """What may still be taken at the same price: a rise comes on top, a cut is gone."""
    if new > old:
        left += new - old
    return left if left < new else new
