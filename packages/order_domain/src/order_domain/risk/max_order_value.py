"""Order value: the limit of one order, and its largest part of exposure or balance."""

from decimal import Decimal
from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.instrument import ZERO
from order_domain.risk.base import Entry, Proposal
from order_domain.risk.child_size import value_limit

_ORDER_VALUE_ABOVE_MAX: Final = Code.ORDER_VALUE_ABOVE_MAX


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Binds each child, in quote units at the order's own price; not a person's close."""
    if proposal.is_exit or not proposal.unit:
        return None
    limit = value_limit(proposal, context, config)
    value = proposal.value if proposal.legs == 1 else proposal.largest_child * proposal.unit
    return (_ORDER_VALUE_ABOVE_MAX, limit, value, limit is not None and value <= limit)


def cap(proposal: Proposal, context: Context, config: EngineConfig) -> Decimal:
    """As much as one order may be worth."""
    limit = value_limit(proposal, context, config)
    return ZERO if limit is None else limit / proposal.unit
