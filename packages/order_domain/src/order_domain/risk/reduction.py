"""Reductions and flips: how much this side may still close, and whether it may go beyond."""

from decimal import Decimal
from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import Category
from order_domain.model.identifiers import may_hedge
from order_domain.risk.base import Entry, Proposal

_FLIP_NOT_ALLOWED: Final = Code.FLIP_NOT_ALLOWED
_NOTHING_TO_CLOSE: Final = Code.NOTHING_TO_CLOSE
_SPOT: Final = Category.SPOT


def check(proposal: Proposal, _context: Context, config: EngineConfig) -> Entry | None:
    """A reduction stays within what is closable; beyond is a flip: by setting, not on spot."""
    quantity, closable = proposal.quantity, proposal.closable
    if proposal.must_reduce:
        return (_NOTHING_TO_CLOSE, closable, quantity, quantity <= closable and closable > 0)
    if proposal.ahead >= 0:
        return None
    if may_flip(proposal, config):
        return (_FLIP_NOT_ALLOWED, None, quantity, True)
    return (_FLIP_NOT_ALLOWED, closable, quantity, quantity <= closable)


def cap(proposal: Proposal, _context: Context, _config: EngineConfig) -> Decimal:
    """What is left to close."""
    return proposal.closable


def may_flip(proposal: Proposal, config: EngineConfig) -> bool:
    """Spot has nothing below zero; in hedge mode each side is a position of its own."""
    instrument = proposal.instrument
    is_one_way = not (config.hedge_mode and may_hedge(instrument.id))
    return config.allow_flip and is_one_way and instrument.category is not _SPOT
