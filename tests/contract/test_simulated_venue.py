"""The Venue port over the simulated exchange, under a virtual clock and under the system's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from order_adapters.clock import SystemClock, VirtualClock
from order_adapters.simulator import (
    Fault,
    FaultKind,
    FaultScript,
    MarketTrade,
    SimulatedExchange,
    SimulatorConfig,
)
from order_adapters.venues.simulated import SimulatedVenue, StateFile
from order_domain.model.enums import AnswerOutcome, OrderType, Side, TimeInForce, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.inputs import StreamState
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.model.reports import OrderReport, WalletReport
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Fact, Venue
from tests.builders import BTC, NOW, D, a_quote, an_instrument, an_order

LATENCY = timedelta(milliseconds=4)


def an_exchange(*faults: Fault, **config: Any) -> SimulatedExchange:
    return SimulatedExchange(
        instruments=[an_instrument()],
        config=SimulatorConfig(**{"latency": LATENCY, "rate_limit": None} | config),
        faults=FaultScript(faults=faults) if faults else None,
    )


def a_create(name: str, clock: Clock, **changes: Any) -> SendCreate:
    values: dict[str, Any] = {"time_in_force": TimeInForce.GTC, "attempt": 1}
    return SendCreate(
        an_order(**values | {"client_order_id": name, "request_ts": clock.now()} | changes)
    )


def a_market(name: str, clock: Clock) -> SendCreate:
    return a_create(name, clock, order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC)


@asynccontextmanager
async def opened(venue: SimulatedVenue) -> AsyncIterator[list[Fact]]:
    """An open venue with a quote, and the list its facts go to."""
    facts: list[Fact] = []

    async def read() -> None:
        async for fact in venue.facts():
            facts.append(fact)  # noqa: PERF401 -- seen while it grows

    await venue.open()
    reader = asyncio.create_task(read())
    venue.feed(a_quote())
    try:
        yield facts
    finally:
        await venue.close()
        await reader


async def driven(venue: SimulatedVenue, clock: VirtualClock, work: Awaitable[Any]) -> Any:
    """Move virtual time from one thing due to the next until the work is done."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.sleep(0)
        if (due := venue.next_due) is not None:
            clock.advance_to(max(due, clock.now()))
            venue.pump(clock.now())
    return task.result()


Run = Callable[[SimulatedVenue, Awaitable[Any]], Awaitable[Any]]


@pytest.fixture(params=["virtual", "system"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return VirtualClock(NOW) if request.param == "virtual" else SystemClock()


@pytest.fixture
def run(clock: Clock) -> Run:
    async def by_itself(venue: SimulatedVenue, work: Awaitable[Any]) -> Any:
        return await work

    async def by_hand(venue: SimulatedVenue, work: Awaitable[Any]) -> Any:
        assert isinstance(clock, VirtualClock)
        return await driven(venue, clock, work)

    return by_hand if isinstance(clock, VirtualClock) else by_itself


def a_venue(exchange: SimulatedExchange, clock: Clock, **more: Any) -> SimulatedVenue:
    return SimulatedVenue(exchange, clock, drives=not isinstance(clock, VirtualClock), **more)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0.001)


async def test_it_is_a_venue(clock: Clock) -> None:
    venue: Venue = a_venue(an_exchange(), clock)

    assert [each.id for each in await venue.instruments()] == [BTC]


async def test_an_order_is_answered_and_its_facts_arrive_in_order(clock: Clock, run: Run) -> None:
    venue = a_venue(an_exchange(), clock)
    async with opened(venue) as facts:
        answer = await run(venue, venue.send(a_market("a", clock)))
        await run(venue, venue.sweep(Sweep("PERIODIC", None)))
        await settled()

    assert (answer.outcome, answer.client_order_id) == (AnswerOutcome.ACCEPTED, "a")
    assert [type(fact) for fact in facts] == [
        StreamState,
        Quote,
        Execution,
        OrderReport,
        WalletReport,
    ]


async def test_every_command_gets_its_own_answer(clock: Clock, run: Run) -> None:
    venue = a_venue(an_exchange(), clock)

    async def work() -> list[Any]:
        create = a_create("a", clock)
        answers = [await venue.send(create), await venue.send(a_create("a", clock))]
        order: Order = create.order
        answers.append(await venue.send(SendAmend(order, 1, 1, clock.now(), D(49980), None)))
        return [
            *answers,
            *await asyncio.gather(
                venue.send(SendCancel(order, 1, 1, clock.now())),
                venue.send(SendCancel(order, 2, 1, clock.now())),
                venue.send(a_market("b", clock)),
            ),
        ]

    async with opened(venue):
        answers = await run(venue, work())

    assert [(a.kind, a.number, a.code) for a in answers] == [
        ("create", 0, 0),
        ("create", 0, 110072),
        ("amend", 1, 0),
        ("cancel", 1, 0),
        ("cancel", 2, 110010),
        ("create", 0, 0),
    ]


async def test_questions_are_answered(clock: Clock, run: Run) -> None:
    venue = a_venue(an_exchange(), clock)

    async def work() -> tuple[Any, Any, Any]:
        await venue.send(a_create("a", clock))
        return (
            await venue.look_up(LookUp("a", 1)),
            await venue.look_up(LookUp("never", 3)),
            await venue.sweep(Sweep("START", None)),
        )

    async with opened(venue):
        found, missing, sweep = await run(venue, work())

    assert found.order.status is VenueStatus.NEW
    assert (missing.order, missing.complete, missing.attempt) == (None, True, 3)
    assert [order.client_order_id for order in sweep.orders] == ["a"]


async def test_silence_becomes_unknown(clock: Clock, run: Run) -> None:
    fault = Fault(kind=FaultKind.LOSE_ANSWER)
    venue = a_venue(an_exchange(fault, answer_timeout=LATENCY * 2), clock)
    async with opened(venue):
        answer = await run(venue, venue.send(a_market("a", clock)))

    assert answer.outcome is AnswerOutcome.UNKNOWN


async def test_closing_tells_whoever_waits_that_nothing_is_known() -> None:
    venue = a_venue(an_exchange(), VirtualClock(NOW))
    async with opened(venue):
        waiting = [
            asyncio.create_task(venue.send(a_market("a", VirtualClock(NOW)))),
            asyncio.create_task(venue.look_up(LookUp("a", 1))),
            asyncio.create_task(venue.sweep(Sweep("START", None))),
        ]
        await asyncio.sleep(0)
    answer, found, sweep = await asyncio.gather(*waiting)

    assert answer.outcome is AnswerOutcome.UNKNOWN
    assert (found.complete, sweep.complete) == (False, False)


async def test_a_waiter_that_gave_up_disturbs_nobody() -> None:
    clock = VirtualClock(NOW)
    venue = a_venue(an_exchange(), clock)
    async with opened(venue):
        first = asyncio.create_task(venue.send(a_market("a", clock)))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)

        answer = await driven(venue, clock, venue.send(a_market("b", clock)))

    assert answer.client_order_id == "b"


