"""How it is measured: CPU time of this process, in rounds, each case between two runs of the floor.

CPU time equals wall time on an idle core and is not disturbed by who else uses the machine. The
speed of a core still changes between rounds, so a ratio is taken inside its round: the mean of the
floor just before and just after, divided by the value.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Self

import attrs

from benchmarks import floor

FLOOR_ORDERS = 20_000


@attrs.frozen
class Case:
    """One thing to measure.

    Attributes:
        count: How many orders, ticks, calls or steps one run makes.
        prepare: Makes a fresh run, not timed; what it returns is timed.
        check: Looks, not timed, whether the run did what it claims.
    """

    name: str
    unit: str
    count: int
    prepare: Callable[[], Callable[[], object]]
    check: Callable[[], None] = lambda: None


@attrs.define
class Series:
    """Results of one case over the rounds: how many a second, and the floor beside each."""

    name: str
    unit: str
    per_second: list[float] = attrs.Factory(list)
    floors: list[float] = attrs.Factory(list)

    @property
    def ratios(self) -> list[float]:
        """Floor over value, round by round."""
        return [
            base / value for base, value in zip(self.floors, self.per_second, strict=True) if value
        ]

    @classmethod
    def merged(cls, name: str, unit: str, values: Sequence[float], floors: Sequence[float]) -> Self:
        """Make a series of figures measured elsewhere."""
        return cls(name, unit, list(values), list(floors))


def spent(work: Callable[[], object]) -> float:
    """CPU seconds of one call, from a clean heap."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def floor_speed() -> float:
    """Bare orders a second."""
    return FLOOR_ORDERS / spent(lambda: floor.run(FLOOR_ORDERS))


def measure(cases: Sequence[Case], rounds: int) -> tuple[Series, list[Series]]:
    """Run every case once a round between two floors; return the floor's series and theirs."""
    base = Series("bare Python floor", "orders")
    series = [Series(case.name, case.unit) for case in cases]
    for case in cases:
        case.prepare()()
    for _ in range(rounds):
        before = floor_speed()
        for case, result in zip(cases, series, strict=True):
            run = case.prepare()
            seconds = spent(run)
            case.check()
            after = floor_speed()
            result.per_second.append(case.count / seconds)
            result.floors.append((before + after) / 2)
            base.per_second.append(after)
            base.floors.append(after)
            before = after
    return base, series


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)
