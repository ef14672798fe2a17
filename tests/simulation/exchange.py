"""The exchange as a server: the simulator's core at one instant, behind wires and streams."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final, Protocol, TypeVar

import attrs

from order_adapters.simulator import MarketTrade, SimulatedExchange, SimulatorConfig
from order_adapters.venues.simulated.facts import Facts
from order_domain.model.answers import outcome_of
from order_domain.model.enums import AnswerOutcome, CommandKind
from order_domain.model.execution import Execution
from order_domain.model.inputs import ClockOffset, StreamState
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult, WalletReport
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep
from order_domain.ports.venue import Fact
from tests.simulation.clocks import NodeClock, WorldClock
from tests.simulation.loop import NOBODY, Process
from tests.simulation.network import LATEST, Link, Lost, Refused, Silence, Wires
from tests.simulation.plan import Plan

Command = SendCreate | SendAmend | SendCancel
Push = OrderReport | Execution | WalletReport
BUSY: Final = 10006
INTERNAL: Final = 10016
BANNED: Final = 403
SHORT_OF_MONEY: Final = 110007
T = TypeVar("T")


class Watches(Protocol):
    def sent(self, process: Process, command: Command) -> None: ...
    def arrived(
        self, command: Command, *, is_known: bool, answer: Answer, size: Decimal
    ) -> None: ...


class Exchange:
    """One account. Its time is the true one.

    Attributes:
        banned: While true every request is turned away.
        vanished: Orders of which the stream tells nothing; look-ups and sweeps do.
    """

    def __init__(
        self, plan: Plan, wires: Wires, clock: WorldClock, instruments: Sequence[Instrument]
    ) -> None:
        self._wires = wires
        self._clock = clock
        self._random = Random(f"{plan.seed}:exchange")
        self.core = SimulatedExchange(
            instruments=instruments,
            config=SimulatorConfig(
                seed=plan.seed,
                latency=timedelta(0),
                visibility=plan.visibility,
                recv_window=plan.config.recv_window,
            ),
        )
        self.banned = False
        self.vanished: set[str] = set()
        self.streams: list[Stream] = []
        self.watch: Watches

    def serve(self, command: Command) -> Answer:
        """Take one attempt of a command that has arrived."""
        if self.banned:
            return _said(command, BANNED)
        if self._wires.strikes("exchange.busy"):
            self._wires.trace.fault("exchange", "exchange.busy", _name(command))
            return _said(command, BUSY)
        order_id = command.order.client_order_id
        is_known = self.core.records.knows(order_id)
        broken = self._wires.strikes("exchange.internal_error")
        if broken:
            self._wires.trace.fault("exchange", "exchange.internal_error", _name(command))
            if self._random.random() < 0.5:
                return _said(command, INTERNAL)
        vanishes = isinstance(command, SendCreate) and self._wires.strikes("exchange.vanish")
        if vanishes:
            # of an order that is born nothing is heard: neither answer nor any report
            self._wires.trace.fault("exchange", "exchange.vanish", _name(command))
            self.vanished.add(order_id)
        size = self._size(command.order)
        self.core.submit(command, self._clock.now())
        answer = self._drain()
        assert answer is not None
        self.watch.arrived(command, is_known=is_known, answer=answer, size=size)
        if vanishes:
            raise Silence
        return _said(command, INTERNAL) if broken else answer

    def _size(self, order: Order) -> Decimal:
        """The position an order is about, as it is now."""
        held = self.core.account.positions.get(
            (order.terms.instrument_id, order.terms.position_side)
        )
        return Decimal(0) if held is None else held.size

    def feed(self, news: Quote | MarketTrade) -> None:
        """Let the market move."""
        if isinstance(news, Quote):
            self.core.on_quote(news, self._clock.now())
        else:
            self.core.on_trade(news, self._clock.now())
        self._drain()

    def act(self, deed: Callable[[datetime], object]) -> None:
        """Let somebody else do something to the account."""
        deed(self._clock.now())
        self._drain()

    def _drain(self) -> Answer | None:
        answer = None
        for message in self.core.poll(self._clock.now()):
            if isinstance(message, Answer):
                answer = message
            elif isinstance(message, OrderReport | Execution | WalletReport):
                if getattr(message, "client_order_id", "") in self.vanished:
                    continue
                for stream in self.streams:
                    stream.push(message)
        return answer


class Stream:
    """The private stream of one node. Keeps order unless a fault breaks it."""

    def __init__(self, wires: Wires, process: Process, facts: Facts) -> None:
        self._wires = wires
        self._facts = facts
        self._last = 0.0
        self.process = process
        self.is_up = True
        self.is_silent = False
        self._told: dict[str, list[OrderReport]] = {}

    def push(self, message: Push) -> None:
        wires, name = self._wires, self.process.name
        if not self.is_up or wires.is_cut("exchange", name.partition("#")[0]):
            return
        if wires.is_deaf("exchange", name):
            return
        if self.is_silent or wires.strikes("stream.lose"):
            wires.trace.fault(name, "stream.lose", type(message).__name__)
            return
        now = wires.loop.time()
        due = max(self._last, now + wires.random.uniform(0.005, 0.05))
        if wires.strikes("stream.delay"):
            wires.trace.fault(name, "stream.delay", type(message).__name__)
            due += wires.random.uniform(0, 3)  # not kept in order: what comes later overtakes it
        else:
            self._last = due
        wires.loop.call_in(NOBODY, due - now, self._take, message)
        if wires.strikes("stream.duplicate"):
            wires.trace.fault(name, "stream.duplicate", type(message).__name__)
            later = due - now + wires.random.uniform(0, 5)
            wires.loop.call_in(NOBODY, later, self._take, message)
        if isinstance(message, OrderReport):
            self._tell_again(message, due - now)

    def _tell_again(self, report: OrderReport, delay: float) -> None:
        """Tell an older state of an order behind a newer one, as a relay that lags does."""
        wires, told = self._wires, self._told.setdefault(report.venue_order_id, [])
        if told and wires.strikes("stream.stale"):
            wires.trace.fault(self.process.name, "stream.stale", report.venue_order_id)
            older = wires.random.choice(told)
            wires.loop.call_in(NOBODY, delay + wires.random.uniform(0, 2), self._take, older)
        told.append(report)

    def quote(self, quote: Quote) -> None:
        wires = self._wires
        if wires.is_cut("exchange", self.process.name.partition("#")[0]):
            return
        if not wires.strikes("quotes.lose"):
            self._facts.put_quote(quote)

    def break_off(self, seconds: float) -> None:
        """Lose the connection; it comes back after so many seconds."""
        if self.is_up:
            self.is_up = False
            self._facts.put(StreamState(healthy=False, reason="disconnected"))
            self._wires.loop.call_in(NOBODY, seconds, self._come_back)

    def _come_back(self) -> None:
        self.is_up, self.is_silent = True, False
        self._facts.put(StreamState(healthy=True))

    def _take(self, message: Push) -> None:
        if self.is_up:
            self._facts.put(message)


class NodeVenue:
    """One node's connections to the exchange: REST for commands and questions, a stream."""

    def __init__(
        self,
        plan: Plan,
        wires: Wires,
        process: Process,
        clock: NodeClock,
        exchange: Exchange,
    ) -> None:
        self._plan = plan
        self._wires = wires
        self._process = process
        self._clock = clock
        self._exchange = exchange
        self._link = Link(
            wires, "exchange", process, delay=(0.005, 0.08), timeout=plan.answer_seconds
        )
        self._facts = Facts()
        self._offset = timedelta(0)
        self._stuck: dict[str, asyncio.Event] = {}
        self._stream = Stream(wires, process, self._facts)

    async def open(self) -> None:
        self._exchange.streams.append(self._stream)
        if self._plan.accounts_clock_known:
            self._measure()
        self._facts.put(StreamState(healthy=True))

    async def close(self) -> None:
        if self._stream in self._exchange.streams:
            self._exchange.streams.remove(self._stream)
        self._facts.close()

    async def instruments(self) -> tuple[Instrument, ...]:
        return self._exchange.core.instruments

    def facts(self) -> AsyncIterator[Fact]:
        return self._facts.stream()

    async def send(self, command: Command) -> Answer:
        watch = self._exchange.watch
        watch.sent(self._process, command)
        self._wires.moment("at_send", self._process)
        order_id = command.order.client_order_id
        if (stuck := self._stuck.pop(order_id, None)) is not None:
            stuck.set()
        if isinstance(command, SendCreate) and self._wires.strikes("exchange.stuck"):
            return await self._refuse_late(command)
        try:
            answer = await self._link.ask(_name(command), lambda: self._exchange.serve(command))
        except Refused:
            return _answer(command, AnswerOutcome.NOT_SENT, 0)
        except Lost:
            return _answer(command, AnswerOutcome.UNKNOWN, 0)
        if answer.outcome is AnswerOutcome.CLOCK:
            self._measure()
        return answer

    async def _refuse_late(self, command: SendCreate) -> Answer:
        """Refuse a create, and let the answer lie until the next attempt is on the same way."""
        self._wires.trace.fault(self._process.name, "exchange.stuck", _name(command))
        arrives = self._stuck[command.order.client_order_id] = asyncio.Event()
        try:
            async with asyncio.timeout(LATEST):
                await arrives.wait()
        except TimeoutError:
            return _answer(command, AnswerOutcome.UNKNOWN, 0)
        return _said(command, SHORT_OF_MONEY)

    def _measure(self) -> None:
        """Compare clocks, as soon as the exchange can be reached."""
        wires, name = self._wires, self._process.name
        if self._link.is_cut or wires.is_deaf("exchange", name):
            wires.loop.call_in(NOBODY, 1.0, self._measure)
            return
        noise = timedelta(seconds=wires.random.uniform(-0.02, 0.02))
        self._offset = self._exchange._clock.now() - self._clock.now() + noise
        self._facts.put(ClockOffset(self._offset))

    async def look_up(self, query: LookUp) -> LookupResult:
        """Ask two sources, and a third if they know nothing, as the adapter of Bybit does."""
        sent_at = self._now()
        core, name = self._exchange.core, f"look up {query.client_order_id}"

        def seen(order_part: bool) -> Callable[[], LookupResult]:
            def read() -> LookupResult:
                now = self._exchange._clock.now()
                found = core.queries.look_up(self._named(query), now, now)
                return found if order_part else attrs.evolve(found, order=None)

            return read

        complete = True
        order, executions = None, ()
        try:
            executions = (await self._read(name, seen(order_part=False))).executions
            order = (await self._read(name, seen(order_part=True))).order
        except (Lost, Refused):
            complete = False
        return LookupResult(
            client_order_id=query.client_order_id,
            attempt=query.attempt,
            sent_at=sent_at,
            complete=complete,
            order=order,
            executions=executions,
        )

    async def sweep(self, query: Sweep) -> SweepResult:
        """Read orders, executions, positions, executions again, wallet: each at its own moment."""
        began_at = self._now()
        parts: list[SweepResult] = []
        try:
            while len(parts) < 5:
                parts.append(await self._read("sweep", lambda: self._seen(query)))
            while parts[2].positions != parts[3].positions:
                parts[2:4] = [parts[3], await self._read("sweep", lambda: self._seen(query))]
        except (Lost, Refused):
            orders = parts[0].orders if parts else ()
            return SweepResult(
                began_at=began_at,
                ended_at=self._now(),
                complete=False,
                reason=query.reason,
                orders=orders,
            )
        fills = {each.exec_id: each for part in (parts[1], parts[3]) for each in part.executions}
        return SweepResult(
            began_at=began_at,
            ended_at=self._now(),
            complete=True,
            reason=query.reason,
            orders=parts[0].orders,
            executions=tuple(sorted(fills.values(), key=lambda each: each.sequence)),
            positions=parts[2].positions,
            wallet=parts[4].wallet,
        )

    def _seen(self, query: Sweep) -> SweepResult:
        now = self._exchange._clock.now()
        return self._exchange.core.queries.sweep(query, now, now, now)

    def _named(self, query: LookUp) -> LookUp:
        """Foreign orders are asked for by the exchange's own id."""
        if query.order is None or not query.client_order_id.startswith("ext-"):
            return query
        return attrs.evolve(query, client_order_id=query.order.venue_order_id)

    async def _read(self, what: str, serve: Callable[[], T]) -> T:
        def admitted() -> T:
            if self._exchange.banned:
                raise Refused(what)
            return serve()

        return await self._link.ask(what, admitted)

    def _now(self) -> datetime:
        return self._clock.now() + self._offset


def _said(command: Command, code: int) -> Answer:
    return _answer(command, outcome_of(code, _kind(command)), code)


def _answer(command: Command, outcome: AnswerOutcome, code: int) -> Answer:
    order = command.order
    if isinstance(command, SendCreate):
        number, attempt = 0, order.attempt
    else:
        number, attempt = command.number, command.attempt
    return Answer(order.client_order_id, _kind(command), number, attempt, outcome, code)


def _kind(command: Command) -> CommandKind:
    if isinstance(command, SendCreate):
        return CommandKind.CREATE
    return CommandKind.CANCEL if isinstance(command, SendCancel) else CommandKind.AMEND


def _name(command: Command) -> str:
    return f"{_kind(command).value} {command.order.client_order_id}"
