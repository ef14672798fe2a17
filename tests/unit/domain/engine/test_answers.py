"""Answers: each names its attempt and proves what its code proves, no more (protocol 5.6, 5.7)."""

import itertools
from datetime import timedelta

import pytest

from order_domain.codes import Code
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EndedBy,
    EventKind,
    OrderStatus,
    Trading,
    VenueStatus,
)
from order_domain.model.identifiers import ClientOrderId, VenueOrderId
from order_domain.model.inputs import AmendOrder, CancelOrder
from order_domain.model.order import Order
from order_domain.model.reports import Answer
from order_domain.model.steps import Need, Step
from tests.builders import D, a_signal_id, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    amends,
    cancels,
    creates,
    event_kinds,
    events,
    lookups,
)

CREATE, CANCEL, AMEND = CommandKind.CREATE, CommandKind.CANCEL, CommandKind.AMEND
AGAIN = [AnswerOutcome.NOT_ACCEPTED, AnswerOutcome.NOT_SENT, AnswerOutcome.CLOCK]


def a_world_with_sent_order(**config: object) -> tuple[World, Order]:
    world = a_world(**config)
    world.signal()
    return world, world.the_order()


def cancel(world: World, order: Order, request_id: str = "c1") -> None:
    world.feed(
        CancelOrder(request_id=request_id, actor="ann", client_order_id=order.client_order_id)
    )


def amend(world: World, order: Order, **values: object) -> None:
    world.feed(
        AmendOrder(
            request_id="a1",
            actor="ann",
            client_order_id=order.client_order_id,
            **values,  # type: ignore[arg-type]
        )
    )


# -- creates


def test_accepted_means_queued_not_working() -> None:
    world, order = a_world_with_sent_order()

    step = world.answer(order)

    assert world.status(order) is OrderStatus.ACKED
    assert world.order(order).venue_order_id == f"v-{order.client_order_id}"
    assert event_kinds(step) == [EventKind.ORDER_ACCEPTED]


def test_an_acknowledgement_after_the_report_only_brings_the_venue_id() -> None:
    world, order = a_world_with_sent_order()
    world.report(order, venue_order_id="")

    step = world.answer(order)

    assert world.status(order) is OrderStatus.WORKING
    assert event_kinds(step) == [EventKind.ORDER_REPORTED]
    assert world.book.find("", f"v-{order.client_order_id}") is world.order(order)


def test_the_id_a_report_brought_is_kept_whatever_the_acknowledgement_says() -> None:
    world, order = a_world_with_sent_order()
    world.report(order, venue_order_id=VenueOrderId("v-shown"))

    assert world.answer(order).changes == []
    assert world.order(order).venue_order_id == "v-shown"


def test_a_late_acknowledgement_ends_the_look_ups() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.UNKNOWN)

    world.answer(order)

    assert world.status(order) is OrderStatus.ACKED
    assert lookups(world.tick()) == []


def test_an_acknowledgement_heard_twice_tells_nothing() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order)

    assert world.answer(order).changes == []


def test_a_refusal_of_the_newest_attempt_ends_the_order() -> None:
    world, order = a_world_with_sent_order()

    step = world.answer(order, AnswerOutcome.REFUSED, code=110007, text="not enough")

    ended = world.order(order)
    assert (ended.status, ended.ended_by) == (OrderStatus.REJECTED, EndedBy.ANSWER)
    assert (ended.code, ended.text) == (Code.VENUE_REFUSED, "110007 not enough")
    assert event_kinds(step) == [EventKind.ORDER_REJECTED]
    assert ended.closed_at == world.now


def test_a_refusal_of_an_older_attempt_ends_nothing() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.NOT_SENT)
    world.pass_(1)
    assert world.order(order).attempt == 2

    world.answer(order, AnswerOutcome.REFUSED, attempt=1)

    assert world.status(order) is OrderStatus.SUBMITTING


def test_a_refusal_ends_an_unknown_order_too() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.UNKNOWN)

    world.answer(order, AnswerOutcome.REFUSED)

    assert world.status(order) is OrderStatus.REJECTED
    assert not world.book.unknown
    assert world.engine._watch.inquiries == {}


