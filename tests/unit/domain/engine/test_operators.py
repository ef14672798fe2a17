"""A person's commands: once per request id, each with a reply that names what came of it."""

from decimal import Decimal

import attrs
import pytest

from order_domain.codes import Code
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EventKind,
    OrderStatus,
    OrderType,
    Origin,
    PositionSide,
    Side,
    TimeInForce,
    Trading,
    VenueStatus,
    Verdict,
)
from order_domain.model.identifiers import ClientOrderId, InstrumentId, VenueOrderId
from order_domain.model.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClosePosition,
    Flatten,
    RequestSweep,
    RetrySignal,
    SetTradingState,
)
from order_domain.model.order import Order
from order_domain.model.rows import RequestRow
from tests.builders import BTC, D, a_place_order, a_signal_id, an_instrument, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    amends,
    cancels,
    creates,
    event_kinds,
    of_type,
    reply,
    sweeps,
)

ETH = InstrumentId("linear:ETHUSDT")
WHO = {"request_id": "r1", "actor": "ann"}


def amend_of(order: Order, **values: object) -> AmendOrder:
    return AmendOrder(**WHO | {"client_order_id": order.client_order_id} | values)  # type: ignore[arg-type]


def cancel_of(order: Order, request_id: str = "r1") -> CancelOrder:
    return CancelOrder(request_id=request_id, actor="ann", client_order_id=order.client_order_id)


def state_of(state: Trading, **values: object) -> SetTradingState:
    wanted = {"scope": "account", "reason": "news", "state": state}
    return SetTradingState(**WHO | wanted | values)  # type: ignore[arg-type]


def a_world_with_position() -> World:
    """Long 0.02 BTC, nothing working."""
    world, order = a_world_with_working_order()
    world.fill(order)
    return world


# -- once


def test_a_request_has_a_row_with_its_actor_and_result_and_a_reply() -> None:
    world = a_world()

    step = world.feed(a_place_order())

    (row,) = of_type(step.changes, RequestRow)
    assert (row.request_id, row.kind, row.actor, row.code) == (
        "request-1",
        "PlaceOrder",
        "ann",
        "OK",
    )
    assert dict(reply(step).result)["client_order_ids"] == (world.the_order().client_order_id,)


def test_the_same_request_again_gets_the_same_reply_and_does_nothing() -> None:
    world = a_world()
    first = reply(world.feed(a_place_order()))

    step = world.feed(a_place_order())

    assert step.changes == []
    assert reply(step) == first


def test_another_request_under_the_same_id_is_refused() -> None:
    world = a_world()
    world.feed(a_place_order())

    step = world.feed(a_place_order(side=Side.SELL))

    assert reply(step).code == Code.REQUEST_CONFLICT
    assert len(world.orders()) == 1


def test_a_request_of_long_ago_is_still_known_by_the_store() -> None:
    world = a_world()
    first = reply(world.feed(a_place_order()))
    world.report(world.the_order(), VenueStatus.CANCELLED)
    world.pass_(1000)
    assert world.book.requests == {}

    step = world.feed(a_place_order())

    assert creates(step) == []
    assert reply(step).code == first.code


# -- placing


def test_a_persons_order_is_placed_as_typed() -> None:
    world = a_world()

    step = world.feed(a_place_order(price=D(49000), quantity=D("0.033")))

    order = world.the_order()
    assert (order.price, order.quantity, order.terms.origin) == (
        D(49000),
        D("0.033"),
        Origin.MANUAL,
    )
    assert order.terms.time_in_force is TimeInForce.GTC
    assert len(creates(step)) == 1


def test_a_persons_order_beyond_a_limit_is_denied_with_its_code() -> None:
    world = a_world()

    step = world.feed(a_place_order(quantity=D(5)))

    assert reply(step).code == Code.ORDER_VALUE_ABOVE_MAX
    assert world.the_order().status is OrderStatus.DENIED
    assert creates(step) == []


