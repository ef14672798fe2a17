"""Heap: how often Python looks for cycles, set once by whoever owns the process.

No object of the engine, the book or the simulator is part of a cycle, so each is freed by its last
reference. By default Python looks at the young ones after every 700 that stay, and again and again
at all of a book's; that is an eighth of an order's CPU time and finds nothing.
"""

import gc
from typing import Final

THRESHOLDS: Final = (50_000, 20, 20)
"""Objects that stay before the youngest are looked at; such looks before the older ones are."""


def look_for_cycles_rarely() -> None:
    """Leave out what is loaded already, and look at the rest only after many new objects.

    For the entry of a program, never for a library: the setting is the process's.
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
