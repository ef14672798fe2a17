"""kill -9 at each crash point of the runtime, then resume: nothing lost, nothing twice."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from order_adapters.clock import VirtualClock
from order_adapters.intake.demo import make_demo
from order_adapters.simulator import parse_faults
from order_domain.config import EngineConfig
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, SignalRow
from order_service.replay.plan import ReplayPlan
from order_service.replay.run import Replayed, run_replay
from order_service.stores import open_store
from tests.builders import NOW, D

SCRIPT = """
import sys
from order_adapters.passing import watch
from order_service.runtime.crash import arm, crash_point
from tests.integration.test_runtime_crash_points import replay
arm(sys.argv[1])
watch(crash_point)
replay(sys.argv[2], resume=False)
"""
POINTS = [
    "lease.after_acquire:1",
    "signal.received:20",
    "intent.before_commit:12",
    "intent.after_commit:12",
    "signal.after_ack:15",
    "submit.before_claim_commit:8",
    "submit.after_claim:8",
    "submit.after_send:8",
    "submit.after_response:8",
    "submit.after_commit:8",
    "cancel.after_send:1",
    "report.received:20",
    "report.before_commit:10",
    "report.after_commit:10",
    "recon.before_commit:3",
    "recon.after_query:3",
    "flush.answer_lost:25",
    "after_commit.before_release:25",
    "shutdown.draining:1",
]
LINES = 40


def write_tape(folder: Path) -> None:
    """The demo's first two minutes, with an answer and a request that get lost on the way."""
    demo = make_demo(7)
    (folder / "signals.jsonl").write_text("".join(demo.signals.splitlines(keepends=True)[:LINES]))
    for symbol, text in demo.markets.items():
        rows = text.splitlines(keepends=True)
        (folder / f"{symbol}.csv").write_text("".join(rows[: len(rows) // 3]))
    (folder / "faults.jsonl").write_text(demo.faults)


def a_plan(folder: Path, *, resume: bool) -> ReplayPlan:
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    return ReplayPlan(
        signals=folder / "signals.jsonl",
        markets={symbol: folder / f"{symbol}.csv" for symbol in symbols},
        config=EngineConfig(market_order_spread_threshold=D(0)),
        store_url=f"sqlite:///{folder}/store.db",
        resume=resume,
        faults=parse_faults((folder / "faults.jsonl").read_text().splitlines()),
    )


def replay(folder: str, *, resume: bool) -> Replayed:
    return asyncio.run(run_replay(a_plan(Path(folder), resume=resume)))


async def rows_of(folder: Path) -> tuple[list[int], list[Order], list[LedgerEntry]]:
    store = open_store(f"sqlite:///{folder}/store.db", VirtualClock(NOW))
    await store.open()
    try:
        views = store.views
        verdicts = [row.delivery async for row in views.stream(SignalRow)]
        verdicts += [row.number async for row in views.stream(DeliveryRow)]
        orders = [order async for order in views.stream(Order)]
        return verdicts, orders, [entry async for entry in views.stream(LedgerEntry)]
    finally:
        await store.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_crash_point_loses_and_doubles_nothing(point: str, tmp_path: Path) -> None:
    write_tape(tmp_path)
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, point, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before, _, _ = asyncio.run(rows_of(tmp_path))

    replayed = replay(str(tmp_path), resume=True)

    after, orders, ledger = asyncio.run(rows_of(tmp_path))
    assert Counter(after) == Counter(range(1, LINES + 1))
    assert set(before) <= set(after)
    assert not replayed.report.broken
    fills = Counter((e.execution.instrument_id, e.execution.exec_id) for e in ledger)
    assert max(fills.values()) == 1
    assert max(Counter(order.client_order_id for order in orders).values()) == 1
