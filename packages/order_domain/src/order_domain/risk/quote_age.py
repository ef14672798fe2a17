"""Quote: a sound one is known, and it is fresh."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.quote import Quote
from order_domain.risk.base import Entry, Proposal

_QUOTE_MISSING: Final = Code.QUOTE_MISSING
_QUOTE_STALE: Final = Code.QUOTE_STALE


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Fail closed for whatever may open. A reduction needs no price: it goes as a market order."""
    if proposal.must_reduce:
        return None
    quote = context.quote
    if quote is None or not 0 < quote.bid <= quote.ask:
        return (_QUOTE_MISSING, None, None, False)
    age = context.now - quote.at
    return (_QUOTE_STALE, config.quote_max_age, age, age <= config.quote_max_age)


def fresh_quote(context: Context, config: EngineConfig) -> Quote | None:
    """The quote if it may be used: two sides, not crossed, young enough."""
    quote = context.quote
    if quote is None or not 0 < quote.bid <= quote.ask:
        return None
    return quote if context.now - quote.at <= config.quote_max_age else None
