"""Exchange filter: the limit price is on the tick, above zero, at most the maximum."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_PRICE_OFF_TICK: Final = Code.PRICE_OFF_TICK


def check(proposal: Proposal, _context: Context, _config: EngineConfig) -> Entry | None:
    """Denied, never rounded silently: a person meant the price that was typed."""
    price = proposal.price
    if price is None:
        return None
    passed = 0 < price <= proposal.instrument.max_price and proposal.instrument.is_on_tick(price)
    return (_PRICE_OFF_TICK, proposal.instrument.tick_size, price, passed)
