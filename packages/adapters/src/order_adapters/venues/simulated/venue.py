"""SimulatedVenue: the simulated exchange as an account one can wait for."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Protocol

from order_adapters.passing import passing
from order_adapters.simulator import AccountState, MarketTrade, Message, SimulatedExchange
from order_adapters.venues.simulated.facts import Facts
from order_domain.model.enums import AnswerOutcome, CommandKind
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.inputs import StreamState
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, LookupResult, SweepResult
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Fact

Command = SendCreate | SendAmend | SendCancel
Reply = Answer | LookupResult | SweepResult
Key = tuple[object, ...]


class Keeper(Protocol):
    """Where an account is kept between two processes."""

    def load(self) -> AccountState | None:
        """Return what was kept, None at the first start."""
        ...

    def save(self, state: AccountState, now: datetime) -> None:
        """Keep new versions of rows, durably, before it returns."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class SimulatedVenue:
    """The Venue port over a simulated exchange. Market data comes in by `feed`.

    What the exchange did is kept before anybody hears of it, as a real exchange does, so a crash
    leaves its account consistent and never behind what it said.

    Args:
        drives: Whether a task of its own delivers what is due, by the clock. A driver with virtual
            time says False and calls `pump` whenever `next_due` has come.
        keeper: Where the account outlives the process; None forgets it.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        clock: Clock,
        *,
        keeper: Keeper | None = None,
        drives: bool = True,
    ) -> None:
        self.exchange = exchange
        self._clock = clock
        self._keeper = keeper
        self._drives = drives
        self._facts = Facts()
        self._waiting: defaultdict[Key, deque[asyncio.Future[Any]]] = defaultdict(deque)
        self._woken = asyncio.Event()
        self._closing = False
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._latest = datetime.min.replace(tzinfo=UTC)

    @property
    def next_due(self) -> datetime | None:
        """When `pump` has something to do next."""
        return self.exchange.next_due

    async def open(self) -> None:
        """Bring back the kept account; the stream is healthy from here on."""
        self.start()
        if self._drives:
            self._task = asyncio.create_task(self._drive(), name="simulated-venue")

    def start(self) -> None:
        """Do what `open` does, without a task."""
        if self._keeper is not None:
            kept = self._keeper.load()
            if kept is not None:
                self.exchange.restore(kept)
            self.exchange.changes()
        self._facts.put(StreamState(healthy=True))

    async def close(self) -> None:
        """Stop. Whoever still waits for an answer is told that it will not come."""
        self._closing = True
        self._woken.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        now = self._now()
        self._keep(now)
        for key, futures in self._waiting.items():
            for future in futures:
                if not future.done():
                    future.set_result(_unanswered(key, now))
        self._waiting.clear()
        self._facts.close()
        if self._keeper is not None:
            self._keeper.close()

    async def send(self, command: Command) -> Answer:
        """Make one attempt of a command; silence becomes UNKNOWN after the exchange's time-out."""
        self.exchange.submit(command, self._now())
        passing("submit.after_send")
        answer: Answer = await self._reply(_key_of(command))
        return answer

    async def look_up(self, query: LookUp) -> LookupResult:
        """Ask for one order."""
        self.exchange.look_up(query, self._now())
        result: LookupResult = await self._reply(_key_of(query))
        return result

    async def sweep(self, query: Sweep) -> SweepResult:
        """Read the whole account."""
        self.exchange.sweep(query, self._now())
        result: SweepResult = await self._reply(_key_of(query))
        return result

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the trading rules the exchange was made with."""
        return self.exchange.instruments

    def facts(self) -> AsyncIterator[Fact]:
        """Yield reports in order of arrival; of quotes only the newest per instrument."""
        return self._facts.stream()

    def feed(self, news: Quote | MarketTrade, at: datetime | None = None) -> None:
        """Take market data, of now or (catching up after a pause) of `at`; quotes become facts."""
        now = self._now() if at is None else at
        if isinstance(news, Quote):
            self.exchange.on_quote(news, now)
            self._facts.put_quote(news)
        else:
            self.exchange.on_trade(news, now)
        self._woken.set()

    def pump(self, now: datetime) -> int:
        """Keep and deliver everything that is due by now; return how many messages that were."""
        messages = self.exchange.poll(now)
        self._keep(now)
        self._deliver(messages)
        return len(messages)

    def _keep(self, now: datetime) -> None:
        if self._keeper is not None:
            changes = self.exchange.changes()
            if changes is not None:
                self._keeper.save(changes, now)

    def _deliver(self, messages: list[Message]) -> None:
        for message in messages:
            if isinstance(message, Answer | LookupResult | SweepResult):
                self._resolve(message)
            else:
                self._facts.put(message)

    def _resolve(self, reply: Reply) -> None:
        key = _key_of_reply(reply)
        futures = self._waiting.get(key)
        if not futures:
            return
        future = futures.popleft()
        if not futures:
            del self._waiting[key]
        if not future.done():
            future.set_result(reply)

    def _now(self) -> datetime:
        """The clock, but never back: a wall clock may be set, an exchange's time only goes on."""
        self._latest = max(self._latest, self._clock.now())
        return self._latest

    async def _reply(self, key: Key) -> Any:
        if self._error is not None:
            raise self._error
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(future)
        self._woken.set()
        return await future

    async def _drive(self) -> None:
        """Deliver what is due, when it is due. What goes wrong is told to everybody who waits."""
        try:
            while not self._closing:
                self._woken.clear()
                due, now = self.exchange.next_due, self._now()
                if due is None:
                    await self._woken.wait()
                elif due > now:
                    await self._wait_until(due)
                else:
                    await self._pump_aside(now)
        except Exception as error:
            self._error = error
            self._facts.close(error)
            for futures in self._waiting.values():
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            self._waiting.clear()
            raise

    async def _pump_aside(self, now: datetime) -> None:
        """As `pump`, with the disk's time spent in a thread."""
        messages = self.exchange.poll(now)
        if self._keeper is not None:
            changes = self.exchange.changes()
            if changes is not None:
                await asyncio.to_thread(self._keeper.save, changes, now)
        self._deliver(messages)

    async def _wait_until(self, due: datetime) -> None:
        waits = [
            asyncio.ensure_future(self._clock.sleep_until(due)),
            asyncio.ensure_future(self._woken.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


def _key_of(request: Command | LookUp | Sweep) -> Key:
    if isinstance(request, LookUp):
        return "look_up", request.client_order_id, request.attempt
    if isinstance(request, Sweep):
        return "sweep", request.reason
    name = request.order.client_order_id
    if isinstance(request, SendCreate):
        return CommandKind.CREATE, name, 0, request.order.attempt
    kind = CommandKind.CANCEL if isinstance(request, SendCancel) else CommandKind.AMEND
    return kind, name, request.number, request.attempt


def _unanswered(key: Key, now: datetime) -> Reply:
    if key[0] == "look_up":
        return LookupResult(
            client_order_id=ClientOrderId(str(key[1])),
            attempt=int(str(key[2])),
            sent_at=now,
            complete=False,
        )
    if key[0] == "sweep":
        return SweepResult(began_at=now, ended_at=now, complete=False, reason=str(key[1]))
    kind, name, number, attempt = key
    return Answer(
        ClientOrderId(str(name)),
        CommandKind(str(kind)),
        int(str(number)),
        int(str(attempt)),
        AnswerOutcome.UNKNOWN,
        text="the venue was closed",
    )


def _key_of_reply(reply: Reply) -> Key:
    if isinstance(reply, LookupResult):
        return "look_up", reply.client_order_id, reply.attempt
    if isinstance(reply, SweepResult):
        return "sweep", reply.reason
    return reply.kind, reply.client_order_id, reply.number, reply.attempt