@pytest.mark.parametrize("outcome", AGAIN)
def test_what_was_not_accepted_goes_again_with_the_same_id_and_a_new_claim(
    outcome: AnswerOutcome,
) -> None:
    world, order = a_world_with_sent_order()

    step = world.answer(order, outcome, code=10006)
    assert world.status(order) is OrderStatus.INTENT
    assert event_kinds(step) == [EventKind.ORDER_RETRIED]
    world.clock(timedelta(0))
    world.pass_(2)

    again = world.order(order)
    assert (again.status, again.attempt) == (OrderStatus.SUBMITTING, 2)
    assert again.request_ts is not None
    assert order.request_ts is not None
    assert again.request_ts > order.request_ts
    sent = [one.order for step in world.steps for one in creates(step)]
    assert [one.client_order_id for one in sent] == [order.client_order_id] * 2


@pytest.mark.parametrize("outcome", AGAIN)
def test_an_attempt_that_is_due_is_dropped_when_the_order_is_there_after_all(
    outcome: AnswerOutcome,
) -> None:
    """A retry after an acceptance would be refused as a duplicate, and that taken for the end."""
    world, order = a_world_with_sent_order()
    world.answer(order, outcome, code=10006)
    world.clock(timedelta(0))
    count = len(world.steps)
    world.report(order)
    world.pass_(20)

    assert [one for step in world.steps[count:] for one in creates(step)] == []
    assert world.status(order) is OrderStatus.WORKING


def test_what_turns_out_not_accepted_is_not_looked_for_any_more() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.UNKNOWN)

    world.answer(order, AnswerOutcome.NOT_ACCEPTED, code=10006)

    assert world.status(order) is OrderStatus.INTENT
    assert lookups(world.tick()) == []


def two_children() -> tuple[World, Order, Order]:
    world = a_world(enable_order_splitting=True, max_single_order_size=D(1000))
    world.signal(amount=D(1500))
    first, second = world.orders()
    world.tick()
    return world, first, second


def test_who_waits_for_an_answer_goes_without_any_time_passing() -> None:
    world, first, second = two_children()

    world.answer(first)
    world.pass_(0)

    assert world.status(second) is OrderStatus.SUBMITTING


def test_who_waits_for_an_order_that_is_refused_ends_without_any_time_passing() -> None:
    world, first, second = two_children()

    world.answer(first, AnswerOutcome.REFUSED, code=110007)
    world.pass_(0)

    assert world.order(second).code == Code.SIBLING_REFUSED


def test_an_attempt_that_was_not_sent_goes_again_almost_at_once() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.NOT_SENT)

    world.pass_(0.099)
    assert world.status(order) is OrderStatus.INTENT
    world.pass_(0.2)
    assert world.status(order) is OrderStatus.SUBMITTING


def test_waits_between_attempts_grow_up_to_the_longest() -> None:
    world, order = a_world_with_sent_order(
        retry_max_attempts=10,
        retry_base_delay=seconds(1),
        retry_max_delay=seconds(3),
        order_execution_timeout=seconds(60),
    )
    claims = [order.request_ts]
    for _ in range(4):
        world.answer(order, AnswerOutcome.NOT_ACCEPTED, code=20003)
        waits_for = world.order(order).attempt
        while world.order(order).attempt == waits_for:
            world.pass_(0.1)
        claims.append(world.order(order).request_ts)

    waits = [later - earlier for earlier, later in itertools.pairwise(claims) if later and earlier]
    assert [round(wait.total_seconds()) for wait in waits] == [1, 2, 3, 3]


def test_too_many_attempts_not_accepted_expire_the_order() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=2)
    world.answer(order, AnswerOutcome.NOT_ACCEPTED, code=10006)
    world.pass_(2)

    step = world.answer(order, AnswerOutcome.NOT_ACCEPTED, code=10006, text="too many visits")

    ended = world.order(order)
    assert (ended.status, ended.ended_by) == (OrderStatus.EXPIRED, EndedBy.US)
    assert (ended.code, ended.text) == (Code.NOT_ACCEPTED, "10006 too many visits")
    assert event_kinds(step) == [EventKind.ORDER_RETRIED, EventKind.ORDER_EXPIRED]


