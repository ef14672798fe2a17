"""Position limit: base units of one instrument, working orders and this one included."""

from decimal import Decimal
from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_MAX_POSITION: Final = Code.MAX_POSITION


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry:
    """Position + working + in flight + unknown + this order, on this order's side."""
    limit = config.position_limit(proposal.instrument.symbol)
    position = proposal.reach + proposal.quantity
    return (_MAX_POSITION, limit, position, position <= limit)


def cap(proposal: Proposal, _context: Context, config: EngineConfig) -> Decimal:
    """What the limit leaves."""
    return config.position_limit(proposal.instrument.symbol) - proposal.reach
