"""`make crash-matrix`: every crash point, so many kills each; what must hold is judged on the way.

Two worlds run side by side. A restart after a kill is itself armed for the next one, so a second
crash during recovery is the rule; after every few kills a healthy run settles all and is judged.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

from order_service.runtime.crash import POINTS
from tests.crash_matrix.world import a_world

BETWEEN_CHECKS = 4
NOT_HERE = {
    "rebuild.between_two_inputs": "needs a refused row: test_service_crashes.py kills there",
    "flush.in_flight": "needs steps quicker than the store: test_service_crashes.py kills there",
}


def one_world(seed: int, plan: list[str]) -> tuple[Counter[str], Counter[str], list[str]]:
    """Kill along a plan; return kills and misses by point, and what was broken."""
    killed, missed, broken = Counter[str](), Counter[str](), list[str]()
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder, a_world(Path(folder), seed) as world:
        for number, point in enumerate(plan, start=1):
            early = point in ("lease.after_acquire", "shutdown.draining")
            reached = world.kill_at(point, 1 if early else random.randint(1, 4))
            (killed if reached else missed)[point] += 1
            if number % BETWEEN_CHECKS == 0 or number == len(plan):
                found = world.settle()
                broken += [f"seed {seed}, kill {number} ({point}): {each}" for each in found]
                if found:
                    break
    return killed, missed, broken


def main() -> int:
    """Run the matrix; 1 when anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_matrix", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each point")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=2)
    parser.add_argument("--points", nargs="*", default=[p for p in POINTS if p not in NOT_HERE])
    wanted = parser.parse_args()
    plan = [point for point in wanted.points for _ in range(wanted.kills)]
    Random(wanted.seed).shuffle(plan)
    parts = [plan[n :: wanted.worlds] for n in range(wanted.worlds)]
    began_at = time.monotonic()
    killed, missed, broken = Counter[str](), Counter[str](), list[str]()
    with ProcessPoolExecutor(wanted.worlds) as pool:
        seeds = range(wanted.seed, wanted.seed + wanted.worlds)
        for part in pool.map(one_world, seeds, parts):
            killed += part[0]
            missed += part[1]
            broken += part[2]
    print(f"\n{'point':34}{'killed there':>13}{'not reached':>13}")
    for point in wanted.points:
        print(f"{point:34}{killed[point]:>13}{missed[point]:>13}")
    for point, reason in NOT_HERE.items():
        print(f"{point:34}  {reason}")
    seconds = time.monotonic() - began_at
    print(f"{killed.total()} kills at their point, {missed.total()} elsewhere, in {seconds:.0f} s")
    print("\n".join(broken) or "Nothing lost, nothing doubled, books equal to the exchange's.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
