"""Price collar: the price lies near the mark price."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_PRICE_COLLAR: Final = Code.PRICE_COLLAR


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry | None:
    """Percent between price (market: the touch) and mark; a market reduction needs no price."""
    price, mark, limit = proposal.reference, proposal.mark, config.price_collar_percent
    if price is None:
        return None
    if mark is None:
        return (_PRICE_COLLAR, limit, None, False)
    distance = abs(price - mark) * 100 / mark
    return (_PRICE_COLLAR, limit, distance, distance <= limit)
