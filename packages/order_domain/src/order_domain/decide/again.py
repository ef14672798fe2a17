"""Orders decided before: checked again at their claim, re-quoted when post-only would take."""

from decimal import Decimal

import attrs

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Assessment, Context, Decision
from order_domain.decide.drafts import denied, leg_id, ordered
from order_domain.model.enums import Origin, TimeInForce
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.instrument import ZERO
from order_domain.model.order import Order, OrderTerms
from order_domain.notes import Note
from order_domain.policy.limit_price import touch_price
from order_domain.risk.assess import Trail, admit, assess
from order_domain.risk.base import Proposal, propose
from order_domain.risk.child_size import MOST_LEGS
from order_domain.risk.quote_age import fresh_quote


def ids_of(terms: OrderTerms, config: EngineConfig) -> tuple[ClientOrderId, ...]:
    """Client order ids of a leg, and of what may have become of it: its re-quote."""
    if terms.leg > MOST_LEGS:
        return (terms.client_order_id,)
    return terms.client_order_id, leg_id(terms, MOST_LEGS + terms.leg, config)


def recheck(order: Order, context: Context, config: EngineConfig) -> Assessment:
    """Ask trading state and risk again about what an order may still do (protocol 7.3).

    The price stays; the quantity may only shrink. Where the context counts the order itself, it is
    left out here.

    Returns:
        Assessment: The allowed part of the order's leaves; zero, with the reason, when none is.
    """
    proposal = _propose(order, context)
    proposal.requested = _remaining(order)
    trail: Trail = []
    code = admit(proposal, context, config, trail)
    if code is Code.OK:
        proposal.value_at(fresh_quote(context, config), order.price)
        code = assess(proposal, context, config, trail, again=True)
    return Assessment(code, proposal.quantity if code is Code.OK else ZERO, tuple(trail))


def requote(order: Order, context: Context, config: EngineConfig) -> Decision:
    """Offer what is left of a post-only order once more, at the touch of now (protocol 7.4)."""
    terms = order.terms
    proposal = _propose(order, context)
    proposal.is_sealed = False
    proposal.requested = _remaining(order)
    trail: Trail = []
    code = _may_requote(order, context, config)
    if code is not Code.OK:
        trail.append((code, None, terms.client_order_id, False))
    else:
        code = _price_at_touch(proposal, order, context, config, trail)
    quote = proposal.quote
    again = attrs.evolve(
        terms,
        client_order_id=leg_id(terms, MOST_LEGS + terms.leg, config),
        requested_quantity=proposal.requested,
        created_at=context.now,
        reduce_only=proposal.reduces or proposal.must_reduce,
        leg=MOST_LEGS + terms.leg,
        requote_of=terms.client_order_id,
        replaces=(),
        follows=None,
        decision_bid=None if quote is None else quote.bid,
        decision_ask=None if quote is None else quote.ask,
        decision_quote_at=None if quote is None else quote.at,
    )
    if code is not Code.OK:
        return denied(proposal, again, code, trail)
    return ordered(proposal, again, config, trail)


def _may_requote(order: Order, context: Context, config: EngineConfig) -> Code:
    terms = order.terms
    if (
        not config.requote_post_only
        or terms.origin is not Origin.SIGNAL
        or terms.time_in_force is not TimeInForce.POST_ONLY
        or terms.requote_of is not None
    ):
        return Code.POST_ONLY_WOULD_TAKE
    if order.cancel_reason:
        return Code.NEW_SIGNAL
    return Code.OK if context.now < terms.valid_until else Code.INTENT_EXPIRED


def _price_at_touch(
    proposal: Proposal, order: Order, context: Context, config: EngineConfig, trail: Trail
) -> Code:
    code = admit(proposal, context, config, trail)
    if code is not Code.OK:
        return code
    quote = fresh_quote(context, config)
    if quote is None:
        trail.append((Code.QUOTE_MISSING, None, None, False))
        return Code.QUOTE_MISSING
    proposal.value_at(quote, touch_price(proposal.side, quote, proposal.instrument))
    trail.append((Note.REQUOTE, order.terms.client_order_id, proposal.price, True))
    return assess(proposal, context, config, trail, again=True)


def _propose(order: Order, context: Context) -> Proposal:
    """The order as a proposal, itself not counted among the others."""
    terms = order.terms
    itself = tuple(
        [one for one in context.orders if one.terms.client_order_id == terms.client_order_id]
    )
    proposal = propose(
        terms.side, terms.strategy_id, terms.instrument_id, terms.origin, None, context, itself
    )
    proposal.order_type = terms.order_type
    proposal.must_reduce = terms.reduce_only
    is_person = terms.origin is not Origin.SIGNAL
    proposal.is_fixed = is_person and not terms.reduce_only
    proposal.is_exit = is_person and terms.reduce_only
    proposal.is_sealed = True
    return proposal


def _remaining(order: Order) -> Decimal:
    """What was never filled, also of an order that has just ended."""
    done = order.cum_quantity if order.cum_quantity > order.reported_cum else order.reported_cum
    return order.quantity - done if order.quantity > done else ZERO
