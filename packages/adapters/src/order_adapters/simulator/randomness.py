"""Randomness: the one seeded generator of the simulator. Integers only, nothing is rounded."""

from datetime import timedelta
from random import Random

MILLION = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


class Randomness:
    """Draws that repeat for the same seed and the same order of calls."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 -- repeatable on purpose

    def chance(self, parts_per_million: int) -> bool:
        """Tell yes in so many of a million cases. Draws nothing when the answer is certain."""
        if parts_per_million <= 0:
            return False
        return parts_per_million >= MILLION or self._random.randrange(MILLION) < parts_per_million

    def up_to(self, longest: timedelta) -> timedelta:
        """Draw a time between zero and the longest, both possible, in microseconds."""
        if not longest:
            return longest
        return self._random.randint(0, longest // _MICROSECOND) * _MICROSECOND