async def test_unread_quotes_are_conflated_per_instrument() -> None:
    clock = VirtualClock(NOW)
    venue = a_venue(an_exchange(), clock)
    await venue.open()
    for bid in (49981, 49982, 49983):
        venue.feed(a_quote(bid=D(bid)))
    await venue.close()

    facts = [fact async for fact in venue.facts()]

    assert [fact.bid for fact in facts if isinstance(fact, Quote)] == [D(49983)]


async def test_trades_fill_resting_orders(clock: Clock, run: Run) -> None:
    venue = a_venue(an_exchange(queue_model=False), clock)
    async with opened(venue) as facts:
        await run(venue, venue.send(a_create("a", clock)))
        venue.feed(MarketTrade(BTC, D(49990), D(1), Side.SELL, clock.now()))
        await run(venue, venue.sweep(Sweep("PERIODIC", None)))
        await settled()

    assert [f.is_maker for f in facts if isinstance(f, Execution)] == [True]


async def test_an_account_outlives_its_process(clock: Clock, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "store.venue"

    async def session(work: Callable[[SimulatedVenue], Awaitable[Any]]) -> Any:
        venue = a_venue(an_exchange(), clock, keeper=StateFile(path))
        async with opened(venue):
            return await run(venue, work(venue))

    async def trade(venue: SimulatedVenue) -> Any:
        await venue.send(a_market("a", clock))
        await venue.send(a_create("b", clock))
        return await venue.sweep(Sweep("PERIODIC", None))

    async def come_back(venue: SimulatedVenue) -> Any:
        again = await venue.send(a_create("a", clock))
        cancel = SendCancel(a_create("b", clock).order, 1, 1, clock.now())
        before = await venue.sweep(Sweep("START", None))
        return again, before, await venue.send(cancel)

    left = await session(trade)
    again, found, cancelled = await session(come_back)

    assert again.code == 110072
    assert (found.orders, found.executions) == (left.orders, left.executions)
    assert found.positions == left.positions
    assert found.wallet.balances[0].wallet == left.wallet.balances[0].wallet
    assert found.wallet.balances[0].available == left.wallet.balances[0].available
    assert cancelled.code == 0


async def test_a_disk_that_fails_is_told_to_everybody_who_waits(tmp_path: Path) -> None:
    class Broken(StateFile):
        def save(self, state: Any, now: Any) -> None:
            raise OSError("no space left on device")

    clock = SystemClock()
    venue = a_venue(an_exchange(), clock, keeper=Broken(tmp_path / "store.venue"))
    await venue.open()
    venue.feed(a_quote())

    with pytest.raises(OSError, match="no space"):
        await venue.send(a_market("a", clock))
    with pytest.raises(OSError, match="no space"):
        await venue.send(a_market("b", clock))
    with pytest.raises(OSError, match="no space"):
        _ = [fact async for fact in venue.facts()]
