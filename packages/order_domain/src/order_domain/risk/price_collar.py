"""Price collar: the price lies near the mark price."""

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry | None:
    """Percent between price (market: the touch) and mark; a market reduction needs no price."""
    quote, price = proposal.quote, proposal.reference
    limit = config.price_collar_percent
    if quote is None or price is None:
        return None if proposal.price is None else (Code.PRICE_COLLAR, limit, None, False)
    mark = quote.mark_price
    distance = abs(price - mark) * 100
    return (Code.PRICE_COLLAR, limit, distance / mark, distance <= limit * mark)
