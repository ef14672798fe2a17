"""Available balance: margin and fee of the opening part are free in the coin it spends."""

from decimal import Decimal
from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import Category, Side
from order_domain.model.instrument import ONE, ZERO, Instrument
from order_domain.model.order import Order
from order_domain.risk.base import Entry, Proposal
from order_domain.risk.leaves import freed

_BALANCE_MISSING: Final = Code.BALANCE_MISSING
_BUY: Final = Side.BUY
_INSUFFICIENT_BALANCE: Final = Code.INSUFFICIENT_BALANCE
_SELL: Final = Side.SELL
_INVERSE: Final = Category.INVERSE
_SPOT: Final = Category.SPOT


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Notional x (initial margin rate + taker fee rate); on spot the coin given away, in full.

    What the replaced orders hold counts as free: the reservation is the larger of the two.
    """
    if not config.enable_balance_check:
        return None
    available = context.available
    if available is None or proposal.reference is None:
        return (_BALANCE_MISSING, None, None, False)
    opening = proposal.quantity
    if proposal.closable:
        opening -= proposal.closable
    needed = reservation(proposal.instrument, proposal.side, proposal.reference, opening)
    if proposal.leaving:
        needed -= _freed(proposal, context)
    return (_INSUFFICIENT_BALANCE, available, needed, needed <= available)


def cap(proposal: Proposal, context: Context, _config: EngineConfig) -> Decimal:
    """What is free pays for; what only closes costs nothing."""
    if context.available is None or proposal.reference is None:
        return ZERO
    free = context.available + (_freed(proposal, context) if proposal.leaving else ZERO)
    if free <= 0:
        return ZERO
    return proposal.closable + free / reservation(
        proposal.instrument, proposal.side, proposal.reference, ONE
    )


def reservation(instrument: Instrument, side: Side, price: Decimal, quantity: Decimal) -> Decimal:
    """What an opening quantity holds, in the coin that `instrument.spent_coin` names."""
    if instrument.category is _SPOT and side is _SELL:
        return quantity
    notional = quantity / price if instrument.category is _INVERSE else price * quantity
    return notional * (instrument.initial_margin_rate + instrument.taker_fee_rate)


def _freed(proposal: Proposal, context: Context) -> Decimal:
    def held(order: Order) -> Decimal:
        terms = order.terms
        price = order.price
        if price is None:
            price = terms.decision_ask if terms.side is _BUY else terms.decision_bid
        if price is None or terms.reduce_only:
            return ZERO
        return reservation(proposal.instrument, terms.side, price, order.leaves_quantity)

    return freed(context.orders, proposal.leaving, proposal.side, held)