def test_behind_the_barrier_a_person_may_not_open() -> None:
    world = a_world_with_position()
    world.stream(healthy=False)
    world.stream(healthy=True)
    world.feed(state_of(Trading.ACTIVE, cause="STREAM", version=1))

    step = world.feed(a_place_order())

    assert reply(step).code == Code.TRADING_STATE
    assert creates(step) == []


def test_behind_the_barrier_a_person_may_reduce() -> None:
    world = a_world_with_position()
    world.stream(healthy=False)
    world.stream(healthy=True)

    step = world.feed(a_place_order(side=Side.SELL, reduce_only=True, price=D(50100)))

    assert len(creates(step)) == 1


# -- cancelling


def test_a_cancel_names_the_order_it_was_asked_for() -> None:
    world, order = a_world_with_working_order()

    step = world.feed(cancel_of(order))

    assert reply(step).code == "OK"
    assert world.command(order).request_id == "r1"
    assert len(cancels(step)) == 1


def test_a_cancel_of_an_order_nobody_knows_is_refused() -> None:
    world = a_world()

    step = world.feed(CancelOrder(**WHO, client_order_id=ClientOrderId("om1d-none")))

    assert reply(step).code == Code.ORDER_NOT_FOUND


def test_a_cancel_of_an_ended_order_is_refused_with_its_status() -> None:
    world, order = a_world_with_working_order()
    world.report(order, VenueStatus.CANCELLED)

    told = reply(world.feed(cancel_of(order)))

    assert (told.code, dict(told.result)) == (Code.ORDER_CLOSED, {"status": "CANCELLED"})


def test_a_second_cancel_while_one_is_open_is_refused() -> None:
    world, order = a_world_with_working_order()
    world.feed(cancel_of(order))

    assert reply(world.feed(cancel_of(order, "r2"))).code == Code.COMMAND_OPEN


def test_a_cancel_of_an_intent_ends_it_at_once() -> None:
    world = a_world()
    world.transport(up=False)
    world.signal()

    step = world.feed(cancel_of(world.the_order()))

    assert world.the_order().status is OrderStatus.CANCELLED
    assert cancels(step) == []


def a_world_with_orders_of_all_kinds() -> tuple[World, list[Order]]:
    """A BTC order of a signal, an ETH order of a person, a foreign BTC order."""
    world, first = a_world_with_working_order()
    world.feed(an_instrument(symbol="ETHUSDT"))
    world.quote(instrument_id=ETH)
    world.feed(a_place_order(instrument_id=ETH))
    world.report(world.newest_order())
    foreign = {"client_order_id": ClientOrderId("theirs"), "venue_order_id": VenueOrderId("v9")}
    world.report(first, **foreign)
    return world, world.orders()


@pytest.mark.parametrize(
    ("wanted", "cancelled"),
    [
        ({}, [True, True, True]),
        ({"instrument_id": BTC}, [True, False, True]),
        ({"include_external": False}, [True, True, False]),
        ({"instrument_id": ETH, "include_external": False}, [False, True, False]),
    ],
)
def test_cancel_all_takes_every_order_or_those_that_are_meant(
    wanted: dict[str, object], cancelled: list[bool]
) -> None:
    world, orders = a_world_with_orders_of_all_kinds()

    step = world.feed(CancelAll(**WHO, **wanted))  # type: ignore[arg-type]

    assert [bool(world.order(order).cancel_reason) for order in orders] == cancelled
    assert dict(reply(step).result) == {"cancelled": sum(cancelled)}


def test_cancels_pass_while_trading_is_halted() -> None:
    world, order = a_world_with_working_order()
    world.feed(state_of(Trading.HALTED))

    assert len(cancels(world.feed(cancel_of(order, "r2")))) == 1


# -- amending