def test_attempts_that_never_left_are_not_counted() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=1)

    world.answer(order, AnswerOutcome.NOT_SENT)

    assert world.status(order) is OrderStatus.INTENT


def test_a_late_not_accepted_of_an_older_attempt_changes_nothing() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.NOT_SENT)
    world.pass_(1)

    assert world.answer(order, AnswerOutcome.NOT_ACCEPTED, attempt=1).changes == []


def test_no_answer_makes_the_order_unknown_and_starts_a_look_up() -> None:
    world, order = a_world_with_sent_order()

    step = world.answer(order, AnswerOutcome.UNKNOWN)
    assert world.status(order) is OrderStatus.UNKNOWN
    assert [(event.kind, event.text) for event in events(step)] == [
        (EventKind.ORDER_UNKNOWN, "no answer")
    ]

    assert [(one.client_order_id, one.attempt) for one in lookups(world.tick())] == [
        (order.client_order_id, 1)
    ]


@pytest.mark.parametrize(
    ("outcome", "mark"), [(AnswerOutcome.UNKNOWN, ""), (AnswerOutcome.EXISTS, "EXISTS")]
)
def test_only_an_order_that_exists_already_is_marked_to_be_compared(
    outcome: AnswerOutcome, mark: str
) -> None:
    world, order = a_world_with_sent_order()

    world.answer(order, outcome)

    assert world.order(order).code == mark


def test_an_unlisted_code_is_kept_with_the_unknown_order() -> None:
    world, order = a_world_with_sent_order()

    step = world.answer(order, AnswerOutcome.UNKNOWN, code=10016, text="server error")

    assert [event.text for event in events(step)] == ["10016 server error"]


def test_a_lost_answer_of_an_older_attempt_changes_nothing() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.NOT_SENT)
    world.pass_(1)

    assert world.answer(order, AnswerOutcome.UNKNOWN, attempt=1).changes == []


def test_an_id_that_exists_is_looked_up_and_adopted_when_its_terms_are_ours() -> None:
    world, order = a_world_with_sent_order()

    world.answer(order, AnswerOutcome.EXISTS, code=110072)
    assert world.status(order) is OrderStatus.UNKNOWN
    world.tick()
    world.lookup(order, found=world.report_of(order))

    assert world.status(order) is OrderStatus.WORKING
    assert ("account", "MISMATCH") not in world.book.states


@pytest.mark.parametrize(
    "other",
    [
        {"side": "Sell"},
        {"quantity": D("0.03")},
        {"price": D(49000)},
        {"instrument_id": "linear:ETHUSDT"},
    ],
    ids=["side", "quantity", "price", "symbol"],
)
def test_an_id_that_exists_with_other_terms_halts_the_account(other: dict[str, object]) -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.EXISTS, code=110072)
    world.tick()

    world.lookup(order, found=world.report_of(order, **other))

    assert world.state("MISMATCH").state is Trading.HALTED


def test_terms_are_compared_also_when_the_stream_shows_the_order_first() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.EXISTS, code=110072)

    world.report(order, quantity=D("0.03"))

    assert world.state("MISMATCH").state is Trading.HALTED


def test_an_answer_to_an_order_nobody_knows_is_an_alarm() -> None:
    world = a_world()

    step = world.feed(Answer(ClientOrderId("om1d-lost"), CREATE, 0, 1, AnswerOutcome.ACCEPTED))

    assert [(event.kind, event.code) for event in events(step)] == [
        (EventKind.ALARM, "ANSWER_WITHOUT_ORDER")
    ]


def test_an_answer_to_an_order_that_is_not_in_the_book_asks_the_store_once() -> None:
    world = a_world()
    world.restart()
    answer = Answer(ClientOrderId("om1d-lost"), CREATE, 0, 1, AnswerOutcome.ACCEPTED)

    assert world.engine.step(answer, world.now) == Need(orders=(answer.client_order_id,))
    assert [event.code for event in events(world.feed(answer))] == ["ANSWER_WITHOUT_ORDER"]


