"""Strategy allow-list: whose signals are followed."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import Origin
from order_domain.risk.base import Entry, Proposal

_SIGNAL: Final = Origin.SIGNAL
_STRATEGY_NOT_ALLOWED: Final = Code.STRATEGY_NOT_ALLOWED


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry | None:
    """Binds orders of signals; a person needs no strategy."""
    allowed = config.strategy_allow_list
    if allowed is None or proposal.origin is not _SIGNAL:
        return None
    return (
        _STRATEGY_NOT_ALLOWED,
        ",".join(sorted(allowed)),
        proposal.strategy_id,
        proposal.strategy_id in allowed,
    )
