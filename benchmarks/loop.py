"""The loop that is measured: one engine and one simulated exchange, driven without asyncio.

As a backtest drives them: at one instant the market first, then answers and reports, then what is
due by time, then the signal. Effects leave at once, since there is no store to wait for.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from order_adapters.intake.catalogue import CATALOGUE
from order_adapters.simulator.config import SimulatorConfig
from order_adapters.simulator.exchange import SimulatedExchange
from order_domain.config import EngineConfig
from order_domain.engine import Engine
from order_domain.model.enums import EventKind, OrderStatus, PositionSide, Side
from order_domain.model.events import Event
from order_domain.model.identifiers import SignalId, StrategyId
from order_domain.model.inputs import Input, SignalDelivered, StreamState, Tick, TransportState
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.model.signal import TradingSignal
from order_domain.model.steps import Acknowledge, Need, SendCreate, Step, Sweep

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
PACE = timedelta(milliseconds=125)
"""Virtual time between two signals: 8 orders a second, the default rate, which so never binds."""
INSTRUMENT = CATALOGUE["BTCUSDT"]
AMOUNT = Decimal(2020)
QUANTITY = Decimal("0.020")
"""The position swings between this much long and short, so that every order flips it.

A flip opens, so that no rule is left out; an order that only reduces is asked fewer.
"""
SIZE = Decimal(5)
TICK = Decimal("0.1")
CALM = [(49990 + TICK * shift, 50000 + TICK * shift) for shift in range(7)]
"""Bids and asks that market orders meet; they move, as a displayed size is taken only once."""
WIDE = (Decimal("49900.0"), Decimal("50000.0"))
"""A spread above the threshold, so that the policy chooses a limit order."""

Moment = tuple[datetime, Quote, SignalDelivered | None]


class Loop:
    """One account over a virtual market. `keep` collects every step's changes for the checks."""

    def __init__(
        self,
        config: EngineConfig | None = None,
        *,
        has_store: bool = False,
        instruments: Sequence[Instrument] = (INSTRUMENT,),
    ) -> None:
        self.engine = Engine(config or EngineConfig(), has_store=has_store)
        self.exchange = SimulatedExchange(
            instruments=instruments,
            config=SimulatorConfig(
                latency=timedelta(0),
                balances={"USDT": Decimal(100_000_000)},
                history_limit=timedelta(minutes=5),
            ),
        )
        self.has_store = has_store
        self.events = 0
        self.ordered = 0

    def open(self, now: datetime = START) -> None:
        """Feed what an engine needs before intake: rules, connection, one complete sweep."""
        for instrument in self.exchange.instruments:
            self._take(instrument, now)
        self._take(TransportState(up=True), now)
        self._take(StreamState(healthy=True), now)
        self._take(Tick(), now)
        self._exchange(now)

    def run(self, moments: Iterable[Moment]) -> None:
        """Drive every moment to its end."""
        engine, exchange = self.engine, self.exchange
        for now, quote, delivered in moments:
            exchange.on_quote(quote, now)
            engine.step(quote, now)
            if exchange.next_due is not None:
                self._exchange(now)
            deadline = engine.next_deadline
            if deadline is not None and deadline <= now:
                self._take(Tick(), now)
            if delivered is not None:
                self._take(delivered, now)
                self._exchange(now)

    def _take(self, message: Input, now: datetime) -> None:
        step = self.engine.step(message, now)
        if isinstance(step, Need):
            step = self.engine.step(message, now, ())
            if isinstance(step, Need):
                raise TypeError(f"asks again: {step}")
        self._release(step, now)

    def _release(self, step: Step, now: datetime) -> None:
        exchange = self.exchange
        for effect in step.effects:
            if isinstance(effect, SendCreate):
                exchange.submit(effect, now)
            elif not isinstance(effect, Acknowledge):
                raise TypeError(f"not of this loop: {effect}")
        for query in step.queries:
            if isinstance(query, Sweep):
                exchange.sweep(query, now)
            else:
                raise TypeError(f"not of this loop: {query}")
        if self.has_store:
            self.engine.committed(step.number)

    def _exchange(self, now: datetime) -> None:
        """Give everything the exchange says to the engine, until it says no more."""
        while messages := self.exchange.poll(now):
            for message in messages:
                self._take(message, now)


