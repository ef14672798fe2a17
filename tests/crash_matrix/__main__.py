"""`make crash-matrix`: every crash point, so many kills each; what must hold is judged on the way.

Worlds run side by side, each for a chapter of kills. A restart after a kill is itself armed for the
next one, so a second crash during recovery is the rule; after every few kills a healthy run settles
all and is judged. Only a kill at its point counts; what landed elsewhere is killed again.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from random import Random

from order_service.runtime.crash import POINTS
from tests.crash_matrix.profiles import PROFILES
from tests.crash_matrix.record import Record
from tests.crash_matrix.world import Kill, a_world

BETWEEN_CHECKS = 5
CHAPTER = 10
ONLY_ONCE = frozenset({"lease.after_acquire", "shutdown.draining"})
"""Points that a life passes once."""
TRIES = 4
"""How often what landed elsewhere is planned again."""


def one_world(seed: int, timers: str, plan: list[str]) -> tuple[list[Kill], list[str], float]:
    """Kill along a plan; return the kills, what was broken, and the CPU of it all."""
    began_s = _cpu_s()
    kills, broken = list[Kill](), list[str]()
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder, a_world(Path(folder), seed) as world:
        world.profile = PROFILES[timers]
        for number, point in enumerate(plan, start=1):
            kills.append(world.kill_at(point, 1 if point in ONLY_ONCE else random.randint(1, 4)))
            if number % BETWEEN_CHECKS == 0 or number == len(plan):
                found = world.settle()
                print(f"  world {seed}: {number} of {len(plan)} kills, judged", flush=True)
                broken += [f"seed {seed}, kill {number} ({point}): {each}" for each in found]
                if found:
                    break
    return kills, broken, _cpu_s() - began_s


def _cpu_s() -> float:
    """Of this process and of every child that has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def chapters(record: Record, points: list[str], kills: int) -> Iterator[tuple[int, list[str]]]:
    """What is left to do, shuffled, with a seed for each chapter that none before it had."""
    plan = [point for point in points for _ in range(kills - record.reached(point))]
    Random(f"{record.seed} {record.chapters}").shuffle(plan)
    for number, start in enumerate(range(0, len(plan), CHAPTER)):
        seed = record.seed * 10_000 + record.chapters + number
        yield seed, plan[start : start + CHAPTER]


def run(record: Record, points: list[str], kills: int, worlds: int) -> None:
    """Kill until every point has its kills, something is broken, or it lands elsewhere for ever."""
    began_at, before_s = time.monotonic(), record.seconds
    for _ in range(TRIES):
        plans = list(chapters(record, points, kills))
        with ProcessPoolExecutor(worlds) as pool:
            jobs = [pool.submit(one_world, seed, record.timers, plan) for seed, plan in plans]
            for job in as_completed(jobs):
                record.add(*job.result())
                record.seconds = before_s + time.monotonic() - began_at
                record.keep()
                there = sum(min(kills, record.reached(point)) for point in points)
                wanted = kills * len(points)
                print(f"{there} of {wanted} kills after {record.seconds:.0f} s", flush=True)
                if record.broken:
                    pool.shutdown(cancel_futures=True)
                    return


def main() -> int:
    """Run the matrix; 1 when anything was broken, or a point was not reached often enough."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_matrix", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each point")
    parser.add_argument("--timers", choices=PROFILES, default="fast")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=3, help="side by side")
    parser.add_argument("--points", nargs="*", default=list(POINTS), choices=POINTS, metavar="NAME")
    parser.add_argument(
        "--results", type=Path, help="JSON that is written on the way, a table beside it (.md); "
        "a run into a file that is there goes on where it was stopped"
    )  # fmt: skip
    wanted = parser.parse_args()
    try:
        record = Record.of(wanted.results, wanted.timers, wanted.seed)
    except ValueError as error:
        parser.error(str(error))
    if record.broken:
        parser.error(f"{wanted.results} holds what was broken: choose another file")
    run(record, wanted.points, wanted.kills, wanted.worlds)
    print(f"\n{record.table()}\n\n{record.summary()}")
    missing = [point for point in wanted.points if record.reached(point) < wanted.kills]
    if missing and not record.broken:
        print(f"Not reached often enough: {', '.join(missing)}")
    return 1 if record.broken or missing else 0


if __name__ == "__main__":
    sys.exit(main())
