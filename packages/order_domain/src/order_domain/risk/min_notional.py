"""Exchange filter: the smallest order value."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_NOTIONAL_BELOW_MIN: Final = Code.NOTIONAL_BELOW_MIN


def check(proposal: Proposal, _context: Context, _config: EngineConfig) -> Entry:
    """Binds the smallest child, in quote units at the order's own price; not what reduces."""
    limit = proposal.instrument.min_notional
    value = proposal.value if proposal.legs == 1 else proposal.smallest_child * proposal.unit
    return (_NOTIONAL_BELOW_MIN, limit, value, value >= limit)