def test_an_amend_sends_new_absolute_values() -> None:
    world, order = a_world_with_working_order()

    step = world.feed(amend_of(order, price=D(49000), quantity=D("0.03")))

    assert [(sent.price, sent.quantity) for sent in amends(step)] == [(D(49000), D("0.03"))]
    assert event_kinds(step) == [EventKind.AMEND_REQUESTED]
    assert world.command(order, CommandKind.AMEND).valid_until == world.now + seconds(30)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, Code.NOTHING_TO_CHANGE),
        ({"price": D(49990)}, Code.NOTHING_TO_CHANGE),
        ({"quantity": D("0.02")}, Code.NOTHING_TO_CHANGE),
        ({"price": D("49000.05")}, Code.PRICE_OFF_TICK),
        ({"price": D(0)}, Code.VALUE_INVALID),
        ({"price": D(-1)}, Code.VALUE_INVALID),
        ({"price": D("NaN")}, Code.VALUE_INVALID),
        ({"price": D("sNaN")}, Code.VALUE_INVALID),
        ({"price": D("1e400")}, Code.VALUE_INVALID),
        ({"quantity": D("1e400")}, Code.VALUE_INVALID),
        ({"quantity": D("0.0205")}, Code.QUANTITY_OFF_STEP),
        ({"quantity": D(0)}, Code.VALUE_INVALID),
        ({"quantity": D("Infinity")}, Code.VALUE_INVALID),
        ({"quantity": D(5)}, Code.ORDER_VALUE_ABOVE_MAX),
        ({"price": D(40000)}, Code.PRICE_COLLAR),
    ],
)
def test_an_amend_that_breaks_a_rule_is_refused(values: dict[str, Decimal], code: Code) -> None:
    world, order = a_world_with_working_order()

    step = world.feed(amend_of(order, **values))

    assert reply(step).code == code
    assert amends(step) == []


def test_an_amend_below_what_has_filled_is_refused() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.01")

    assert reply(world.feed(amend_of(order, quantity=D("0.01")))).code == Code.VALUE_INVALID


def test_an_amend_is_judged_as_if_its_order_did_not_exist() -> None:
    world, order = a_world_with_working_order(max_position_size=D("0.03"))

    assert reply(world.feed(amend_of(order, quantity=D("0.03")))).code == "OK"


def test_an_amend_beyond_the_position_limit_is_refused() -> None:
    world, order = a_world_with_working_order(max_position_size=D("0.03"))

    assert reply(world.feed(amend_of(order, quantity=D("0.031")))).code == Code.MAX_POSITION


def test_a_market_order_has_nothing_to_amend() -> None:
    world = a_world()
    world.signal(urgent=True)
    order = world.the_order()
    world.answer(order)

    assert reply(world.feed(amend_of(order, quantity=D("0.01")))).code == Code.VALUE_INVALID


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (None, Code.ORDER_UNSETTLED),
        (AnswerOutcome.UNKNOWN, Code.ORDER_UNSETTLED),
        (AnswerOutcome.NOT_SENT, Code.ORDER_UNSETTLED),
        (AnswerOutcome.REFUSED, Code.ORDER_CLOSED),
    ],
)
def test_only_an_order_at_the_exchange_can_be_amended(
    outcome: AnswerOutcome | None, code: Code
) -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    if outcome is not None:
        world.answer(order, outcome)

    assert reply(world.feed(amend_of(order, price=D(49000)))).code == code


@pytest.mark.parametrize("first", [CommandKind.AMEND, CommandKind.CANCEL])
def test_an_amend_never_overtakes(first: CommandKind) -> None:
    world, order = a_world_with_working_order()
    if first is CommandKind.AMEND:
        world.feed(amend_of(order, price=D(49000), request_id="r0"))
    else:
        world.feed(cancel_of(order, "r0"))

    assert reply(world.feed(amend_of(order, price=D(48000)))).code == Code.COMMAND_OPEN


def test_an_amend_of_nothing_is_refused() -> None:
    world = a_world()

    step = world.feed(AmendOrder(**WHO, client_order_id=ClientOrderId("om1d-none")))

    assert reply(step).code == Code.ORDER_NOT_FOUND


