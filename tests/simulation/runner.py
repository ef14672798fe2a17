"""Runner: many seeds over several processes, each process young, the whole resumable."""

import json
import logging
import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

import attrs
import structlog

from tests.simulation.checker import Violation
from tests.simulation.plan import NEWEST
from tests.simulation.planted import planted
from tests.simulation.world import Outcome, simulate

CHUNK = 25
"""Seeds of one process: what crashed nodes leave behind is never collected, but dies with it."""
CPU_SECONDS: Final = 60
"""Of one seed; they take a tenth of a second, and one that takes so long never ends."""


class Endless(SystemExit):
    """A seed that does not end. Nothing on the way catches this."""


@attrs.define(slots=True)
class Totals:
    """What many runs came to.

    Attributes:
        next_seed: The first seed that has not been run.
        seconds: Simulated.
        took: Seconds that passed here.
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
    took: float = 0
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
        # a crash, freeze or stop at a moment is told twice: as its moment, and as it happens
        count = sum(number for name, number in self.faults.items() if ".at_" not in name)
        pace = (self.seeds + self.repeated) / self.took if self.took else 0
        lines = (
            f"{self.seeds} seeds, {days:.2f} simulated days, {self.callbacks} callbacks",
            f"{self.faults['crash']} crashes; {self.took:.0f} s here, {pace:.1f} seeds a second",
            f"{self.signals} signals, {self.orders} orders, {self.executions} executions",
            f"{self.commits} commits, {self.repeated} seeds repeated",
            f"{count} faults: {faults}",
            f"alarms: {dict(sorted(self.alarms.items()))}",
            f"seeds that broke something: {self.failed or 'none'}",
        )
        return "\n".join(lines)


def run_chunk(
    seeds: Sequence[int], bug: str = "", generation: int = NEWEST, *, to_the_first: bool = False
) -> list[Outcome]:
    """Run seeds in this process, each to its end or to the first violation."""
    be_quiet()
    outcomes = []
    for seed in seeds:
        with planted(bug):
            outcomes.append(run_one(seed, generation, to_the_first=to_the_first))
    return outcomes


def be_quiet() -> None:
    """A world of faults has much to complain of."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def run_one(seed: int, generation: int = NEWEST, *, to_the_first: bool = False) -> Outcome:
    """Run a seed; what the world itself raises is told like a violation."""
    signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        return simulate(seed, generation, to_the_first=to_the_first)
    except (Exception, Endless) as error:  # noqa: BLE001 -- whatever it is, the seed has failed
        return failed(seed, repr(error))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _give_up(_number: int, _frame: object) -> None:
    raise Endless(f"no end after {CPU_SECONDS} s of work")


def failed(seed: int, why: str) -> Outcome:
    """A seed that came to nothing."""
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
        violations=(Violation("RAISED", why),),
    )


def run_chunks(
    chunks: Sequence[Sequence[int]], jobs: int, bug: str = ""
) -> Iterator[list[Outcome]]:
    """Run chunks of seeds, each in a process of its own; one that dies has failed all its seeds.

    With a bug, each seed ends with the first thing that breaks.
    """
    context = multiprocessing.get_context("fork")
    running: dict[Connection, tuple[Any, Sequence[int]]] = {}
    left = iter(chunks)
    try:
        while True:
            while len(running) < jobs and (chunk := next(left, None)) is not None:
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_answer, args=(theirs, chunk, bug))
                process.start()
                theirs.close()
                running[ours] = process, chunk
            if not running:
                return
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                process, chunk = running.pop(ready)
                yield _outcomes(ready, process, chunk)
    finally:
        for process, _ in running.values():
            process.kill()
            process.join()


def _answer(answers: Connection, chunk: Sequence[int], bug: str) -> None:
    answers.send(run_chunk(chunk, bug, to_the_first=bool(bug)))


def _outcomes(answers: Connection, process: Any, chunk: Sequence[int]) -> list[Outcome]:
    try:
        outcomes: list[Outcome] = answers.recv()
    except EOFError:
        process.join()
        return [failed(seed, f"its process died: {process.exitcode}") for seed in chunk]
    process.kill()  # what crashed nodes left behind must not be finalized
    process.join()
    return outcomes


def run_many(
    first: int,
    count: int,
    *,
    jobs: int,
    twice: int = 0,
    done: Callable[[list[Outcome]], None] = lambda _: None,
) -> Totals:
    """Run seeds; the first `twice` of them once more, and compare what happened."""
    totals, began_at = Totals(next_seed=first + count), time.monotonic()
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
    totals.took = time.monotonic() - began_at
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