def test_where_no_store_knows_more_an_unknown_order_is_an_alarm_at_once() -> None:
    world = a_world()
    answer = Answer(ClientOrderId("om1d-lost"), CREATE, 0, 1, AnswerOutcome.ACCEPTED)

    step = world.engine.step(answer, world.now)

    assert isinstance(step, Step)
    assert [event.code for event in events(step)] == ["ANSWER_WITHOUT_ORDER"]


# -- what answers say about the plumbing


def test_three_requests_in_a_row_outside_the_time_window_are_a_cause_of_its_own() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=5)
    for attempt in (1, 2, 3):
        assert ("account", "CLOCK") not in world.book.states
        world.answer(order, AnswerOutcome.CLOCK, code=10002, attempt=attempt)

    assert world.state("CLOCK").state is Trading.REDUCE_ONLY


def test_an_accepted_request_in_between_starts_the_count_again() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=9)
    for outcome in (
        AnswerOutcome.CLOCK,
        AnswerOutcome.CLOCK,
        AnswerOutcome.ACCEPTED,
        AnswerOutcome.CLOCK,
    ):
        world.answer(order, outcome)

    assert ("account", "CLOCK") not in world.book.states


def test_two_more_after_an_accepted_request_are_not_three_in_a_row() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=9)
    for outcome in (AnswerOutcome.ACCEPTED, AnswerOutcome.CLOCK, AnswerOutcome.CLOCK):
        world.answer(order, outcome)

    assert ("account", "CLOCK") not in world.book.states


def test_no_answer_proves_nothing_about_the_clock() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=9)
    for outcome in (AnswerOutcome.CLOCK, AnswerOutcome.CLOCK, AnswerOutcome.UNKNOWN):
        world.answer(order, outcome)

    world.answer(order, AnswerOutcome.CLOCK)

    assert world.state("CLOCK").state is Trading.REDUCE_ONLY


def test_the_clock_clears_its_own_cause_when_a_request_is_accepted() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=9)
    for _ in range(3):
        world.answer(order, AnswerOutcome.CLOCK, attempt=1)

    world.answer(order)

    assert world.state("CLOCK").state is Trading.ACTIVE


def test_a_good_measurement_of_the_clock_clears_its_cause_and_a_vague_one_does_not() -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=9)
    for _ in range(3):
        world.answer(order, AnswerOutcome.CLOCK, attempt=1)

    world.clock(seconds(0.3), seconds(1))
    assert world.state("CLOCK").state is Trading.REDUCE_ONLY
    world.clock(seconds(0.3), seconds(0.1))
    assert world.state("CLOCK").state is Trading.ACTIVE
    world.answer(order, AnswerOutcome.CLOCK, attempt=1)
    world.clock(seconds(0.3))

    assert world.state("CLOCK").state is Trading.ACTIVE


def test_after_a_refused_stamp_an_opening_waits_for_a_new_offset() -> None:
    world, order = a_world_with_sent_order(order_execution_timeout=seconds(60))
    world.answer(order, AnswerOutcome.CLOCK)
    world.pass_(4.9)
    assert world.status(order) is OrderStatus.INTENT

    world.clock(seconds(0.3))
    world.pass_(0.01)

    assert world.status(order) is OrderStatus.SUBMITTING
    assert world.order(order).request_ts == world.now - seconds(0.01) + seconds(0.3)


def test_an_offset_measured_after_the_claim_is_new_enough() -> None:
    world, order = a_world_with_sent_order(order_execution_timeout=seconds(60))
    world.after(0.1).clock(seconds(0.3))
    world.answer(order, AnswerOutcome.CLOCK)
    world.pass_(1.1)

    assert world.status(order) is OrderStatus.SUBMITTING


def test_an_offset_measured_at_the_moment_of_the_claim_may_be_the_wrong_one() -> None:
    world, order = a_world_with_sent_order(order_execution_timeout=seconds(60))
    world.clock(seconds(0.3))

    world.answer(order, AnswerOutcome.CLOCK)
    world.pass_(4.9)

    assert world.status(order) is OrderStatus.INTENT


