"""Order reports: merged by rank and time, ended only when the ledger agrees (protocol 6.3, 7)."""

from typing import Any

import attrs
import pytest

from order_domain.codes import Code
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EndedBy,
    EventKind,
    OrderStatus,
    Origin,
    Side,
    TimeInForce,
    Trading,
    VenueStatus,
)
from order_domain.model.identifiers import ClientOrderId, InstrumentId, VenueOrderId
from order_domain.model.inputs import AmendOrder, CancelOrder, SetTradingState
from order_domain.model.order import Order
from order_domain.model.steps import Need, Step
from tests.builders import D, a_signal_id, an_order_id, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    cancels,
    creates,
    event_kinds,
    events,
    lookups,
)

V = VenueStatus
WOULD_TAKE = {"reject_reason": "EC_PostOnlyWillTakeLiquidity"}


def a_world_with_sent_order(**config: object) -> tuple[World, Order]:
    world = a_world(**config)
    world.signal()
    return world, world.the_order()


# -- how an order comes to life and ends


def test_a_report_outruns_the_answer() -> None:
    world, order = a_world_with_sent_order()

    step = world.report(order)

    assert world.status(order) is OrderStatus.WORKING
    assert event_kinds(step) == [EventKind.ORDER_WORKING]
    shown = world.order(order)
    assert shown.first_working_at == world.now
    assert (shown.venue_order_id, shown.code) == (f"v-{order.client_order_id}", "")


def test_the_same_report_again_tells_nothing() -> None:
    world, order = a_world_with_working_order()

    assert world.report(order).changes == []
    world.pass_(0.6)
    assert [one for step in world.steps for one in lookups(step)] == []


def test_a_report_of_what_is_known_looks_for_nothing() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.UNKNOWN)

    world.report(order)
    world.pass_(0.6)

    assert [one for step in world.steps for one in lookups(step)] == []


def test_an_unknown_order_that_shows_fills_we_lack_is_still_looked_for() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.UNKNOWN)

    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.01"))
    world.pass_(0.6)

    assert world.status(order) is OrderStatus.PARTIALLY_FILLED or world.order(order).reported_cum
    assert [one for step in world.steps for one in lookups(step)]


def test_the_id_the_exchange_first_gave_stays() -> None:
    world, order = a_world_with_working_order()

    assert world.report(order, venue_order_id=VenueOrderId("v-other")).changes == []
    assert world.order(order).venue_order_id == f"v-{order.client_order_id}"


def test_the_id_of_an_order_that_was_shown_without_is_told_when_it_comes() -> None:
    world, order = a_world_with_sent_order()
    world.report(order, venue_order_id=VenueOrderId(""))

    step = world.report(order)

    assert event_kinds(step) == [EventKind.ORDER_REPORTED]
    assert world.order(order).venue_order_id == f"v-{order.client_order_id}"


def test_a_report_of_fills_that_are_booked_is_no_news() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.01")

    assert world.report(order, V.PARTIALLY_FILLED).changes == []
    assert world.order(order).reported_cum == 0


def test_a_cancel_report_ends_an_unfilled_order() -> None:
    world, order = a_world_with_working_order()

    world.report(order, V.CANCELLED, cancel_type="CancelByAdmin")

    ended = world.order(order)
    assert (ended.status, ended.ended_by) == (OrderStatus.CANCELLED, EndedBy.REPORT)
    assert ended.code == "CancelByAdmin"
    assert ended.closed_at == world.now


def test_a_rejection_after_the_acknowledgement_ends_the_order() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order)

    world.report(order, V.REJECTED, reject_reason="EC_NoEnoughQtyToFill")

    ended = world.order(order)
    assert (ended.status, ended.code) == (OrderStatus.REJECTED, Code.VENUE_REFUSED)
    assert ended.text == "EC_NoEnoughQtyToFill"
    assert ended.first_working_at is None


