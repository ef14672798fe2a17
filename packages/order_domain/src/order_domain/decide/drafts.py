"""Drafts: the terms of a decision's orders, one for each child."""

from typing import Final

import attrs

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Decision, Draft
from order_domain.model.enums import Verdict
from order_domain.model.identifiers import ClientOrderId, client_order_id
from order_domain.model.order import OrderTerms
from order_domain.policy.splitting import split
from order_domain.risk.assess import Trail
from order_domain.risk.base import Proposal

_DENIED: Final = Verdict.DENIED
_EXPIRED: Final = Verdict.EXPIRED
_OK: Final = Code.OK
_ORDERED: Final = Verdict.ORDERED
_SIGNAL_EXPIRED: Final = Code.SIGNAL_EXPIRED


def ordered(proposal: Proposal, terms: OrderTerms, config: EngineConfig, trail: Trail) -> Decision:
    """The decision to order; `terms` are those of the first child."""
    if proposal.legs == 1:
        drafts: tuple[Draft, ...] = (Draft(terms, proposal.price, proposal.quantity),)
    else:
        drafts = _children(proposal, terms, config)
    return Decision(_ORDERED, _OK, tuple(trail), drafts, terms.replaces)


def denied(proposal: Proposal, terms: OrderTerms, code: Code, trail: Trail) -> Decision:
    """The decision not to. Its one draft, with the quantity that was denied, becomes a row."""
    verdict = _EXPIRED if code is _SIGNAL_EXPIRED else _DENIED
    return Decision(verdict, code, tuple(trail), (Draft(terms, proposal.price, proposal.quantity),))


def _children(proposal: Proposal, first: OrderTerms, config: EngineConfig) -> tuple[Draft, ...]:
    drafts: list[Draft] = []
    before: ClientOrderId | None = None
    sizes = split(proposal.quantity, proposal.legs, proposal.instrument.quantity_step)
    for leg, quantity in enumerate(sizes, start=1):
        terms = attrs.evolve(
            first,
            client_order_id=leg_id(first, leg, config),
            requested_quantity=quantity,
            leg=leg,
            legs=proposal.legs,
            follows=before,
        )
        before = terms.client_order_id
        drafts.append(Draft(terms, proposal.price, quantity))
    return tuple(drafts)


def leg_id(terms: OrderTerms, leg: int, config: EngineConfig) -> ClientOrderId:
    """The client order id of another leg of the same decision."""
    return client_order_id(
        config.environment,
        config.account,
        terms.strategy_id,
        terms.signal_id,
        leg,
        terms.generation,
    )
