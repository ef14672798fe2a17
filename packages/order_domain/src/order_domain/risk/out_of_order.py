"""Out of order: a signal older than the newest decided of the same strategy and instrument."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_SUPERSEDED: Final = Code.SUPERSEDED


def check(proposal: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Off until set. Signals of one timestamp are not out of order."""
    newest = context.newest_timestamp
    if not config.supersede_out_of_order or newest is None or proposal.timestamp is None:
        return None
    return (_SUPERSEDED, newest, proposal.timestamp, proposal.timestamp >= newest)
