"""Passing: named moments inside adapters, told to whoever asked for them.

Adapters know nobody above them, so what is to happen at a moment is set from outside. Nothing does
happen unless it is set.
"""

from collections.abc import Callable

import attrs


@attrs.define(slots=True)
class _Watcher:
    tell: Callable[[str], None] | None = None


_WATCHER = _Watcher()


def watch(tell: Callable[[str], None] | None) -> None:
    """Have every moment told from now on; None ends that."""
    _WATCHER.tell = tell


def is_watched() -> bool:
    """Whether anybody asked, for adapters that would have to work differently to have a moment."""
    return _WATCHER.tell is not None


def passing(name: str) -> None:
    """Tell that a moment has come."""
    if _WATCHER.tell is not None:
        _WATCHER.tell(name)
