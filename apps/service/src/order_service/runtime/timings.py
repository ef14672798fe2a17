"""Timings: how long something took, counted in buckets, so that quantiles can be told later."""

from bisect import bisect_left
from collections.abc import Iterator
from math import inf
from typing import Final

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, inf)
"""Upper bounds of the buckets, in seconds, each including its own."""


class Timings:
    """Counts since the start.

    Attributes:
        seconds: The sum of all.
    """

    __slots__ = ("_counts", "seconds")

    def __init__(self) -> None:
        self._counts = [0] * len(BOUNDS)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Each bound, and how many took at most that long."""
        total = 0
        for bound, count in zip(BOUNDS, self._counts, strict=True):
            total += count
            yield bound, total