def test_an_order_whose_instrument_has_no_rules_cannot_be_amended() -> None:
    world, order = a_world_with_working_order()
    foreign = {"client_order_id": ClientOrderId("theirs"), "venue_order_id": VenueOrderId("v9")}
    world.report(order, instrument_id=InstrumentId("linear:DOGEUSDT"), **foreign)

    step = world.feed(amend_of(world.newest_order(), price=D(1)))

    assert reply(step).code == Code.UNKNOWN_INSTRUMENT


def test_a_later_amend_has_the_next_number() -> None:
    world, order = a_world_with_working_order()
    world.feed(amend_of(order, price=D(49000), request_id="r0"))
    world.after(1).report(order, price=D(49000))

    world.feed(amend_of(order, price=D(48000)))

    assert world.command(order, CommandKind.AMEND).number == 2


# -- closing and flattening


@pytest.mark.parametrize(("part", "quantity"), [("1", "0.020"), ("0.5", "0.010")])
def test_a_close_sells_the_position_or_its_part_at_market_and_only_reduces(
    part: str, quantity: str
) -> None:
    world = a_world_with_position()

    world.feed(ClosePosition(**WHO, instrument_id=BTC, part=D(part)))

    order = world.newest_order()
    assert (order.terms.side, order.terms.order_type) == (Side.SELL, OrderType.MARKET)
    assert (order.quantity, order.terms.reduce_only) == (D(quantity), True)


def test_a_short_position_is_closed_by_buying() -> None:
    world = a_world()
    world.signal(side=Side.SELL)
    world.fill(world.the_order())

    world.feed(ClosePosition(**WHO, instrument_id=BTC))

    assert world.newest_order().terms.side is Side.BUY


@pytest.mark.parametrize("part", ["0", "-1", "1.01", "NaN", "Infinity"])
def test_an_impossible_part_is_refused(part: str) -> None:
    world = a_world_with_position()

    step = world.feed(ClosePosition(**WHO, instrument_id=BTC, part=D(part)))

    assert reply(step).code == Code.VALUE_INVALID


def test_a_close_without_a_position_is_refused() -> None:
    world = a_world()

    step = world.feed(ClosePosition(**WHO, instrument_id=BTC))

    assert reply(step).code == Code.NOTHING_TO_CLOSE


def test_a_close_passes_while_trading_is_halted() -> None:
    world = a_world_with_position()
    world.feed(state_of(Trading.HALTED, request_id="h"))

    step = world.feed(ClosePosition(**WHO, instrument_id=BTC))

    assert len(creates(step)) == 1


def test_flatten_cancels_everything_and_closes_every_position() -> None:
    world = a_world_with_position()
    world.signal(side=Side.SELL, amount=D(500), strategy_id="other")
    resting = world.newest_order()
    world.report(resting)

    step = world.feed(Flatten(**WHO))

    closing = world.newest_order()
    assert world.order(resting).cancel_reason == Code.OPERATOR
    assert (closing.quantity, closing.terms.origin) == (D("0.020"), Origin.FLATTEN)
    assert closing.terms.replaces == (resting.client_order_id,)
    result = dict(reply(step).result)
    assert result["cancelled"] == 1
    assert result["closing"] == ((BTC, "OK", (closing.client_order_id,)),)


def test_the_close_of_a_flatten_is_claimed_when_what_it_waits_for_has_ended() -> None:
    world = a_world_with_position()
    world.signal(side=Side.SELL, amount=D(500), strategy_id="other")
    resting = world.newest_order()
    world.report(resting)
    world.feed(Flatten(**WHO))
    closing = world.newest_order()
    assert closing.status is OrderStatus.INTENT

    world.fill(resting, "0.005")
    world.report(resting, VenueStatus.PARTIALLY_FILLED_CANCELLED)
    world.pass_(0.1)

    claimed = world.order(closing)
    assert (claimed.status, claimed.quantity) == (OrderStatus.SUBMITTING, D("0.015"))