@pytest.mark.parametrize(
    "status", [V.FILLED, V.CANCELLED, V.PARTIALLY_FILLED_CANCELLED, V.REJECTED, V.DEACTIVATED]
)
def test_no_end_is_stored_before_the_ledger_has_followed(status: VenueStatus) -> None:
    world, order = a_world_with_working_order()

    step = world.report(order, status, cum_quantity=D("0.02"))

    waiting = world.order(order)
    assert not waiting.is_terminal
    assert (waiting.reported_status, waiting.unbooked_quantity) == (status, D("0.02"))
    assert event_kinds(step) == [EventKind.ORDER_REPORTED]


def test_a_report_ahead_of_the_ledger_told_again_is_no_news() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.01"))

    assert world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.01")).changes == []


def test_a_report_that_ends_nothing_leaves_no_end_to_wait_for() -> None:
    world, order = a_world_with_working_order()

    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.01"))

    assert world.order(order).reported_status is None


def test_the_first_end_that_was_reported_is_the_one_that_counts() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.FILLED, cum_quantity=D("0.02"))

    world.report(order, V.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.02"))

    assert world.order(order).reported_status is V.FILLED


def test_an_end_reported_after_its_last_fill_was_reported_is_kept() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.02"))

    step = world.report(order, V.FILLED, cum_quantity=D("0.02"))

    assert event_kinds(step) == [EventKind.ORDER_REPORTED]
    assert world.order(order).reported_status is V.FILLED


def test_of_an_order_that_ended_later_values_are_no_news() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.CANCELLED)

    later = world.after(1).report(order, V.CANCELLED, quantity=D("0.05"), price=D(49000))

    assert later.changes == []
    assert world.order(order).quantity == D("0.02")


@pytest.mark.parametrize("status", [V.PARTIALLY_FILLED, V.PARTIALLY_FILLED_CANCELLED])
def test_an_order_that_ended_stays_ended_when_more_was_filled_than_was_booked(
    status: VenueStatus,
) -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.005")
    world.report(order, V.CANCELLED)

    world.report(order, status, cum_quantity=D("0.01"))

    ended = world.order(order)
    assert (ended.status, ended.reported_status) == (OrderStatus.CANCELLED, None)
    assert ended.unbooked_quantity == D("0.005")


def test_more_than_was_booked_when_the_order_ended_is_still_fetched() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.CANCELLED)
    world.report(order, V.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.01"))

    world.pass_(0.5)

    assert world.order(order).unbooked_quantity == D("0.01")
    assert [one.client_order_id for step in world.steps for one in lookups(step)] == [
        order.client_order_id
    ]


def test_an_order_that_filled_before_it_was_rejected_was_shown() -> None:
    world, order = a_world_with_sent_order()

    world.report(order, V.REJECTED, cum_quantity=D("0.01"))

    assert world.order(order).first_working_at == world.now


def test_what_the_ledger_lacks_is_fetched() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.01"))

    world.pass_(0.5)

    assert [one.client_order_id for step in world.steps for one in lookups(step)] == [
        order.client_order_id
    ]


def test_what_the_ledger_lacks_has_a_moment_to_come_by_itself() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.01"))

    world.pass_(0.4)

    assert [one for step in world.steps for one in lookups(step)] == []


def test_a_reason_shown_of_an_order_that_lives_is_not_kept_as_that_of_its_end() -> None:
    world, order = a_world_with_sent_order()

    world.report(order, reject_reason="EC_NoError")

    assert (world.order(order).code, world.order(order).text) == ("", "")


def test_the_difference_counts_in_risk_as_filled() -> None:
    world, order = a_world_with_working_order(max_position_size=D("0.03"))
    world.report(order, V.FILLED, cum_quantity=D("0.02"))

    world.signal()

    assert world.newest_order().quantity == D("0.010")


def test_a_reported_fill_becomes_the_status_when_the_last_execution_is_booked() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.FILLED, cum_quantity=D("0.02"))

    world.fill(order, "0.01")
    assert world.status(order) is OrderStatus.PARTIALLY_FILLED
    world.fill(order, "0.01")

    ended = world.order(order)
    assert (ended.status, ended.reported_status) == (OrderStatus.FILLED, None)


