"""`make replicas` and `make soak`: several services on one account, and what befalls them.

A fleet takes signals at a steady rate while its owner is killed, frozen, cut off; a soak adds its
servers, goes on for minutes, and watches memory and open files. At the end everybody is stopped in
good order, one service finishes the rest, and everything is judged.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

import attrs

from tests.replicas.deeds import HOLD_BACK, OF_REPLICAS, OF_SERVERS
from tests.replicas.fleet import READY_WITHIN_S, Fleet, Load, a_fleet
from tests.replicas.growth import Growth


@attrs.define
class Outcome:
    """What became of one fleet. Times in seconds, by deed."""

    done: Counter[str] = attrs.field(factory=Counter)
    taken_over: defaultdict[str, list[float]] = attrs.field(factory=lambda: defaultdict(list))
    healed: list[float] = attrs.field(factory=list)
    signals: int = 0
    ended: int = 0
    growth: list[str] = attrs.field(factory=list)
    broken: list[str] = attrs.field(factory=list)


@attrs.frozen
class Wish:
    """What is asked for: so many deeds, or so many minutes if these are given."""

    replicas: int
    rounds: int
    minutes: float
    rate: float
    only: str


def one_fleet(seed: int, wish: Wish) -> Outcome:
    """Let deeds befall one fleet, and judge."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder, a_fleet(Path(folder), seed, wish.replicas) as it:
        for each in it.replicas:
            each.start()
        it.await_owner()
        growth = Growth(it.replicas[-1])
        try:
            with Load(it, wish.rate) as load:
                _befall(it, wish, outcome, growth)
        except AssertionError as error:
            outcome.broken.append(f"{error}: {[list(each.said)[-3:] for each in it.replicas]}")
            return outcome
        outcome.signals = load.sent
        outcome.ended = sum(each.ended for each in it.replicas)
        if wish.minutes:
            outcome.growth, grown = growth.told()
            outcome.broken += grown
        outcome.broken += it.judge(load, sum(outcome.done[name] for name in HOLD_BACK))
    return outcome


def _befall(fleet: Fleet, wish: Wish, outcome: Outcome, growth: Growth) -> None:
    deeds = OF_REPLICAS | (OF_SERVERS if wish.minutes else {})
    names: list[str] = []
    ends_at = time.monotonic() + wish.minutes * 60
    while sum(outcome.done.values()) < wish.rounds or time.monotonic() < ends_at:
        rest = fleet.random.uniform(1, 3) if not wish.minutes else fleet.random.uniform(4, 12)
        time.sleep(rest)
        growth.sample()
        if not names:
            names = [name for name in deeds if wish.only in name]
            fleet.random.shuffle(names)
        owner = fleet.owner()
        if owner is None:
            fleet.await_owner()
            continue
        name = names.pop()
        if wish.minutes and growth.is_spared(owner, name):
            continue
        seconds = deeds[name](fleet, owner)
        if seconds is not None:
            outcome.taken_over[name].append(seconds)
        healed_at = time.monotonic()
        while not _acts(fleet):
            if time.monotonic() > healed_at + READY_WITHIN_S:
                raise AssertionError(f"nobody acts after {name}")
        outcome.healed.append(time.monotonic() - healed_at)
        outcome.done[name] += 1
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {name}\n")
        sys.stdout.flush()


def _acts(fleet: Fleet) -> bool:
    """Heal until one acts: a service that ends by itself is started again, as supervisors do."""
    fleet.heal()
    time.sleep(0.05)
    return fleet.owner() is not None


def report(outcomes: list[Outcome], seconds: float) -> tuple[str, bool]:
    """Write it down, and whether anything was broken."""
    lines = [f"{'deed':36}{'times':>7}{'taken over after: median':>26}{'longest':>10}"]
    for name in OF_REPLICAS | OF_SERVERS:
        times = [second for each in outcomes for second in each.taken_over[name]]
        row = f"{name:36}{sum(each.done[name] for each in outcomes):>7}"
        lines.append(row + (f"{median(times):>24.1f} s{max(times):>8.1f} s" if times else ""))
    healed = [second for each in outcomes for second in each.healed]
    if healed:
        lines.append(
            f"acting again after healing: {median(healed):.1f} s, at most {max(healed):.1f} s"
        )
    lines += [line for each in outcomes for line in each.growth]
    broken = [line for each in outcomes for line in each.broken]
    total = sum(each.signals for each in outcomes)
    ended = sum(each.ended for each in outcomes)
    lines.append(
        f"{sum(each.done.total() for each in outcomes)} deeds, {total} signals, "
        f"{ended} services found ended and started again, {seconds:.0f} s"
    )
    lines += broken or ["Nothing lost, nothing doubled, one owner at a time, no limit exceeded."]
    return "\n".join(lines) + "\n", bool(broken) or not total


def main() -> int:
    """Run it; 1 when anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.replicas", description=__doc__)
    parser.add_argument("--replicas", type=int, default=3, help="services of each account")
    parser.add_argument("--accounts", type=int, default=1, help="fleets side by side")
    parser.add_argument("--rounds", type=int, default=12, help="deeds of each fleet, at least")
    parser.add_argument("--minutes", type=float, default=0.0, help="a soak of so long instead")
    parser.add_argument("--rate", type=float, default=4.0, help="signals a second of each account")
    parser.add_argument("--only", default="", help="deeds whose name holds this")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rounds = 0 if asked.minutes else asked.rounds
    wish = Wish(asked.replicas, rounds, asked.minutes, asked.rate, asked.only)
    began_at = time.monotonic()
    with ProcessPoolExecutor(asked.accounts) as pool:
        seeds = range(asked.seed, asked.seed + asked.accounts)
        outcomes = list(pool.map(one_fleet, seeds, [wish] * asked.accounts))
    text, is_broken = report(outcomes, time.monotonic() - began_at)
    sys.stdout.write(text)
    return 1 if is_broken else 0


if __name__ == "__main__":
    sys.exit(main())
