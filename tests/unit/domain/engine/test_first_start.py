"""The first start on an account: consent, what it holds, each execution once (protocol 8.5)."""

from datetime import datetime
from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.decide.drafts import leg_id
from order_domain.engine.work import OPENED
from order_domain.model.enums import (
    EventKind,
    ExecutionKind,
    Origin,
    PositionSide,
    Side,
    Trading,
    VenueStatus,
    Verdict,
)
from order_domain.model.execution import EXTERNAL, Execution
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.inputs import ClosePosition, SetTradingState
from order_domain.model.order import Order
from order_domain.model.reports import OrderReport, PositionReport
from order_domain.model.rows import SignalRow
from order_domain.model.steps import Step
from tests.builders import (
    BTC,
    D,
    a_place_order,
    a_signal_id,
    an_execution,
    an_instrument,
    an_order_id,
    seconds,
)
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    creates,
    entries,
    events,
    reply,
    sweeps,
)

FOREIGN = {"client_order_id": ClientOrderId("theirs"), "venue_order_id": VenueOrderId("v9")}
WHO = {"request_id": "r1", "actor": "ada"}
AT_REST = 10.3
"""Seconds: `visibility` and `clock_skew`, and a little."""


def a_first_start(**config: object) -> World:
    world = World(**config)
    world.feed(an_instrument())
    world.transport(up=True)
    world.stream(healthy=True)
    return world


def a_position_report(size: object, world: World, price: object = D(50000)) -> PositionReport:
    return PositionReport(BTC, PositionSide.BOTH, D(size), price, world.now)  # type: ignore[arg-type]


def begin(world: World, size: object = "0", **read: Any) -> Step:
    """Read the account twice, at rest in between; return the step that took it over."""
    for _ in range(2):
        positions = [a_position_report(size, world, D(40000))]
        step = world.sweep("START", **{"positions": positions} | read)
        world.after(AT_REST)
    return step


def a_trade(name: str, quantity: str, at: datetime, **changes: Any) -> Execution:
    side = Side.SELL if quantity.startswith("-") else Side.BUY
    size = D(quantity.lstrip("-"))
    values = {"exec_id": ExecutionId(name), "side": side, "quantity": size, "executed_at": at}
    return an_execution(**FOREIGN | values | changes)


def lift(world: World) -> None:
    """A person has compared, and lifts the halt over lost rows."""
    state = world.state("COMMITS_LOST")
    who = {"request_id": "l1", "actor": "ada", "scope": "account", "reason": "compared"}
    lifted = {"state": Trading.ACTIVE, "cause": state.cause, "version": state.version}
    world.feed(SetTradingState(**who, **lifted))  # type: ignore[arg-type]


# -- consent


def test_a_first_start_on_an_empty_account_needs_no_consent_and_begins_at_once() -> None:
    world = a_first_start()

    world.sweep("START")

    assert not world.engine.is_behind_barrier
    assert world.book.states == {}


def test_without_consent_an_account_with_positions_is_halted_and_nothing_is_taken() -> None:
    world = a_first_start()

    step = begin(world, "0.5")

    assert entries(step) == []
    assert world.state("ADOPTION").state is Trading.HALTED
    assert world.engine.is_behind_barrier
    assert world.book.positions == {}


def test_without_consent_a_position_that_strangers_have_just_made_is_not_taken_either() -> None:
    world = a_first_start()
    made = a_trade("made", "0.5", world.now - seconds(60))

    begin(world, "0.5", executions=[made])

    assert world.state("ADOPTION").state is Trading.HALTED
    assert world.book.positions == {}


def test_without_consent_an_account_with_open_orders_is_halted_too() -> None:
    template, order = a_world_with_working_order()
    world = a_first_start()

    begin(world, orders=[template.report_of(order, **FOREIGN)], positions=[])

    assert world.state("ADOPTION").state is Trading.HALTED
    assert world.orders() == []


def test_consent_given_later_lifts_the_halt_once_the_account_is_taken_over() -> None:
    world = a_first_start()
    begin(world, "0.5")
    consenting = a_first_start(adopt_existing=True)
    consenting.store, consenting.now = world.store, world.now
    consenting.restart()
    consenting.transport(up=True)
    consenting.stream(healthy=True)

    begin(consenting, "0.5")

    assert consenting.state("ADOPTION").state is Trading.ACTIVE
    assert consenting.position().size == D("0.5")


