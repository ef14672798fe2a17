"""Symbol allow-list: the instruments this service may trade at all."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.identifiers import symbol_of
from order_domain.risk.base import Entry, Proposal

_SYMBOL_NOT_ALLOWED: Final = Code.SYMBOL_NOT_ALLOWED


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry | None:
    """The list names symbols or instrument ids; a person may close what is not on it."""
    allowed = config.symbol_allow_list
    if allowed is None or proposal.is_exit:
        return None
    symbol = symbol_of(proposal.instrument_id)
    passed = symbol in allowed or proposal.instrument_id in allowed
    return (_SYMBOL_NOT_ALLOWED, ",".join(sorted(allowed)), symbol, passed)
