"""`make mutants`: make mistakes in the core, one at a time; the unit tests must notice each."""

import argparse
import os
import random
import sys
from collections import Counter

from tests.mutation import equivalent
from tests.mutation.runner import Verdict, judge
from tests.mutation.sample import Chosen, choose
from tests.mutation.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--number", type=int, default=0, help="how many, by chance; 0 is all")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    parser.add_argument("--least", type=float, default=0, help="percent that must be noticed")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; none is all")
    asked = parser.parse_args()
    targets = asked.targets or list(TARGETS)
    chosen = choose(targets, asked.number, random.Random(asked.seed))
    equal = set(equivalent.among(choose(targets, 0, random.Random(0))))
    counts: Counter[tuple[str, Verdict]] = Counter()
    wrongly = 0
    for each, verdict in judge(chosen, asked.jobs):
        if each not in equal:
            counts[each.target, verdict] += 1
            if verdict is Verdict.SURVIVED:
                print(_told(each), flush=True)
        elif verdict is not Verdict.SURVIVED:
            wrongly += 1
            print(f"noticed, and listed as equivalent: {_told(each)}", flush=True)
    for target in targets:
        _score(target, counts)
    total = sum(counts.values())
    noticed = total - sum(n for (_, verdict), n in counts.items() if verdict is Verdict.SURVIVED)
    score = 100 * noticed / total if total else 100.0
    print(f"{noticed} of {total} mutants noticed: {score:.1f} %")
    print(f"left out as equivalent: {len(equal.intersection(chosen))}")
    return 0 if score >= asked.least and not wrongly else 1


def _told(each: Chosen) -> str:
    return f"{each.name}:{each.mutant.line}: {each.mutant.text}"


def _score(target: str, counts: Counter[tuple[str, Verdict]]) -> None:
    found = {verdict: counts[target, verdict] for verdict in Verdict}
    if sum(found.values()):
        print(f"{target}: " + ", ".join(f"{n} {verdict.value}" for verdict, n in found.items()))


if __name__ == "__main__":
    sys.exit(main())
