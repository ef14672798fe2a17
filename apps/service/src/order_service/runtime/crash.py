"""Crash points: named places where a test has the process killed.

Off unless armed by the composition root.
"""

import os
import signal

import attrs

from order_domain.errors import InvalidValue


@attrs.define(slots=True)
class _Trap:
    name: str = ""
    passes: int = 0


_TRAP = _Trap()


def arm(spec: str) -> None:
    """Kill this process at the n-th pass of a point: `name:n`.

    Empty text disarms. Raises InvalidValue.
    """
    name, _, passes = spec.partition(":")
    if spec and not (name and passes.isdecimal() and int(passes) > 0):
        raise InvalidValue(field="crash_at", rule="name:n with n of at least 1", value=spec)
    _TRAP.name, _TRAP.passes = name, int(passes or 0)


def crash_point(name: str) -> None:
    """Die here without any clean-up, if this is the armed pass of the armed point."""
    if name != _TRAP.name:
        return
    _TRAP.passes -= 1
    if not _TRAP.passes:
        os.kill(os.getpid(), signal.SIGKILL)


def is_armed() -> bool:
    """Whether any point is armed, for callers who would have to find out which they pass."""
    return bool(_TRAP.name)
