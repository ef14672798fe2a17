"""Planted bugs: each a mistake somebody could make, switched on by its name, in tests only."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulation.patches import Bug, Patches
from tests.simulation.planted_engine import ENGINE_BUGS
from tests.simulation.planted_runtime import RUNTIME_BUGS

BUGS: dict[str, Bug] = ENGINE_BUGS | RUNTIME_BUGS


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Have one bug in the production code; none for an empty name."""
    patches = Patches()
    try:
        if name:
            BUGS[name].plant(patches)
        yield
    finally:
        patches.undo()