def test_a_reported_cancel_becomes_the_status_when_the_ledger_has_followed() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.01"))

    step = world.fill(order, "0.01")

    ended = world.order(order)
    assert (ended.status, ended.cum_quantity) == (OrderStatus.CANCELLED, D("0.01"))
    assert event_kinds(step) == [EventKind.ORDER_PARTIALLY_FILLED, EventKind.ORDER_CANCELLED]


def test_an_end_that_waited_for_the_ledger_settles_commands_too() -> None:
    world, order = a_world_with_working_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))
    world.report(order, V.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.01"))
    assert world.book.open_commands

    world.fill(order, "0.01")

    assert world.command_status(order) is CommandStatus.DONE
    assert not world.book.open_commands


def test_the_exchange_may_call_an_order_filled_below_the_quantity_we_know() -> None:
    """A reduce-only order is cut down by the exchange, and no report told us the new quantity."""
    world, order = a_world_with_working_order()
    world.report(order, V.FILLED, cum_quantity=D("0.01"))

    world.fill(order, "0.01")

    assert world.status(order) is OrderStatus.FILLED


def test_rejected_with_fills_is_cancelled() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.01")

    world.report(order, V.REJECTED)

    assert world.status(order) is OrderStatus.CANCELLED


def test_cumulative_quantities_merge_by_their_maximum() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.015"))

    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.005"))

    assert world.order(order).reported_cum == D("0.015")


def test_the_largest_cumulative_quantity_stays_when_new_values_come_with_a_smaller_one() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.015"))

    world.after(1).report(order, V.PARTIALLY_FILLED, price=D(49900), cum_quantity=D("0.005"))

    assert world.order(order).price == D(49900)
    assert world.order(order).reported_cum == D("0.015")


def test_an_order_at_the_market_gets_no_price_from_a_report() -> None:
    world = a_world(market_order_spread_threshold=D(1))
    world.signal()
    order = world.the_order()
    assert order.price is None

    world.report(order, price=D(50010))

    assert world.order(order).price is None


def test_a_report_without_a_price_takes_none_away() -> None:
    world, order = a_world_with_working_order()

    world.after(1).report(order, price=None, quantity=D("0.03"))

    assert (world.order(order).price, world.order(order).quantity) == (D(49990), D("0.03"))


def test_of_two_reports_of_one_millisecond_the_one_that_has_filled_less_is_the_older() -> None:
    world, order = a_world_with_working_order()
    then = world.now + seconds(2)
    world.report(
        order, V.PARTIALLY_FILLED, quantity=D("0.03"), cum_quantity=D("0.01"), updated_at=then
    )

    world.report(
        order, V.PARTIALLY_FILLED, quantity=D("0.04"), cum_quantity=D("0.005"), updated_at=then
    )
    assert world.order(order).quantity == D("0.03")
    world.report(
        order, V.PARTIALLY_FILLED, quantity=D("0.05"), cum_quantity=D("0.015"), updated_at=then
    )
    assert world.order(order).quantity == D("0.05")


def test_of_two_ends_of_one_millisecond_the_one_that_came_last_brings_the_quantity() -> None:
    world, order = a_world_with_working_order()
    then = world.now + seconds(2)
    world.report(order, V.FILLED, quantity=D("0.01"), cum_quantity=D("0.01"), updated_at=then)

    world.report(
        order,
        V.PARTIALLY_FILLED_CANCELLED,
        quantity=D("0.03"),
        cum_quantity=D("0.01"),
        updated_at=then,
    )

    assert world.order(order).quantity == D("0.03")


def test_price_and_quantity_merge_by_the_exchanges_time() -> None:
    world, order = a_world_with_working_order()
    newer = world.report_of(
        order, price=D(49900), quantity=D("0.03"), updated_at=world.now + seconds(2)
    )
    older = world.report_of(
        order, price=D(49800), quantity=D("0.04"), updated_at=world.now + seconds(1)
    )

    assert event_kinds(world.feed(newer)) == [EventKind.ORDER_AMENDED]
    assert world.feed(older).changes == []

    merged = world.order(order)
    assert (merged.price, merged.quantity) == (D(49900), D("0.03"))


def test_of_two_reports_of_one_millisecond_the_one_that_came_last_counts() -> None:
    world, order = a_world_with_working_order()
    then = world.now + seconds(2)

    for price, quantity in ((D(49900), D("0.03")), (D(49800), D("0.04"))):
        world.report(order, price=price, quantity=quantity, updated_at=then)

    assert (world.order(order).price, world.order(order).quantity) == (D(49800), D("0.04"))


@pytest.mark.parametrize(
    "older",
    [
        {"status": V.PARTIALLY_FILLED, "cum_quantity": D("0.005")},
        {"status": V.PARTIALLY_FILLED, "cum_quantity": D("0.01")},
    ],
)
def test_of_two_reports_of_one_millisecond_the_one_that_tells_less_is_the_older(
    older: dict[str, Any],
) -> None:
    """Amended down to what it had filled, it ended; the report before that came after it."""
    world, order = a_world_with_working_order()
    then = world.now + seconds(2)
    world.report(order, V.FILLED, quantity=D("0.01"), cum_quantity=D("0.01"), updated_at=then)

    world.report(order, quantity=D("0.015"), updated_at=then, **older)

    assert world.order(order).quantity == D("0.01")
    world.fill(order, "0.01")
    assert world.status(order) is OrderStatus.FILLED


def test_an_older_report_does_not_bring_an_ended_order_back() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.CANCELLED)

    assert world.report(order, V.NEW).changes == []
    assert world.status(order) is OrderStatus.CANCELLED


