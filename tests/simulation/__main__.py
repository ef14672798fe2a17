"""`make simulate`: run seeds, or one of them with its last events."""

import argparse
import os
import sys
from pathlib import Path

from tests.simulation import runner, search
from tests.simulation.plan import NEWEST
from tests.simulation.planted import BUGS
from tests.simulation.world import Outcome

SLICE = 100
"""Seeds between two writes of the range file."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    begin = "where to begin; a range file that has begun knows better"
    parser.add_argument("--from", dest="first", type=int, default=None, help=begin)
    parser.add_argument("--seed", type=int, default=None, help="replay this one alone")
    of_plan = "of its plan: older ones leave out what was added later"
    parser.add_argument("--generation", type=int, default=NEWEST, help=of_plan)
    parser.add_argument("--twice", type=int, default=0, help="how many to run twice and compare")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    parser.add_argument("--state", type=Path, default=None, help="range file to go on from")
    parser.add_argument("--go-on", action="store_true", help="also after a seed that failed")
    parser.add_argument("--plant", nargs="*", default=None, help="bugs to be caught; none is all")
    again = "seek a seed for each bug and record it, instead of replaying what is recorded"
    parser.add_argument("--search", action="store_true", help=again)
    parser.add_argument("--bug", default="", help="replay with this bug planted")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _replay(asked.seed, asked.bug, asked.generation)
    if asked.plant is not None:
        bugs = asked.plant or list(BUGS)
        if asked.search:
            return _search(bugs, asked.first or 0, asked.seeds, asked.jobs)
        return _replay_catches(bugs)
    kept = runner.load(asked.state) if asked.state is not None else runner.Totals()
    first = kept.next_seed if kept.seeds or asked.first is None else asked.first
    left = asked.seeds
    while left > 0:
        count = min(left, SLICE)
        fresh = runner.run_many(
            first, count, jobs=asked.jobs, twice=min(asked.twice, count), done=_tell
        )
        kept = runner.merged(kept, fresh)
        if asked.state is not None:
            runner.keep(asked.state, kept)
        if fresh.failed and not asked.go_on:
            break
        first, left = first + count, left - count
        asked.twice = max(0, asked.twice - count)
    print(kept.text())
    return 1 if kept.failed else 0


def _replay_catches(bugs: list[str]) -> int:
    """Every recorded seed is red with its bug and green without."""
    known, wrong = search.recorded(), 0
    for bug in bugs:
        catch = known.get(bug)
        why = "no seed is recorded" if catch is None else search.replay(bug, catch)
        wrong += bool(why)
        where = "" if catch is None else f"seed {catch.seed}: {catch.code}"
        print("\t".join(filter(None, (bug, where, why and f"WRONG: {why}"))), flush=True)
    if wrong:
        print(f"{wrong} of {len(bugs)} not caught as recorded; `make planted-bugs ARGS=--search`")
    return 1 if wrong else 0


def _search(bugs: list[str], first: int, limit: int, jobs: int) -> int:
    """Search a seed for every bug, from one seed on, and record it."""
    missed = 0
    for bug in bugs:
        found = search.search(bug, first, limit, jobs)
        catch = found.catch
        missed += catch is None
        where = "NOT CAUGHT" if catch is None else f"seed {catch.seed}: {catch.code} {catch.text}"
        without = f"broken without it: {found.unsound}" if found.unsound else ""
        print("\t".join(filter(None, (bug, where, without))), flush=True)
        if catch is not None:
            search.record({**search.recorded(), bug: catch})
    return 1 if missed else 0


def _replay(seed: int, bug: str, generation: int) -> int:
    (outcome,) = runner.run_chunk([seed], bug, generation)
    _show(outcome)
    print(f"seed {seed}: {outcome.digest}, {len(outcome.violations)} violations")
    return 0 if outcome.is_sound else 1


def _tell(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if not outcome.is_sound:
            _show(outcome)


def _show(outcome: Outcome) -> None:
    if outcome.is_sound:
        return
    print(f"--- seed {outcome.seed}: replay with `make simulate SEED={outcome.seed}`")
    for line in outcome.newest:
        print(line)
    for violation in outcome.violations:
        print(f"{violation.code}: {violation.text}")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what crashed nodes left behind must not be finalized
