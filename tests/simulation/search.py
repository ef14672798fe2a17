"""Search: the first seed in which the simulation catches a planted bug."""

import attrs

from tests.simulation.checker import Violation
from tests.simulation.runner import run_chunks

STEP = 8
"""Seeds of one process; most bugs are caught in the first."""


@attrs.frozen(slots=True)
class Catch:
    """Where a bug was caught, and by what."""

    seed: int
    violation: Violation


def catch(bug: str, first: int, limit: int, jobs: int) -> Catch | None:
    """Run seeds with a bug until one breaks something; None if none of so many does."""
    seeds = range(first, first + limit)
    chunks = [seeds[at : at + STEP] for at in range(0, limit, STEP)]
    for outcomes in run_chunks(chunks, jobs, bug):
        for outcome in outcomes:
            if outcome.violations:
                return Catch(outcome.seed, outcome.violations[0])
    return None
