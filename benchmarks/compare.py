"""Comparison: is a ratio worse than the one that was committed?

A ratio is taken inside one run, so it is compared across days and machines where seconds are not.
It still moves by some per cent: a case that looks worse is measured once more, and counts as worse
only when it is so both times.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

LIMIT: Final = 0.10
"""By which part a ratio may be worse than the committed one."""


@attrs.frozen
class Ratio:
    """A ratio to a floor: how many times its cost, or (`more_is_better`) which part of its rate."""

    value: float
    more_is_better: bool = False

    def worse_than(self, committed: "Ratio") -> float:
        """By which part this one is worse: 0.1 is ten per cent; below 0 it is better."""
        if self.more_is_better:
            return committed.value / self.value - 1
        return self.value / committed.value - 1


@attrs.frozen
class Outcome:
    """One case beside its committed ratio.

    Attributes:
        found: What was measured, in the order of measuring; empty where the case is gone.
        committed: None for a case that is new.
    """

    name: str
    committed: Ratio | None
    found: tuple[Ratio, ...]

    @property
    def worse(self) -> float | None:
        """By which part it is worse, by its better measurement; None: nothing to compare."""
        committed = self.committed
        if committed is None or not self.found:
            return None
        return min(each.worse_than(committed) for each in self.found)

    def fails(self, limit: float = LIMIT) -> bool:
        """Whether it is a regression. A committed case that nobody measures any more is one."""
        if self.committed is None:
            return False
        return self.worse is None or self.worse > limit


Measure = Callable[[frozenset[str]], Mapping[str, Ratio]]
"""Measures the named cases of a group; all of them, if none is named."""


def compare(
    committed: Mapping[str, Ratio], measure: Measure, limit: float = LIMIT
) -> list[Outcome]:
    """Measure a group, and once more what looks worse."""
    first = measure(frozenset())
    outcomes = [_outcome(name, committed, first) for name in _names(committed, first)]
    doubtful = frozenset(each.name for each in outcomes if each.found and each.fails(limit))
    if not doubtful:
        return outcomes
    again = measure(doubtful)
    return [
        _outcome(each.name, committed, first, again) if each.name in doubtful else each
        for each in outcomes
    ]


def _names(committed: Mapping[str, Ratio], found: Mapping[str, Ratio]) -> Iterable[str]:
    return dict.fromkeys((*committed, *found))


def _outcome(name: str, committed: Mapping[str, Ratio], *runs: Mapping[str, Ratio]) -> Outcome:
    return Outcome(name, committed.get(name), tuple(run[name] for run in runs if name in run))


def told(outcomes: Iterable[Outcome], limit: float = LIMIT) -> str:
    """A line for each case."""
    lines = []
    for each in outcomes:
        was = "new" if each.committed is None else f"{each.committed.value:.2f}"
        now = ", then ".join(f"{ratio.value:.2f}" for ratio in each.found) or "not measured"
        by = "" if each.worse is None else f" ({each.worse:+.0%} worse)"
        lines.append(f"{'FAILED' if each.fails(limit) else 'ok':6} {each.name}: {was} -> {now}{by}")
    return "\n".join(lines)
