"""The order in which inputs reach an engine, told by one that writes down what it sees."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import attrs

from order_adapters.clock import VirtualClock
from order_domain.book import Book
from order_domain.model.enums import Verdict
from order_domain.model.inputs import (
    Input,
    RequestSweep,
    SignalDelivered,
    StreamState,
    Tick,
    TransportState,
)
from order_domain.model.rows import Change, Mark
from order_domain.model.steps import Acknowledge, Need, Step
from order_service.runtime.engine_loop import EngineLoop
from order_service.runtime.inbox import Inbox
from order_service.runtime.reads import Reads
from order_service.runtime.rebuild import Rebuild
from order_service.runtime.stepper import Stepper
from order_service.runtime.ticker import Ticker
from order_service.runtime.trading_state import TradingStates
from tests.builders import NOW, a_quote, a_signal, a_signal_id, seconds
from tests.unit.runtime.parts import Desk, a_desk, turns, until

FACT = StreamState(healthy=True)


class Scribe:
    """An engine that decides nothing: it counts its steps, asks for rows as told, keeps a deadline.

    `asks` holds, per signal id, the needs it answers before it decides.
    """

    def __init__(self) -> None:
        self.seen: list[Input] = []
        self.asks: dict[str, list[Need]] = {}
        self.rows: dict[str, Sequence[Change]] = {}
        self.durable: list[int] = []
        self.deadline: datetime | None = None
        self.book = Book()
        self._number = 0

    def load(self, rows: Iterable[Change], now: datetime, *, complete: bool = False) -> None: ...

    def resume(self, now: datetime) -> Step:
        return self._step([], [])

    def step(
        self, message: Input, now: datetime, rows: Sequence[Change] | None = None
    ) -> Step | Need:
        if isinstance(message, SignalDelivered):
            signal_id = message.signal.signal_id
            if self.asks.get(signal_id):
                return self.asks[signal_id].pop(0)
            if rows is not None:
                self.rows[signal_id] = rows
        self.seen.append(message)
        if isinstance(message, Tick) and self.deadline is not None:
            self.deadline = max(self.deadline, now) + seconds(5)
        number = message.number if isinstance(message, SignalDelivered) else 0
        return self._step([Mark("seen", now, self._number)], [Acknowledge(number, Verdict.ORDERED)])

    def _step(self, changes: list[Change], effects: list[Any]) -> Step:
        self._number += 1
        return Step(self._number, changes, effects, [])

    def committed(self, step_number: int) -> None:
        self.durable.append(step_number)

    @property
    def next_deadline(self) -> datetime | None:
        return self.deadline

    @property
    def numbers(self) -> list[int]:
        return [m.number for m in self.seen if isinstance(m, SignalDelivered)]


@attrs.define
class Stage:
    desk: Desk
    scribe: Scribe
    inbox: Inbox
    loop: EngineLoop
    reads: Reads
    stepper: Stepper

    @property
    def clock(self) -> VirtualClock:
        return self.desk.clock


@asynccontextmanager
async def a_stage() -> AsyncIterator[Stage]:
    wakers: list[Callable[[], None]] = []

    def wake() -> None:
        for each in wakers:
            each()

    desk, scribe = a_desk(wake), Scribe()
    clock, metrics = desk.clock, desk.metrics
    inbox = Inbox(wake)
    states = TradingStates(desk.journal, clock, metrics, inbox.answer)
    stepper = Stepper(lambda: scribe, clock, states, metrics, add=desk.committer.add, ask=None)
    reads, ticker = Reads(desk.journal, clock, metrics, wake), Ticker(clock, wake)
    rebuild = Rebuild(
        clock,
        desk.committer,
        reads,
        stepper,
        metrics,
        acquire=_never,
        load=_never,
        reply=lambda _reply: None,
    )
    loop = EngineLoop(
        stepper,
        inbox,
        reads,
        desk.committer,
        rebuild,
        ticker,
        metrics,
        slow_flush=timedelta(milliseconds=600),
        lockstep=False,
    )
    wakers.append(loop.wake)
    loop.takes_deliveries = True
    await desk.begin()
    tasks = [
        asyncio.create_task(each)
        for each in (desk.committer.run(), reads.run(), ticker.run(), loop.run())
    ]
    try:
        yield Stage(desk, scribe, inbox, loop, reads, stepper)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _never() -> Any:
    raise AssertionError("no rebuild was called for")


def a_delivery(number: int) -> SignalDelivered:
    return SignalDelivered(number, a_signal(signal_id=a_signal_id(number)))


def need(number: int) -> Need:
    return Need(signals=(a_signal_id(number),))


async def test_facts_are_stepped_before_people_and_people_before_deliveries() -> None:
    async with a_stage() as stage:
        request = RequestSweep(request_id="r", actor="ann")
        await stage.inbox.deliver(a_delivery(1))
        await stage.inbox.request(request)
        await stage.inbox.fact(FACT)
        await turns()

        assert stage.scribe.seen == [FACT, request, a_delivery(1)]


async def test_the_newest_quote_is_shown_right_before_the_step_that_is_due() -> None:
    async with a_stage() as stage:
        first = a_quote()
        assert stage.stepper.quotes.put(first)
        stage.loop.wake()
        await turns()
        for number in range(1, 4):
            stage.stepper.quotes.put(a_quote(at=NOW + number * timedelta(milliseconds=1)))
        await turns()
        assert stage.scribe.seen == [first]
        await stage.inbox.fact(FACT)
        await turns()

        newest = a_quote(at=NOW + timedelta(milliseconds=3))
        assert stage.scribe.seen == [first, newest, FACT]


async def test_a_tick_is_sent_when_the_deadline_comes_and_not_before() -> None:
    async with a_stage() as stage:
        stage.scribe.deadline = NOW + seconds(5)
        stage.loop.wake()
        await turns()
        assert stage.scribe.seen == []
        await until(stage.clock, lambda: len(stage.scribe.seen) == 2)

        assert stage.scribe.seen == [Tick(), Tick()]
        assert stage.clock.now() == NOW + seconds(10)


async def test_a_deadline_that_no_tick_moves_does_not_spin() -> None:
    async with a_stage() as stage:

        class Stuck(Scribe):
            @property
            def next_deadline(self) -> datetime | None:
                return NOW

        stage.stepper.engine = stuck = Stuck()
        stage.loop.wake()
        await turns()
        assert stuck.seen == [Tick()]
        await until(stage.clock, lambda: len(stuck.seen) == 3)

        assert stage.clock.now() == NOW + 2 * timedelta(milliseconds=10)


async def test_signals_behind_one_that_waits_for_rows_keep_their_order() -> None:
    async with a_stage() as stage:
        stage.scribe.asks[a_signal_id(1)] = [need(1), Need(orders=("o",))]
        for number in (1, 2, 3):
            await stage.inbox.deliver(a_delivery(number))
        stage.desk.database.faults.away = True
        await turns()
        for number in (4, 5):
            await stage.inbox.deliver(a_delivery(number))
        await turns()
        assert stage.scribe.numbers == []
        stage.desk.database.faults.away = False
        await until(stage.clock, lambda: len(stage.scribe.numbers) == 5)

        assert stage.scribe.numbers == [1, 2, 3, 4, 5]
        assert stage.desk.metrics.reads == 2


async def test_facts_pass_while_signals_wait_for_rows() -> None:
    async with a_stage() as stage:
        stage.desk.database.faults.away = True
        stage.scribe.asks[a_signal_id(1)] = [need(1)]
        await stage.inbox.deliver(a_delivery(1))
        await turns()
        await stage.inbox.fact(FACT)
        await turns()
        assert stage.scribe.seen == [FACT]
        stage.desk.database.faults.away = False
        await until(stage.clock, lambda: len(stage.scribe.seen) == 2)

        assert stage.scribe.numbers == [1]


async def test_one_query_brings_the_rows_of_all_signals_that_wait() -> None:
    async with a_stage() as stage:
        for number in range(1, 65):
            stage.scribe.asks[a_signal_id(number)] = [need(number)] if number == 1 else []
            await stage.inbox.deliver(a_delivery(number))
        await turns()

        assert stage.scribe.numbers == list(range(1, 65))
        assert stage.desk.metrics.reads == 1
        assert len(stage.scribe.rows) == 64


async def test_nothing_is_reported_durable_while_rows_are_on_their_way() -> None:
    async with a_stage() as stage:
        await stage.inbox.fact(FACT)
        await turns()
        stage.desk.database.faults.delay = timedelta(milliseconds=300)
        await stage.inbox.fact(FACT)
        await turns()
        stage.desk.database.faults.away = True
        stage.scribe.asks[a_signal_id(1)] = [need(1)]
        await stage.inbox.deliver(a_delivery(1))
        await turns()
        assert stage.reads.holds_rows
        stage.desk.committer.durable = 2
        stage.loop.wake()
        await turns()
        assert stage.scribe.durable == [1]
        stage.desk.database.faults.away = False
        await until(stage.clock, lambda: len(stage.scribe.numbers) == 1)

        assert 2 in stage.scribe.durable


async def test_no_delivery_is_taken_while_the_tail_is_too_old() -> None:
    async with a_stage() as stage:
        stage.desk.database.faults.delay = timedelta(seconds=5)
        await stage.inbox.fact(FACT)
        await turns()
        stage.clock.advance_to(NOW + seconds(3))
        await stage.inbox.deliver(a_delivery(1))
        await stage.inbox.fact(FACT)
        await turns()
        assert stage.scribe.seen == [FACT, FACT]
        stage.desk.database.faults.delay = timedelta(0)
        await until(stage.clock, lambda: len(stage.scribe.numbers) == 1)

        assert stage.clock.now() >= NOW + seconds(5)


async def test_the_engine_is_told_when_commits_become_slow_and_quick_again() -> None:
    async with a_stage() as stage:
        stage.desk.database.faults.delay = timedelta(seconds=1)
        await stage.inbox.fact(FACT)
        await until(stage.clock, lambda: len(stage.scribe.seen) == 2)
        assert getattr(stage.scribe.seen[1], "flush", None) == timedelta(seconds=1)
        stage.desk.database.faults.delay = timedelta(0)
        await stage.inbox.fact(FACT)
        await until(stage.clock, lambda: len(stage.scribe.seen) == 4)

        assert getattr(stage.scribe.seen[3], "flush", None) == timedelta(0)


async def test_a_transport_that_is_down_stays_down_when_commits_become_slow() -> None:
    async with a_stage() as stage:
        stage.loop.tell_transport(up=False)
        stage.desk.database.faults.delay = timedelta(seconds=1)
        await stage.inbox.fact(FACT)
        await until(stage.clock, lambda: len(stage.scribe.seen) == 3)

        told = [one for one in stage.scribe.seen if isinstance(one, TransportState)]
        assert [(one.up, one.flush) for one in told] == [
            (False, timedelta(0)),
            (False, timedelta(seconds=1)),
        ]
