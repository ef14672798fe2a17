"""Exposure limit: quote units over all instruments, at mark prices."""

from decimal import Decimal

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.instrument import ZERO
from order_domain.risk.base import Entry, Proposal, quote_unit


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry:
    """The larger side of |position + orders| here, plus everything elsewhere; unpriced: no."""
    limit, elsewhere = config.max_exposure, context.exposure_elsewhere
    if elsewhere is None or proposal.quote is None:
        return (Code.MAX_EXPOSURE, limit, None, False)
    worst, other = proposal.reach + proposal.quantity, proposal.against - proposal.ahead
    worst = max(worst, other)
    exposure = elsewhere + worst * quote_unit(proposal.instrument, proposal.quote.mark_price)
    return (Code.MAX_EXPOSURE, limit, exposure, exposure <= limit)


def cap(proposal: Proposal, context: Context, config: EngineConfig) -> Decimal:
    """What the limit leaves to this side; nothing while the other side alone is beyond it."""
    if context.exposure_elsewhere is None or proposal.quote is None:
        return ZERO
    mark = quote_unit(proposal.instrument, proposal.quote.mark_price)
    room = config.max_exposure - context.exposure_elsewhere
    return (
        ZERO if (proposal.against - proposal.ahead) * mark > room else room / mark - proposal.reach
    )
