"""The unknown: presence is a fact, absence only after the quarantine, twice (protocol 6)."""

from datetime import datetime, timedelta

import pytest

from order_domain.codes import Code
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    EndedBy,
    EventKind,
    OrderStatus,
    Trading,
    VenueStatus,
    Verdict,
)
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.inputs import AmendOrder, CancelOrder
from order_domain.model.order import Order
from order_domain.model.reports import LookupResult
from tests.builders import D, a_signal_id, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    cancels,
    creates,
    entries,
    event_kinds,
    events,
    lookups,
)

QUARANTINE = timedelta(milliseconds=2500 + 250 + 10_000)


def a_world_with_unknown_order(**config: object) -> tuple[World, Order]:
    world = a_world(**config)
    world.signal()
    order = world.the_order()
    world.answer(order, AnswerOutcome.UNKNOWN)
    return world, world.order(order)


def look_ups_of(world: World, order: Order) -> list[datetime]:
    """When look-ups of an order were asked for; each is answered incompletely at once."""
    asked: list[datetime] = []
    end = world.now + seconds(11)
    while world.now < end:
        count = len(world.steps)
        world.pass_(0.05)
        for step in world.steps[count:]:
            if lookups(step):
                asked.append(world.now)
                world.lookup(order, complete=False)
    return asked


def find_nothing(world: World, order: Order, lasting: float) -> None:
    """Answer every look-up with nothing, at once, for a while."""
    end = world.now + seconds(lasting)
    while world.now < end:
        count = len(world.steps)
        world.pass_(0.1)
        for step in world.steps[count:]:
            if lookups(step):
                world.lookup(order)


def absent(world: World, order: Order) -> None:
    """Let look-ups find nothing until the order is no longer unknown."""
    while world.status(order) is OrderStatus.UNKNOWN:
        find_nothing(world, order, 0.1)


# -- presence


def test_look_ups_start_at_once_and_follow_the_delays() -> None:
    world, order = a_world_with_unknown_order()
    began = world.now

    asked = [round((at - began).total_seconds(), 1) for at in look_ups_of(world, order)]

    assert asked[:5] == pytest.approx([0.1, 0.6, 1.6, 3.6, 7.6], abs=0.11)


def test_the_first_look_up_that_finds_the_order_settles_it() -> None:
    world, order = a_world_with_unknown_order()
    world.tick()

    step = world.lookup(order, found=world.report_of(order), complete=False)

    assert world.status(order) is OrderStatus.WORKING
    assert event_kinds(step) == [EventKind.ORDER_WORKING]
    assert world.engine._watch.inquiries == {}


def test_executions_alone_prove_presence() -> None:
    world, order = a_world_with_unknown_order()
    world.tick()

    step = world.lookup(order, executions=[world.execution_of(order, "0.01")], complete=False)

    assert world.status(order) is OrderStatus.PARTIALLY_FILLED
    assert len(entries(step)) == 1


def test_executions_of_a_look_up_are_booked_in_the_exchanges_order_before_its_report() -> None:
    world, order = a_world_with_unknown_order()
    first = world.execution_of(order, "0.005", executed_at=world.now)
    second = world.execution_of(order, "0.015", executed_at=world.now + seconds(1))
    world.tick()

    step = world.lookup(
        order,
        found=world.report_of(order, VenueStatus.FILLED, cum_quantity=D("0.02")),
        executions=[second, first],
    )

    assert [entry.execution for entry in entries(step)] == [first, second]
    assert world.status(order) is OrderStatus.FILLED


def test_executions_known_from_the_stream_are_not_booked_again() -> None:
    world, order = a_world_with_unknown_order()
    fill = world.execution_of(order, "0.01")
    world.feed(fill)

    assert entries(world.lookup(order, executions=[fill])) == []


def test_an_answer_during_the_look_ups_ends_them() -> None:
    world, order = a_world_with_unknown_order()
    world.tick()

    world.answer(order)
    world.lookup(order)

    assert world.status(order) is OrderStatus.ACKED


