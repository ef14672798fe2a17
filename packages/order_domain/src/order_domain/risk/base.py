"""Proposal: one order as the rules see it, with the numbers that several need; what a rule is."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import Category, OrderType, Origin, Side
from order_domain.model.identifiers import InstrumentId, StrategyId
from order_domain.model.instrument import ONE, ZERO, Instrument
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.risk.leaves import freed_leaves

Entry = tuple[str, object, object, bool]
"""(code, limit, actual, passed)."""

# Here and in the rules, members of enums are looked up once: on Python 3.11 each look-up on the
# path of an order costs as much as a Decimal addition.
_BUY: Final = Side.BUY
_INVERSE: Final = Category.INVERSE


@attrs.define(slots=True)
class Proposal:
    """One order, or the sum of the children of one decision. Quantities in base units.

    Attributes:
        timestamp: When the signal was made; None for what a person asked and for orders that are
            checked again.
        ahead: The position in the direction of the side: negative when the order works against it.
        reach: `ahead` after all other orders of this side have filled.
        against: Leaves of the other side.
        closable: What this side may still close: the opposing position less all closing orders on
            their way.
        leaving: Orders that end before this one can be claimed; the numbers above are without them.
        must_reduce: May only reduce: a close, or trading is restricted to reductions.
        is_exit: A person's close or flatten: our own size limits do not bind it.
        is_fixed: A person's own numbers: denied rather than changed.
        is_sealed: The terms are written already: it cannot become reduce-only any more.
        may_split: Limits of one order bind each child, not the sum.
        instrument: Not set when it is not known; the gates let nothing on without it.
        order_type, price, quote: Set when the gates have passed.
        reference: The price it is valued at: its limit, else the touch. None without a quote.
        unit: Quote units of one base unit at that price; one for inverse contracts.
        mark, mark_unit: The mark price, and the quote units of one base unit at it.
        value: Quote units of the whole quantity.
        requested: The quantity before any resize.
        reduces: The whole of it reduces; it is (to be) sent reduce-only.
        largest: Base units on the step that every limit of one order allows; set if it may split.
        legs: Number of children.
    """

    side: Side
    strategy_id: StrategyId
    instrument_id: InstrumentId
    origin: Origin
    timestamp: datetime | None
    ahead: Decimal
    reach: Decimal
    against: Decimal
    closable: Decimal
    leaving: Sequence[Order] = ()
    must_reduce: bool = False
    is_exit: bool = False
    is_fixed: bool = False
    is_sealed: bool = False
    may_split: bool = False
    instrument: Instrument = attrs.field(init=False)
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    quote: Quote | None = None
    reference: Decimal | None = None
    unit: Decimal = ZERO
    mark: Decimal | None = None
    mark_unit: Decimal = ZERO
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    requested: Decimal = ZERO
    reduces: bool = False
    largest: Decimal = ZERO
    legs: int = 1

    def value_at(self, quote: Quote | None, price: Decimal | None) -> None:
        """Take the quote, and the limit price if there is one. Only reductions need neither."""
        reference = price
        if quote is not None:
            self.quote = quote
            self.mark = self.mark_unit = quote.mark_price
            if price is None:
                reference = quote.ask if self.side is _BUY else quote.bid
        if reference is None:
            return
        self.price, self.reference, self.unit = price, reference, reference
        if self.instrument.category is _INVERSE:
            self.unit = self.mark_unit = ONE

    def resize(self, quantity: Decimal) -> None:
        """Take a quantity, and what follows from it."""
        self.quantity = quantity
        self.value = quantity * self.unit
        self.reduces = self.must_reduce or (not self.is_sealed and quantity <= self.closable)
        if self.may_split:
            self.legs = legs_needed(quantity, self.largest)

    @property
    def smallest_child(self) -> Decimal:
        """Base units of the smallest child, when cut into parts equal up to the step."""
        step = self.instrument.quantity_step
        return self.quantity // (step * self.legs) * step

    @property
    def largest_child(self) -> Decimal:
        """Base units of the largest child."""
        smallest = self.smallest_child
        if smallest * self.legs == self.quantity:
            return smallest
        return smallest + self.instrument.quantity_step


def legs_needed(quantity: Decimal, largest: Decimal) -> int:
    """Fewest children of at most this size; one when the size is no size at all."""
    if quantity <= largest or not largest:
        return 1
    whole = quantity // largest
    return int(whole) if whole * largest == quantity else int(whole) + 1


def propose(
    side: Side,
    strategy_id: StrategyId,
    instrument_id: InstrumentId,
    origin: Origin,
    timestamp: datetime | None,
    context: Context,
    leaving: Sequence[Order] = (),
) -> Proposal:
    """Weigh an order's side against position and other orders.

    Orders in `leaving` count as gone.
    """
    if side is _BUY:
        ahead, own, against = context.position, context.buy_leaves, context.sell_leaves
    else:
        ahead, own, against = -context.position, context.sell_leaves, context.buy_leaves
    if leaving:
        # Never below nothing: that would look like a position to close.
        own = max(ZERO, own - freed_leaves(context.orders, leaving, side))
        against = max(ZERO, against - freed_leaves(context.orders, leaving, side.opposite))
    reach = ahead + own
    closable = -reach if reach < 0 else ZERO
    proposal = Proposal(
        side,
        strategy_id,
        instrument_id,
        origin,
        timestamp,
        ahead,
        reach,
        against,
        closable,
        leaving,
    )
    if context.instrument is not None:
        proposal.instrument = context.instrument
    return proposal


Check = Callable[[Proposal, Context, EngineConfig], Entry | None]
Cap = Callable[[Proposal, Context, EngineConfig], Decimal]


@attrs.frozen(slots=True)
class Rule:
    """One rule of RULES.

    Attributes:
        check: Returns its entry for the trace; None when it is switched off or has nothing to say
            of this order.
        codes: The codes it may deny with.
        cap: The largest quantity it would pass, before rounding to the step; None when size is not
            its matter.
        binds_reductions: Whether it also binds orders that only reduce.
        binds_again: Whether it also binds when a decided order is checked again (claim, amend, re-
            quote).
    """

    check: Check
    codes: tuple[Code, ...]
    cap: Cap | None = None
    binds_reductions: bool = True
    binds_again: bool = True
