"""`make replicas` and `make soak`: several services on one account, and what befalls them.

A fleet takes signals at a steady rate while its owner is killed, frozen, cut off and its clock set;
a soak adds its servers and bursts of signals, goes on for minutes, and watches what every process
uses and what is stored. At the end everybody is stopped in
good order, one service finishes the rest, and everything is judged.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import attrs

from tests.replicas.deeds import COME_TOGETHER_S, HOLD_BACK, OF_CLOCKS, OF_REPLICAS, OF_SERVERS
from tests.replicas.fleet import READY_WITHIN_S, Fleet, Load, a_fleet
from tests.replicas.growth import is_spared, of_replicas, of_tables
from tests.replicas.watch import Watch

SNAPSHOT_EVERY_S = 300.0
DEEDS = OF_REPLICAS | OF_CLOCKS | OF_SERVERS


@attrs.define
class Outcome:
    """What became of one fleet. Times in seconds, by deed.

    Attributes:
        taken_over: Until another one acted, where another one had to.
        nobody: The longest time in which nobody was seen to act, from the deed to the healing.
        healed: From the end of the deed until somebody acts.
        most: Signals that came within one second, at most.
        rates: What the exchange has recorded of the account's requests, by kind.
    """

    done: Counter[str] = attrs.field(factory=Counter)
    taken_over: defaultdict[str, list[float]] = attrs.field(factory=lambda: defaultdict(list))
    nobody: defaultdict[str, list[float]] = attrs.field(factory=lambda: defaultdict(list))
    healed: list[float] = attrs.field(factory=list)
    held_back: list[tuple[float, float]] = attrs.field(factory=list)
    signals: int = 0
    most: int = 0
    ended: int = 0
    rates: Mapping[str, Any] = attrs.field(factory=dict)
    growth: list[str] = attrs.field(factory=list)
    broken: list[str] = attrs.field(factory=list)


@attrs.frozen
class Wish:
    """What is asked for: so many deeds, or so many minutes if these are given."""

    replicas: int
    rounds: int
    minutes: float
    rate: float
    peak: float
    only: str


def one_fleet(seed: int, wish: Wish) -> Outcome:
    """Let deeds befall one fleet, and judge."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder, a_fleet(Path(folder), seed, wish.replicas) as it:
        for each in it.replicas:
            each.start()
        it.await_owner()
        began_at = time.monotonic()
        load = Load(it, wish.rate, wish.peak if wish.minutes else 0.0)
        watch = Watch(it, lambda: load.sent)
        try:
            with load, watch:
                _befall(it, wish, outcome, watch)
        except AssertionError as error:
            outcome.broken.append(f"{error}: {[''.join(list(x.said)[-30:]) for x in it.replicas]}")
            return outcome
        outcome.signals, outcome.most = load.sent, load.most
        outcome.ended = sum(len(each.ended) for each in it.replicas)
        outcome.broken += watch.doubled
        if wish.minutes:
            intervals = (time.monotonic() - began_at) / SNAPSHOT_EVERY_S
            lives = sum(len(each.lives) for each in it.replicas)
            most = int(4 * (intervals + lives + outcome.done.total()))
            for told, grown in (
                of_replicas(it.replicas, it.replicas[-1], wish.minutes * 60),
                of_tables(watch.rows, most),
            ):
                outcome.growth += told
                outcome.broken += grown
        outcome.broken += it.judge(load, outcome.held_back)
        outcome.rates = it.rates
    return outcome