def test_the_end_of_an_order_settles_its_commands() -> None:
    world, order = a_world_with_working_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))
    world.feed(
        AmendOrder(
            request_id="a", actor="ann", client_order_id=order.client_order_id, price=D(49000)
        )
    )

    world.report(order, V.CANCELLED)

    assert world.command_status(order) is CommandStatus.DONE
    assert not world.book.open_commands


# -- orders that come back


def test_an_order_we_gave_up_that_lives_counts_is_alarmed_about_and_cancelled() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.REFUSED)
    assert world.status(order) is OrderStatus.REJECTED

    step = world.report(order)

    assert world.status(order) is OrderStatus.WORKING
    assert EventKind.ORDER_REVIVED in event_kinds(step)
    assert len(cancels(step)) == 1
    assert world.order(order).cancel_reason == Code.LATE_BIRTH
    assert world.order(order).closed_at is None
    assert order.client_order_id in world.book.live[(order.terms.instrument_id, "Both")]


def test_a_refused_order_that_filled_is_filled() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.REFUSED)

    step = world.fill(order, "0.02")

    assert world.status(order) is OrderStatus.FILLED
    assert EventKind.ORDER_REVIVED in event_kinds(step)
    assert world.position().size == D("0.02")


def test_a_refused_order_that_filled_in_part_is_cancelled_by_policy() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.REFUSED)

    step = world.fill(order, "0.01")

    assert world.status(order) is OrderStatus.PARTIALLY_FILLED
    assert len(cancels(step)) == 1


def test_a_refused_order_that_the_exchange_shows_ended_needs_no_cancel() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.REFUSED)

    step = world.report(order, V.CANCELLED)

    assert world.order(order).ended_by is EndedBy.REPORT
    assert cancels(step) == []


