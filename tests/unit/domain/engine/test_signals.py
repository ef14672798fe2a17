"""Deliveries: exactly one verdict each, whatever comes in, however long it waits (protocol 3)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from order_domain.codes import Code
from order_domain.model.enums import (
    AnswerOutcome,
    EventKind,
    OrderStatus,
    OrderType,
    Side,
    Trading,
    Verdict,
)
from order_domain.model.identifiers import InstrumentId, StrategyId
from order_domain.model.inputs import DeliveryInvalid, SetTradingState
from order_domain.model.reports import WalletReport
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.model.signal import SignalIntent
from tests.builders import BTC, D, a_balance, a_signal_id, an_instrument, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    acknowledgements,
    creates,
    event_kinds,
    events,
    of_type,
)

CLOSE = {"intent": SignalIntent.CLOSE, "side": Side.SELL, "amount": D("0.01")}


def parked(world: World) -> list[str]:
    return [signal_id for queue in world.book.parked.values() for signal_id in queue]


def a_world_without_quote() -> World:
    world = World()
    world.feed(an_instrument())
    world.transport(up=True)
    world.stream(healthy=True)
    world.sweep("START", wallet=WalletReport(world.now, (a_balance(),)))
    return world


def a_world_with_unknown_order() -> World:
    world = a_world()
    world.signal()
    world.answer(world.the_order(), AnswerOutcome.UNKNOWN)
    return world


# -- what comes in


def test_a_signal_becomes_an_order_that_leaves_with_its_step() -> None:
    world = a_world()

    step = world.signal()

    order = world.the_order()
    assert order.status is OrderStatus.SUBMITTING
    assert [sent.order for sent in creates(step)] == [order]
    assert event_kinds(step) == [EventKind.ORDER_CREATED, EventKind.ORDER_SUBMITTED]
    (told,) = acknowledgements(step)
    assert (told.verdict, told.code) == (Verdict.ORDERED, Code.OK)
    assert world.row(a_signal_id(1)).order_ids == (order.client_order_id,)


def test_the_decision_keeps_its_trace_and_the_quote_it_used() -> None:
    world = a_world()

    world.signal()

    row = world.row(a_signal_id(1))
    assert row.quote == world.book.quotes[BTC]
    assert len(row.trace) > 10
    assert row.decided_at == world.now


def test_a_denied_signal_leaves_a_denied_order_and_a_verdict() -> None:
    world = a_world(symbol_allow_list=frozenset({"ETHUSDT"}))

    step = world.signal()

    assert world.the_order().status is OrderStatus.DENIED
    assert event_kinds(step) == [EventKind.ORDER_DENIED]
    assert [told.verdict for told in acknowledgements(step)] == [Verdict.DENIED]
    assert world.row(a_signal_id(1)).code == Code.SYMBOL_NOT_ALLOWED


def test_a_signal_of_an_unknown_instrument_is_denied_at_once() -> None:
    world = a_world()

    world.signal(instrument_id=InstrumentId("linear:DOGEUSDT"))

    assert world.row(a_signal_id(1)).code == Code.UNKNOWN_INSTRUMENT


def test_the_same_signal_again_brings_nothing_new() -> None:
    world = a_world()
    world.signal()

    step = world.redeliver(a_signal_id(1))

    assert step.changes == [
        DeliveryRow(2, world.now, Verdict.DUPLICATE, Code.DUPLICATE, a_signal_id(1))
    ]
    assert [told.verdict for told in acknowledgements(step)] == [Verdict.DUPLICATE]
    assert len(world.orders()) == 1


def test_a_parked_signal_again_is_a_duplicate_too() -> None:
    world = a_world_without_quote()
    world.signal()

    step = world.redeliver(a_signal_id(1))

    assert [told.verdict for told in acknowledgements(step)] == [Verdict.DUPLICATE]
    assert parked(world) == [a_signal_id(1)]


def test_the_same_id_with_another_body_is_refused_and_reported() -> None:
    world = a_world()
    world.signal()

    step = world.redeliver(a_signal_id(1), body_hash="h2", body='{"amount": 7}')

    (row,) = of_type(step.changes, DeliveryRow)
    assert (row.verdict, row.code, row.body) == (Verdict.INVALID, Code.ID_CONFLICT, '{"amount": 7}')
    (event,) = events(step, EventKind.SIGNAL_CONFLICT)
    assert dict(event.detail) == {"signal_id": a_signal_id(1), "first_delivery": 1}
    assert len(world.orders()) == 1


def test_what_is_no_signal_is_kept_with_its_reason() -> None:
    world = a_world()

    step = world.feed(
        DeliveryInvalid(7, Code.BODY_INVALID, "amount", "> 0", "x" * 300, "b" * 70_000, "id-1")
    )

    (row,) = of_type(step.changes, DeliveryRow)
    assert (row.number, row.verdict, row.field, row.rule) == (7, Verdict.INVALID, "amount", "> 0")
    assert (len(row.value), len(row.body), row.signal_id) == (200, 65_536, "id-1")
    assert event_kinds(step) == [EventKind.SIGNAL_INVALID]
    assert [told.number for told in acknowledgements(step)] == [7]


# -- what must wait


def test_an_opening_signal_without_a_quote_waits_for_one() -> None:
    world = a_world_without_quote()

    step = world.signal()

    assert parked(world) == [a_signal_id(1)]
    assert [told.verdict for told in acknowledgements(step)] == [Verdict.PARKED]
    assert event_kinds(step) == [EventKind.SIGNAL_PARKED]

    world.pass_(1)
    assert world.row(a_signal_id(1)).verdict is Verdict.ORDERED
    assert not parked(world)


def test_a_stale_quote_is_as_good_as_none() -> None:
    world = a_world()
    world.after(5, milliseconds=1)

    world.signal()

    assert parked(world) == [a_signal_id(1)]


def test_a_quote_of_exactly_the_allowed_age_serves() -> None:
    world = a_world()
    world.after(5)

    world.signal()

    assert not parked(world)


def test_opening_signals_wait_behind_the_barrier_until_a_sweep_is_complete() -> None:
    world = a_world()
    world.stream(healthy=False)
    world.signal()
    world.stream(healthy=True)
    world.sweep("RECONNECT", complete=False)
    world.pass_(0.5)
    assert parked(world) == [a_signal_id(1)]

    world.sweep("RECONNECT")
    world.pass_(0.5)
    assert world.row(a_signal_id(1)).verdict is Verdict.ORDERED


def test_intake_waits_for_the_first_complete_sweep() -> None:
    world = World()
    world.feed(an_instrument())
    world.transport(up=True)
    world.stream(healthy=True)
    world.wallet()
    world.quote()

    world.signal()

    assert parked(world) == [a_signal_id(1)]
    assert world.engine.is_behind_barrier


def test_a_sweep_that_began_before_the_stream_was_healthy_does_not_lift_the_barrier() -> None:
    world = a_world()
    world.stream(healthy=False)
    began = world.now
    world.after(1).stream(healthy=True)

    world.sweep("PERIODIC", began_at=began)
    assert world.engine.is_behind_barrier

    world.sweep("RECONNECT")
    assert not world.engine.is_behind_barrier


def test_behind_the_barrier_a_persons_halt_denies_at_once() -> None:
    world = a_world()
    world.stream(healthy=False)
    world.feed(
        SetTradingState(
            request_id="r1", actor="ann", scope="account", state=Trading.HALTED, reason="news"
        )
    )

    world.signal()

    assert world.row(a_signal_id(1)).code == Code.TRADING_STATE


def test_while_an_order_is_unknown_openings_of_its_instrument_wait() -> None:
    world = a_world_with_unknown_order()

    world.signal()

    assert parked(world) == [a_signal_id(2)]


def test_an_unknown_order_does_not_hold_up_other_instruments() -> None:
    world = a_world_with_unknown_order()
    world.feed(an_instrument(symbol="ETHUSDT"))
    world.quote(instrument_id=InstrumentId("linear:ETHUSDT"))

    world.signal(instrument_id=InstrumentId("linear:ETHUSDT"))

    assert world.row(a_signal_id(2)).verdict is Verdict.ORDERED


def test_later_openings_of_the_instrument_queue_behind_a_parked_one() -> None:
    world = a_world_without_quote()
    world.signal()
    world.quote()

    world.signal()

    assert parked(world) == [a_signal_id(1), a_signal_id(2)]
    world.pass_(1)
    first, second = world.row(a_signal_id(1)), world.row(a_signal_id(2))
    assert first.decided_at is not None
    assert second.decided_at is not None
    assert first.decided_at <= second.decided_at
    assert [order.terms.signal_id for order in world.orders()] == [a_signal_id(1), a_signal_id(2)]


def test_a_queue_of_one_instrument_does_not_hold_up_another() -> None:
    eth = InstrumentId("linear:ETHUSDT")
    world = a_world_without_quote()
    world.feed(an_instrument(symbol="ETHUSDT"))
    world.signal()
    world.signal(instrument_id=eth)

    world.quote(instrument_id=eth)
    world.tick()

    assert world.row(a_signal_id(2)).verdict is Verdict.ORDERED
    assert parked(world) == [a_signal_id(1)]


def test_a_parked_signal_expires_when_its_age_runs_out() -> None:
    world = a_world_without_quote()
    world.signal()

    world.pass_(299, quotes=False)
    assert parked(world) == [a_signal_id(1)]
    world.pass_(1, quotes=False)

    row = world.row(a_signal_id(1))
    assert (row.verdict, row.code) == (Verdict.EXPIRED, Code.PARK_EXPIRED)
    (told,) = [
        told
        for step in world.steps
        for told in acknowledgements(step)
        if told.verdict is Verdict.EXPIRED
    ]
    assert told.number == 1
    assert world.orders() == []


def test_a_signal_too_old_to_wait_is_decided_at_once() -> None:
    world = a_world_without_quote()

    world.signal(timestamp=world.now - seconds(301))

    row = world.row(a_signal_id(1))
    assert (row.verdict, row.code) == (Verdict.EXPIRED, Code.SIGNAL_EXPIRED)


def test_a_signal_from_the_future_is_denied_at_once() -> None:
    world = a_world_without_quote()

    world.signal(timestamp=world.now + seconds(6))

    row = world.row(a_signal_id(1))
    assert (row.verdict, row.code) == (Verdict.DENIED, Code.SIGNAL_FROM_FUTURE)


def test_a_full_queue_denies_the_next_opening() -> None:
    world_config = {"max_parked": 2}
    world = World(**world_config)
    world.feed(an_instrument())
    for _ in range(3):
        world.signal()

    assert parked(world) == [a_signal_id(1), a_signal_id(2)]
    assert world.row(a_signal_id(3)).code == Code.PARK_FULL
    assert event_kinds(world.last) == [EventKind.SIGNAL_DENIED]
    assert [told.verdict for told in acknowledgements(world.last)] == [Verdict.DENIED]


# -- closes


def a_world_with_position(**config: object) -> World:
    """Long 0.02, nothing working."""
    world, order = a_world_with_working_order(**config)
    world.fill(order)
    return world


def test_a_close_is_sized_from_the_position_and_only_reduces() -> None:
    world = a_world_with_position()

    world.signal(**CLOSE | {"amount": D(5)})

    order = world.newest_order()
    assert (order.quantity, order.terms.side, order.terms.reduce_only) == (
        D("0.02"),
        Side.SELL,
        True,
    )


def test_a_close_passes_the_queue_and_supersedes_the_openings_that_wait() -> None:
    world = a_world_with_position()
    world.after(6)
    world.signal()
    world.signal(strategy_id=StrategyId("other"))
    assert parked(world) == [a_signal_id(2), a_signal_id(3)]

    step = world.signal(**CLOSE)

    assert world.row(a_signal_id(4)).verdict is Verdict.ORDERED
    assert world.newest_order().terms.order_type is OrderType.MARKET
    row = world.row(a_signal_id(2))
    assert (row.verdict, row.code) == (Verdict.DENIED, Code.SUPERSEDED)
    assert parked(world) == [a_signal_id(3)]
    assert [(told.number, told.verdict) for told in acknowledgements(step)] == [
        (2, Verdict.DENIED),
        (4, Verdict.ORDERED),
    ]


def test_a_close_with_nothing_left_to_close_ends_the_openings_that_wait() -> None:
    world = a_world()
    world.after(6)
    world.signal()

    world.signal(**CLOSE)

    assert world.row(a_signal_id(2)).code == Code.NOTHING_TO_CLOSE
    assert world.row(a_signal_id(1)).code == Code.SUPERSEDED


def test_a_close_that_is_denied_ends_no_opening() -> None:
    world = a_world_with_position()
    world.after(6)
    world.signal()

    world.signal(**CLOSE | {"amount": D("0.0001")})

    assert world.row(a_signal_id(3)).code == Code.QUANTITY_BELOW_MIN
    assert parked(world) == [a_signal_id(2)]


def test_a_close_passes_an_unknown_order_clamped_to_what_is_left_to_close() -> None:
    world = a_world_with_position()
    world.signal(**CLOSE | {"amount": D("0.015")})
    world.answer(world.newest_order(), AnswerOutcome.UNKNOWN)

    world.signal(**CLOSE | {"amount": D("0.02")})

    assert world.newest_order().quantity == D("0.005")


def test_a_close_beyond_what_closing_orders_leave_is_denied() -> None:
    world = a_world_with_position()
    world.signal(**CLOSE | {"amount": D("0.02")})
    world.answer(world.newest_order(), AnswerOutcome.UNKNOWN)

    world.signal(**CLOSE)

    assert world.row(a_signal_id(3)).code == Code.NOTHING_TO_CLOSE


# -- what must happen in order


def test_parked_signals_come_back_in_order_after_a_restart() -> None:
    world = a_world_without_quote()
    for _ in range(3):
        world.signal()

    world.restart()

    assert parked(world) == [a_signal_id(1), a_signal_id(2), a_signal_id(3)]
    world.transport(up=True)
    world.stream(healthy=True)
    world.sweep("START")
    world.pass_(2)
    decided = [world.row(a_signal_id(number)) for number in (1, 2, 3)]
    assert [row.verdict for row in decided] == [Verdict.ORDERED] * 3
    times = [row.decided_at for row in decided if row.decided_at is not None]
    assert times == sorted(times)


def test_a_parked_signal_has_one_final_verdict_and_its_delivery_is_named_in_it() -> None:
    world = a_world_without_quote()
    world.signal()
    world.pass_(1)

    told = [told for step in world.steps for told in acknowledgements(step)]
    assert [(one.number, one.verdict) for one in told] == [
        (1, Verdict.PARKED),
        (1, Verdict.ORDERED),
    ]


@pytest.mark.parametrize("amount", [D("1e-9"), D("1e12"), D("1e300")])
def test_an_absurd_amount_ends_in_a_verdict(amount: Decimal) -> None:
    world = a_world()

    world.signal(amount=amount)

    assert world.row(a_signal_id(1)).verdict in (Verdict.ORDERED, Verdict.DENIED)
    assert isinstance(world.row(a_signal_id(1)), SignalRow)


def test_a_signal_decided_long_ago_is_still_a_duplicate_by_the_stores_word() -> None:
    world = a_world(order_execution_timeout=timedelta(seconds=1))
    world.signal()
    world.answer(world.the_order(), AnswerOutcome.REFUSED)
    world.pass_(1000)
    assert a_signal_id(1) not in world.book.signals

    world._delivery = 0
    step = world.signal(timestamp=world.now - seconds(1000))

    assert [told.verdict for told in acknowledgements(step)] == [Verdict.DUPLICATE]