def test_flatten_of_one_instrument_leaves_the_others() -> None:
    world = a_world_with_position()

    step = world.feed(Flatten(**WHO, instrument_id=ETH))

    assert dict(reply(step).result) == {"cancelled": 0, "closing": ()}


def test_flatten_does_nothing_to_flat_positions() -> None:
    world = a_world_with_position()
    world.feed(ClosePosition(**WHO, instrument_id=BTC))
    world.fill(world.newest_order(), price=D(50000))

    step = world.feed(Flatten(request_id="r2", actor="ann"))

    assert dict(reply(step).result)["closing"] == ()


def test_a_hedged_account_is_flattened_on_both_sides() -> None:
    world = a_world(hedge_mode=True)
    world.signal()
    world.fill(world.newest_order(), "0.02")
    world.signal(side=Side.SELL)
    world.fill(world.newest_order(), "0.02")

    world.feed(Flatten(**WHO))

    closing = [order for order in world.orders() if order.terms.origin is Origin.FLATTEN]
    assert {(order.terms.side, order.terms.position_side) for order in closing} == {
        (Side.SELL, PositionSide.LONG),
        (Side.BUY, PositionSide.SHORT),
    }


# -- trading state


def test_a_restriction_needs_no_version() -> None:
    world = a_world()

    step = world.feed(state_of(Trading.HALTED))

    row = world.state("OPERATOR")
    assert (row.state, row.version, row.actor, row.reason) == (Trading.HALTED, 1, "ann", "news")
    assert dict(reply(step).result) == {"version": 1, "state": "HALTED"}
    assert event_kinds(step) == [EventKind.TRADING_STATE_CHANGED]


def test_resume_names_the_version_it_lifts() -> None:
    world = a_world()
    world.feed(state_of(Trading.HALTED))

    wrong = world.feed(state_of(Trading.ACTIVE, request_id="r2", version=7))
    assert (reply(wrong).code, dict(reply(wrong).result)) == (Code.VERSION_MISMATCH, {"version": 1})
    none = world.feed(state_of(Trading.REDUCE_ONLY, request_id="r3"))
    assert reply(none).code == Code.VERSION_MISMATCH

    world.feed(state_of(Trading.ACTIVE, request_id="r4", version=1))
    assert world.state("OPERATOR").state is Trading.ACTIVE


def test_a_person_lifts_only_the_cause_that_is_named() -> None:
    world = a_world()
    world.stream(healthy=False)
    world.feed(state_of(Trading.HALTED))
    version = world.state("OPERATOR").version

    world.feed(state_of(Trading.ACTIVE, request_id="r2", version=version))

    assert world.book.trading("trend", BTC) == (Trading.REDUCE_ONLY, "account/STREAM")


def test_there_is_nothing_to_resume_where_nothing_is_restricted() -> None:
    world = a_world()

    step = world.feed(state_of(Trading.ACTIVE))

    assert reply(step).code == Code.NOTHING_TO_CHANGE
    assert world.book.states == {}


@pytest.mark.parametrize("scope", ["strategy:trend", f"symbol:{BTC}"])
def test_a_restriction_of_one_scope_does_not_bind_others(scope: str) -> None:
    world = a_world()
    world.feed(an_instrument(symbol="ETHUSDT"))
    world.quote(instrument_id=ETH)
    world.feed(state_of(Trading.HALTED, scope=scope))

    world.signal()
    world.signal(instrument_id=ETH, strategy_id="other")

    assert world.row(a_signal_id(1)).code == Code.TRADING_STATE
    assert world.row(a_signal_id(2)).verdict is Verdict.ORDERED


def test_waiting_orders_are_looked_at_again_when_trading_resumes() -> None:
    world = a_world()
    world.feed(state_of(Trading.HALTED))
    version = world.state("OPERATOR").version

    world.feed(state_of(Trading.ACTIVE, request_id="r2", version=version))
    world.signal()

    assert world.the_order().status is OrderStatus.SUBMITTING


