"""`python -m benchmarks`: measure ours, print, keep, and write the page anew."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import attrs

from benchmarks import cases, imports, report, results, steps, storage
from benchmarks.measure import measure, middle
from benchmarks.replaying import replay, write_market, write_signals
from order_adapters.intake.synthetic import START
from order_service.heap import look_for_cycles_rarely

STORED_ORDERS = 500
MARKET = timedelta(hours=2)
REPLAYED_SIGNALS = 500


def main() -> None:
    """Measure ours; what other commands measured stays in the report."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--orders", type=int, default=10_000, help="per run")
    words.add_argument(
        "--long", type=int, default=1_000_000, help="orders of the memory run, 0: none"
    )
    asked = words.parse_args()
    look_for_cycles_rarely()
    base, ours = measure(cases.orders(asked.orders), asked.rounds)
    print(report.table([base, *ours]))
    results.keep("ours", results.rows_of([base, *ours]))
    shares = steps.shares(asked.orders // 5, asked.rounds)
    results.keep("steps", [attrs.asdict(share) for share in shares])
    results.keep("imports", imports.measure(asked.rounds))
    results.keep("other", list(_others(asked.rounds)))
    if asked.long:
        command = [sys.executable, "-m", "benchmarks.memory", str(asked.long)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results.keep("memory", json.loads(done.stdout))
    report.write()
    print(f"\nwritten: {report.PAGE}")


def _others(rounds: int) -> Iterator[dict[str, str]]:
    """Figures that are no ratio."""
    changes = storage.changes_of(STORED_ORDERS)
    seconds = middle([storage.flush(changes) for _ in range(rounds)])
    yield _said(
        f"one SQLite flush of {STORED_ORDERS} orders ({len(changes):,} rows and events)",
        f"{seconds / STORED_ORDERS * 1e6:.0f} us CPU per order",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_market(folder / "market.csv", MARKET)
        write_signals(folder / "signals.jsonl", START, MARKET, REPLAYED_SIGNALS)
        for kept in (False, True):
            runs_ = [
                replay(
                    folder / "signals.jsonl",
                    folder / "market.csv",
                    folder / f"{turn}.sqlite" if kept else None,
                )
                for turn in range(3)
            ]
            seconds = middle([run.seconds for run in runs_])
            where = "into SQLite" if kept else "in memory"
            yield _said(
                f"`replay` of {rows:,} market rows and {runs_[0].signals} signals, {where}",
                f"{seconds:.1f} s CPU, {rows / seconds:,.0f} rows/s",
            )


def _said(what: str, figure: str) -> dict[str, str]:
    print(f"{what}: {figure}")
    return {"what": what, "figure": figure}


if __name__ == "__main__":
    main()