def test_a_refused_stamp_holds_creates_for_5_s_and_cancels_for_1_s() -> None:
    world, order = a_world_with_sent_order()

    world.answer(order, AnswerOutcome.CLOCK)

    watch = world.engine._watch
    assert watch.creates.free_at() == world.now + seconds(5)
    assert watch.cancels.free_at() == world.now + seconds(1)


def test_a_clock_that_nobody_measures_holds_an_opening_for_5_s_and_a_cancel_for_1_s() -> None:
    world, order = a_world_with_sent_order(order_execution_timeout=seconds(60))
    world.answer(order, AnswerOutcome.CLOCK)
    world.pass_(5.1)
    assert world.status(order) is OrderStatus.SUBMITTING
    world.answer(order)
    cancel(world, order)
    world.answer(order, AnswerOutcome.CLOCK, kind=CANCEL)
    world.pass_(1.1)
    assert world.command(order).attempt == 2

    world.clock(seconds(0.3))  # too late to give tokens back that were taken since
    free_at = world.engine._watch.creates.free_at()
    assert free_at <= world.now


def test_an_answer_that_says_when_the_next_may_come_is_believed() -> None:
    world, order = a_world_with_sent_order()
    world.clock(seconds(0.3))
    world.answer(order, next_at=world.now + seconds(0.7))

    assert world.engine._watch.creates.free_at() == world.now + seconds(0.4)


def claimed_at_once(world: World) -> int:
    """How many tokens there are now."""
    creates = world.engine._watch.creates
    count = 0
    while creates.take(world.now):
        count += 1
    return count


@pytest.mark.parametrize(("told", "expected"), [(2, 2), (100, 8)])
def test_a_limit_below_the_setting_slows_claims_down_and_one_above_does_not(
    told: int, expected: int
) -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, limit=told)
    world.after(5)

    assert claimed_at_once(world) == expected


def test_a_limit_that_is_raised_again_is_used_again() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, limit=2)
    world.answer(order, limit=5)
    world.after(5)

    assert claimed_at_once(world) == 5


def test_what_an_answer_to_a_cancel_says_binds_cancels_and_for_no_longer_than_a_second() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, kind=CANCEL, next_at=world.now + seconds(300))

    assert world.engine._watch.creates.free_at() <= world.now
    assert world.engine._watch.cancels.free_at() == world.now + seconds(1)


def test_a_rate_limited_request_empties_the_bucket_for_a_second() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.NOT_ACCEPTED, code=10006)

    world.signal()
    waiting = world.newest_order()
    assert waiting.status is OrderStatus.INTENT

    world.pass_(1.1)
    assert world.status(waiting) is OrderStatus.SUBMITTING


@pytest.mark.parametrize("code", [10006, 10019])
def test_only_the_code_of_the_rate_limit_says_that_no_token_is_left(code: int) -> None:
    world, order = a_world_with_sent_order()

    world.answer(order, AnswerOutcome.NOT_ACCEPTED, code=code)

    empty = world.engine._watch.creates.free_at() == world.now + seconds(1)
    assert empty is (code == 10006)


# -- cancels


def test_a_cancel_is_claimed_and_leaves_with_the_request_that_asked_for_it() -> None:
    world, order = a_world_with_working_order()

    cancel(world, order)

    (sent,) = cancels(world.last)
    assert (sent.number, sent.attempt, sent.request_ts) == (1, 1, world.now)
    assert world.command_status(order) is CommandStatus.SENT
    assert world.order(order).cancel_reason == Code.OPERATOR
    assert world.status(order) is OrderStatus.WORKING


def test_an_accepted_cancel_is_done_but_only_a_report_ends_the_order() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)

    world.answer(order, kind=CANCEL)
    assert world.command_status(order) is CommandStatus.DONE
    assert world.status(order) is OrderStatus.WORKING

    world.report(order, VenueStatus.CANCELLED)
    assert world.status(order) is OrderStatus.CANCELLED
    assert world.order(order).code == Code.OPERATOR


def test_an_accepted_cancel_that_nothing_follows_is_looked_up() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, kind=CANCEL)

    world.pass_(4.9)
    assert not [one for step in world.steps for one in lookups(step)]
    world.pass_(0.2)
    assert [one for step in world.steps for one in lookups(step)]