# -- retrying a signal


def a_world_with_denied_signal() -> World:
    world = a_world()
    world.feed(state_of(Trading.HALTED))
    world.signal()
    version = world.state("OPERATOR").version
    world.feed(state_of(Trading.ACTIVE, request_id="r2", version=version))
    return world


def retry(world: World, number: int = 1, request_id: str = "retry") -> object:
    return reply(
        world.feed(RetrySignal(request_id=request_id, actor="ann", signal_id=a_signal_id(number)))
    )


def test_a_denied_signal_is_decided_again_as_its_next_generation() -> None:
    world = a_world_with_denied_signal()

    told = retry(world)

    row, order = world.row(a_signal_id(1)), world.newest_order()
    assert (row.generation, row.verdict) == (1, Verdict.ORDERED)
    assert order.terms.generation == 1
    assert len({order.client_order_id for order in world.orders()}) == 2
    assert told == attrs.evolve(
        told,  # type: ignore[type-var]
        code="OK",
        result=(("verdict", Verdict.ORDERED), ("client_order_ids", (order.client_order_id,))),
    )
    assert not [one for one in world.last.effects if type(one).__name__ == "Acknowledge"]


def test_a_signal_whose_orders_all_failed_can_be_retried() -> None:
    world = a_world()
    world.signal()
    world.answer(world.the_order(), AnswerOutcome.REFUSED)

    retry(world)

    assert world.newest_order().status is OrderStatus.SUBMITTING


@pytest.mark.parametrize("status", [None, VenueStatus.NEW, VenueStatus.CANCELLED])
def test_a_signal_whose_order_went_to_the_exchange_is_not_retried(
    status: VenueStatus | None,
) -> None:
    world = a_world()
    world.signal()
    if status is not None:
        world.report(world.the_order(), status)

    retry(world)

    assert reply(world.last).code == Code.SIGNAL_NOT_RETRYABLE
    assert len(world.orders()) == 1


def test_a_signal_that_waits_is_not_retried() -> None:
    world = a_world()
    world.after(6).signal()

    retry(world)

    assert reply(world.last).code == Code.SIGNAL_NOT_RETRYABLE


def test_a_retry_beyond_signal_age_expires_again() -> None:
    world = a_world_with_denied_signal()
    world.after(301).quote()

    retry(world)

    row = world.row(a_signal_id(1))
    assert (row.generation, row.verdict, row.code) == (1, Verdict.EXPIRED, Code.SIGNAL_EXPIRED)


def test_a_signal_nobody_knows_cannot_be_retried() -> None:
    world = a_world()

    retry(world, 99)

    assert reply(world.last).code == Code.SIGNAL_NOT_FOUND


def test_an_opening_is_not_retried_while_an_order_of_its_instrument_is_unknown() -> None:
    world = a_world_with_denied_signal()
    world.signal()
    world.answer(world.newest_order(), AnswerOutcome.UNKNOWN)

    retry(world)

    assert reply(world.last).code == Code.ORDER_UNSETTLED
    assert world.row(a_signal_id(1)).generation == 0


def test_behind_the_barrier_a_retry_opens_nothing() -> None:
    world = a_world_with_denied_signal()
    world.stream(healthy=False)
    world.stream(healthy=True)

    retry(world)

    assert world.row(a_signal_id(1)).code == Code.TRADING_STATE


# -- reconciling


def test_a_sweep_can_be_asked_for() -> None:
    world = a_world()

    step = world.feed(RequestSweep(**WHO))

    assert [one.reason for one in sweeps(step)] == ["OPERATOR"]
    assert reply(step).code == "OK"
    assert world.book.open_commands == {}


def test_commands_of_a_person_settle_like_any_other() -> None:
    world, order = a_world_with_working_order()
    world.feed(cancel_of(order))

    world.answer(order, kind=CommandKind.CANCEL)

    assert world.command_status(order) is CommandStatus.DONE
