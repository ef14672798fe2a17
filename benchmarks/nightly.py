"""`python -m benchmarks.nightly`: are our ratios still those that were committed?

Measures what docs/benchmarks.json holds of ours, a group after the other, and ends with 1 and the
names of the cases where a ratio is more than ten per cent worse, twice in a row. Nothing is kept.
Only ratios of CPU are compared, and in the pipeline also the part of the floor's rate: latencies
that a client saw tell more about the machine. A group whose servers are not there fails; `--only`
leaves groups out by choice.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import attrs

from benchmarks import cases, http, imports, report, results
from benchmarks.compare import LIMIT, Measure, Outcome, Ratio, compare, told
from benchmarks.measure import measure
from benchmarks.order_entry import __main__ as order_entry
from benchmarks.pipeline import __main__ as pipeline
from benchmarks.restart import __main__ as restart
from order_service.heap import look_for_cycles_rarely

Ratios = dict[str, Ratio]
ORDERS: Final = 10_000
SERVER: Final = os.environ.get("TEST_POSTGRES_DSN", "postgresql://postgres@127.0.0.1:5432/postgres")


@attrs.frozen
class Group:
    """Cases that are measured together.

    Attributes:
        section: Where their results are kept.
        ratios: From what is kept there to the ratios that are compared.
        measure: Measures what would be kept there; is told the names of the cases that matter, none
            for all.
    """

    section: str
    ratios: Callable[[Any], Ratios]
    measure: Callable[[int, frozenset[str]], Any]

    def outcomes(self, rounds: int, limit: float) -> list[Outcome]:
        """Measure and compare."""
        kept = results.load().get(self.section)
        committed = {} if kept is None else self.ratios(kept["found"])

        def again(names: frozenset[str]) -> Mapping[str, Ratio]:
            found = self.ratios(self.measure(rounds, names))
            return {name: ratio for name, ratio in found.items() if not names or name in names}

        once: Measure = again
        return compare(committed, once, limit)


def of_rows(rows: list[dict[str, Any]]) -> Ratios:
    """Of rows with a name and a ratio; the floor itself is none."""
    return {row["name"]: Ratio(row["ratio"][0]) for row in rows if "floor" not in row["name"]}


def in_process(rounds: int, names: frozenset[str]) -> list[dict[str, Any]]:
    """Whole orders, ticks, decisions."""
    chosen = [case for case in cases.orders(ORDERS) if not names or case.name in names]
    _, series = measure(chosen, rounds)
    return results.rows_of(series)


def of_imports(rows: list[dict[str, Any]]) -> Ratios:
    """Of imports that cost enough to be told from nothing."""
    return {
        f"import {row['name']}": Ratio(row["ratio"][0]) for row in rows if row["cpu_ms"][0] >= 5
    }


def of_listings(rows: list[dict[str, Any]]) -> Ratios:
    """Of the listing, the part of the bare route's rate."""
    ratios = report.listing_ratios(rows)
    return {name: Ratio(ratio, more_is_better=True) for name, ratio in ratios.items()}


def listings(rounds: int, _: frozenset[str]) -> list[dict[str, Any]]:
    """The listing on both stores."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as made:
        database = made.enter_context(http.database(SERVER))
        stores = {"SQLite": "sqlite:///bench.sqlite", "PostgreSQL": database}
        return http.measure(Path(folder), stores, rounds, 2_000)


def of_entry(found: dict[str, Any]) -> Ratios:
    """Of our clients, the CPU beside the bare connection's."""
    ways = {"alone": "one after another", "together": "32 in flight"}
    return {
        f"{name}, {ways[way]}: CPU": Ratio(figures["cpu_ratio"][0])
        for way, clients in found.items()
        for name, figures in clients.items()
        if name.startswith("ours")
    }


def entry(rounds: int, _: frozenset[str]) -> dict[str, Any]:
    """Our clients and their floors, without the others."""
    clients = [c for c in order_entry.CLIENTS if c.command[0] == sys.executable]
    found = order_entry.rounds_of(rounds, 500, clients)
    return order_entry.figures_of(found, clients)


NIGHTLY_LOADS: Final = ("16 in flight, 64 instruments", "64 in flight, 64 instruments")


def of_pipeline(found: dict[str, Any]) -> Ratios:
    """Of two loads, the part of the shared floor's rate, and the CPU beside its."""
    ratios: Ratios = {}
    for name in NIGHTLY_LOADS:
        ours = found.get(name, {}).get("ours")
        if ours is not None:
            ratios[f"{name}: part of the rate"] = Ratio(ours["ratio"][0], more_is_better=True)
            ratios[f"{name}: CPU"] = Ratio(ours["cpu_ratio"][0])
    return ratios


def a_pipeline(rounds: int, _: frozenset[str]) -> dict[str, Any]:
    """Those two loads, ours and the shared floor."""
    pipeline.install()
    found: pipeline.Found = {}
    for _round in range(rounds):
        for name in NIGHTLY_LOADS:
            pipeline.measure_a_round(found, [], 2_000, name, ("ours", pipeline.FLOOR))
    return pipeline.figures_of(found)


def of_restarts(rows: list[dict[str, Any]]) -> Ratios:
    """Of restarts, the CPU beside the driver's."""
    return {
        f"restart, {row['store']}, {row['closed']:,} closed orders": Ratio(row["ratio"][0])
        for row in rows
    }


def restarts(rounds: int, _: frozenset[str]) -> list[dict[str, Any]]:
    """As `make bench-restart`, which takes minutes to fill its stores."""
    return restart.run(list(restart.STORES), [0, 1_000_000], 10_000, rounds)


GROUPS: Final = {
    "in-process": Group("ours", of_rows, in_process),
    "imports": Group("imports", of_imports, lambda rounds, _: imports.measure(rounds)),
    "http": Group("http", of_listings, listings),
    "order-entry": Group("order_entry", of_entry, entry),
    "pipeline": Group("pipeline", of_pipeline, a_pipeline),
    "restart": Group("restart", of_restarts, restarts),
}


def main() -> int:
    """Measure, tell, and end with 1 where something got worse."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.nightly", description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS))
    words.add_argument("--limit", type=float, default=LIMIT, help="by which part it may be worse")
    asked = words.parse_args()
    look_for_cycles_rarely()
    outcomes: list[Outcome] = []
    faults: dict[str, str] = {}
    for name in asked.only:
        try:
            outcomes += GROUPS[name].outcomes(asked.rounds, asked.limit)
        except Exception as error:  # noqa: BLE001 -- told, and the other groups are measured
            faults[name] = f"{type(error).__name__}: {error}"
    print(told(outcomes, asked.limit))
    for name, fault in faults.items():
        print(f"FAILED {name}: not measured: {fault}")
    failed = [each.name for each in outcomes if each.fails(asked.limit)]
    print(f"{len(outcomes)} cases, failed: {', '.join([*failed, *faults]) or 'none'}")
    return 1 if failed or faults else 0


if __name__ == "__main__":
    sys.exit(main())
