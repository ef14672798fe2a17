"""Readings of the account: asked for by a person, or repairing by themselves what nobody told."""

import asyncio
from datetime import timedelta

import pytest

from order_adapters.simulator import Fault, FaultKind
from order_domain.config import EngineConfig
from order_domain.errors import InvalidValue
from order_domain.model.enums import EventKind, OrderStatus, Origin, PositionSide, Side
from order_domain.model.identifiers import StrategyId
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.reports import PositionReport, SweepResult
from order_domain.model.steps import Sweep
from order_service.runtime.outcome import RuntimeEnded
from order_service.runtime.syncing import SyncResult, SyncRunning
from tests.builders import BTC, NOW, D
from tests.integration.runtime_world import WatchedVenue, World

MUTE = Fault(kind=FaultKind.SILENT_STREAM, after=timedelta(seconds=5), until=timedelta(hours=1))


class WrongVenue(WatchedVenue):
    """An exchange that shows a position nobody ever traded."""

    async def sweep(self, query: Sweep) -> SweepResult:
        result = await super().sweep(query)
        result.positions = (PositionReport(BTC, PositionSide.BOTH, D(7), D(50000), NOW),)
        return result


async def sync(world: World, scope: str = "all", request_id: str = "s1") -> SyncResult:
    call = world.runtime.sync(scope, request_id=request_id, actor="someone")
    result = await world.finished(call)
    assert isinstance(result, SyncResult)
    return result


def place_by_hand(world: World, quantity: str, price: str | None = None) -> None:
    now = world.clock.now()
    limit = None if price is None else D(price)
    world.exchange.admin.place(BTC, Side.BUY, D(quantity), now, price=limit)
    world.venue.pump(now)


def foreign(world: World) -> list[Order]:
    return [order for order in world.orders if order.terms.origin is Origin.EXTERNAL]


async def test_a_reading_that_finds_nothing_says_so() -> None:
    world = World()
    await world.start()
    result = await sync(world)
    await world.stop()

    assert result.is_complete
    assert result.repairs == ()
    assert result.mismatches == ()
    assert NOW <= result.began_at <= result.ended_at
    assert world.runtime.last_sync == result


async def test_a_reading_on_demand_adopts_what_others_did_and_tells_each_repair() -> None:
    world = World(MUTE)
    await world.start()
    await world.pass_time(timedelta(seconds=6))
    place_by_hand(world, "0.2", "40000")
    place_by_hand(world, "0.1")
    result = await sync(world)
    orders = await sync(world, "orders", "s2")
    await world.stop()

    assert result.open_orders == 1
    assert {repair.kind for repair in result.repairs} >= {
        EventKind.ORDER_ADOPTED,
        EventKind.EXECUTION_BOOKED,
    }
    assert orders.repairs == ()
    assert [order.status for order in foreign(world)] == [OrderStatus.WORKING]
    assert world.database.rows[Position][(BTC, PositionSide.BOTH)].size == D("0.1")


async def test_the_scope_cuts_what_is_told() -> None:
    world = World(MUTE)
    await world.start()
    await world.pass_time(timedelta(seconds=6))
    place_by_hand(world, "0.2", "40000")
    place_by_hand(world, "0.1")
    result = await sync(world, "positions")
    await world.stop()

    assert {repair.kind for repair in result.repairs} == {EventKind.EXECUTION_BOOKED}


async def test_a_foreign_order_and_fill_enter_risk_within_30_s_though_the_stream_is_silent() -> (
    None
):
    config = EngineConfig(
        market_order_spread_threshold=D(0), max_position_size=D(1), max_single_order_size=D(100000)
    )
    world = World(MUTE, config=config)
    await world.start()
    await world.pass_time(timedelta(seconds=6))
    place_by_hand(world, "0.6", "40000")
    place_by_hand(world, "0.39")
    await world.pass_time(timedelta(seconds=30))
    await world.signal(1, amount=D(20000))  # 0.4 at the market; 0.01 is left to the limit of 1
    await world.until(lambda: bool(world.signals) and world.signals[0].decided_at is not None)
    ours = [order for order in world.orders if order.terms.origin is Origin.SIGNAL]
    await world.stop()

    assert [order.quantity for order in ours] == [D("0.01")]
    assert {order.terms.strategy_id for order in foreign(world)} == {StrategyId("EXTERNAL")}


async def test_two_people_do_not_read_the_account_at_once() -> None:
    world = World()
    await world.start()
    first = asyncio.create_task(world.runtime.sync("all", request_id="s1", actor="someone"))
    await asyncio.sleep(0)
    with pytest.raises(SyncRunning):
        await world.runtime.sync("all", request_id="s2", actor="someone else")
    await world.until(first.done)
    again = await sync(world, request_id="s3")
    await world.stop()

    assert again.is_complete


async def test_a_scope_that_is_none_is_refused() -> None:
    world = World()
    await world.start()
    with pytest.raises(InvalidValue):
        await world.runtime.sync("everything", request_id="s1", actor="someone")
    await world.stop()


async def test_a_reading_that_fails_is_told_as_incomplete_and_tried_again() -> None:
    world = World()
    await world.start()
    world.exchange.inject(Fault(kind=FaultKind.LOSE_ANSWER, request="sweep"), world.clock.now())
    result = await sync(world)
    await world.pass_time(timedelta(seconds=3))
    later = world.runtime.last_sync
    await world.stop()

    assert not result.is_complete
    assert later is not None
    assert later.is_complete


async def test_whoever_waits_for_a_reading_hears_that_the_runtime_has_ended() -> None:
    world = World()
    await world.start()
    world.exchange.inject(
        Fault(kind=FaultKind.DELAY_ANSWER, request="sweep", by=timedelta(seconds=5)),
        world.clock.now(),
    )
    waiting = asyncio.create_task(world.runtime.sync("all", request_id="s1", actor="someone"))
    await world.turns()
    await world.crash()
    await world.turns()

    with pytest.raises(RuntimeEnded):
        await waiting


async def test_a_position_that_differs_is_named() -> None:
    world = World()
    await world.start()
    world.venue.__class__ = WrongVenue
    result = await sync(world)
    orders = await sync(world, "orders", "s2")
    await world.stop()

    assert result.mismatches == (f"{BTC}:Both",)
    assert orders.mismatches == ()
