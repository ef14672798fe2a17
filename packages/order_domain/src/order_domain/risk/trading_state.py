"""Trading state: what the strictest of account, strategy and symbol allows."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import Origin, Trading
from order_domain.risk.base import Entry, Proposal

_ACTIVE: Final = Trading.ACTIVE
_REDUCE_ONLY: Final = Trading.REDUCE_ONLY
_SIGNAL: Final = Origin.SIGNAL
_TRADING_STATE: Final = Code.TRADING_STATE


def check(proposal: Proposal, context: Context, _config: EngineConfig) -> Entry:
    """REDUCE_ONLY: what reduces. CANCEL_ONLY and HALTED: a person's reduce-only orders."""
    state = context.trading
    if state is _ACTIVE:
        return (_TRADING_STATE, state, "", True)
    if state is _REDUCE_ONLY:
        passed = proposal.must_reduce or (not proposal.is_sealed and proposal.closable > 0)
    else:
        passed = proposal.must_reduce and proposal.origin is not _SIGNAL
    return (_TRADING_STATE, state, context.trading_cause, passed)
