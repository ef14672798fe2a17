"""A person's decisions: an order as typed, denied rather than changed, and closing a position."""

from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context, Decision
from order_domain.decide.drafts import denied, ordered
from order_domain.model.enums import OrderType, Origin, PositionSide, Side, TimeInForce
from order_domain.model.identifiers import (
    InstrumentId,
    SignalId,
    StrategyId,
    TraceId,
    client_order_id,
)
from order_domain.model.inputs import PlaceOrder
from order_domain.model.order import OrderTerms
from order_domain.policy.position_side import is_hedged, only_closes, position_side_of
from order_domain.policy.time_in_force import asked_time_in_force
from order_domain.risk.assess import Trail, admit, assess
from order_domain.risk.base import Entry, Proposal, propose
from order_domain.risk.quote_age import fresh_quote

MANUAL = StrategyId("MANUAL")
_REQUESTS = uuid5(NAMESPACE_OID, "order-manager.requests")
_LARGEST_EXPONENT = 15
"""Numbers of a person from 1e16 on are slips of the keyboard, and would leave exact arithmetic."""


def decide_place(request: PlaceOrder, context: Context, config: EngineConfig) -> Decision:
    """Check a person's order. Price and quantity stay as typed, or the order is denied.

    Args:
        context: Of the instrument and of the side that `position_side_of` names.
    """
    position_side = position_side_of(request, config)
    proposal = propose(request.side, MANUAL, request.instrument_id, Origin.MANUAL, None, context)
    proposal.must_reduce = request.reduce_only or only_closes(request.side, position_side)
    proposal.is_fixed = True
    proposal.order_type, proposal.price = request.order_type, request.price
    trail: Trail = []
    fault = _fault(request, position_side, config)
    if fault is not None:
        trail.append(fault)
        code = Code.VALUE_INVALID
    else:
        proposal.requested = proposal.quantity = request.quantity
        code = _check(proposal, context, config, trail)
    terms = _terms(
        proposal, signal_id_of(request.request_id), position_side, request, context, config
    )
    if code is not Code.OK:
        return denied(proposal, terms, code, trail)
    return ordered(proposal, terms, config, trail)


def decide_close(
    request_id: str,
    origin: Origin,
    key: tuple[InstrumentId, PositionSide],
    part: Decimal,
    context: Context,
    config: EngineConfig,
) -> Decision:
    """Close a position, or a part of it, by reduce-only market orders.

    Passes HALTED and our own size limits; cut only by the exchange's largest market order.

    Args:
        request_id: Names this close alone; a flatten makes one of its own for each position.
        origin: MANUAL for a close, FLATTEN for a flatten.
        part: 0 < part <= 1 of the position, not more than closing orders on their way leave of it.
    """
    held = context.position
    is_long = held > 0 or (not held and key[1] is not PositionSide.SHORT)
    side = Side.SELL if is_long else Side.BUY
    proposal = propose(side, MANUAL, key[0], origin, None, context)
    proposal.must_reduce = proposal.is_exit = proposal.may_split = True
    if context.instrument is not None:
        proposal.requested = context.instrument.floor_quantity(abs(held) * part)
    trail: Trail = []
    code = _check(proposal, context, config, trail)
    terms = _terms(proposal, signal_id_of(request_id), key[1], None, context, config)
    if code is not Code.OK:
        return denied(proposal, terms, code, trail)
    return ordered(proposal, terms, config, trail)


def signal_id_of(request_id: str) -> SignalId:
    """What stands for the signal id in the orders of a person's request."""
    return SignalId(str(uuid5(_REQUESTS, request_id)))


def _check(proposal: Proposal, context: Context, config: EngineConfig, trail: Trail) -> Code:
    code = admit(proposal, context, config, trail)
    if code is not Code.OK:
        return code
    proposal.value_at(fresh_quote(context, config), proposal.price)
    return assess(proposal, context, config, trail)


def _fault(request: PlaceOrder, position_side: PositionSide, config: EngineConfig) -> Entry | None:
    """What makes no sense before any rule is asked, as an entry of the trace."""
    for value in (request.quantity, request.price, request.take_profit, request.stop_loss):
        if value is not None and not is_sound(value):
            return (Code.VALUE_INVALID, "finite, > 0, < 1e16", value, False)
    if (request.price is None) != (request.order_type is OrderType.MARKET):
        return (Code.VALUE_INVALID, "a limit order has a price", request.price, False)
    if asked_time_in_force(request.order_type, request.time_in_force) is None:
        return (Code.VALUE_INVALID, "a market order is IOC", request.time_in_force, False)
    if (position_side is PositionSide.BOTH) == is_hedged(request.instrument_id, config):
        return (Code.VALUE_INVALID, "Long or Short in hedge mode only", position_side, False)
    return None


def is_sound(value: Decimal) -> bool:
    """Tell whether a person's number is a number, above zero, and not a slip of the keyboard."""
    return value.is_finite() and value > 0 and value.adjusted() <= _LARGEST_EXPONENT


def _terms(
    proposal: Proposal,
    signal_id: SignalId,
    position_side: PositionSide,
    request: PlaceOrder | None,
    context: Context,
    config: EngineConfig,
) -> OrderTerms:
    quote = proposal.quote
    asked = None if request is None else request.time_in_force
    return OrderTerms(
        client_order_id=client_order_id(
            config.environment, config.account, MANUAL, signal_id, 1, 0
        ),
        instrument_id=proposal.instrument_id,
        side=proposal.side,
        order_type=proposal.order_type,
        time_in_force=asked_time_in_force(proposal.order_type, asked) or TimeInForce.IOC,
        origin=proposal.origin,
        signal_id=signal_id,
        strategy_id=MANUAL,
        trace_id=TraceId(""),
        requested_quantity=proposal.requested,
        created_at=context.now,
        valid_until=context.now + config.order_execution_timeout,
        position_side=position_side,
        reduce_only=proposal.reduces or proposal.must_reduce,
        decision_bid=None if quote is None else quote.bid,
        decision_ask=None if quote is None else quote.ask,
        decision_quote_at=None if quote is None else quote.at,
        slippage=config.market_slippage if proposal.order_type is OrderType.MARKET else None,
        take_profit=None if request is None else request.take_profit,
        stop_loss=None if request is None else request.stop_loss,
    )