def test_an_incomplete_first_sweep_takes_nothing_and_is_made_again_within_a_second() -> None:
    """Else the account would no longer look untouched, and the next one would ask no consent."""
    world = a_first_start()

    world.sweep(
        "START",
        complete=False,
        executions=[a_trade("e", "0.5", world.now - seconds(60))],
        positions=[],
    )

    assert world.book.ledger_number == 0
    world.pass_(1.1)
    assert sweeps(world.last)
    world.sweep("START", positions=[a_position_report("0.5", world)])
    assert world.state("ADOPTION").state is Trading.HALTED


def test_fills_of_our_own_before_the_first_sweep_need_no_consent() -> None:
    """The process died between its first order and the end of its first sweep."""
    world = a_first_start()
    world.wallet()
    template, order = a_world_with_working_order()
    for row in template.stored_rows():
        if type(row) in (Order, SignalRow):
            world.store.write([row], world.store.head)
    world.restart()
    world.stream(healthy=True)
    told, lost = template.execution_of(order, "0.01"), template.execution_of(order, "0.005")
    world.feed(told)
    world.after(60)

    begin(world, "0.015", executions=[told, lost])

    assert world.book.states == {}
    assert world.position().size == D("0.015")
    assert [entry.execution.kind for step in world.steps for entry in entries(step)] == [
        ExecutionKind.TRADE,
        ExecutionKind.TRADE,
    ]


def test_a_fill_of_our_own_that_only_the_first_reading_shows_needs_no_consent() -> None:
    """The first reading looks a day back, the later ones do not."""
    world = a_first_start()
    world.wallet()
    template, order = a_world_with_working_order()
    for row in template.stored_rows():
        if type(row) in (Order, SignalRow):
            world.store.write([row], world.store.head)
    world.restart()
    world.stream(healthy=True)
    filled = template.execution_of(order, "0.02")
    world.after(300)
    held = [a_position_report("0.02", world)]

    world.sweep("START", executions=[filled], positions=held)
    near = a_trade("near", "0.01", world.now + seconds(0.01))
    world.after(11).sweep("START", executions=[near], positions=held)
    world.after(11).sweep("START", executions=[near], positions=held)

    assert [state for state in world.book.states if state[1] == "COMMITS_LOST"] == []
    assert world.order(order).cum_quantity == D("0.02")
    assert world.position().size == D("0.02")


def test_a_signal_denied_before_the_first_sweep_does_not_spare_the_consent() -> None:
    world = a_first_start()
    world.signal(timestamp=world.now - seconds(1000))
    assert world.orders()

    world.sweep("START", positions=[a_position_report("0.5", world)])

    assert world.state("ADOPTION").state is Trading.HALTED


# -- what the account holds


@pytest.mark.parametrize(("size", "side"), [("0.5", Side.BUY), ("-0.5", Side.SELL)])
def test_with_consent_each_position_becomes_one_opening_entry(size: str, side: Side) -> None:
    world = a_first_start(adopt_existing=True)

    step = begin(world, size)

    (entry,) = entries(step)
    assert (entry.execution.kind, entry.execution.side) == (ExecutionKind.OPENING, side)
    assert (entry.strategy_id, entry.realized_pnl) == (EXTERNAL, 0)
    assert world.position().size == D(size)
    assert world.position().average_price == D(40000)
    assert not world.engine.is_behind_barrier


def test_with_consent_open_orders_are_adopted_as_external() -> None:
    template, order = a_world_with_working_order()
    world = a_first_start(adopt_existing=True)

    begin(world, orders=[template.report_of(order, **FOREIGN)], positions=[])

    assert [one.terms.origin for one in world.orders()] == [Origin.EXTERNAL]


def test_signals_wait_for_the_first_sweep_and_go_on_after_it() -> None:
    world = a_first_start()
    world.wallet()
    world.quote()
    world.signal()
    assert world.row(a_signal_id(1)).verdict is Verdict.PARKED

    world.sweep("START")
    world.pass_(0.3)

    assert world.row(a_signal_id(1)).verdict is Verdict.ORDERED


def test_starting_again_and_again_makes_no_entry_anew() -> None:
    world = a_first_start(adopt_existing=True)
    begin(world, "0.5")
    counts = []
    for _ in range(3):
        world.after(60)
        world.restart()
        world.transport(up=True)
        world.stream(healthy=True)
        world.sweep("START", positions=[a_position_report("0.5", world, D(40000))])
        counts.append((len(world.loaded_book().executions), world.position().size))

    assert counts == [counts[0]] * 3
    assert world.position().size == D("0.5")
    assert len([entry for step in world.steps for entry in entries(step)]) == 1


