"""A replay through the runtime depends on its inputs alone, and decides as a backtest does."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from order_adapters.backtest import Backtest
from order_adapters.clock import VirtualClock
from order_adapters.intake.catalogue import CATALOGUE
from order_adapters.intake.market_csv import MarketFile
from order_adapters.intake.signal_file import SignalFile
from order_adapters.intake.signal_json import read_delivery
from order_adapters.intake.synthetic import SyntheticMarket
from order_adapters.intake.synthetic_signals import SyntheticSignals
from order_adapters.messaging.memory import MemoryPublisher, MemorySignalSource
from order_adapters.schedule import Delivery, MarketRow, Schedule, timed
from order_adapters.simulator import FaultRates, FaultScript, SimulatedExchange, SimulatorConfig
from order_adapters.stores.memory.store import MemoryStore
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.config import EngineConfig
from order_domain.engine import Engine
from order_domain.model.enums import Category, OrderStatus, Verdict
from order_domain.model.events import Event
from order_domain.model.identifiers import instrument_id
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, SignalRow
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.outcome import EndReason
from order_service.runtime.parts import Ports
from order_service.runtime.replay import drive
from order_service.runtime.runtime import Runtime

LIMITS = EngineConfig(
    market_order_spread_threshold=Decimal(0),
    enable_order_splitting=True,
    max_single_order_size=Decimal(1500),
    max_exposure=Decimal(20_000),
)
FAULTS = FaultScript(
    rates=FaultRates(
        lose_request=50_000,
        lose_answer=50_000,
        duplicate_report=100_000,
        delay_report=100_000,
    )
)


@attrs.frozen
class Tape:
    """A market, its deliveries and its trading rules; each may be run through many times."""

    market: Iterable[MarketRow]
    deliveries: Iterable[Delivery]
    instruments: tuple[Instrument, ...]
    first: datetime
    last: datetime

    def schedule(self) -> Schedule:
        return Schedule(self.market, timed(self.deliveries, self.first, self.last))


def a_demo(seed: int = 7) -> Tape:
    """Two minutes of a seeded market of three symbols, and signals by three habits."""
    market = SyntheticMarket(seed, timedelta(minutes=2))
    rows = list(market)
    lines = [
        read_delivery(number, line.encode(), Category.LINEAR)
        for number, line in enumerate(SyntheticSignals(seed, market).lines(), start=1)
    ]
    return Tape(rows, lines, market.instruments, rows[0].at, rows[-1].at)


def a_recording(shared: Path) -> Tape:
    market = MarketFile(
        shared / "market-data/btcusdt-perp-2024-08-08.csv.gz",
        instrument_id(Category.LINEAR, "BTCUSDT"),
    )
    span = market.span()
    assert span is not None
    signals = SignalFile(shared / "signals/btcusdt-2024-08-08.jsonl")
    return Tape(market, signals, (CATALOGUE["BTCUSDT"],), *span)


def an_exchange(tape: Tape, faults: FaultScript | None) -> SimulatedExchange:
    return SimulatedExchange(
        instruments=tape.instruments, config=SimulatorConfig(seed=5), faults=faults
    )


async def replayed(
    tape: Tape, config: EngineConfig, faults: FaultScript | None = None
) -> tuple[MemoryStore, Runtime]:
    clock = VirtualClock(tape.first - timedelta(seconds=1))
    store = MemoryStore(clock)
    venue = SimulatedVenue(an_exchange(tape, faults), clock, drives=False)
    runtime = Runtime(
        RuntimeConfig(owner="replay", lockstep=True),
        config,
        lambda: Engine(config),
        Ports(
            journal=store.journal,
            outbox=store.outbox,
            venue=venue,
            source=MemorySignalSource(),
            publishers={"bus": MemoryPublisher()},
            clock=clock,
        ),
    )
    await drive(runtime, venue, clock, tape.schedule())
    assert (await runtime.stop()).reason is EndReason.STOPPED
    return store, runtime


def backtested(tape: Tape, config: EngineConfig, faults: FaultScript | None = None) -> list[Event]:
    backtest = Backtest(config, an_exchange(tape, faults))
    backtest.begin(tape.first - timedelta(seconds=1))
    backtest.run(tape.schedule())
    return [change for change in backtest.changes if isinstance(change, Event)]


@pytest.mark.parametrize("faults", [None, FAULTS], ids=["calm", "faults"])
@pytest.mark.parametrize("config", [EngineConfig(), LIMITS], ids=["market", "limit"])
async def test_a_replay_and_a_backtest_tell_the_same_events(
    config: EngineConfig, faults: FaultScript | None
) -> None:
    tape = a_demo()
    store, _ = await replayed(tape, config, faults)

    assert store.database.events == backtested(tape, config, faults)


async def test_two_replays_write_the_same_rows() -> None:
    tape = a_demo(3)
    first, _ = await replayed(tape, LIMITS, FAULTS)
    second, _ = await replayed(tape, LIMITS, FAULTS)

    assert first.database.rows == second.database.rows
    assert first.database.events == second.database.events


async def test_time_goes_on_until_no_end_is_open() -> None:
    store, runtime = await replayed(a_demo(), LIMITS, FAULTS)

    at_rest = (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)
    assert all(o.is_terminal or o.status in at_rest for o in _all(store, Order))
    assert all(row.verdict is not Verdict.PARKED for row in _all(store, SignalRow))
    assert runtime.metrics.look_ups > 0


async def test_every_recorded_line_gets_one_verdict(shared_data: Path) -> None:
    tape = a_recording(shared_data)
    store, runtime = await replayed(tape, EngineConfig())

    numbers = [row.delivery for row in _all(store, SignalRow)]
    numbers += [row.number for row in _all(store, DeliveryRow)]
    assert Counter(numbers) == Counter(line.number for line in tape.deliveries)
    assert runtime.metrics.published == store.database.head.event_no
    assert store.database.events == backtested(tape, EngineConfig())


def _all(store: MemoryStore, row_type: type) -> list[Any]:
    return list(store.database.rows[row_type].values())
