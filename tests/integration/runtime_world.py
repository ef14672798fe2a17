"""A whole runtime in virtual time: store in memory, simulated exchange, in-process bus."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import attrs

from order_adapters.clock import VirtualClock
from order_adapters.messaging.memory import MemoryPublisher, MemorySignalSource
from order_adapters.simulator import Fault, FaultScript, SimulatedExchange, SimulatorConfig
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.store import MemoryStore
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.config import EngineConfig
from order_domain.engine import Engine
from order_domain.model.enums import Verdict
from order_domain.model.inputs import Operator, SignalDelivered
from order_domain.model.order import Order
from order_domain.model.reports import Answer
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.model.signal import TradingSignal
from order_domain.model.steps import Reply, SendAmend, SendCancel, SendCreate
from order_domain.ports.clock import Clock
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.outcome import Ended
from order_service.runtime.parts import Ports
from order_service.runtime.runtime import Runtime
from tests.builders import NOW, a_quote, a_signal, a_signal_id, an_instrument

QUOTE_EVERY = timedelta(seconds=1)
TURNS = 60


@attrs.frozen
class Sent:
    """One attempt as it left, and the order as the store held it at that moment."""

    at: datetime
    command: SendCreate | SendAmend | SendCancel
    stored: Order | None


class WatchedVenue(SimulatedVenue):
    """The simulated exchange; notes what leaves, and can be made to break."""

    def __init__(self, exchange: SimulatedExchange, clock: Clock, database: MemoryDatabase) -> None:
        super().__init__(exchange, clock)
        self._database = database
        self.sent: list[Sent] = []

    async def send(self, command: SendCreate | SendAmend | SendCancel) -> Answer:
        stored = self._database.rows[Order].get(command.order.client_order_id)
        self.sent.append(Sent(self._clock.now(), command, stored))
        return await super().send(command)


class World:
    """Everything around one runtime. `restart` is another process on store and exchange."""

    def __init__(
        self,
        *faults: Fault,
        config: EngineConfig | None = None,
        engine: Callable[[EngineConfig], Engine] = Engine,
        symbols: Sequence[str] = ("BTCUSDT",),
        audit_interval: timedelta = timedelta(seconds=30),
        **simulator: Any,
    ) -> None:
        self.clock = VirtualClock(NOW)
        self.config = config or EngineConfig()
        self.engine = engine
        self.audit_interval = audit_interval
        self.database = MemoryDatabase()
        self.exchange = SimulatedExchange(
            instruments=[an_instrument(symbol=symbol) for symbol in symbols],
            config=SimulatorConfig(**simulator),
            faults=FaultScript(faults=faults),
        )
        self.venue = WatchedVenue(self.exchange, self.clock, self.database)
        self.source = MemorySignalSource()
        self.publisher = MemoryPublisher()
        self.store = MemoryStore(self.clock, self.database)
        self.runtime = self._a_runtime("me")
        self._quoted_at: datetime | None = None
        self._delivered = 0

    def _a_runtime(self, owner: str) -> Runtime:
        ports = Ports(
            journal=self.store.journal,
            outbox=self.store.outbox,
            venue=self.venue,
            source=self.source,
            publishers={"bus": self.publisher},
            clock=self.clock,
            views=self.store.views,
        )
        config = RuntimeConfig(owner=owner, audit_interval=self.audit_interval)
        return Runtime(config, self.config, lambda: self.engine(self.config), ports)

    async def start(self) -> None:
        """Start the runtime and move time until it takes signals."""
        await self.finished(self.runtime.start())

    async def crash(self) -> None:
        """Let the runtime die without any good order."""
        main = self.runtime._main
        assert main is not None
        main.cancel()
        await self.until(main.done)

    async def restart(self, owner: str = "me") -> None:
        """Begin again on what store, exchange and broker have kept."""
        sent = self.venue.sent
        self.venue = WatchedVenue(self.exchange, self.clock, self.database)
        self.venue.sent = sent
        self.publisher = MemoryPublisher()
        self.store = MemoryStore(self.clock, self.database)
        self.runtime = self._a_runtime(owner)
        await self.start()

    # -- time

    async def turns(self) -> None:
        """Let everybody run who can run without time moving."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def until(
        self, holds: Callable[[], bool], within: timedelta = timedelta(minutes=2)
    ) -> None:
        """Move time from sleeper to sleeper, with a quote a second, until something holds."""
        limit = self.clock.now() + within
        self._quote()
        await self.turns()
        while not holds():
            moment = self.clock.next_deadline
            assert moment is not None, "nothing will ever happen again"
            assert moment <= limit, f"not within {within}"
            self.clock.advance_to(moment)
            self._quote()
            await self.turns()

    async def pass_time(self, duration: timedelta) -> None:
        """Move time on, stopping at every sleeper."""
        end = self.clock.now() + duration
        await self.turns()
        while (moment := self.clock.next_deadline) is not None and moment <= end:
            self.clock.advance_to(moment)
            self._quote()
            await self.turns()
        self.clock.advance_to(max(end, self.clock.now()))
        await self.turns()

    async def finished(self, call: Any) -> Any:
        """Move time until a call returns; give or raise what it does."""
        task = asyncio.ensure_future(call)
        await self.until(task.done)
        return await task

    def _quote(self) -> None:
        now = self.clock.now()
        if self._quoted_at is None or now - self._quoted_at >= QUOTE_EVERY:
            self._quoted_at = now
            for instrument in self.exchange.instruments:
                self.venue.feed(a_quote(instrument_id=instrument.id, at=now))

    # -- what happens

    async def signal(self, number: int, **changes: Any) -> None:
        """Deliver signal `number`, as a new delivery."""
        body = f'{{"number": {number}}}'
        values = {
            "signal_id": a_signal_id(number),
            "timestamp": self.clock.now(),
            "body_hash": sha256(body.encode()).hexdigest(),
            "body": body,
            "confidence": 1,
        }
        await self.deliver(a_signal(**values | changes))

    async def deliver(self, signal: TradingSignal) -> None:
        self._delivered += 1
        await self.source.put(SignalDelivered(self._delivered, signal))

    async def ask(self, request: Operator) -> Reply:
        reply = await self.finished(self.runtime.ask(request))
        assert isinstance(reply, Reply)
        return reply

    async def stop(self) -> Ended:
        ended = await self.finished(self.runtime.stop())
        assert isinstance(ended, Ended)
        return ended

    async def ended(self) -> Ended:
        ended = await self.finished(self.runtime.wait())
        assert isinstance(ended, Ended)
        return ended

    # -- what came of it

    @property
    def orders(self) -> Sequence[Order]:
        return list(self.database.rows[Order].values())

    @property
    def signals(self) -> Sequence[SignalRow]:
        return list(self.database.rows[SignalRow].values())

    @property
    def deliveries(self) -> Sequence[DeliveryRow]:
        return list(self.database.rows[DeliveryRow].values())

    @property
    def is_at_rest(self) -> bool:
        """Whether every delivery is acknowledged, every order ended and every event published."""
        return (
            not self.source.unacknowledged
            and all(row.verdict is not Verdict.PARKED for row in self.signals)
            and all(order.is_terminal for order in self.orders)
            and self.published[-1:] == [self.database.head.event_no]
        )

    @property
    def published(self) -> list[int]:
        return [event.number for event in self.publisher.published]

    @property
    def creates(self) -> list[Sent]:
        return [sent for sent in self.venue.sent if isinstance(sent.command, SendCreate)]
