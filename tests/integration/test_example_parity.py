"""A backtest and `order-manager replay` of the same files write the same rows, byte for byte."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from order_adapters.backtest import Backtest
from order_adapters.intake.catalogue import CATALOGUE
from order_adapters.intake.market_csv import MarketFile
from order_adapters.intake.signal_file import SignalFile
from order_adapters.schedule import Schedule, timed
from order_adapters.simulator import SimulatedExchange, SimulatorConfig
from order_domain.config import EngineConfig
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent
from order_service import rows
from order_service.plain import Row, line

MARKET = "market-data/btcusdt-perp-2024-08-08.csv.gz"
SIGNALS = "signals/btcusdt-2024-08-08.jsonl"
RESTING = {
    "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD": "0",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE": "1000",
    "ORDERMANAGER_ENABLE_ORDER_SPLITTING": "true",
}
RESTING_CONFIG = EngineConfig(
    market_order_spread_threshold=Decimal(0),
    max_single_order_size=Decimal(1000),
    enable_order_splitting=True,
)
KINDS = ("signals", "orders", "executions", "positions", "events")


def backtested(shared: Path, config: EngineConfig) -> Backtest:
    instrument = CATALOGUE["BTCUSDT"]
    market = MarketFile(shared / MARKET, instrument.id)
    span = market.span()
    assert span is not None
    first, last = span
    exchange = SimulatedExchange(instruments=(instrument,), config=SimulatorConfig())
    backtest = Backtest(config, exchange)
    backtest.begin(first)
    backtest.run(Schedule(market, timed(SignalFile(shared / SIGNALS), first, last)))
    return backtest


def lines_of(backtest: Backtest) -> dict[str, list[str]]:
    """The rows of a backtest as `export` writes them, newest version of each."""
    signals: dict[tuple[int, int], Row] = {}
    orders: dict[str, Row] = {}
    positions: dict[tuple[str, str], Row] = {}
    executions: list[Row] = []
    events: list[Row] = []
    for change in backtest.changes:
        if isinstance(change, SignalRow):
            signals[change.delivery, change.generation] = rows.signal_row(change)
        elif isinstance(change, DeliveryRow):
            signals[change.number, 0] = rows.delivery_row(change)
        elif isinstance(change, Order):
            orders[change.client_order_id] = rows.order_row(change)
        elif isinstance(change, LedgerEntry):
            executions.append(rows.execution_row(change))
        elif isinstance(change, Position):
            key = (change.instrument_id, change.position_side)
            positions[key] = rows.position_row(change)
        elif isinstance(change, Event):
            events.append(rows.event_row(NumberedEvent(len(events) + 1, change)))
    found = {
        "signals": [row for _, row in sorted(signals.items())],
        "orders": list(orders.values()),
        "executions": executions,
        "positions": list(positions.values()),
        "events": events,
    }
    return {kind: [line(row) for row in written] for kind, written in found.items()}


def command(*words: str | Path, settings: dict[str, str]) -> list[str]:
    """Output lines of `order-manager` with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if "ORDERMANAGER" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "order_cli", *map(str, words)],
        check=True,
        capture_output=True,
        text=True,
        env=kept | settings,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("settings", "config"),
    [({}, EngineConfig()), (RESTING, RESTING_CONFIG)],
    ids=["market-orders", "split-resting-orders"],
)
def test_a_backtest_writes_what_a_replay_exports(
    settings: dict[str, str], config: EngineConfig, shared_data: Path, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'replay.sqlite'}"
    files = ("--signals", shared_data / SIGNALS, "--market", shared_data / MARKET)
    command("replay", *files, "--store", store, settings=settings)
    exported = {
        kind: command("export", kind, "--store", store, settings=settings) for kind in KINDS
    }

    ours = lines_of(backtested(shared_data, config))

    assert len(exported["signals"]) == 548
    assert len(exported["executions"]) > 50
    for kind in KINDS:
        assert ours[kind] == exported[kind], kind
