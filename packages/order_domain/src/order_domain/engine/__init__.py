"""The engine.

One deterministic state machine that decides everything and does no I/O (protocol part 1).
"""

from order_domain.engine.engine import Engine

__all__ = ["Engine"]
