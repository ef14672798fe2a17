"""A Bybit account behind the Venue port: what each fault leaves known, and never two orders."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from order_adapters.bybit_server import AccountConfig
from order_adapters.simulator import Fault, FaultKind
from order_adapters.venues.bybit.checks import AccountRefused
from order_adapters.venues.bybit.signing import Credentials
from order_domain.model.enums import (
    AnswerOutcome,
    Category,
    CommandKind,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId, category_of
from order_domain.model.inputs import ClockOffset
from order_domain.model.quote import Quote
from order_domain.model.reports import OrderReport, WalletReport
from order_domain.model.steps import LookUp, SendAmend, Sweep
from order_domain.ports.venue import Venue
from tests.builders import BTC, D, seconds
from tests.integration.bybit_world import World, a_world

UNKNOWN = AnswerOutcome.UNKNOWN


@pytest.fixture(params=["socket", "rest"])
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Both ways that an order can go."""
    return {"trades_by_socket": request.param == "socket"}


def on_creates(kind: FaultKind, **more: Any) -> Fault:
    return Fault(kind=kind, request="create", **more)


async def test_a_day_at_the_exchange(way: dict[str, Any]) -> None:
    async with a_world(**way) as world:
        venue: Venue = world.venue
        resting, taking = world.a_create("resting"), world.a_market("taking")
        answers = [await venue.send(resting), await venue.send(taking)]
        amend = SendAmend(resting.order, 1, 1, world.exchange_now(), D(45900), D("0.03"))
        answers += [await venue.send(amend)]
        await world.until(lambda: len(world.of(Execution)) == 1 and len(world.of(OrderReport)) == 3)
        found = await venue.look_up(world.a_look_up(taking))
        sweep = await venue.sweep(Sweep("START", None))
        answers += [await venue.send(world.a_cancel(resting.order))]
        await world.until(lambda: len(world.of(OrderReport)) == 4)

    assert [(a.outcome, a.kind, a.number) for a in answers] == [
        (AnswerOutcome.ACCEPTED, CommandKind.CREATE, 0),
        (AnswerOutcome.ACCEPTED, CommandKind.CREATE, 0),
        (AnswerOutcome.ACCEPTED, CommandKind.AMEND, 1),
        (AnswerOutcome.ACCEPTED, CommandKind.CANCEL, 1),
    ]
    assert found.complete
    assert found.order is not None
    assert found.order.status is VenueStatus.FILLED
    assert [e.quantity for e in found.executions] == [D("0.02")]
    assert sweep.complete
    assert [(o.client_order_id, o.price, o.quantity) for o in sweep.orders] == [
        ("resting", D(45900), D("0.03"))
    ]
    assert [(p.instrument_id, p.size) for p in sweep.positions] == [(BTC, D("0.02"))]
    assert sweep.wallet is not None
    assert [r.status for r in world.of(OrderReport)][-1] is VenueStatus.CANCELLED
    assert world.of(WalletReport)
    assert world.of(Quote)
    assert world.of(ClockOffset)
    assert world.venue.health.quarantines == 0


# -- the answer is lost, or the connection is ------------------------------------------------------


async def again(world: World, name: str) -> Any:
    """The next attempt of the same order."""
    await world.connected()
    return await world.venue.send(world.a_create(name, attempt=2))


async def test_x1_a_request_that_never_arrives_is_unknown_and_then_absent(
    way: dict[str, Any],
) -> None:
    lost = on_creates(FaultKind.LOSE_REQUEST)
    async with a_world(lost, answer_within=2.6, **way) as world:
        create = world.a_create("om-1")
        answer = await world.venue.send(create)
        found = await world.venue.look_up(world.a_look_up(create))

    assert answer.outcome is UNKNOWN
    assert (found.complete, found.order, found.executions) == (True, None, ())