def test_an_order_that_still_works_after_its_cancel_does_not_condemn_the_stream() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, kind=CANCEL)
    world.pass_(5.1)

    world.lookup(order, found=world.report_of(order))

    assert ("account", "STREAM") not in world.book.states


def test_a_cancel_the_stream_never_told_of_condemns_the_stream() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, kind=CANCEL)
    world.pass_(5.1)

    world.lookup(order, found=world.report_of(order, VenueStatus.CANCELLED))

    assert world.status(order) is OrderStatus.CANCELLED
    assert world.state("STREAM").state is Trading.REDUCE_ONLY


def test_an_unanswered_cancel_is_repeated_as_its_next_attempt() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)

    world.answer(order, AnswerOutcome.UNKNOWN, kind=CANCEL)
    assert world.command_status(order) is CommandStatus.PENDING
    world.pass_(1.1)

    (again,) = [sent for step in world.steps for sent in cancels(step) if sent.attempt == 2]
    assert again.number == 1
    assert world.command_status(order) is CommandStatus.SENT


def test_an_unanswered_cancel_also_starts_a_look_up() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, AnswerOutcome.UNKNOWN, kind=CANCEL)

    assert lookups(world.tick())


@pytest.mark.parametrize("outcome", AGAIN)
def test_a_cancel_that_was_not_accepted_goes_again(outcome: AnswerOutcome) -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)

    world.answer(order, outcome, kind=CANCEL)
    world.pass_(1.5)

    assert world.command(order).attempt == 2


def test_not_found_never_ends_an_order_and_only_starts_a_look_up() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)

    step = world.answer(order, AnswerOutcome.NOT_FOUND, kind=CANCEL, code=110001)

    assert world.status(order) is OrderStatus.WORKING
    assert world.command_status(order) is CommandStatus.REFUSED
    assert event_kinds(step) == [EventKind.CANCEL_REFUSED]
    assert lookups(world.tick())


def test_a_refused_cancel_is_told_and_can_be_asked_for_again() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, AnswerOutcome.REFUSED, kind=CANCEL, code=10001)

    cancel(world, order, "c2")

    (sent,) = cancels(world.last)
    assert (sent.number, sent.attempt) == (2, 1)


def test_an_order_whose_cancel_was_refused_is_no_longer_meant_to_end() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)

    world.answer(order, AnswerOutcome.REFUSED, kind=CANCEL, code=10001)

    assert world.order(order).cancel_reason == ""
    assert lookups(world.tick()) == []


def test_a_refused_amend_does_not_take_back_a_cancel() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, price=D(49000))
    cancel(world, order)

    world.answer(order, AnswerOutcome.REFUSED, kind=AMEND, code=110003)

    assert world.order(order).cancel_reason == Code.OPERATOR


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        (AnswerOutcome.NOT_SENT, 0.1),
        (AnswerOutcome.NOT_ACCEPTED, 1),
        (AnswerOutcome.UNKNOWN, 1),
    ],
)
def test_a_cancel_goes_again_no_sooner_than_its_answer_allows(
    outcome: AnswerOutcome, waits: float
) -> None:
    world, order = a_world_with_working_order(retry_base_delay=seconds(1))
    cancel(world, order)
    world.answer(order, outcome, kind=CANCEL)

    assert world.command(order).not_before == world.now + seconds(waits)
    world.pass_(waits - 0.01)
    assert world.command(order).attempt == 1
    world.pass_(0.11)
    assert world.command(order).attempt == 2


def test_an_answer_to_a_cancel_nobody_sent_is_not_news() -> None:
    world, order = a_world_with_working_order()
    answer = Answer(order.client_order_id, CANCEL, 1, 1, AnswerOutcome.ACCEPTED)

    assert world.feed(answer).changes == []


def test_a_late_answer_to_the_first_cancel_does_not_settle_the_second() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, AnswerOutcome.REFUSED, kind=CANCEL, code=10001)
    cancel(world, order, "c2")

    world.answer(order, AnswerOutcome.REFUSED, kind=CANCEL, number=1, attempt=1)

    assert world.command_status(order) is CommandStatus.SENT