def test_a_second_reading_is_due_when_all_that_was_executed_before_the_first_must_show() -> None:
    world = a_first_start(adopt_existing=True)
    world.sweep("START", positions=[a_position_report("0.5", world)])
    read_at, count = world.now, len(world.steps)

    world.pass_(AT_REST + 0.2)

    (asked,) = [(world, one) for step in world.steps[count:] for one in sweeps(step)]
    assert asked[1].first
    # it must show what was executed within `visibility` before the first
    assert asked[1].since == read_at - world.config.visibility - 2 * world.config.clock_skew


def test_the_first_reading_of_all_looks_a_day_back() -> None:
    world = a_first_start()

    (asked,) = [one for step in world.steps for one in sweeps(step)]

    assert (asked.first, asked.since) == (True, world.now - seconds(86_400))


def test_a_reading_that_comes_too_early_proves_nothing_and_does_not_begin_anew() -> None:
    world = a_first_start(adopt_existing=True)
    world.sweep("START", positions=[a_position_report("0.5", world)])

    early = world.after(5).sweep("RECONNECT", positions=[a_position_report("0.5", world)])
    late = world.after(5.3).sweep("START", positions=[a_position_report("0.5", world)])

    assert entries(early) == []
    assert len(entries(late)) == 1


# -- on a moving account


def test_what_was_executed_just_before_the_first_start_is_in_the_opening_entry_for_good() -> None:
    """The watermark lies two minutes back, so the next sweep reads such executions again."""
    world = a_first_start(adopt_existing=True)
    old = a_trade("old", "0.2", world.now - seconds(60))
    begin(world, "0.5")

    world.sweep(executions=[old], positions=[a_position_report("0.5", world)])
    world.feed(old)
    world.restart()
    world.feed(old)

    assert world.position().size == D("0.5")
    assert len([entry for step in world.steps for entry in entries(step)]) == 1


def test_an_execution_that_a_reading_did_not_show_yet_is_not_doubled() -> None:
    """Positions are read at once, executions lag: the difference is not what was held before."""
    world = a_first_start(adopt_existing=True)
    unseen = a_trade("unseen", "0.2", world.now - seconds(3))
    world.sweep("START", positions=[a_position_report("0.7", world)])
    world.after(AT_REST)

    moved = world.sweep("START", executions=[unseen], positions=[a_position_report("0.7", world)])
    reason = world.state("ADOPTION").reason
    world.after(AT_REST)
    world.sweep("START", executions=[unseen], positions=[a_position_report("0.7", world)])
    world.feed(unseen)

    assert entries(moved) == []
    assert "linear:BTCUSDT" in reason
    assert world.state("ADOPTION").state is Trading.ACTIVE
    assert world.position().size == D("0.7")


def test_an_execution_between_two_readings_counts_once_whether_it_was_pushed_or_not() -> None:
    for is_pushed in (True, False):
        world = a_first_start(adopt_existing=True)
        world.sweep("START", positions=[a_position_report("0.5", world)])
        world.after(3)
        between = a_trade("between", "0.2", world.now)
        if is_pushed:
            world.feed(between)
        world.after(AT_REST)

        world.sweep("START", executions=[between], positions=[a_position_report("0.7", world)])
        world.feed(between)

        booked = [entry for step in world.steps for entry in entries(step)]
        assert sorted(entry.execution.kind for entry in booked) == ["Opening", "Trade"]
        assert world.position().size == D("0.7")


def test_a_push_that_no_reading_shows_yet_is_not_taken_for_what_was_held() -> None:
    world = a_first_start(adopt_existing=True)
    world.sweep("START", positions=[a_position_report("0.5", world)])
    world.after(AT_REST)
    world.feed(a_trade("pushed", "0.2", world.now - seconds(1)))

    world.sweep("START", positions=[a_position_report("0.7", world)])

    assert world.position().size == D("0.7")


def test_a_push_from_within_the_first_reading_makes_the_account_be_read_anew() -> None:
    world = a_first_start(adopt_existing=True)
    world.sweep("START", positions=[a_position_report("0.5", world)])
    world.feed(a_trade("within", "0.2", world.now + seconds(0.01)))
    world.after(AT_REST)

    step = world.sweep("START", positions=[a_position_report("0.7", world)])
    world.after(AT_REST)
    world.sweep("START", positions=[a_position_report("0.7", world)])

    assert entries(step) == []
    assert world.position().size == D("0.7")


def test_an_empty_account_that_was_traded_on_a_moment_ago_is_not_begun_at_once() -> None:
    world = a_first_start(adopt_existing=True)
    closing = a_trade("closing", "-0.2", world.now - seconds(3))

    world.sweep("START", executions=[closing], positions=[])
    assert world.engine.is_behind_barrier
    for _ in range(2):
        world.after(AT_REST)
        world.sweep("START", executions=[closing], positions=[])

    assert not world.engine.is_behind_barrier
    assert world.book.positions == {}