def test_a_refused_order_shown_ended_ahead_of_the_ledger_needs_no_cancel_either() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.REFUSED)

    step = world.report(order, V.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.01"))
    assert cancels(step) == []

    world.fill(order, "0.01")
    assert world.status(order) is OrderStatus.CANCELLED


# -- re-quotes


def test_post_only_that_would_take_is_quoted_once_more_at_the_touch_in_the_same_step() -> None:
    world, order = a_world_with_working_order()

    step = world.report(order, V.CANCELLED, **WOULD_TAKE)

    again = world.newest_order()
    assert world.order(order).code == Code.POST_ONLY_WOULD_TAKE
    assert again.terms.requote_of == order.client_order_id
    assert again.client_order_id == an_order_id(signal=a_signal_id(1), leg=101)
    assert (again.price, again.quantity, again.status) == (
        D(49990),
        D("0.020"),
        OrderStatus.SUBMITTING,
    )
    assert again.terms.valid_until == order.terms.valid_until
    assert [sent.order for sent in creates(step)] == [again]


def test_a_re_quote_is_never_quoted_again() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.CANCELLED, **WOULD_TAKE)
    again = world.newest_order()

    world.report(again, V.CANCELLED, **WOULD_TAKE)

    assert len(world.orders()) == 2


def test_what_has_filled_is_not_quoted_again() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.015")

    world.report(order, V.PARTIALLY_FILLED_CANCELLED, **WOULD_TAKE)

    assert world.newest_order().quantity == D("0.005")


def test_no_re_quote_for_another_reason() -> None:
    world, order = a_world_with_working_order()

    world.report(order, V.CANCELLED, reject_reason="EC_Others")

    assert len(world.orders()) == 1


def test_no_re_quote_of_an_order_we_asked_to_cancel() -> None:
    world, order = a_world_with_working_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))

    world.report(order, V.CANCELLED, **WOULD_TAKE)

    assert len(world.orders()) == 1


def test_no_re_quote_after_its_last_moment() -> None:
    world, order = a_world_with_working_order()
    world.after(30).quote()

    world.report(order, V.CANCELLED, **WOULD_TAKE)

    assert len(world.orders()) == 1


def test_no_re_quote_without_a_fresh_quote() -> None:
    world, order = a_world_with_working_order()
    world.after(6)

    world.report(order, V.CANCELLED, **WOULD_TAKE)

    assert len(world.orders()) == 1


def test_no_re_quote_when_the_setting_is_off() -> None:
    world, order = a_world_with_working_order(requote_post_only=False)

    world.report(order, V.CANCELLED, **WOULD_TAKE)

    assert len(world.orders()) == 1


def test_no_re_quote_while_trading_is_halted() -> None:
    world, order = a_world_with_working_order()
    world.feed(
        SetTradingState(
            request_id="r", actor="ann", scope="account", state=Trading.HALTED, reason="x"
        )
    )

    world.report(order, V.CANCELLED, **WOULD_TAKE)

    assert len(world.orders()) == 1


def test_a_re_quote_counts_the_fills_that_the_same_sweep_books() -> None:
    world, order = a_world_with_working_order(
        max_position_size=D("0.03"), cancel_opposite_orders_only=True
    )
    world.signal(amount=D(500))
    other = world.newest_order()
    world.report(other)
    shown = world.report_of(
        order, V.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.005"), **WOULD_TAKE
    )

    world.sweep(
        executions=[world.execution_of(other, "0.01"), world.execution_of(order, "0.005")],
        orders=[shown],
    )

    again = world.newest_order()
    assert again.terms.requote_of == order.client_order_id
    assert world.position().size == D("0.015")
    assert D("0.015") + again.quantity <= D("0.03")


# -- amends


def test_an_open_amend_counts_at_the_larger_of_old_and_new() -> None:
    world, order = a_world_with_working_order(
        max_position_size=D("0.06"), cancel_opposite_orders_only=True
    )
    amend(world, order, quantity=D("0.05"))

    world.signal()

    assert world.newest_order().quantity == D("0.01")


def amend(world: World, order: Order, **values: object) -> None:
    world.feed(
        AmendOrder(
            request_id=f"a{world.now}",
            actor="ann",
            client_order_id=order.client_order_id,
            **values,  # type: ignore[arg-type]
        )
    )


def test_an_order_amended_upwards_is_not_filled_at_its_old_quantity() -> None:
    """Its fills reach the old quantity before any report shows the new one."""
    world, order = a_world_with_working_order()
    amend(world, order, quantity=D("0.05"))

    world.after(1).fill(order, "0.02")
    assert world.status(order) is OrderStatus.PARTIALLY_FILLED

    world.report(order, V.PARTIALLY_FILLED, quantity=D("0.05"), cum_quantity=D("0.02"))
    assert world.order(order).leaves_quantity == D("0.03")
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.DONE


