"""Duplicate window: the same strategy ordered the same side of the instrument a moment ago."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_DUPLICATE_WINDOW: Final = Code.DUPLICATE_WINDOW


def check(_p: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Off until set. Exactly one window later is no duplicate."""
    window = config.duplicate_window
    if window is None:
        return None
    if context.like_decided_at is None:
        return (_DUPLICATE_WINDOW, window, None, True)
    since = context.now - context.like_decided_at
    return (_DUPLICATE_WINDOW, window, since, since >= window)