# -- absence


def test_absence_before_the_end_of_the_quarantine_proves_nothing() -> None:
    world, order = a_world_with_unknown_order()
    world.pass_(12.7)
    for _ in range(5):
        world.after(0.001).lookup(order)

    assert world.status(order) is OrderStatus.UNKNOWN


def test_two_complete_look_ups_after_the_quarantine_allow_the_next_attempt() -> None:
    world, order = a_world_with_unknown_order()
    assert order.request_ts is not None

    absent(world, order)

    assert world.now >= order.request_ts + QUARANTINE + seconds(2)
    assert world.now < order.request_ts + QUARANTINE + seconds(4)
    retried = [event for step in world.steps for event in events(step, EventKind.ORDER_RETRIED)]
    assert [event.code for event in retried] == ["ABSENT"]
    world.pass_(0.3)
    again = world.order(order)
    assert (again.status, again.attempt) == (OrderStatus.SUBMITTING, 2)


def test_one_look_up_is_never_enough() -> None:
    world, order = a_world_with_unknown_order()
    world.pass_(13)

    world.lookup(order)

    assert world.status(order) is OrderStatus.UNKNOWN


def test_two_look_ups_too_close_together_are_not_enough() -> None:
    world, order = a_world_with_unknown_order()
    world.pass_(13)
    world.lookup(order)

    world.after(1.9).lookup(order)
    assert world.status(order) is OrderStatus.UNKNOWN

    world.after(0.1).lookup(order)
    assert world.status(order) is OrderStatus.INTENT


def test_an_incomplete_look_up_never_proves_absence() -> None:
    world, order = a_world_with_unknown_order()
    world.pass_(13)

    for _ in range(5):
        world.after(3).lookup(order, complete=False)

    assert world.status(order) is OrderStatus.UNKNOWN


def test_a_look_up_counts_only_for_the_attempt_it_names() -> None:
    world, order = a_world_with_unknown_order()
    world.pass_(13)

    for _ in range(5):
        world.after(3).lookup(order, attempt=0)

    assert world.status(order) is OrderStatus.UNKNOWN


def test_a_look_up_counts_by_the_time_it_was_sent() -> None:
    world, order = a_world_with_unknown_order()
    early = world.now + seconds(12)
    world.pass_(20)

    for _ in range(3):
        world.after(3).lookup(order, sent_at=early)

    assert world.status(order) is OrderStatus.UNKNOWN


def test_absence_after_the_last_moment_expires_the_order() -> None:
    world, order = a_world_with_unknown_order(order_execution_timeout=seconds(5))

    absent(world, order)

    ended = world.order(order)
    assert (ended.status, ended.ended_by) == (OrderStatus.EXPIRED, EndedBy.US)
    assert ended.code == Code.UNANSWERED_EXPIRED
    assert not world.book.unknown


def test_an_expired_order_that_appears_after_all_counts_and_is_cancelled() -> None:
    world, order = a_world_with_unknown_order(order_execution_timeout=seconds(5))
    absent(world, order)

    step = world.report(order)

    assert world.status(order) is OrderStatus.WORKING
    assert EventKind.ORDER_REVIVED in event_kinds(step)
    assert len(cancels(step)) == 1


def test_parked_openings_go_on_when_the_unknown_is_settled() -> None:
    world, order = a_world_with_unknown_order()
    world.signal()
    assert world.row(a_signal_id(2)).verdict is Verdict.PARKED

    world.report(order)
    world.pass_(0.3)

    assert world.row(a_signal_id(2)).verdict is Verdict.ORDERED


def test_a_cancel_of_an_unknown_order_waits_and_withdraws_it_when_it_is_absent() -> None:
    world, order = a_world_with_unknown_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))

    absent(world, order)
    world.pass_(0.3)

    ended = world.order(order)
    assert (ended.status, ended.attempt) == (OrderStatus.CANCELLED, 1)
    assert sum(len(creates(step)) for step in world.steps) == 1
    assert not world.book.open_commands