async def test_x2_a_lost_answer_is_unknown_the_order_is_found_and_never_made_twice(
    way: dict[str, Any],
) -> None:
    lost = on_creates(FaultKind.LOSE_ANSWER)
    async with a_world(lost, answer_within=2.6, **way) as world:
        create = world.a_create("om-1")
        answer = await world.venue.send(create)
        found = await world.venue.look_up(world.a_look_up(create))
        second = await again(world, "om-1")
        orders = world.orders_at_exchange("om-1")

    assert (answer.outcome, answer.attempt) == (UNKNOWN, 1)
    assert found.order is not None
    assert found.order.status is VenueStatus.NEW
    assert (second.outcome, second.attempt) == (AnswerOutcome.EXISTS, 2)
    assert orders == 1


@pytest.mark.parametrize("is_upward", [True, False])
async def test_x3_a_connection_that_dies_at_any_byte_never_gives_two_orders(
    way: dict[str, Any], is_upward: bool
) -> None:
    """Cut the request, or its answer, after 0, 23, 46, ... bytes."""
    kind = "trade" if way["trades_by_socket"] else "http"
    wrong: list[tuple[int, Any]] = []
    async with a_world(**way) as world:
        for number, count in enumerate(range(0, 480 if is_upward else 330, 23)):
            name = f"om-{number}"
            await world.connected()
            cuts = world.wire.cuts
            world.wire.cut_after(count, kind, is_upward=is_upward)
            first = await world.venue.send(world.a_create(name))
            world.wire.left = None
            second = await again(world, name)
            expected = UNKNOWN if world.wire.cuts > cuts else AnswerOutcome.ACCEPTED
            if first.outcome is not expected or world.orders_at_exchange(name) != 1:
                wrong.append((count, first))
            assert second.outcome in (AnswerOutcome.ACCEPTED, AnswerOutcome.EXISTS)
        assert world.wire.cuts > 10

    assert wrong == []


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("code", [10000, 10016, 429, 170001, 987654])
async def test_x5_a_code_that_proves_nothing_is_unknown(
    way: dict[str, Any], code: int, accepted: bool
) -> None:
    fault = on_creates(FaultKind.ANSWER_CODE, code=code, accepted=accepted)
    async with a_world(fault, **way) as world:
        answer = await world.venue.send(world.a_create("om-1"))
        second = await again(world, "om-1")
        orders = world.orders_at_exchange("om-1")

    assert answer.outcome is UNKNOWN
    assert second.outcome is (AnswerOutcome.EXISTS if accepted else AnswerOutcome.ACCEPTED)
    assert orders == 1


async def test_x6_a_definite_refusal_is_told_with_its_code(way: dict[str, Any]) -> None:
    async with a_world(**way) as world:
        poor = await world.venue.send(world.a_create("poor", quantity=D(100)))
        tiny = await world.venue.send(
            world.a_create("tiny", quantity=D("0.001"), price=D(46000.05))
        )

    assert (poor.outcome, poor.code) == (AnswerOutcome.REFUSED, 110007)
    assert (tiny.outcome, tiny.code) == (AnswerOutcome.REFUSED, 10001)


@pytest.mark.parametrize("code", [10006, 10019, 10403, 20003])
async def test_x7_what_was_not_accepted_may_be_tried_again(way: dict[str, Any], code: int) -> None:
    async with a_world(on_creates(FaultKind.ANSWER_CODE, code=code), **way) as world:
        answer = await world.venue.send(world.a_create("om-1"))
        second = await again(world, "om-1")

    assert (answer.outcome, answer.code) == (AnswerOutcome.NOT_ACCEPTED, code)
    assert second.outcome is AnswerOutcome.ACCEPTED


async def test_x7_a_ban_stops_all_http_at_once_and_the_socket_goes_on() -> None:
    async with a_world() as world:
        services = world.server.services
        services.addresses.ban("127.0.0.1", world.clock.now())
        first = await world.venue.sweep(Sweep("PERIODIC", world.clock.now()))
        second = await world.venue.sweep(Sweep("PERIODIC", world.clock.now()))
        by_socket = await world.venue.send(world.a_create("by-socket"))
        by_rest = await world.venue._client.command(world.a_create("by-rest"))
        health = world.venue.health

    assert (first.complete, second.complete) == (False, False)
    assert by_socket.outcome is AnswerOutcome.ACCEPTED
    assert by_rest.outcome is AnswerOutcome.NOT_SENT
    assert health.http_banned


