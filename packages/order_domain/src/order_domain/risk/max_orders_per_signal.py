"""Orders per signal: how many children one decision may make."""

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal
from order_domain.risk.child_size import MOST_LEGS


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry:
    """More orders out than a signal can mean is how runaways begin: denied, never resized."""
    limit = min(config.max_orders_per_signal, MOST_LEGS)
    return (Code.MAX_ORDERS_PER_SIGNAL, limit, proposal.legs, proposal.legs <= limit)
