"""Open orders: how many may live on one instrument at once."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import OrderType
from order_domain.risk.base import Entry, Proposal

_MARKET: Final = OrderType.MARKET
_MAX_OPEN_ORDERS: Final = Code.MAX_OPEN_ORDERS


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """What lives and what is new, less what is replaced. Market reductions do not rest."""
    if proposal.reduces and proposal.order_type is _MARKET:
        return None
    count = len(context.orders) - len(proposal.leaving) + proposal.legs
    return (_MAX_OPEN_ORDERS, config.max_open_orders, count, count <= config.max_open_orders)
