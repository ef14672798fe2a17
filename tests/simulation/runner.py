"""Runner: many seeds over several processes, each process young, the whole resumable."""

import json
import logging
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import structlog

from tests.simulation.checker import Violation
from tests.simulation.planted import planted
from tests.simulation.world import Outcome, simulate

CHUNK = 25
"""Seeds of one process: what crashed nodes leave behind is never collected, but dies with it."""


@attrs.define(slots=True)
class Totals:
    """What many runs came to.

    Attributes:
        next_seed: The first seed that has not been run.
        failed: Seeds that broke something, with the codes of what they broke.
    """

    next_seed: int = 0
    seeds: int = 0
    seconds: float = 0
    callbacks: int = 0
    commits: int = 0
    orders: int = 0
    signals: int = 0
    executions: int = 0
    repeated: int = 0
    faults: Counter[str] = attrs.Factory(Counter)
    alarms: Counter[str] = attrs.Factory(Counter)
    failed: dict[int, list[str]] = attrs.Factory(dict)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        for name in ("seconds", "callbacks", "commits", "orders", "signals", "executions"):
            setattr(self, name, getattr(self, name) + getattr(outcome, name))
        self.faults.update(outcome.faults)
        self.alarms.update(outcome.alarms)
        if outcome.violations:
            self.failed[outcome.seed] = sorted({each.code for each in outcome.violations})

    def text(self) -> str:
        """Tell it to a person."""
        days = self.seconds / 86_400
        faults = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        lines = (
            f"{self.seeds} seeds, {days:.2f} simulated days, {self.callbacks} callbacks",
            f"{self.signals} signals, {self.orders} orders, {self.executions} executions",
            f"{self.commits} commits, {self.repeated} seeds repeated",
            f"{sum(self.faults.values())} faults: {faults}",
            f"alarms: {dict(sorted(self.alarms.items()))}",
            f"seeds that broke something: {self.failed or 'none'}",
        )
        return "\n".join(lines)


def run_chunk(seeds: Sequence[int], bug: str = "") -> list[Outcome]:
    """Run seeds in this process; the first that raises ends up as a violation of its own."""
    be_quiet()
    outcomes = []
    for seed in seeds:
        with planted(bug):
            outcomes.append(run_one(seed))
    return outcomes


def be_quiet() -> None:
    """A world of faults has much to complain of."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def run_one(seed: int) -> Outcome:
    """Run a seed; what the world itself raises is told like a violation."""
    try:
        return simulate(seed)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the seed has failed
        return Outcome(
            seed=seed,
            digest="",
            seconds=0,
            callbacks=0,
            commits=0,
            orders=0,
            signals=0,
            executions=0,
            faults={},
            alarms={},
            violations=(Violation("RAISED", repr(error)),),
        )


def run_chunks(
    chunks: Sequence[Sequence[int]], jobs: int, bug: str = ""
) -> Iterator[list[Outcome]]:
    """Run chunks of seeds, each in a process of its own."""
    context = multiprocessing.get_context("fork")
    calls = [(chunk, bug) for chunk in chunks]
    with context.Pool(jobs, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(_call, calls, chunksize=1)


def run_many(
    first: int,
    count: int,
    *,
    jobs: int,
    twice: int = 0,
    done: Callable[[list[Outcome]], None] = lambda _: None,
) -> Totals:
    """Run seeds; the first `twice` of them once more, and compare what happened."""
    totals = Totals(next_seed=first + count)
    chunks = chunks_of(range(first, first + count))
    again = chunks_of(range(first, first + min(twice, count)))
    digests: dict[int, str] = {}
    for outcomes in run_chunks([*chunks, *again], jobs):
        for outcome in outcomes:
            known = digests.get(outcome.seed)
            if known is None:
                digests[outcome.seed] = outcome.digest
                totals.add(outcome)
                continue
            totals.repeated += 1
            if known != outcome.digest:
                totals.failed.setdefault(outcome.seed, []).append("V28")
        done(outcomes)
    return totals


def chunks_of(seeds: range) -> list[Sequence[int]]:
    return [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]


def load(path: Path) -> Totals:
    """Read what an earlier call has kept; nothing if there is no file."""
    if not path.exists():
        return Totals()
    kept = json.loads(path.read_text())
    kept["faults"], kept["alarms"] = Counter(kept["faults"]), Counter(kept["alarms"])
    kept["failed"] = {int(seed): codes for seed, codes in kept["failed"].items()}
    return Totals(**kept)


def keep(path: Path, totals: Totals) -> None:
    """Write the totals so that a kill at any moment leaves the old or the new ones."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(attrs.asdict(totals), sort_keys=True))
    beside.replace(path)


def merged(one: Totals, other: Totals) -> Totals:
    """Add two runs up."""
    both: dict[str, Any] = {}
    for field in attrs.fields(Totals):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        both[field.name] = ours | theirs if field.name == "failed" else ours + theirs
    both["next_seed"] = max(one.next_seed, other.next_seed)
    return Totals(**both)


def _call(arguments: tuple[Sequence[int], str]) -> list[Outcome]:
    return run_chunk(*arguments)
