"""Available balance: margin and fee of the opening part are free in the coin it spends."""

from decimal import Decimal

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import Category, Side
from order_domain.model.instrument import ONE, ZERO, Instrument
from order_domain.model.order import Order
from order_domain.risk.base import Entry, Proposal
from order_domain.risk.leaves import freed


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Notional x (initial margin rate + taker fee rate); on spot the coin given away, in full.

    What the replaced orders hold counts as free: the reservation is the larger of the two.
    """
    if not config.enable_balance_check:
        return None
    available = context.available
    if available is None or proposal.reference is None:
        return (Code.BALANCE_MISSING, None, None, False)
    needed = reservation(
        proposal.instrument,
        proposal.side,
        proposal.reference,
        proposal.quantity - proposal.closable,
    )
    if proposal.leaving:
        needed -= _freed(proposal, context)
    return (Code.INSUFFICIENT_BALANCE, available, needed, needed <= available)


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
    if instrument.category is Category.SPOT and side is Side.SELL:
        return quantity
    rate = instrument.initial_margin_rate + instrument.taker_fee_rate
    return instrument.notional(price, quantity) * rate


def _freed(proposal: Proposal, context: Context) -> Decimal:
    def held(order: Order) -> Decimal:
        terms = order.terms
        price = order.price
        if price is None:
            price = terms.decision_ask if terms.side is Side.BUY else terms.decision_bid
        if price is None or terms.reduce_only:
            return ZERO
        return reservation(proposal.instrument, terms.side, price, order.leaves_quantity)

    return freed(context.orders, proposal.leaving, proposal.side, held)