def test_an_order_whose_amend_was_refused_is_filled_by_the_exchanges_word() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, quantity=D("0.05"))
    world.fill(order, "0.02")
    world.answer(order, AnswerOutcome.REFUSED, kind=CommandKind.AMEND, code=110003)

    world.report(order, V.FILLED, cum_quantity=D("0.02"))

    assert world.status(order) is OrderStatus.FILLED


def test_a_report_from_before_the_amend_settles_nothing() -> None:
    world, order = a_world_with_working_order()
    sent = world.now
    world.after(1)
    amend(world, order, price=D(49000))

    world.report(order, updated_at=sent)

    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.SENT


def test_a_fill_on_the_way_does_not_settle_an_amend_that_may_still_take_effect() -> None:
    """Within the receive window the exchange may report a fill first and amend afterwards."""
    world, order = a_world_with_working_order()
    amend(world, order, quantity=D("0.05"))

    world.after(0.1).report(order, V.PARTIALLY_FILLED, cum_quantity=D("0.01"))

    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.SENT


def test_a_report_after_the_receive_window_shows_that_an_amend_had_no_effect() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, price=D(49000))

    world.after(3).report(order)

    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.REFUSED


def test_a_report_at_the_end_of_the_receive_window_is_still_too_early_to_tell() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, price=D(49000))
    window = world.config.recv_window + world.config.clock_skew

    world.report(order, updated_at=world.now + window)
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.SENT

    world.report(order, updated_at=world.now + window + seconds(0.001))
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.REFUSED


def test_the_window_of_an_amend_begins_when_it_is_sent_and_not_when_it_is_asked_for() -> None:
    world, order = a_world_with_working_order()
    world.transport(up=False)
    amend(world, order, price=D(49000))
    world.after(5).transport(up=True)
    world.quote()
    world.tick()
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.SENT

    world.report(order)

    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.SENT


def test_an_amend_that_is_settled_stays_settled() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, price=D(49000))
    world.after(1).report(order, price=D(49000))

    later = world.after(60).report(order, price=D(48000))

    assert event_kinds(later) == [EventKind.ORDER_AMENDED]
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.DONE


def test_an_order_that_existed_is_compared_when_a_report_follows_its_fill() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.EXISTS, code=110072)
    world.fill(order, "0.01")

    world.report(order, V.PARTIALLY_FILLED, quantity=D("0.03"))

    assert world.state("MISMATCH").state is Trading.HALTED
    assert world.order(order).code == ""


def test_an_order_that_existed_with_our_terms_is_ours_when_a_report_follows_its_fill() -> None:
    world, order = a_world_with_sent_order()
    world.answer(order, AnswerOutcome.EXISTS, code=110072)
    world.fill(order, "0.01")

    step = world.report(order, V.PARTIALLY_FILLED)

    assert event_kinds(step) == [EventKind.ORDER_REPORTED]
    assert world.order(order).code == ""
    assert ("account", "MISMATCH") not in world.book.states


# -- orders of others
# -- orders of others


def test_a_foreign_order_is_adopted_as_external_and_counted() -> None:
    world, order = a_world_with_working_order()
    foreign = world.report_of(
        order,
        client_order_id=ClientOrderId(""),
        venue_order_id=VenueOrderId("0" * 36),
        time_in_force=TimeInForce.GTC,
    )

    step = world.feed(foreign)

    adopted = world.newest_order()
    assert (adopted.terms.origin, adopted.status) == (Origin.EXTERNAL, OrderStatus.WORKING)
    assert len(adopted.client_order_id) == 36
    assert event_kinds(step) == [EventKind.ORDER_ADOPTED, EventKind.ORDER_WORKING]
    assert world.book.find("", "0" * 36) is adopted