class CheckedLoop(Loop):
    """The same loop that also counts what came out; slower, so never the one that is timed."""

    def __init__(self, config: EngineConfig | None = None, *, has_store: bool = False) -> None:
        super().__init__(config, has_store=has_store)
        self.events_of: dict[str, list[EventKind]] = {}
        self.verdicts: dict[str, int] = {}

    def _release(self, step: Step, now: datetime) -> None:
        for change in step.changes:
            if isinstance(change, Event) and change.order is not None:
                self.events_of.setdefault(change.subject, []).append(change.kind)
        for effect in step.effects:
            if isinstance(effect, Acknowledge):
                self.verdicts[effect.verdict] = self.verdicts.get(effect.verdict, 0) + 1
        super()._release(step, now)


def signals(
    count: int, first: int = 0, confidence: Decimal = Decimal("0.95")
) -> Iterator[TradingSignal]:
    """Signals that buy and sell the same quantity in turn, one every PACE."""
    for number in range(first, first + count):
        yield TradingSignal(
            signal_id=SignalId(f"00000000-0000-4000-8000-{number:012d}"),
            strategy_id=StrategyId("bench"),
            instrument_id=INSTRUMENT.id,
            side=Side.SELL if number % 2 else Side.BUY,
            amount=AMOUNT if number else AMOUNT / 2,
            confidence=confidence,
            timestamp=START + PACE * (number + 1),
            body_hash=f"{number:064x}",
        )


def quote(prices: tuple[Decimal, Decimal], at: datetime) -> Quote:
    """The displayed touch at these prices."""
    return Quote(INSTRUMENT.id, prices[0], SIZE, prices[1], SIZE, at)


def market_orders(count: int, first: int = 0) -> Iterator[Moment]:
    """Every signal becomes a market order that the displayed touch fills at once."""
    for signal in signals(count, first):
        at = signal.timestamp
        number = int(signal.signal_id[-12:])
        yield at, quote(CALM[number // 2 % 7], at), SignalDelivered(number + 1, signal)


LIMIT_BUY_THROUGH = (Decimal("49800.0"), Decimal("49810.0"))
LIMIT_SELL_THROUGH = (Decimal("50100.0"), Decimal("50110.0"))


def limit_orders(count: int, first: int = 0) -> Iterator[Moment]:
    """Every signal becomes a resting limit order; the market then goes through its price."""
    for signal in signals(count, first, Decimal("0.5")):
        at = signal.timestamp
        yield at, quote(WIDE, at), SignalDelivered(int(signal.signal_id[-12:]) + 1, signal)
        later = at + PACE / 2
        through = LIMIT_BUY_THROUGH if signal.side is Side.BUY else LIMIT_SELL_THROUGH
        yield later, quote(through, later), None


def ticks(count: int) -> Iterator[Moment]:
    """Quotes of every 125 ms and no signal."""
    for number in range(count):
        at = START + PACE * (number + 1)
        yield at, quote(CALM[number % 7], at), None


def check(loop: Loop, count: int) -> None:
    """Every order was filled in full and the position is what the fills leave."""
    orders = loop.engine.book.orders
    kept = min(count, len(orders))
    wrong = [order for order in orders.values() if order.status is not OrderStatus.FILLED]
    if wrong or not kept:
        raise AssertionError(f"{len(wrong)} of {kept} orders are not filled: {wrong[:1]}")
    if loop.engine.book.ledger_number != count:
        raise AssertionError(f"{loop.engine.book.ledger_number} fills of {count} orders")
    held = loop.engine.book.positions[INSTRUMENT.id, PositionSide.BOTH]
    truth = loop.exchange.account.positions[INSTRUMENT.id, PositionSide.BOTH]
    expected = QUANTITY if count % 2 else -QUANTITY
    if held.size != expected or truth.size != expected or held.realized_pnl != truth.realized:
        raise AssertionError(f"position {held.size}, exchange {truth.size}, expected {expected}")
