"""A signal's decision: gates, type, price, size, limits; then drafts, or the first reason not."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context, Decision
from order_domain.decide.drafts import denied, ordered
from order_domain.decide.terms import signal_terms
from order_domain.model.enums import OrderType, Origin
from order_domain.model.signal import SignalIntent, TradingSignal
from order_domain.notes import Note
from order_domain.policy.cancels import replaced_orders
from order_domain.policy.limit_price import limit_price
from order_domain.policy.order_type import choose_order_type
from order_domain.policy.sizing import size
from order_domain.risk.assess import Trail, admit, assess
from order_domain.risk.base import Proposal, propose
from order_domain.risk.quote_age import fresh_quote

_CLOSE: Final = SignalIntent.CLOSE
_LIMIT: Final = OrderType.LIMIT
_OK: Final = Code.OK
_ORDER_VALUE_ABOVE_MAX: Final = Code.ORDER_VALUE_ABOVE_MAX
_QUOTE_MISSING: Final = Code.QUOTE_MISSING
_REPLACES: Final = Note.REPLACES
_SIGNAL: Final = Origin.SIGNAL


def decide(
    signal: TradingSignal, context: Context, config: EngineConfig, generation: int = 0
) -> Decision:
    """Turn a signal into orders to make, or into the first reason not to.

    Args:
        context: Of the signal's instrument and of the side that `position_side_for` names.
        generation: 0, and one more for each retry by a person.
    """
    leaving = replaced_orders(signal, context, config) if context.orders else ()
    proposal = propose(
        signal.side,
        signal.strategy_id,
        signal.instrument_id,
        _SIGNAL,
        signal.timestamp,
        context,
        leaving,
    )
    proposal.must_reduce = signal.intent is _CLOSE
    proposal.may_split = config.enable_order_splitting
    trail: Trail = []
    code = admit(proposal, context, config, trail)
    if code is _OK:
        code = _price_and_size(signal, proposal, context, config, trail)
    if code is _OK:
        code = assess(proposal, context, config, trail)
    terms = signal_terms(signal, proposal, context, config, generation)
    if code is not _OK:
        return denied(proposal, terms, code, trail)
    return ordered(proposal, terms, config, trail)


def _price_and_size(
    signal: TradingSignal, proposal: Proposal, context: Context, config: EngineConfig, trail: Trail
) -> Code:
    """Give the proposal its type, price and requested quantity."""
    # Whatever may open has passed the gate of the quote.
    quote = fresh_quote(context, config) if proposal.must_reduce else context.quote
    order_type = proposal.order_type = choose_order_type(signal, quote, config, trail)
    price = None
    if quote is not None and order_type is _LIMIT:
        price = limit_price(proposal.side, quote, proposal.instrument, config)
    proposal.value_at(quote, price)
    requested = size(signal, proposal.unit, proposal.instrument.quantity_step, config, trail)
    if requested is not None:
        proposal.requested = requested
    elif proposal.must_reduce and proposal.unit:
        proposal.requested = proposal.closable  # beyond all arithmetic is all there is
    elif not proposal.unit:
        trail.append((_QUOTE_MISSING, None, None, False))
        return _QUOTE_MISSING
    else:
        trail.append((_ORDER_VALUE_ABOVE_MAX, config.max_single_order_size, signal.amount, False))
        return _ORDER_VALUE_ABOVE_MAX
    if proposal.leaving:
        trail.append((_REPLACES, len(proposal.leaving), proposal.closable, True))
    return _OK