def test_where_no_store_knows_more_a_strangers_order_is_adopted_at_once() -> None:
    world, order = a_world_with_working_order()
    foreign = {"client_order_id": ClientOrderId(""), "venue_order_id": VenueOrderId("v9")}
    report = world.report_of(order, **foreign)

    step = world.engine.step(report, world.now)

    assert isinstance(step, Step)
    assert EventKind.ORDER_ADOPTED in event_kinds(step)


def test_after_a_restart_the_store_is_asked_for_a_strangers_order_once() -> None:
    world, order = a_world_with_working_order()
    foreign = {"client_order_id": ClientOrderId("theirs"), "venue_order_id": VenueOrderId("v9")}
    report = world.report_of(order, **foreign)
    nameless = attrs.evolve(report, client_order_id=ClientOrderId(""))
    world.restart()

    asked = world.engine.step(report, world.now)

    assert asked == Need(orders=(report.client_order_id,), venue_orders=(report.venue_order_id,))
    assert world.engine.step(nameless, world.now) == Need(venue_orders=(report.venue_order_id,))
    assert EventKind.ORDER_ADOPTED in event_kinds(world.feed(report))


def test_a_strangers_post_only_order_that_would_take_is_not_quoted_again() -> None:
    world, order = a_world_with_working_order()
    foreign = {
        "client_order_id": ClientOrderId("theirs"),
        "venue_order_id": VenueOrderId("v9"),
        "instrument_id": InstrumentId("linear:XRPUSDT"),
        "time_in_force": TimeInForce.POST_ONLY,
    }
    world.report(order, **foreign)

    world.report(order, V.CANCELLED, **foreign, **WOULD_TAKE)

    assert [one.terms.origin for one in world.orders()] == [Origin.SIGNAL, Origin.EXTERNAL]


def test_an_exit_that_waits_at_the_exchange_is_adopted_when_it_triggers() -> None:
    world, order = a_world_with_working_order()
    exit_terms = {
        "client_order_id": ClientOrderId(""),
        "venue_order_id": VenueOrderId("0" * 36),
        "side": Side.SELL,
        "reduce_only": True,
    }

    for status in (VenueStatus.UNTRIGGERED, VenueStatus.DEACTIVATED):
        world.feed(world.report_of(order, status, **exit_terms))
    assert world.book.find("", "0" * 36) is None
    world.feed(
        world.report_of(order, VenueStatus.UNTRIGGERED, **exit_terms | {"reduce_only": False})
    )
    assert world.book.find("", "0" * 36) is not None
    second = exit_terms | {"venue_order_id": VenueOrderId("1" * 36)}
    world.feed(world.report_of(order, VenueStatus.TRIGGERED, **second))

    assert world.book.find("", "1" * 36) is world.newest_order()


def test_an_order_that_bears_our_mark_and_is_in_no_row_is_an_alarm() -> None:
    world, order = a_world_with_working_order()

    step = world.report(
        order, client_order_id=an_order_id(leg=77), venue_order_id=VenueOrderId("v77")
    )

    assert [event.code for event in events(step, EventKind.ALARM)] == ["OWN_ORDER_WITHOUT_ROW"]
    assert world.newest_order().terms.origin is Origin.EXTERNAL


def test_a_policy_never_cancels_a_foreign_order() -> None:
    world, order = a_world_with_working_order()
    world.report(order, client_order_id=ClientOrderId("theirs"), venue_order_id=VenueOrderId("v9"))
    foreign = world.newest_order()

    world.signal()
    world.pass_(4000)

    assert not [
        sent
        for step in world.steps
        for sent in cancels(step)
        if sent.order.client_order_id == foreign.client_order_id
    ]


def test_a_report_of_an_order_the_book_has_forgotten_asks_the_store() -> None:
    world, order = a_world_with_working_order()
    world.report(order, V.CANCELLED)
    late = world.report_of(order, V.CANCELLED)
    world.pass_(1000)
    assert order.client_order_id not in world.book.orders

    step = world.feed(late)

    assert step.changes == []
    assert world.order(order).status is OrderStatus.CANCELLED