async def test_x8_a_stamp_outside_the_window_is_a_matter_of_the_clock(
    way: dict[str, Any],
) -> None:
    async with a_world(**way) as world:
        measured = len(world.of(ClockOffset))
        old = world.a_create("om-1", request_ts=world.exchange_now() - seconds(9))
        answer = await world.venue.send(old)
        await world.until(lambda: len(world.of(ClockOffset)) > measured)
        orders = world.orders_at_exchange("om-1")

    assert (answer.outcome, answer.code) == (AnswerOutcome.CLOCK, 10002)
    assert orders == 0


async def test_x8_a_clock_that_is_off_is_measured_and_corrected(way: dict[str, Any]) -> None:
    skew = Fault(kind=FaultKind.CLOCK_SKEW, by=timedelta(seconds=-20), after=timedelta(0))
    async with a_world(skew, **way) as world:
        answer = await world.venue.send(world.a_create("om-1"))
        offset = world.venue.health.clock_offset

    assert answer.outcome is AnswerOutcome.ACCEPTED
    assert abs(offset + timedelta(seconds=20)) < timedelta(seconds=1)


async def test_x8_a_clock_nobody_can_correct_is_refused_at_the_start() -> None:
    skew = Fault(kind=FaultKind.CLOCK_SKEW, by=timedelta(seconds=40), after=timedelta(0))
    with pytest.raises(AccountRefused, match=r"our clock is off by -(39\.9|40\.)"):
        async with a_world(skew):
            pass


async def test_x9_the_exchange_refuses_a_second_order_of_the_same_id(way: dict[str, Any]) -> None:
    async with a_world(**way) as world:
        first = await world.venue.send(world.a_create("om-1"))
        second = await world.venue.send(world.a_create("om-1", attempt=2))

    assert first.outcome is AnswerOutcome.ACCEPTED
    assert (second.outcome, second.code) == (AnswerOutcome.EXISTS, 110072)


async def test_x10_an_acknowledged_order_may_still_be_rejected(way: dict[str, Any]) -> None:
    async with a_world(on_creates(FaultKind.REJECT_LATER), **way) as world:
        answer = await world.venue.send(world.a_create("om-1"))
        await world.until(lambda: world.of(OrderReport))
        report = world.of(OrderReport)[-1]

    assert answer.outcome is AnswerOutcome.ACCEPTED
    assert report.status is VenueStatus.REJECTED


async def test_x11_a_silent_stream_hides_nothing_from_a_look_up(way: dict[str, Any]) -> None:
    mute = Fault(kind=FaultKind.LOSE_REPORT, count=0)
    async with a_world(mute, **way) as world:
        create = world.a_market("om-1")
        await world.venue.send(create)
        await asyncio.sleep(0.1)
        found = await world.venue.look_up(world.a_look_up(create))
        told = world.of(OrderReport)

    assert told == []
    assert found.order is not None
    assert found.order.status is VenueStatus.FILLED
    assert len(found.executions) == 1


async def test_x12_an_order_the_exchange_does_not_show_yet_is_not_found_but_later() -> None:
    hide = Fault(kind=FaultKind.HIDE, by=timedelta(milliseconds=400), prefix="om-1")
    async with a_world(hide) as world:
        create = world.a_create("om-1")
        await world.venue.send(create)
        early = await world.venue.look_up(world.a_look_up(create))
        await asyncio.sleep(0.5)
        later = await world.venue.look_up(world.a_look_up(create))

    assert early.order is None
    assert later.order is not None


async def test_x14_each_item_of_a_batch_has_its_own_answer() -> None:
    async with a_world() as world:
        good, poor, twin = (
            world.a_create("good"),
            world.a_create("poor", quantity=D(100)),
            world.a_create("good"),
        )
        answers = await world.venue._client.commands((good, poor, twin))

    assert [(a.client_order_id, a.outcome) for a in answers] == [
        ("good", AnswerOutcome.ACCEPTED),
        ("poor", AnswerOutcome.REFUSED),
        ("good", AnswerOutcome.EXISTS),
    ]


