"""How a runtime begins, ends, and hands over."""

import asyncio
from datetime import timedelta

import pytest

from order_adapters.simulator import Fault, FaultKind
from order_adapters.stores.memory.store import MemoryStore
from order_domain.config import EngineConfig
from order_domain.model.enums import OrderStatus, Trading, Verdict
from order_domain.model.execution import LedgerEntry
from order_domain.model.inputs import CancelOrder, SetTradingState
from order_domain.model.rows import Mark, TradingStateRow
from order_domain.ports.journal import LeaseHeld
from order_service.runtime.outcome import EndReason, RuntimeEnded
from tests.builders import D, a_place_order, a_signal_id, an_order_id
from tests.integration.runtime_world import World

TTL = timedelta(seconds=10)


async def take_over(world: World) -> None:
    """Somebody else takes the account as soon as the store lets them."""
    other = MemoryStore(world.clock, world.database)
    world.database.head.expires_at = world.clock.now()
    await other.journal.acquire(
        account=world.config.account, owner="other", url="http://other", ttl=TTL
    )


async def test_signals_are_taken_only_after_a_complete_sweep() -> None:
    world = World(Fault(kind=FaultKind.LOSE_ANSWER, request="sweep", count=1))
    await world.signal(1)
    starting = asyncio.create_task(world.runtime.start())
    await world.pass_time(timedelta(seconds=3))
    assert not starting.done()
    assert world.signals == []
    await world.until(starting.done)

    assert world.runtime.is_ready
    assert world.runtime.metrics.sweeps >= 2
    await world.until(lambda: bool(world.orders) and world.is_at_rest)
    await world.stop()


async def test_a_second_owner_is_refused_while_the_lease_runs() -> None:
    world = World()
    await world.start()
    first = world.runtime

    with pytest.raises(LeaseHeld):
        await world.restart(owner="other")

    world.runtime = first
    await world.stop()


async def test_an_owner_whose_account_was_taken_over_sends_nothing_more_and_says_so() -> None:
    world = World()
    await world.start()
    await take_over(world)
    await world.signal(1)
    ended = await world.ended()

    assert ended.reason is EndReason.LEASE_LOST
    assert world.venue.sent == []
    assert not world.runtime.is_lease_proven
    with pytest.raises(RuntimeEnded):
        await world.runtime.ask(a_place_order())


async def test_whoever_waits_for_a_reply_hears_that_the_runtime_has_ended() -> None:
    world = World()
    await world.start()
    world.database.faults.away = True
    asking = asyncio.create_task(world.runtime.ask(a_place_order()))
    await world.turns()
    world.database.faults.away = False
    await take_over(world)
    await world.until(asking.done)

    with pytest.raises(RuntimeEnded):
        await asking


async def test_a_graceful_stop_finishes_what_was_begun() -> None:
    world = World(latency=timedelta(milliseconds=400))
    await world.start()
    await world.signal(1)
    await world.until(lambda: len(world.creates) == 1)
    ended = await world.stop()

    assert ended.reason is EndReason.STOPPED
    assert [order.status for order in world.orders] != [OrderStatus.SUBMITTING]
    assert world.source.unacknowledged == ()
    assert world.published == list(range(1, world.database.head.event_no + 1))
    assert world.database.rows[Mark]["relay:bus"].number == world.database.head.event_no
    assert world.database.head.expires_at <= world.clock.now()


async def test_after_a_graceful_stop_the_next_owner_need_not_wait() -> None:
    world = World()
    await world.start()
    await world.stop()
    stopped_at = world.clock.now()

    await world.restart(owner="other")

    assert world.clock.now() - stopped_at < timedelta(seconds=1)
    await world.stop()


async def test_a_stop_that_cannot_finish_ends_at_its_limit() -> None:
    world = World()
    await world.start()
    world.publisher.away = True
    await world.signal(1)
    await world.until(lambda: bool(world.orders))
    began_at = world.clock.now()
    ended = await world.stop()

    assert ended.reason is EndReason.STOPPED
    assert world.clock.now() - began_at >= timedelta(seconds=20)


