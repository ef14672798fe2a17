"""Exchange filter: the smallest order in base units."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_QUANTITY_BELOW_MIN: Final = Code.QUANTITY_BELOW_MIN


def check(proposal: Proposal, _context: Context, _config: EngineConfig) -> Entry:
    """Binds the smallest child. Never lifted: that would be more than was asked for."""
    limit = proposal.instrument.min_quantity
    quantity = proposal.quantity if proposal.legs == 1 else proposal.smallest_child
    return (_QUANTITY_BELOW_MIN, limit, quantity, quantity >= limit)
