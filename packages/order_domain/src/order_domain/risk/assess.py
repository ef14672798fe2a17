"""The core of all decisions: ask the rules in order, shrink where one allows, stop at a no."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import InstrumentStatus, Trading
from order_domain.model.instrument import ZERO
from order_domain.notes import Note
from order_domain.risk import GATES, LIMITS
from order_domain.risk.base import Cap, Check, Entry, Proposal, Rule
from order_domain.risk.child_size import largest_child

Trail = list[Entry]
"""The trace while it is written."""

_ACTIVE: Final = Trading.ACTIVE
_OK: Final = Code.OK
_RESIZED: Final = Note.RESIZED
_SPLIT: Final = Note.SPLIT
_TRADING: Final = InstrumentStatus.TRADING


def _binding(*, reduces: bool, again: bool) -> tuple[tuple[Check, Rule], ...]:
    return tuple(
        (rule.check, rule)
        for rule in LIMITS
        if (rule.binds_reductions or not reduces) and (rule.binds_again or not again)
    )


_GATES: Final = tuple(rule.check for rule in GATES)
_BINDING: Final = {
    (reduces, again): _binding(reduces=reduces, again=again)
    for reduces in (False, True)
    for again in (False, True)
}


def admit(proposal: Proposal, context: Context, config: EngineConfig, trail: Trail) -> Code:
    """Ask the gates. When all pass, the proposal knows whether it may only reduce."""
    for check in _GATES:
        entry = check(proposal, context, config)
        if entry is not None:
            trail.append(entry)
            if not entry[3]:
                return Code[entry[0]]
    if context.trading is not _ACTIVE or proposal.instrument.status is not _TRADING:
        proposal.must_reduce = True
    return _OK


def assess(
    proposal: Proposal, context: Context, config: EngineConfig, trail: Trail, *, again: bool = False
) -> Code:
    """Take the requested quantity, ask the limits, and leave in it what they allow.

    After a denial `proposal.quantity` is the quantity that was denied.

    Args:
        again: An order decided before is checked again; rules about its signal are left out.
    """
    quantity = proposal.requested
    if proposal.must_reduce and not proposal.is_fixed and ZERO < proposal.closable < quantity:
        quantity = proposal.instrument.floor_quantity(proposal.closable)
        trail.append((_RESIZED, proposal.requested, quantity, True))
    proposal.resize(quantity)
    if proposal.may_split:
        proposal.largest = largest_child(proposal, context, config)
        proposal.resize(quantity)
    code = _ask(proposal, context, config, trail, again)
    if code is _OK and proposal.legs > 1:
        trail.append((_SPLIT, proposal.largest_child, proposal.legs, True))
    return code


def _ask(
    proposal: Proposal, context: Context, config: EngineConfig, trail: Trail, again: bool
) -> Code:
    reduces = proposal.reduces
    for check, rule in _BINDING[reduces, again]:
        entry = check(proposal, context, config)
        if entry is None:
            continue
        trail.append(entry)
        if entry[3]:
            continue
        if rule.cap is None or not _shrink(rule, rule.cap, proposal, context, config, trail):
            return Code[entry[0]]
        if proposal.reduces and not reduces:
            # Only the closing part is left: another order, under fewer rules.
            return _ask(proposal, context, config, trail, again)
    return _OK


def _shrink(
    rule: Rule, cap: Cap, proposal: Proposal, context: Context, config: EngineConfig, trail: Trail
) -> bool:
    """Shrink to what the rule allows, on the step; False when that is no order."""
    if proposal.is_fixed or not config.enable_order_size_reduction:
        return False
    before, largest = proposal.quantity, cap(proposal, context, config)
    if not rule.binds_reductions and not proposal.is_sealed and proposal.closable > largest:
        largest = proposal.closable
    quantity = proposal.instrument.floor_quantity(largest)
    # A cap is a quotient, rounded in its 28th digit: one step less is surely inside.
    for candidate in (quantity, quantity - proposal.instrument.quantity_step):
        proposal.resize(candidate)
        if (
            candidate < before
            and _is_placeable(proposal)
            and _passes(rule, proposal, context, config)
        ):
            trail.append((_RESIZED, before, candidate, True))
            return True
    proposal.resize(before)
    return False


def _passes(rule: Rule, proposal: Proposal, context: Context, config: EngineConfig) -> bool:
    if proposal.reduces and not rule.binds_reductions:
        return True
    entry = rule.check(proposal, context, config)
    return entry is None or entry[3]


def _is_placeable(proposal: Proposal) -> bool:
    """Whether the exchange takes so little."""
    instrument = proposal.instrument
    if proposal.quantity < instrument.min_quantity:
        return False
    return proposal.reduces or proposal.value >= instrument.min_notional