async def test_signals_that_come_during_a_stop_stay_with_the_broker() -> None:
    world = World()
    await world.start()
    await world.signal(1)
    await world.until(lambda: bool(world.orders))
    world.publisher.away = True
    await world.signal(2)
    await world.until(lambda: len(world.orders) == 2)
    stopping = asyncio.create_task(world.runtime.stop())
    await world.turns()
    await world.signal(3)
    await world.pass_time(timedelta(seconds=3))
    world.publisher.away = False
    await world.until(stopping.done)

    assert len(world.signals) == 2
    assert [delivery.number for delivery in world.source.unacknowledged] == [3]


async def test_a_worker_that_dies_ends_the_runtime_at_once_with_its_name() -> None:
    world = World()
    await world.start()
    world.venue._facts.close(ConnectionError("stream gone"))
    ended = await world.ended()

    assert (ended.reason, ended.worker) == (EndReason.WORKER_DIED, "facts")
    assert isinstance(ended.error, ConnectionError)
    assert not world.runtime.is_ready


async def test_after_a_crash_events_go_out_again_from_the_stored_cursor_and_none_is_missing() -> (
    None
):
    world = World()
    await world.start()
    await world.signal(1)
    await world.until(lambda: bool(world.orders) and world.is_at_rest)
    before = world.published
    stored = world.database.rows[Mark]["relay:bus"].number
    await world.crash()
    await world.restart()
    await world.until(lambda: world.published[-1:] == [world.database.head.event_no])

    assert world.published == list(range(stored + 1, world.database.head.event_no + 1))
    assert set(before) | set(world.published) == set(range(1, world.database.head.event_no + 1))
    await world.stop()


@pytest.mark.parametrize("turns", range(0, 60, 4))
async def test_a_crash_at_any_moment_is_the_same_as_a_restart(turns: int) -> None:
    world = World(latency=timedelta(milliseconds=2))
    await world.start()
    world.database.faults.delay = timedelta(milliseconds=1)
    for number in (1, 2):
        await world.signal(number, amount=D(500))
    for turn in range(turns):
        await asyncio.sleep(0)
        moment = world.clock.next_deadline
        if turn % 6 == 5 and moment is not None:
            world.clock.advance_to(moment)
    await world.crash()
    await world.restart()
    await world.until(lambda: len(world.signals) == 2 and world.is_at_rest)

    assert [row.verdict for row in world.signals] == [Verdict.ORDERED] * 2
    filled = [order for order in world.orders if order.status is OrderStatus.FILLED]
    assert len(world.exchange.records.orders) == len(filled) == 2
    assert len(world.database.rows[LedgerEntry]) == 2
    await world.stop()


async def test_a_signal_that_the_book_has_forgotten_is_known_from_the_store() -> None:
    world = World(config=EngineConfig(retention=timedelta(minutes=3)))
    await world.start()
    for number in range(1, 6):
        await world.signal(number, amount=D(500))
    await world.until(lambda: len(world.orders) == 5 and world.is_at_rest)
    signals = [row.signal for row in world.signals]
    await world.pass_time(timedelta(minutes=7))
    for signal in signals:
        await world.deliver(signal)
    await world.until(lambda: len(world.deliveries) == 5)

    assert {row.verdict for row in world.deliveries} == {Verdict.DUPLICATE}
    assert len(world.creates) == 5
    assert world.runtime.metrics.reads == 1
    await world.stop()