def test_funding_does_not_disturb_a_first_start() -> None:
    world = a_first_start(adopt_existing=True)
    paid = a_trade("paid", "0", world.now - seconds(3), kind=ExecutionKind.FUNDING, fee=D(2))

    pushed = a_trade("pushed", "0", world.now - seconds(2), kind=ExecutionKind.FUNDING, fee=D(1))
    world.feed(pushed)

    begin(world, "0.5", executions=[paid, pushed])

    assert not world.engine.is_behind_barrier
    assert (world.position().size, world.position().funding) == (D("0.5"), D(1))


def test_a_foreign_order_filled_in_part_before_the_first_start_counts_once() -> None:
    template, order = a_world_with_working_order()
    world = a_first_start(adopt_existing=True)
    shown = template.report_of(
        order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.01"), **FOREIGN
    )
    fill = template.execution_of(order, "0.01", executed_at=world.now - seconds(60), **FOREIGN)

    step = begin(world, "0.03", orders=[shown], executions=[fill])

    foreign = world.newest_order()
    assert [entry.execution.quantity for entry in entries(step)] == [D("0.02"), D("0.01")]
    assert (foreign.cum_quantity, foreign.unbooked_quantity) == (D("0.01"), 0)
    assert world.position().size == D("0.03")


def test_an_old_fill_that_an_order_needs_after_all_leaves_the_opening_entry() -> None:
    """A push tells of a foreign order that had ended before the account was taken over."""
    template, order = a_world_with_working_order()
    world = a_first_start(adopt_existing=True)
    old = template.execution_of(order, "0.01", executed_at=world.now - seconds(60), **FOREIGN)
    begin(world, "0.03")
    world.feed(template.report_of(order, VenueStatus.CANCELLED, cum_quantity=D("0.01"), **FOREIGN))
    foreign = world.newest_order()
    assert foreign.unbooked_quantity == D("0.01")

    step = world.lookup(foreign, executions=[old])

    kinds = [entry.execution.kind for entry in entries(step)]
    assert kinds == [ExecutionKind.OPENING, ExecutionKind.TRADE]
    assert world.order(foreign).unbooked_quantity == 0
    assert world.position().size == D("0.03")


def test_what_the_ledger_holds_and_the_account_does_not_is_opened_at_our_own_price() -> None:
    world = a_first_start(adopt_existing=True)
    world.feed(a_trade("told", "0.2", world.now - seconds(300), price=D(45000)))

    step = begin(world, "0", positions=[])

    (entry,) = entries(step)
    assert (entry.execution.quantity, entry.execution.side) == (D("0.2"), Side.SELL)
    assert (world.position().size, world.position().realized_pnl) == (0, 0)


def test_what_known_fills_explain_beyond_the_position_is_opened_at_their_price() -> None:
    template, order = a_world_with_working_order()
    world = a_first_start(adopt_existing=True)
    shown = template.report_of(
        order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.01"), **FOREIGN
    )
    fill = template.execution_of(order, "0.01", executed_at=world.now - seconds(60), **FOREIGN)

    begin(world, orders=[shown], executions=[fill], positions=[])

    assert (world.position().size, world.position().realized_pnl) == (0, 0)


def test_an_order_filled_right_after_an_empty_account_was_begun_counts_though_clocks_differ() -> (
    None
):
    world = a_first_start()
    world.wallet()
    world.quote()
    world.sweep("START")
    world.signal()
    world.pass_(0.3)
    order = world.the_order()

    world.fill(order, executed_at=world.book.marks[OPENED].at)

    assert world.position().size == order.quantity


# -- a store that should know more


def an_own_report(template: World, order: Order) -> OrderReport:
    return template.report_of(order, venue_order_id=VenueOrderId("v1"))


@pytest.mark.parametrize("consents", [True, False])
@pytest.mark.parametrize("shown", ["order", "execution"])
def test_an_order_of_our_own_without_a_row_halts_a_first_start(shown: str, consents: bool) -> None:
    """The store was lost, or is another one: history, limits and losses of the day are gone."""
    template, order = a_world_with_working_order()
    world = a_first_start(adopt_existing=consents)
    filled = template.execution_of(order, "0.01", executed_at=world.now - seconds(7200))
    read: dict[str, Any] = {"positions": [a_position_report("0.01", world)]}
    if shown == "order":
        read["orders"] = [an_own_report(template, order)]
    else:
        read["executions"] = [filled]

    begin(world, **read)

    state = world.state("COMMITS_LOST")
    assert state.state is Trading.HALTED
    assert order.client_order_id in state.reason
    assert world.engine.is_behind_barrier is not consents


