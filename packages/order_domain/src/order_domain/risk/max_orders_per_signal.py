"""Orders per signal: how many children one decision may make."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal
from order_domain.risk.child_size import MOST_LEGS

_MAX_ORDERS_PER_SIGNAL: Final = Code.MAX_ORDERS_PER_SIGNAL


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry:
    """More orders out than a signal can mean is how runaways begin: denied, never resized."""
    ours = config.max_orders_per_signal
    limit = ours if ours < MOST_LEGS else MOST_LEGS
    return (_MAX_ORDERS_PER_SIGNAL, limit, proposal.legs, proposal.legs <= limit)
