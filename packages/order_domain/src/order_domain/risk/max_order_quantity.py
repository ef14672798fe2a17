"""Order quantity: the exchange's largest order of this type, and ours."""

from decimal import Decimal
from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal
from order_domain.risk.child_size import quantity_limit

_QUANTITY_ABOVE_MAX: Final = Code.QUANTITY_ABOVE_MAX


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry:
    """Binds each child, in base units."""
    limit = quantity_limit(proposal, config)
    quantity = proposal.quantity if proposal.legs == 1 else proposal.largest_child
    return (_QUANTITY_ABOVE_MAX, limit, quantity, quantity <= limit)


def cap(proposal: Proposal, _context: Context, config: EngineConfig) -> Decimal:
    """As much as one order may be."""
    return quantity_limit(proposal, config)