def test_on_a_store_that_was_lost_a_person_can_still_reduce() -> None:
    template, order = a_world_with_working_order()
    world = a_first_start(adopt_existing=True)
    begin(world, "0.01", orders=[an_own_report(template, order)])
    world.wallet()
    world.quote()

    step = world.feed(ClosePosition(**WHO, instrument_id=BTC))

    (sent,) = creates(step)
    assert sent.order.terms.reduce_only
    assert world.state("COMMITS_LOST").state is Trading.HALTED


def test_the_halt_over_a_lost_store_is_lifted_by_a_person_only_and_does_not_come_back() -> None:
    template, order = a_world_with_working_order()
    world = a_first_start(adopt_existing=True)
    shown = [an_own_report(template, order)]
    begin(world, "0.01", orders=shown)
    world.pass_(120)
    assert world.state("COMMITS_LOST").state is Trading.HALTED

    lift(world)
    world.sweep(orders=shown, positions=[a_position_report("0.01", world)])
    world.restart()
    world.stream(healthy=True)
    world.sweep(orders=shown, positions=[a_position_report("0.01", world)])

    assert world.state("COMMITS_LOST").state is Trading.ACTIVE


@pytest.mark.parametrize("how", ["report", "execution"])
def test_an_own_order_without_a_row_halts_at_any_time_and_cancels_pass(how: str) -> None:
    world, order = a_world_with_working_order()
    other = {"client_order_id": an_order_id(leg=77), "venue_order_id": VenueOrderId("v77")}

    if how == "report":
        world.report(order, **other)
    else:
        world.fill(order, "0.01", **other)

    assert world.state("COMMITS_LOST").state is Trading.HALTED
    assert [event.code for step in world.steps for event in events(step, EventKind.ALARM)] == (
        ["OWN_ORDER_WITHOUT_ROW"] if how == "report" else []
    )


def a_world_that_adopted_the_order_of_its_first_signal(**config: object) -> tuple[World, Order]:
    """The store has lost both: the exchange still has the order, the broker the signal."""
    template, order = a_world_with_working_order(**config)
    world = a_world(**config)
    world.feed(template.report_of(order))
    return world, order


@pytest.mark.parametrize("old", [False, True])
def test_a_signal_whose_order_is_at_the_exchange_already_makes_no_second_one(old: bool) -> None:
    world, order = a_world_that_adopted_the_order_of_its_first_signal()

    made = {"timestamp": world.now - seconds(1000)} if old else {}
    step = world.signal(**made)

    assert creates(step) == []
    row = world.row(a_signal_id(1))
    assert (row.verdict, row.code, row.order_ids) == (Verdict.DENIED, Code.ORDER_EXISTS, ())
    assert [one.client_order_id for one in world.orders()] == [order.client_order_id]
    assert world.the_order().terms.origin is Origin.EXTERNAL


def test_the_store_is_asked_for_orders_that_lost_signals_may_have_made() -> None:
    world, _ = a_world_that_adopted_the_order_of_its_first_signal(
        enable_order_splitting=True, max_orders_per_signal=3
    )
    order = world.the_order()
    world.report(order, VenueStatus.CANCELLED)
    world.pass_(1000)
    assert world.orders() == []

    world.signal()

    assert world.row(a_signal_id(1)).code == Code.ORDER_EXISTS


def test_a_signal_whose_order_lives_on_as_its_re_quote_makes_no_second_one() -> None:
    template, order = a_world_with_working_order()
    again = leg_id(order.terms, 101, template.config)
    world = a_world()
    world.feed(template.report_of(order, client_order_id=again))

    world.signal()

    assert world.row(a_signal_id(1)).code == Code.ORDER_EXISTS


def test_an_order_is_not_re_quoted_while_its_re_quote_is_there_already() -> None:
    world, order = a_world_with_working_order()
    again = leg_id(order.terms, 101, world.config)
    world.report(order, client_order_id=again, venue_order_id=VenueOrderId("v101"))
    lift(world)
    world.quote()

    step = world.report(order, VenueStatus.CANCELLED, reject_reason="EC_PostOnlyWillTakeLiquidity")

    assert creates(step) == []
    assert world.order(again).terms.origin is Origin.EXTERNAL


def test_a_person_whose_order_is_there_already_is_told_so() -> None:
    template = a_world()
    template.feed(a_place_order(**WHO))
    order = template.the_order()
    world = a_world()
    world.feed(template.report_of(order))
    lift(world)

    step = world.feed(a_place_order(**WHO))

    assert creates(step) == []
    assert reply(step).code == Code.ORDER_EXISTS