async def test_x16_a_cancel_that_loses_to_a_fill_undoes_nothing(way: dict[str, Any]) -> None:
    """The exchange may acknowledge it, and then says a second time that the order is filled."""
    async with a_world(**way) as world:
        create = world.a_market("om-1")
        await world.venue.send(create)
        await world.until(lambda: world.of(OrderReport))
        answer = await world.venue.send(world.a_cancel(create.order))
        await world.until(lambda: len(world.of(OrderReport)) == 2)
        first, second = world.of(OrderReport)

    assert answer.outcome is AnswerOutcome.ACCEPTED
    assert first.status is second.status is VenueStatus.FILLED
    assert first.cum_quantity == second.cum_quantity == D("0.02")
    assert second.reject_reason == "EC_OrigClOrdIDDoesNotExist"


async def test_x16_a_cancel_of_an_order_that_never_was_proves_only_that(
    way: dict[str, Any],
) -> None:
    async with a_world(**way) as world:
        answer = await world.venue.send(world.a_cancel(world.a_create("om-1").order))

    assert (answer.outcome, answer.code) == (AnswerOutcome.NOT_FOUND, 110001)


async def test_x18_cancel_all_goes_on_until_no_order_is_open() -> None:
    async with a_world() as world:
        for number in range(5):
            await world.venue.send(world.a_create(f"om-{number}"))
        left = await world.venue.rest.cancel_all(world.venue._config.categories[0], "BTCUSDT")
        sweep = await world.venue.sweep(Sweep("PERIODIC", world.clock.now()))

    assert left == ()
    assert sweep.orders == ()


@pytest.mark.parametrize(
    ("instrument", "coin", "quantity"),
    [("inverse:BTCUSD", "", "100"), ("linear:BTCPERP", "USDC", "0.02")],
)
async def test_x18_cancel_all_reaches_contracts_in_every_coin(
    instrument: str, coin: str, quantity: str
) -> None:
    """A call for inverse contracts must name a symbol, and nobody named one."""
    name = InstrumentId(instrument)
    category = Category(category_of(name))
    async with a_world(categories=(category,), instruments=(name,)) as world:
        for number in range(3):
            create = world.a_create(f"om-{number}", instrument_id=name, quantity=D(quantity))
            answer = await world.venue.send(create)
            assert answer.outcome is AnswerOutcome.ACCEPTED
        before = await world.venue.sweep(Sweep("PERIODIC", world.clock.now()))
        left = await world.venue.rest.cancel_all(category, settle_coin=coin)
        after = await world.venue.sweep(Sweep("PERIODIC", world.clock.now()))
        again = await world.venue.rest.cancel_all(category, settle_coin=coin)

    assert len(before.orders) == 3
    assert left == after.orders == again == ()


async def test_x20_a_liquidation_comes_as_executions_of_its_own_kind() -> None:
    async with a_world() as world:
        await world.venue.send(world.a_market("om-1"))
        await world.until(lambda: world.of(Execution))
        now = world.account.exchange_now()
        world.account.exchange.admin.liquidate(BTC, now)
        world.account.pump()
        await world.until(lambda: len(world.of(Execution)) == 2)
        sweep = await world.venue.sweep(Sweep("PERIODIC", now - seconds(60)))

    kinds = [execution.kind for execution in world.of(Execution)]
    assert kinds[0] == "Trade"
    assert kinds[1] != "Trade"
    assert sweep.positions == ()
    assert [e.exec_id for e in sweep.executions] == [e.exec_id for e in world.of(Execution)]


async def test_x21_an_order_by_hand_is_seen_looked_up_and_cancelled() -> None:
    async with a_world() as world:
        world.account.exchange.admin.place(
            BTC, Side.SELL, D("0.01"), world.account.exchange_now(), price=D(54000)
        )
        world.account.pump()
        await world.until(lambda: world.of(OrderReport))
        sweep = await world.venue.sweep(Sweep("PERIODIC", world.clock.now()))

    assert [(o.client_order_id, o.side) for o in sweep.orders] == [("", Side.SELL)]


