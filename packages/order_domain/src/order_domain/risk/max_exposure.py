"""Exposure limit: quote units over all instruments, at mark prices."""

from decimal import Decimal
from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.instrument import ZERO
from order_domain.risk.base import Entry, Proposal

_MAX_EXPOSURE: Final = Code.MAX_EXPOSURE


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry:
    """The larger side of |position + orders| here, plus everything elsewhere; unpriced: no."""
    limit, elsewhere = config.max_exposure, context.exposure_elsewhere
    if elsewhere is None or proposal.mark is None:
        return (_MAX_EXPOSURE, limit, None, False)
    same, other = proposal.reach + proposal.quantity, proposal.against - proposal.ahead
    worst = same if same > other else other
    exposure = elsewhere + worst * proposal.mark_unit
    return (_MAX_EXPOSURE, limit, exposure, exposure <= limit)


def cap(proposal: Proposal, context: Context, config: EngineConfig) -> Decimal:
    """What the limit leaves to this side; nothing while the other side alone is beyond it."""
    if context.exposure_elsewhere is None or proposal.mark is None:
        return ZERO
    room = config.max_exposure - context.exposure_elsewhere
    if (proposal.against - proposal.ahead) * proposal.mark_unit > room:
        return ZERO
    return room / proposal.mark_unit - proposal.reach
