"""The auditor finds what somebody changed behind the engine's back, and stops what adds risk."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from order_domain.config import EngineConfig
from order_domain.model.command import Command
from order_domain.model.enums import OrderStatus, Origin, PositionSide, Side, Trading
from order_domain.model.execution import LedgerEntry
from order_domain.model.inputs import DeliveryInvalid, SetTradingState
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.ports.journal import StoreUnavailable
from order_service.runtime.auditor import Auditor
from tests.builders import BTC, D, seconds
from tests.integration.runtime_world import World

KEY = (BTC, PositionSide.BOTH)
CONFIG = EngineConfig(market_order_spread_threshold=D(0))
ROUND = seconds(36)
"""A round comes every 30 s; what is broken is read again after 2 s."""


async def a_world() -> World:
    """One order filled, one working whose cancel was refused, one working."""
    world = World(config=CONFIG)
    await world.start()
    await world.signal(1)
    await world.until(lambda: bool(world.orders) and world.is_at_rest)
    await world.signal(2, confidence=D("0.1"))
    await world.until(lambda: len(world.orders) == 2 and not world.orders[1].is_terminal)
    await world.pass_time(seconds(1))
    assert [order.status for order in world.orders] == [OrderStatus.FILLED, OrderStatus.WORKING]
    return world


def cause(world: World) -> TradingStateRow | None:
    rows = world.database.rows[TradingStateRow].values()
    return next((row for row in rows if row.cause == "AUDIT"), None)


def auditor(world: World) -> Auditor:
    found = world.runtime._parts.auditor
    assert found is not None
    return found


def change(world: World, kind: type, key: Any, **values: Any) -> None:
    rows = world.database.rows[kind]
    rows[key] = attrs.evolve(rows[key], **values)


def order_id(world: World, number: int) -> Any:
    return world.orders[number].client_order_id


LIES: dict[str, tuple[str, Callable[[World], None]]] = {
    "a filled quantity": (
        "V8",
        lambda w: change(w, Order, order_id(w, 0), cum_quantity=D("0.5")),
    ),
    "an order that was filled beyond its quantity": (
        "V4",
        lambda w: change(w, Order, order_id(w, 0), quantity=D("0.001")),
    ),
    "a status of an ended order": (
        "V12",
        lambda w: change(w, Order, order_id(w, 0), status=OrderStatus.CANCELLED),
    ),
    "the price of an open order": ("V12", lambda w: change(w, Order, order_id(w, 1), price=D(1))),
    "an attempt": ("V12", lambda w: change(w, Order, order_id(w, 1), attempt=7)),
    "money that is none": (
        "V32",
        lambda w: change(w, Order, order_id(w, 1), price=D("NaN")),
    ),
    "a missing order": ("V12", lambda w: w.database.rows[Order].pop(order_id(w, 0)) and None),
    "a missing signal": ("V24", lambda w: w.database.rows[SignalRow].clear()),
    "a changed fill": ("V12", lambda w: _fill(w, price=D(1))),
    "a missing fill": ("V8", lambda w: w.database.rows[LedgerEntry].clear()),
    "a position": ("V9", lambda w: change(w, Position, KEY, size=D(7))),
    "a PnL": ("V10", lambda w: change(w, Position, KEY, realized_pnl=D(7))),
    "a missing position": ("V9", lambda w: w.database.rows[Position].clear()),
}


def _fill(world: World, **values: Any) -> None:
    rows = world.database.rows[LedgerEntry]
    (key,) = rows
    entry = rows[key]
    rows[key] = attrs.evolve(entry, execution=attrs.evolve(entry.execution, **values))  # type: ignore[call-overload]


async def test_a_healthy_service_is_audited_and_never_restricted() -> None:
    world = await a_world()
    await world.pass_time(timedelta(minutes=3))

    assert world.runtime.metrics.audits >= 5
    assert auditor(world).checked > 50
    assert world.runtime.broken == ()
    assert cause(world) is None
    await world.stop()


@pytest.mark.parametrize(("code", "lie"), LIES.values(), ids=LIES)
async def test_what_somebody_changed_is_found_and_stops_what_adds_risk(
    code: str, lie: Callable[[World], None], caplog: pytest.LogCaptureFixture
) -> None:
    world = await a_world()
    await world.pass_time(seconds(31))  # one round has seen it whole
    lie(world)
    with caplog.at_level(logging.ERROR):
        await world.pass_time(2 * ROUND)
    row = cause(world)

    assert code in {each.code for each in world.runtime.broken}
    assert row is not None
    assert (row.scope, row.state) == ("account", Trading.REDUCE_ONLY)
    assert code in row.reason
    assert f"invariant {code} is broken" in caplog.text


def codes(world: World) -> set[str]:
    return {each.code for each in world.runtime.broken}


async def test_a_state_that_is_not_what_was_told_is_found() -> None:
    world = await a_world()
    await world.pass_time(seconds(31))
    halt = {"actor": "ada", "scope": "strategy:other", "state": Trading.HALTED, "reason": "news"}
    await world.ask(SetTradingState(request_id="halt", **halt))  # type: ignore[arg-type]
    await world.pass_time(ROUND)
    assert codes(world) == set()
    views = auditor(world)._views

    class Other:  # the owner heeds a row that was changed, and tells of it: then it is right again
        def __getattr__(self, name: str) -> Any:
            return getattr(views, name)

        async def trading_states(self) -> Any:
            return [attrs.evolve(row, reason="another") for row in await views.trading_states()]

    auditor(world)._views = Other()  # type: ignore[assignment]
    await world.pass_time(2 * ROUND)

    assert codes(world) == {"V6"}


async def test_a_claim_in_spite_of_a_halt_is_found() -> None:
    world = await a_world()
    await world.pass_time(seconds(31))
    halt = {"actor": "ada", "scope": "account", "state": Trading.HALTED, "reason": "news"}
    await world.ask(SetTradingState(request_id="halt", **halt))  # type: ignore[arg-type]
    await world.pass_time(seconds(1))
    del world.runtime._parts.stepper.engine.book._strictest["account"]  # it has forgotten
    await world.signal(3)
    await world.pass_time(ROUND)

    assert codes(world) == {"V6"}


async def test_rules_that_changed_are_news_and_an_order_against_them_is_found() -> None:
    world = await a_world()
    await world.pass_time(seconds(31))
    change(world, Instrument, BTC, quantity_step=D("0.7"))
    await world.signal(3)
    await world.pass_time(ROUND)
    assert codes(world) == set()
    await world.signal(4)
    await world.pass_time(ROUND)

    assert codes(world) == {"V23"}


async def test_a_refusal_whose_row_is_gone_or_without_its_reason_is_found() -> None:
    world = await a_world()
    for number in (7, 8):
        await world.source.put(
            DeliveryInvalid(number, "BODY_INVALID", "amount", "above 0", "-1", "{}")
        )
    await world.pass_time(seconds(1))
    rows = world.database.rows[DeliveryRow]
    first, second = rows
    del rows[first]
    rows[second] = attrs.evolve(rows[second], rule="")  # type: ignore[call-overload]
    await world.pass_time(ROUND)

    assert codes(world) == {"V25"}
    assert {each.text for each in world.runtime.broken} == {
        "its reason is recorded",
        "an invalid body has a reason",
        "its reason was told",
    }


async def test_a_reduction_that_opened_is_found_once_all_before_it_is_known() -> None:
    world = await a_world()
    await world.pass_time(timedelta(minutes=3))
    await world.signal(3)
    await world.pass_time(seconds(1))
    opened = world.orders[-1]
    terms = attrs.evolve(opened.terms, reduce_only=True)
    change(world, Order, opened.client_order_id, terms=terms)
    await world.pass_time(timedelta(minutes=1))
    assert "V22" not in codes(world)
    await world.pass_time(timedelta(minutes=3))

    assert "V22" in codes(world)


async def test_an_execution_that_is_booked_twice_is_found() -> None:
    world = await a_world()
    rows = world.database.rows[LedgerEntry]
    (key,) = rows
    rows[2] = attrs.evolve(rows[key], number=2)  # type: ignore[call-overload, index]
    await world.pass_time(ROUND)

    assert "V7" in codes(world)


async def test_a_strangers_order_is_audited_with_what_was_booked_before_it_was_known() -> None:
    world = await a_world()
    world.exchange.admin.place(BTC, Side.BUY, D("0.01"), world.clock.now(), price=D(40000))
    await world.pass_time(2 * ROUND)
    stranger = world.orders[-1]
    assert stranger.terms.origin is Origin.EXTERNAL
    assert codes(world) == set()
    change(world, Order, stranger.client_order_id, price=D(1))
    await world.pass_time(2 * ROUND)

    assert codes(world) == {"V12"}


async def test_after_it_an_opening_signal_is_denied_and_nothing_is_sent() -> None:
    world = await a_world()
    change(world, Order, order_id(world, 0), cum_quantity=D("0.5"))
    await world.pass_time(ROUND)
    sent = len(world.creates)
    await world.signal(3)
    await world.pass_time(seconds(1))

    assert [row.code for row in world.signals][-1] == "TRADING_STATE"
    assert len(world.creates) == sent


async def test_a_person_lifts_it_and_it_comes_back_only_with_something_new() -> None:
    world = await a_world()
    change(world, Order, order_id(world, 0), cum_quantity=D("0.5"))
    await world.pass_time(ROUND)
    row = cause(world)
    assert row is not None
    await world.ask(
        SetTradingState(
            request_id="lift",
            actor="ada",
            scope="account",
            state=Trading.ACTIVE,
            reason="known",
            cause="AUDIT",
            version=row.version,
        )
    )
    await world.pass_time(2 * ROUND)
    lifted = cause(world)
    change(world, Position, KEY, size=D(7))
    await world.pass_time(ROUND)
    again = cause(world)

    assert lifted is not None
    assert again is not None
    assert (lifted.state, again.state) == (Trading.ACTIVE, Trading.REDUCE_ONLY)
    assert "V9" in again.reason
    assert "V8" not in again.reason


async def test_what_is_right_again_is_no_longer_counted_as_broken() -> None:
    world = await a_world()
    right = world.orders[0]
    change(world, Order, right.client_order_id, cum_quantity=D("0.5"))
    await world.pass_time(ROUND)
    assert world.runtime.broken
    world.database.rows[Order][right.client_order_id] = right  # type: ignore[index]
    await world.pass_time(ROUND)

    assert world.runtime.broken == ()


async def test_what_is_broken_at_one_reading_only_is_not_told() -> None:
    world = await a_world()
    views = auditor(world)._views
    torn = attrs.evolve(world.database.rows[Position][KEY], size=D(7))  # type: ignore[call-overload]

    class Torn:
        reads = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(views, name)

        async def positions(self) -> Any:
            self.reads += 1
            return [torn] if self.reads == 1 else await views.positions()

    reader = Torn()
    auditor(world)._views = reader  # type: ignore[assignment]
    await world.pass_time(ROUND)

    assert reader.reads == 2
    assert cause(world) is None
    await world.stop()


async def test_a_round_that_the_store_does_not_answer_is_left_out() -> None:
    world = await a_world()
    views = auditor(world)._views

    class Away:
        def __getattr__(self, name: str) -> Any:
            return getattr(views, name)

        async def orders(self, _query: object) -> None:
            raise StoreUnavailable(reason="away")

    auditor(world)._views = Away()  # type: ignore[assignment]
    await world.pass_time(ROUND)
    assert (world.runtime.metrics.audits, world.runtime.ended) == (0, None)
    auditor(world)._views = views
    await world.pass_time(ROUND)

    assert world.runtime.metrics.audits == 1
    await world.stop()


async def test_the_interval_is_that_of_the_configuration() -> None:
    world = World(config=CONFIG, audit_interval=seconds(5))
    await world.start()
    await world.pass_time(seconds(21))

    assert world.runtime.metrics.audits == 4
    await world.stop()


async def test_a_command_row_that_vanished_is_found() -> None:
    world = World(config=attrs.evolve(CONFIG, cancel_stale_order_timeout=timedelta(seconds=10)))
    await world.start()
    await world.signal(1, confidence=D("0.1"))
    await world.pass_time(seconds(15))
    assert len(world.database.rows[Command]) == 1
    world.database.rows[Command].clear()
    await world.pass_time(ROUND)

    assert {each.code for each in world.runtime.broken} == {"V13"}