def test_the_clock_offset_is_part_of_the_quarantine() -> None:
    world = a_world()
    world.clock(seconds(3))
    world.signal()
    order = world.the_order()
    assert order.request_ts == world.now + seconds(3)
    world.answer(order, AnswerOutcome.UNKNOWN)
    began = world.now

    world.pass_(13)
    world.lookup(order, sent_at=world.now + seconds(3))
    world.after(2).lookup(order, sent_at=world.now + seconds(3))

    assert world.status(order) is OrderStatus.INTENT
    assert world.now - began < seconds(16)


# -- missing, silent, behind the ledger


def test_an_acknowledged_order_without_a_report_is_looked_up_after_five_seconds() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.answer(order)

    world.pass_(4.9)
    assert not [one for step in world.steps for one in lookups(step)]
    world.pass_(0.2)
    assert [one for step in world.steps for one in lookups(step)]


def test_finding_an_order_the_stream_never_told_of_condemns_the_stream_until_a_sweep() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.answer(order)
    world.pass_(5.1)

    world.lookup(order, found=world.report_of(order))
    assert world.state("STREAM").state is Trading.REDUCE_ONLY
    assert world.status(order) is OrderStatus.WORKING

    world.sweep("RECONNECT", orders=[world.report_of(order)])
    assert world.state("STREAM").state is Trading.ACTIVE


def test_an_acknowledged_order_that_no_source_shows_is_an_alarm_and_stays() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.answer(order)

    find_nothing(world, order, 20)

    assert world.status(order) is OrderStatus.ACKED
    alarms = [event for step in world.steps for event in events(step, EventKind.ALARM)]
    assert [event.code for event in alarms][:1] == ["ORDER_NOT_FOUND"]


def test_a_more_urgent_reason_brings_a_look_up_forward() -> None:
    """A cancel is answered, so the order is looked at in five seconds; a fill lacks, so at once."""
    world, order = a_world_with_working_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))
    world.answer(order, kind=CommandKind.CANCEL)

    world.report(order, VenueStatus.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.01"))
    world.pass_(0.6)

    assert [one for step in world.steps for one in lookups(step)]


def test_look_ups_for_the_ledger_go_on_until_it_agrees() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order)
    world.report(order, VenueStatus.FILLED, cum_quantity=D("0.02"))
    for _ in range(12):
        world.pass_(4)
        world.lookup(
            order, found=world.report_of(order, VenueStatus.FILLED, cum_quantity=D("0.02"))
        )
    assert world.status(order) is OrderStatus.WORKING

    world.pass_(4.1)
    world.lookup(order, executions=[fill])

    assert world.status(order) is OrderStatus.FILLED
    assert world.engine._watch.inquiries == {}


def test_a_look_up_of_an_order_nobody_knows_is_not_news() -> None:
    world = a_world()

    step = world.feed(
        LookupResult(
            client_order_id=ClientOrderId("om1d-lost"), attempt=1, sent_at=world.now, complete=True
        )
    )

    assert step.changes == []


def test_a_look_up_nobody_waits_for_any_more_still_tells_facts() -> None:
    world, order = a_world_with_working_order()

    world.lookup(order, found=world.report_of(order, VenueStatus.CANCELLED))

    assert world.status(order) is OrderStatus.CANCELLED


def test_an_unanswered_amend_starts_a_look_up_that_settles_it_when_it_is_late_enough() -> None:
    world, order = a_world_with_working_order()
    world.feed(
        AmendOrder(
            request_id="a", actor="ann", client_order_id=order.client_order_id, price=D(49000)
        )
    )
    world.answer(order, AnswerOutcome.UNKNOWN, kind=CommandKind.AMEND)
    world.tick()
    world.lookup(order, found=world.report_of(order))
    assert world.command(order, CommandKind.AMEND).is_open

    world.after(3).sweep(orders=[world.report_of(order, updated_at=order.updated_at)])

    assert not world.command(order, CommandKind.AMEND).is_open