async def test_new_signals_of_a_forgetful_book_are_decided_in_order_after_one_query() -> None:
    world = World(config=EngineConfig(retention=timedelta(minutes=3)))
    await world.start()
    await world.signal(1, amount=D(500))
    await world.until(lambda: len(world.orders) == 1 and world.is_at_rest)
    await world.pass_time(timedelta(minutes=7))
    reads = world.runtime.metrics.reads
    for number in range(2, 8):
        await world.signal(number, amount=D(500))
    await world.until(lambda: len(world.signals) == 7)

    ids = [row.signal.signal_id[-1] for row in world.signals]
    assert ids == ["1", "2", "3", "4", "5", "6", "7"]
    assert world.runtime.metrics.reads == reads + 1
    await world.until(lambda: world.is_at_rest)
    await world.stop()


async def test_a_person_gets_the_reply_of_the_committed_step() -> None:
    world = World()
    await world.start()

    reply = await world.ask(
        SetTradingState(
            request_id="h1", actor="ann", scope="account", state=Trading.HALTED, reason="test"
        )
    )
    assert reply.code == "OK"
    again = await world.ask(
        SetTradingState(
            request_id="h1", actor="ann", scope="account", state=Trading.HALTED, reason="test"
        )
    )
    assert again == reply
    refused = await world.ask(
        CancelOrder(request_id="c1", actor="ann", client_order_id=an_order_id())
    )
    assert refused.code == "ORDER_NOT_FOUND"
    await world.stop()


async def test_a_runtime_starts_once() -> None:
    world = World()
    await world.start()

    with pytest.raises(RuntimeError):
        await world.runtime.start()
    await world.stop()


async def test_one_that_never_started_stops_at_once() -> None:
    ended = await World().runtime.stop()

    assert ended.reason is EndReason.STOPPED


async def test_whoever_waits_for_a_reply_hears_that_the_runtime_was_cancelled() -> None:
    world = World()
    await world.start()
    world.database.faults.away = True
    asking = asyncio.create_task(world.runtime.ask(a_place_order()))
    await world.turns()
    await world.crash()

    with pytest.raises(RuntimeEnded):
        await asking


async def test_a_person_places_and_cancels_a_resting_order() -> None:
    world = World()
    await world.start()
    await world.until(lambda: world.runtime.metrics.quotes > 0)
    placed = await world.ask(a_place_order(price=D(49900)))
    assert placed.code == "OK"
    await world.until(lambda: world.orders[0].status is OrderStatus.WORKING)
    order_id = world.orders[0].client_order_id
    cancelled = await world.ask(CancelOrder(request_id="c1", actor="ann", client_order_id=order_id))
    assert cancelled.code == "OK"
    await world.until(lambda: world.orders[0].status is OrderStatus.CANCELLED)

    await world.stop()


def decided(world: World, number: int) -> Verdict | None:
    rows = [row for row in world.signals if row.signal.signal_id == a_signal_id(number)]
    return rows[0].verdict if rows and rows[0].decided_at is not None else None


async def test_after_lost_commits_the_account_is_halted_until_a_person_has_looked() -> None:
    world = World()
    await world.start()
    await world.signal(1)
    await world.until(lambda: bool(world.orders) and world.is_at_rest)
    world.database.fail_over(2)
    ended = await world.ended()
    world.database.head.expires_at = world.clock.now()
    await world.restart()
    await world.signal(2)
    await world.until(lambda: decided(world, 2) is not None)

    assert ended.reason is EndReason.COMMITS_LOST
    assert decided(world, 2) is Verdict.DENIED
    states = world.database.rows[TradingStateRow].values()
    assert [row.state for row in states if row.cause == "COMMITS_LOST"] == [Trading.HALTED]
    await world.stop()


async def test_the_halt_after_lost_commits_waits_for_a_store_that_is_away() -> None:
    world = World()
    await world.start()
    world.database.fail_over(1)
    ending = asyncio.create_task(world.ended())
    await world.until(lambda: not world.runtime.is_lease_proven)
    world.database.faults.away = True
    await world.pass_time(timedelta(seconds=3))
    world.database.faults.away = False
    await world.until(ending.done)

    causes = [row.cause for row in world.database.rows[TradingStateRow].values()]
    assert "COMMITS_LOST" in causes