def _befall(fleet: Fleet, wish: Wish, outcome: Outcome, watch: Watch) -> None:
    deeds = DEEDS if wish.minutes else OF_REPLICAS | OF_CLOCKS
    names: list[str] = []
    ends_at = time.monotonic() + wish.minutes * 60
    while sum(outcome.done.values()) < wish.rounds or time.monotonic() < ends_at:
        rest = fleet.random.uniform(1, 3) if not wish.minutes else fleet.random.uniform(4, 12)
        time.sleep(rest)
        if not names:
            names = [name for name in deeds if wish.only in name]
            fleet.random.shuffle(names)
        owner = fleet.owner()
        if owner is None:
            fleet.await_owner()
            continue
        name = names.pop()
        if wish.minutes and is_spared(fleet.replicas[-1], owner, name):
            continue
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {owner.name}: {name}\n")
        sys.stdout.flush()
        begin, began_at = time.time(), time.monotonic()
        seconds = deeds[name](fleet, owner)
        if seconds is not None:
            outcome.taken_over[name].append(seconds)
        healed_at = time.monotonic()
        while not _acts(fleet):
            if time.monotonic() > healed_at + READY_WITHIN_S:
                raise AssertionError(f"nobody acts after {name}")
        outcome.healed.append(time.monotonic() - healed_at)
        outcome.nobody[name].append(watch.nobody_acted(began_at))
        if name in HOLD_BACK:
            outcome.held_back.append((begin, time.time() + COME_TOGETHER_S))
        outcome.done[name] += 1


def _acts(fleet: Fleet) -> bool:
    """Heal until one acts: a service that ends by itself is started again, as supervisors do."""
    fleet.heal()
    time.sleep(0.05)
    return fleet.owner() is not None


def report(outcomes: list[Outcome], seconds: float) -> tuple[str, bool]:
    """Write it down, and whether anything was broken."""
    columns = ("taken over after: median", "nobody acted for: median")
    lines = [f"{'deed':32}{'times':>6}" + "".join(f"{name:>26}{'longest':>9}" for name in columns)]
    for name in DEEDS:
        times = [second for each in outcomes for second in each.taken_over[name]]
        gaps = [second for each in outcomes for second in each.nobody[name]]
        row = f"{name:32}{sum(each.done[name] for each in outcomes):>6}"
        lines.append(row + _of(times) + _of(gaps))
    healed = [second for each in outcomes for second in each.healed]
    if healed:
        lines.append(
            f"acting again after healing: {median(healed):.1f} s, at most {max(healed):.1f} s"
        )
    for each in outcomes:
        peaks = [f"{kind} {of['peak']} of {of['limit']}" for kind, of in each.rates.items()]
        lines.append(f"requests within one second, at most: {', '.join(peaks)}")
        lines += each.growth
    broken = [line for each in outcomes for line in each.broken]
    total = sum(each.signals for each in outcomes)
    lines.append(
        f"{sum(each.done.total() for each in outcomes)} deeds, {total} signals, "
        f"at most {max(each.most for each in outcomes)} in one second, "
        f"{sum(each.ended for each in outcomes)} services ended by themselves, {seconds:.0f} s"
    )
    lines += broken or ["Nothing lost, nothing doubled, one owner at a time, no limit exceeded."]
    return "\n".join(lines) + "\n", bool(broken) or not total


def _of(times: list[float]) -> str:
    return f"{median(times):>24.1f} s{max(times):>7.1f} s" if times else " " * 35


def main() -> int:
    """Run it; 1 when anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.replicas", description=__doc__)
    parser.add_argument("--replicas", type=int, default=3, help="services of each account")
    parser.add_argument("--accounts", type=int, default=1, help="fleets side by side")
    parser.add_argument("--rounds", type=int, default=12, help="deeds of each fleet, at least")
    parser.add_argument("--minutes", type=float, default=0.0, help="a soak of so long instead")
    parser.add_argument("--rate", type=float, default=4.0, help="signals a second of each account")
    parser.add_argument("--peak", type=float, default=100.0, help="in a soak, 4 s of every minute")
    parser.add_argument("--only", default="", help="deeds whose name holds this")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rounds = 0 if asked.minutes else asked.rounds
    wish = Wish(asked.replicas, rounds, asked.minutes, asked.rate, asked.peak, asked.only)
    began_at = time.monotonic()
    with ProcessPoolExecutor(asked.accounts) as pool:
        seeds = range(asked.seed, asked.seed + asked.accounts)
        outcomes = list(pool.map(one_fleet, seeds, [wish] * asked.accounts))
    text, is_broken = report(outcomes, time.monotonic() - began_at)
    sys.stdout.write(text)
    return 1 if is_broken else 0


if __name__ == "__main__":
    sys.exit(main())
