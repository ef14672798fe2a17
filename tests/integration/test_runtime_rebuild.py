"""A book that is wrong is rebuilt; no input is lost, and the one that breaks it is parked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from order_domain.engine import Engine
from order_domain.model.enums import OrderStatus, Trading, Verdict
from order_domain.model.execution import Execution
from order_domain.model.inputs import CancelAll, Input, SignalDelivered, Tick
from order_domain.model.rows import Change, SignalRow, TradingStateRow
from order_domain.model.steps import Need, Step
from order_service.runtime.outcome import EndReason
from order_service.runtime.rebuild import CAUSE, STEP_FAILED
from tests.builders import D, a_signal_id
from tests.integration.runtime_world import World


class Fragile(Engine):
    """Breaks on signals for 13, on cancel-all, and on executions or Ticks if told to."""

    breaks_on: type | None = None

    def step(
        self, message: Input, now: datetime, rows: Sequence[Change] | None = None
    ) -> Step | Need:
        unlucky = isinstance(message, SignalDelivered) and message.signal.amount == 13
        if unlucky or isinstance(message, CancelAll) or type(message) is Fragile.breaks_on:
            raise ArithmeticError("cannot be decided")
        return super().step(message, now, rows)


async def a_world(engine: type[Engine] = Fragile, breaks_on: type | None = None) -> World:
    Fragile.breaks_on = None
    world = World(engine=engine)
    await world.start()
    Fragile.breaks_on = breaks_on
    return world


async def test_a_signal_that_breaks_the_engine_is_a_dead_letter_and_the_others_are_decided() -> (
    None
):
    world = await a_world()
    for number, amount in ((1, 500), (2, 13), (3, 600)):
        await world.signal(number, amount=D(amount))
    await world.until(lambda: bool(world.orders) and world.is_at_rest)

    assert [row.signal.amount for row in world.signals] == [D(500), D(600)]
    (dead,) = world.deliveries
    assert (dead.verdict, dead.code, dead.number) == (Verdict.INVALID, STEP_FAILED, 2)
    assert dead.signal_id == a_signal_id(2)
    assert "cannot be decided" in dead.value
    assert [letter.number for letter in world.source.dead_letters] == [2]
    assert all(order.status is OrderStatus.FILLED for order in world.orders)
    assert world.runtime.metrics.parked == 1
    assert world.database.head.epoch > 1
    await world.stop()


async def test_a_row_the_store_refuses_parks_its_signal_and_keeps_those_of_the_same_flush() -> None:
    world = await a_world(Engine)
    world.database.faults.refuse = lambda row: (
        "bad text" if isinstance(row, SignalRow) and row.signal.amount == 13 else None
    )
    world.database.faults.delay = timedelta(milliseconds=5)
    for number, amount in ((1, 500), (2, 13), (3, 600)):
        await world.signal(number, amount=D(amount))
    await world.until(lambda: bool(world.orders) and world.is_at_rest)

    assert sorted(row.signal.amount for row in world.signals) == [D(500), D(600)]
    assert [(row.code, row.number) for row in world.deliveries] == [(STEP_FAILED, 2)]
    assert {order.status for order in world.orders} == {OrderStatus.FILLED}
    assert len(world.creates) == 2
    await world.stop()


async def test_a_row_refused_only_once_parks_nothing() -> None:
    world = await a_world(Engine)
    refusals = iter(["bad luck"])
    world.database.faults.refuse = lambda row: (
        next(refusals, None) if isinstance(row, SignalRow) else None
    )
    await world.signal(1)
    await world.until(lambda: bool(world.orders) and world.is_at_rest)

    assert world.deliveries == []
    assert world.runtime.metrics.rebuilds == 1
    assert [order.status for order in world.orders] == [OrderStatus.FILLED]
    await world.stop()


async def test_a_fact_that_breaks_the_engine_halts_the_account_and_is_kept_in_words() -> None:
    world = await a_world(breaks_on=Execution)
    await world.signal(1)
    await world.until(lambda: world.runtime.metrics.parked > 0)

    rows = world.database.rows[TradingStateRow].values()
    (halt,) = [row for row in rows if row.cause == CAUSE]
    assert (halt.scope, halt.state) == ("account", Trading.HALTED)
    assert "Execution(" in halt.reason
    assert "cannot be decided" in halt.reason

    Fragile.breaks_on = None
    await world.signal(2)
    await world.until(lambda: len(world.signals) == 2)
    assert world.signals[1].verdict is Verdict.DENIED
    assert world.signals[1].code == "TRADING_STATE"
    await world.stop()


async def test_a_request_that_breaks_the_engine_is_answered_so() -> None:
    world = await a_world()

    reply = await world.ask(CancelAll(request_id="r1", actor="ann"))

    assert reply.code == STEP_FAILED
    await world.signal(1)
    await world.until(lambda: bool(world.orders) and world.is_at_rest)
    await world.stop()


async def test_an_engine_that_breaks_at_a_tick_ends_the_runtime() -> None:
    world = await a_world(breaks_on=Tick)

    ended = await world.ended()
    Fragile.breaks_on = None

    assert ended.reason is EndReason.ENGINE_FAILED
    assert isinstance(ended.error, ArithmeticError)


async def test_answers_that_come_during_a_rebuild_wait_and_settle_their_orders() -> None:
    world = await a_world()
    await world.signal(1)
    await world.until(lambda: len(world.creates) == 1)
    world.database.faults.delay = timedelta(milliseconds=30)
    await world.signal(2, amount=D(13))
    await world.until(lambda: world.is_at_rest)

    (order,) = world.orders
    assert order.status is OrderStatus.FILLED
    assert order.attempt == 1
    assert len(world.creates) == 1
    await world.stop()


async def test_a_rebuild_waits_for_a_store_that_went_away() -> None:
    world = await a_world()
    await world.signal(1, amount=D(13))
    world.database.faults.away = True
    await world.signal(2)
    await world.pass_time(timedelta(seconds=5))
    world.database.faults.away = False
    await world.until(lambda: len(world.signals) == 1 and world.is_at_rest)

    assert [row.code for row in world.deliveries] == [STEP_FAILED]
    await world.stop()
