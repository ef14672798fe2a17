"""Signal age: neither too old to act on nor from the future."""

from datetime import timedelta
from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_NOW = timedelta(0)

_SIGNAL_EXPIRED: Final = Code.SIGNAL_EXPIRED
_SIGNAL_FROM_FUTURE: Final = Code.SIGNAL_FROM_FUTURE


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Binds signals only. Exactly the allowed age, and exactly the allowed skew, still pass."""
    if proposal.timestamp is None:
        return None
    age = context.now - proposal.timestamp
    if age < _NOW and -age > config.signal_future_skew:
        return (_SIGNAL_FROM_FUTURE, config.signal_future_skew, -age, False)
    oldest = config.signal_max_age
    return (_SIGNAL_EXPIRED, oldest, age, age <= oldest)
