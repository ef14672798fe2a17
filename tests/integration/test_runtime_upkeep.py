"""What a runtime does by the clock: validation, pruning, and what the engine plans by itself."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from order_domain.config import EngineConfig
from order_domain.model.enums import EventKind, OrderStatus, PositionSide, Trading
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.rows import TradingStateRow
from order_domain.ports.journal import StoreUnavailable
from order_service.runtime.outcome import EndReason
from tests.builders import BTC, D, seconds
from tests.integration.runtime_world import World

KEY = (BTC, PositionSide.BOTH)
OFTEN = EngineConfig(
    market_order_spread_threshold=D(0),
    position_validation_interval=timedelta(seconds=20),
    position_snapshot_interval=timedelta(seconds=5),
)


async def a_world_with_a_position(config: EngineConfig = OFTEN) -> World:
    world = World(config=config)
    await world.start()
    await world.signal(1)
    await world.until(lambda: bool(world.orders) and world.is_at_rest)
    assert [order.status for order in world.orders] == [OrderStatus.FILLED]
    return world


def states(world: World) -> dict[str, Trading]:
    return {row.cause: row.state for row in world.database.rows[TradingStateRow].values()}


def events(world: World, kind: EventKind) -> int:
    return sum(each.event.kind is kind for each in world.publisher.published)


async def test_a_position_that_is_the_fold_of_its_executions_passes_the_validation() -> None:
    world = await a_world_with_a_position()
    await world.pass_time(seconds(22))

    assert world.runtime.metrics.validations == 1
    assert "LEDGER" not in states(world)
    await world.stop()


@pytest.mark.parametrize("field", ["size", "entry_value", "realized_pnl", "funding", "version"])
async def test_a_position_row_that_somebody_changed_restricts_the_account_until_a_person_looks(
    field: str,
) -> None:
    world = await a_world_with_a_position()
    row = world.database.rows[Position][KEY]
    changed = attrs.evolve(row, **{field: getattr(row, field) + 1})
    world.database.rows[Position][KEY] = changed
    await world.pass_time(seconds(22))

    assert states(world)["LEDGER"] is Trading.REDUCE_ONLY
    (row_of_state,) = [
        row for row in world.database.rows[TradingStateRow].values() if row.cause == "LEDGER"
    ]
    assert field in row_of_state.reason
    await world.stop()


async def test_a_validation_that_the_store_does_not_answer_is_left_out() -> None:
    world = await a_world_with_a_position()
    validator = world.runtime._parts.validator
    assert validator is not None
    views = validator._views

    class Away:
        async def positions(self) -> None:
            raise StoreUnavailable(reason="away")

    validator._views = Away()  # type: ignore[assignment]
    await world.pass_time(seconds(22))
    assert (world.runtime.metrics.validations, world.runtime.ended) == (0, None)
    validator._views = views
    await world.pass_time(seconds(22))

    assert world.runtime.metrics.validations == 1
    await world.stop()


async def test_a_position_is_snapped_at_the_interval_and_told() -> None:
    world = await a_world_with_a_position()
    await world.pass_time(seconds(15.1))
    rows = list(world.database.rows[PositionSnapshot].values())

    assert len(rows) == events(world, EventKind.POSITION_SNAPSHOT) == 3
    assert {row.size for row in rows} == {world.database.rows[Position][KEY].size}
    await world.stop()


async def test_an_order_older_than_the_timeout_is_cancelled() -> None:
    config = EngineConfig(
        market_order_spread_threshold=D(0), cancel_stale_order_timeout=timedelta(seconds=40)
    )
    world = World(config=config)
    await world.start()
    await world.signal(1, confidence=D("0.1"))
    await world.pass_time(seconds(39))
    assert [order.status for order in world.orders] == [OrderStatus.WORKING]
    await world.pass_time(seconds(3))

    assert [order.status for order in world.orders] == [OrderStatus.CANCELLED]
    await world.stop()


@pytest.mark.parametrize(
    "worker", ["committer", "engine", "executors", "queries", "relay:bus", "watchdog", "validator"]
)
async def test_a_worker_that_is_killed_ends_the_runtime_at_once_with_its_name(worker: str) -> None:
    world = World()
    await world.start()
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == worker]
    before = world.clock.now()
    task.cancel()
    await world.turns()
    ended = world.runtime.ended

    assert ended is not None
    assert (ended.reason, ended.worker) == (EndReason.WORKER_DIED, worker)
    assert world.clock.now() == before
    assert not world.runtime.is_ready
