"""Run: one replay from plan to totals; runtime, store and exchange wired to virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.clock import VirtualClock
from order_adapters.intake.signal_file import SignalFile
from order_adapters.messaging.memory import MemorySignalSource
from order_adapters.schedule import Due, Schedule, timed
from order_adapters.simulator import SimulatedExchange, SimulatorConfig
from order_adapters.venues.simulated import SimulatedVenue, StateFile
from order_domain.engine import Engine
from order_domain.invariants import Report, Truth, compare_with_exchange
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import InstrumentId
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.quote import Quote
from order_service.audit import audit_store
from order_service.replay.curve import Point, curve
from order_service.replay.market import MarketFeed, MarketRow, Survey
from order_service.replay.plan import ReplayPlan
from order_service.replay.resumption import Resumption, StoreNotEmpty, look_into, without
from order_service.replay.totals import Totals, count
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.parts import Ports
from order_service.runtime.replay import drive
from order_service.runtime.runtime import Runtime
from order_service.stores import Store, account_file, open_store

Progress = Callable[[datetime, datetime, datetime], None]
"""Called with the market's first moment, where time is, and the market's last."""
OWNER: Final = "replay"
DRAIN_SECONDS: Final = 2.0
"""Real time that a replay which is broken off may take to finish what it began."""
TOLD_EVERY: Final = timedelta(seconds=1)
_SECOND: Final = timedelta(seconds=1)


@attrs.frozen(slots=True, kw_only=True)
class Replayed:
    """What came of a replay.

    Attributes:
        report: What was checked of the rows, and against the account of the exchange.
        marks: The last price of each instrument, for unrealised PnL.
        signals_error: Why the signal file ended early, empty otherwise.
    """

    totals: Totals
    report: Report
    surveys: tuple[Survey, ...]
    marks: Mapping[InstrumentId, Decimal]
    signals_error: str
    curve: Sequence[Point] = ()


async def run_replay(plan: ReplayPlan, progress: Progress | None = None) -> Replayed:
    """Take signals through a market; return what the store holds in the end.

    Raises:
        StoreNotEmpty: The store holds rows and the plan does not say resume.
        InputInvalid: A market file cannot be used.
        LeaseHeld, WrongMode, RuntimeEnded: As the runtime raises them.
        OSError: A file cannot be read.
    """
    plan.signals.open("rb").close()  # a file that is not there makes no store
    feed = MarketFeed(plan.markets, plan.rules)
    clock = VirtualClock(feed.first)
    async with _opened(plan, clock) as (store, keeper):
        done = await _begin(plan, store, clock, keeper)
        venue = SimulatedVenue(_exchange(plan, feed), clock, keeper=keeper, drives=False)
        runtime = await _runtime(plan, clock, store, venue)
        marks: dict[InstrumentId, Decimal] = {}
        signals = SignalFile(plan.signals)
        market = _unseen(feed, None if keeper is None else keeper.saved_at, marks)
        dues = timed(signals, feed.first, feed.last)
        recorded = _Recorded(market, without(dues, done.lines), _quiet_until(plan, feed))
        try:
            await drive(runtime, venue, clock, recorded, _Pace(plan.speed, feed, progress))
        finally:
            await _stop(runtime, clock)
        ledger = [entry async for entry in store.views.stream(LedgerEntry)]
        return Replayed(
            totals=await count(store.views),
            report=await _audit(plan, store, ledger, venue.exchange, clock.now()),
            curve=curve(feed, ledger, plan.points) if plan.points else (),
            surveys=feed.surveys,
            marks=marks,
            signals_error=signals.error,
        )


@asynccontextmanager
async def _opened(
    plan: ReplayPlan, clock: VirtualClock
) -> AsyncIterator[tuple[Store, StateFile | None]]:
    """Open the store, and the file beside it where the account of the exchange lives."""
    store = open_store(plan.store_url, clock)
    await store.open()
    try:
        path = account_file(plan.store_url)
        keeper = None if path is None else StateFile(path)
        try:
            yield store, keeper
        finally:
            if keeper is not None:
                keeper.close()
    finally:
        await store.close()


async def _begin(
    plan: ReplayPlan, store: Store, clock: VirtualClock, keeper: StateFile | None
) -> Resumption:
    """Refuse to mix two runs; set time to where the earlier one stopped."""
    done = await look_into(store.views)
    saved_at = None if keeper is None else keeper.saved_at
    if not plan.resume and (done.rows or saved_at is not None):
        raise StoreNotEmpty(rows=done.rows)
    for moment in (done.at, saved_at):
        if moment is not None:
            clock.advance_to(max(moment, clock.now()))
    return done


async def _stop(runtime: Runtime, clock: VirtualClock) -> None:
    """End in good order; who breaks off waits for nothing that only time brings."""
    stopping = asyncio.create_task(runtime.stop())
    await asyncio.wait({stopping}, timeout=DRAIN_SECONDS)
    if not stopping.done():
        clock.advance_to(clock.now() + runtime.config.drain)
    await stopping


def _quiet_until(plan: ReplayPlan, feed: MarketFeed) -> datetime:
    """When a replay may end: with faults, not before one more reading of the whole account."""
    return feed.last + (plan.config.sweep_interval + _SECOND if plan.faults else timedelta(0))


class _Recorded(Schedule):
    """A schedule that is not over before a certain moment."""

    def __init__(
        self, market: Iterable[MarketRow], deliveries: Iterable[Due], until: datetime
    ) -> None:
        super().__init__(market, deliveries)
        self._until = until
        self._reached = datetime.min.replace(tzinfo=UTC)

    @property
    def is_over(self) -> bool:
        """Whether nothing recorded is left and the moment has come."""
        return super().is_over and self._reached >= self._until

    def market(self, until: datetime) -> Iterator[MarketRow]:
        """Take the rows up to and including an instant."""
        self._reached = until
        return super().market(until)


def _exchange(plan: ReplayPlan, feed: MarketFeed) -> SimulatedExchange:
    (coin,) = {each.settle_coin for each in feed.instruments}
    config = SimulatorConfig(
        seed=plan.seed,
        environment=plan.config.environment,
        balances={coin: plan.balance},
        hedge_mode=plan.config.hedge_mode,
        recv_window=plan.config.recv_window,
    )
    return SimulatedExchange(instruments=feed.instruments, config=config, faults=plan.faults)


async def _runtime(
    plan: ReplayPlan, clock: VirtualClock, store: Store, venue: SimulatedVenue
) -> Runtime:
    source = MemorySignalSource()
    await source.finish()  # deliveries come from the schedule; the source only hears of verdicts
    return Runtime(
        RuntimeConfig(owner=OWNER, lockstep=True),
        plan.config,
        lambda: Engine(plan.config),
        Ports(
            journal=store.journal,
            outbox=store.outbox,
            venue=venue,
            source=source,
            publishers={},
            clock=clock,
        ),
    )


async def _audit(
    plan: ReplayPlan,
    store: Store,
    ledger: Sequence[LedgerEntry],
    exchange: SimulatedExchange,
    now: datetime,
) -> Report:
    """Check the rows, and compare them with the account of the exchange, now that all is quiet."""
    known = (order.newest for order in exchange.records.orders.values())
    truth = Truth(
        orders=tuple(order for order in known if order is not None),
        executions=tuple(exchange.records.executions),
        positions=tuple(exchange.positions(now)),
    )
    views, config = store.views, plan.config
    orders = [order async for order in views.stream(Order)]
    positions = [position async for position in views.stream(Position)]
    rows = await audit_store(store, account=config.account, environment=config.environment)
    return rows + compare_with_exchange(orders, ledger, positions, truth)


def _unseen(
    feed: MarketFeed, saved_at: datetime | None, marks: dict[InstrumentId, Decimal]
) -> Iterator[MarketRow]:
    """Yield what the exchange has not seen yet, and remember the last prices."""
    for row in feed:
        if isinstance(row, Quote):
            marks[row.instrument_id] = row.mark_price
        if saved_at is None or row.at > saved_at:
            yield row


class _Pace:
    """Lets a replay take its time, and tells how far it is."""

    def __init__(self, speed: Decimal | None, feed: MarketFeed, progress: Progress | None) -> None:
        self._speed = speed
        self._feed = feed
        self._progress = progress
        self._last: datetime | None = None
        self._told: datetime | None = None

    async def __call__(self, moment: datetime) -> None:
        """Called with each instant before time moves to it."""
        if self._progress is not None and (self._told is None or moment - self._told >= TOLD_EVERY):
            self._told = moment
            self._progress(self._feed.first, moment, self._feed.last)
        if self._speed is not None and self._last is not None and moment > self._last:
            await asyncio.sleep((moment - self._last) / _SECOND / float(self._speed))
        self._last = moment if self._last is None else max(moment, self._last)
