"""`make faults`: every outage befalls a running service under load, and what is left is judged."""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.faults.outages import OUTAGES, one_world


def main() -> int:
    """Run them; 1 when anything was lost, doubled or not ready again."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=2)
    parser.add_argument("--only", default="", help="those whose name holds this")
    parser.add_argument("--times", type=int, default=1)
    wanted = parser.parse_args()
    names = [name for name in OUTAGES if wanted.only in name] * wanted.times
    parts = [names[n :: wanted.worlds] for n in range(wanted.worlds)]
    began_at = time.monotonic()
    with ProcessPoolExecutor(wanted.worlds) as pool:
        seeds = range(wanted.seed, wanted.seed + wanted.worlds)
        outcomes = [each for part in pool.map(one_world, seeds, parts) for each in part]
    lines = [f"{'outage':36}{'ready again after':>18}{'restarts':>10}"]
    for each in sorted(outcomes, key=lambda outcome: outcome.name):
        lines.append(f"{each.name:36}{each.ready_s:>16.1f} s{each.restarts:>10}")
        lines += [f"    {line}" for line in each.broken]
    lines.append(f"{len(outcomes)} outages in {time.monotonic() - began_at:.0f} s")
    is_broken = not outcomes or any(each.broken for each in outcomes)
    lines.append(
        "Broken." if is_broken else "Nothing lost, nothing doubled, ready again by itself."
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if is_broken else 0


if __name__ == "__main__":
    sys.exit(main())