# -- key, account, position mode -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "config", "reason"),
    [
        ({"may_withdraw": True}, {}, "may withdraw"),
        ({"read_only": True}, {}, "may not trade"),
        ({"hedged": True}, {}, "hedge mode"),
        ({}, {"hedge_mode": True}, "one-way mode"),
        ({}, {"user_id": 42}, "not 42"),
        ({}, {"credentials": Credentials("NOBODY", "SECRET")}, "10003"),
    ],
)
async def test_x23_x24_an_account_that_is_not_as_it_must_be_is_refused(
    account: dict[str, Any], config: dict[str, Any], reason: str
) -> None:
    with pytest.raises(AccountRefused, match=reason):
        async with a_world(server={"accounts": (AccountConfig(**account),)}, **config):
            pass


async def test_a_key_that_may_withdraw_is_taken_on_consent() -> None:
    server = {"accounts": (AccountConfig(may_withdraw=True),)}
    async with a_world(server=server, allow_withdrawal=True) as world:
        assert world.venue.health.stream


# -- the stream ------------------------------------------------------------------------------------


async def test_w1_what_a_cut_stream_missed_is_in_the_sweep_after_it() -> None:
    async with a_world(trades_by_socket=False) as world:
        began_at = world.exchange_now()
        world.server.app.disconnect("private")
        await world.until(lambda: world.states() == [True, False])
        await world.venue.send(world.a_market("om-1"))
        await world.until(lambda: world.states() == [True, False, True])
        sweep = await world.venue.sweep(Sweep("RECONNECT", began_at))

    assert sweep.complete
    assert [e.client_order_id for e in sweep.executions] == ["om-1"]


async def test_the_way_of_an_order_is_rest_while_the_socket_is_down() -> None:
    async with a_world() as world:
        before = world.venue.health.trades_by_socket
        world.server.app.disconnect("trade")
        await world.until(lambda: not world.venue.health.trades_by_socket)
        answer = await world.venue.send(world.a_create("om-1"))
        await world.connected()

    assert before
    assert answer.outcome is AnswerOutcome.ACCEPTED


# -- ends ------------------------------------------------------------------------------------------


async def test_closing_tells_whoever_waits_that_nothing_is_known() -> None:
    async with a_world(on_creates(FaultKind.LOSE_ANSWER)) as world:
        waiting = asyncio.create_task(world.venue.send(world.a_create("om-1")))
        await world.until(lambda: world.orders_at_exchange("om-1"))
        await world.venue.close()
        answer = await waiting
        late = await world.venue.send(world.a_create("om-2"))

    assert answer.outcome is UNKNOWN
    assert late.outcome is AnswerOutcome.NOT_SENT


async def test_a_sender_that_gave_up_disturbs_nobody(way: dict[str, Any]) -> None:
    slow = on_creates(FaultKind.DELAY_ANSWER, by=timedelta(milliseconds=200))
    async with a_world(slow, **way) as world:
        first = asyncio.create_task(world.venue.send(world.a_create("om-1")))
        await world.until(lambda: world.orders_at_exchange("om-1"))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = await world.venue.send(world.a_create("om-2"))

    assert (second.client_order_id, second.outcome) == ("om-2", AnswerOutcome.ACCEPTED)


async def test_a_look_up_without_its_order_proves_nothing() -> None:
    async with a_world() as world:
        found = await world.venue.look_up(LookUp("om-1", 1))

    assert (found.complete, found.order) == (False, None)


async def test_post_only_that_would_take_is_cancelled_by_the_exchange(way: dict[str, Any]) -> None:
    async with a_world(**way) as world:
        create = world.a_create("om-1", price=D(50100), time_in_force=TimeInForce.POST_ONLY)
        answer = await world.venue.send(create)
        await world.until(lambda: world.of(OrderReport))
        report = world.of(OrderReport)[-1]

    assert answer.outcome is AnswerOutcome.ACCEPTED
    assert report.status is VenueStatus.CANCELLED
    assert report.reject_reason == "EC_PostOnlyWillTakeLiquidity"