@pytest.mark.parametrize(
    "outcome", [AnswerOutcome.REFUSED, AnswerOutcome.NOT_SENT, AnswerOutcome.UNKNOWN]
)
def test_an_answer_to_an_older_attempt_of_a_cancel_settles_nothing(outcome: AnswerOutcome) -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, AnswerOutcome.UNKNOWN, kind=CANCEL)
    world.pass_(1.1)

    assert world.answer(order, outcome, kind=CANCEL, attempt=1).changes == []


def test_a_cancel_of_an_unanswered_create_waits_until_the_create_is_settled() -> None:
    world, order = a_world_with_sent_order()
    cancel(world, order)
    assert world.command_status(order) is CommandStatus.PENDING

    world.answer(order, AnswerOutcome.UNKNOWN)
    world.pass_(0.3)
    assert world.command_status(order) is CommandStatus.PENDING

    world.report(order)
    world.tick()
    assert world.command_status(order) is CommandStatus.SENT


@pytest.mark.parametrize("outcome", [AnswerOutcome.REFUSED, AnswerOutcome.NOT_ACCEPTED])
def test_a_cancel_that_waits_is_settled_with_the_create_that_never_was(
    outcome: AnswerOutcome,
) -> None:
    world, order = a_world_with_sent_order(retry_max_attempts=1)
    cancel(world, order)

    world.answer(order, outcome)

    assert world.order(order).is_terminal
    assert world.command_status(order) is CommandStatus.DONE
    assert not world.book.open_commands


def test_an_order_with_a_waiting_cancel_is_withdrawn_instead_of_sent_again() -> None:
    world, order = a_world_with_sent_order()
    cancel(world, order)

    world.answer(order, AnswerOutcome.NOT_SENT)
    world.pass_(0)

    ended = world.order(order)
    assert (ended.status, ended.ended_by, ended.attempt) == (OrderStatus.CANCELLED, EndedBy.US, 1)
    assert world.command_status(order) is CommandStatus.DONE


# -- amends


def test_an_accepted_amend_stays_open_until_a_report_shows_it() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, price=D(49000))
    assert [(sent.price, sent.quantity) for sent in amends(world.last)] == [(D(49000), None)]

    world.answer(order, kind=AMEND)
    assert world.command_status(order, AMEND) is CommandStatus.SENT

    world.after(1).report(order, price=D(49000))
    assert world.command_status(order, AMEND) is CommandStatus.DONE
    assert world.order(order).price == D(49000)


def test_a_refused_amend_leaves_the_order_as_it_was() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, price=D(49000))

    step = world.answer(order, AnswerOutcome.REFUSED, kind=AMEND, code=110003)

    assert world.command_status(order, AMEND) is CommandStatus.REFUSED
    assert event_kinds(step) == [EventKind.AMEND_REFUSED]
    assert world.order(order).price == D(49990)


def test_an_unanswered_amend_is_unknown_and_counts_at_the_larger_quantity() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, quantity=D("0.05"))

    world.answer(order, AnswerOutcome.UNKNOWN, kind=AMEND)

    assert world.command_status(order, AMEND) is CommandStatus.UNKNOWN
    assert world.status(order) is OrderStatus.WORKING
    world.signal(strategy_id="other")
    assert world.row(a_signal_id(2)).trace
    assert lookups(world.tick())


def test_an_answer_to_a_settled_command_is_not_news() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.answer(order, kind=CANCEL)
    world.report(order, VenueStatus.CANCELLED)

    assert (
        world.answer(order, AnswerOutcome.UNKNOWN, kind=CANCEL, number=1, attempt=1).changes == []
    )


def test_a_cancel_refused_after_the_end_of_its_order_changes_only_the_command() -> None:
    world, order = a_world_with_working_order()
    cancel(world, order)
    world.fill(order)

    step = world.answer(order, AnswerOutcome.NOT_FOUND, kind=CANCEL, number=1, attempt=1)

    assert step.changes == []
    assert world.status(order) is OrderStatus.FILLED
