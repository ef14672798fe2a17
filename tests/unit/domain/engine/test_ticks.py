"""Time: what is due at a Tick, and that the engine asks for each Tick it needs (protocol 7)."""

from datetime import UTC, datetime, timedelta

import pytest

from order_domain.codes import Code
from order_domain.model.enums import (
    AnswerOutcome,
    Category,
    CommandKind,
    CommandStatus,
    EndedBy,
    EventKind,
    ExecutionKind,
    OrderStatus,
    Side,
    Trading,
    VenueStatus,
    Verdict,
)
from order_domain.model.events import Event
from order_domain.model.inputs import AmendOrder, CancelOrder, SetTradingState
from order_domain.model.order import Order
from order_domain.model.position import PositionSnapshot
from order_domain.model.signal import SignalIntent
from tests.builders import D, a_signal_id, an_execution, an_instrument, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    amends,
    cancels,
    creates,
    events,
    of_type,
    sweeps,
)

HALT = {"request_id": "h", "actor": "ann", "scope": "account", "reason": "news"}


def all_events(world: World, kind: EventKind) -> list[Event]:
    return [event for step in world.steps for event in events(step, kind)]


# -- claims


def test_nothing_is_claimed_while_the_transport_is_down() -> None:
    world = a_world()
    world.transport(up=False)

    step = world.signal()

    assert world.the_order().status is OrderStatus.INTENT
    assert creates(step) == []
    assert world.row(a_signal_id(1)).verdict is Verdict.ORDERED

    world.pass_(10)
    assert world.the_order().status is OrderStatus.INTENT
    world.transport(up=True)
    world.pass_(0.01)
    assert world.the_order().status is OrderStatus.SUBMITTING


@pytest.mark.parametrize(("flush", "claims"), [(624, True), (625, False)])
def test_nothing_is_claimed_after_a_flush_of_a_quarter_of_the_receive_window(
    flush: int, claims: bool
) -> None:
    world = a_world()
    world.transport(up=True, flush=timedelta(milliseconds=flush))

    world.signal()

    assert (world.the_order().status is OrderStatus.SUBMITTING) is claims


def test_the_request_time_is_stamped_once_with_the_exchanges_clock() -> None:
    world = a_world()
    world.clock(timedelta(milliseconds=-300))

    world.signal()
    order = world.the_order()
    assert order.request_ts == world.now - timedelta(milliseconds=300)

    world.after(1).answer(order)
    assert world.order(order).request_ts == order.request_ts


def test_an_intent_is_claimed_until_its_last_moment_and_no_later() -> None:
    for late, status in ((0, OrderStatus.SUBMITTING), (0.001, OrderStatus.EXPIRED)):
        world = a_world()
        world.transport(up=False)
        world.signal()
        world.after(30 + late).quote()

        world.transport(up=True)
        world.tick()

        order = world.the_order()
        assert order.status is status
    assert (order.ended_by, order.code) == (EndedBy.US, Code.INTENT_EXPIRED)


def test_the_last_moment_never_ends_a_working_order() -> None:
    world, order = a_world_with_working_order()

    world.pass_(60)

    assert world.status(order) is OrderStatus.WORKING


def test_commands_that_add_risk_are_paced_and_the_rest_waits_its_turn() -> None:
    world = a_world(max_orders_per_second=D(2), cancel_opposite_orders_only=True)
    for _ in range(4):
        world.signal(amount=D(100))
    assert [order.status for order in world.orders()] == [
        OrderStatus.SUBMITTING,
        OrderStatus.SUBMITTING,
        OrderStatus.INTENT,
        OrderStatus.INTENT,
    ]

    world.pass_(0.5)
    assert [order.status for order in world.orders()].count(OrderStatus.SUBMITTING) == 3
    world.pass_(0.5)
    assert [order.status for order in world.orders()].count(OrderStatus.SUBMITTING) == 4


def test_reductions_go_before_openings() -> None:
    world, order = a_world_with_working_order(
        max_orders_per_second=D(1), cancel_same_strategy_only=True
    )
    world.fill(order)
    world.signal(amount=D(100), strategy_id="other")
    world.signal(side=Side.SELL, amount=D("0.01"), intent=SignalIntent.CLOSE)
    opening, closing = world.orders()[1:]
    assert {opening.status, closing.status} == {OrderStatus.INTENT}

    world.pass_(1)

    assert world.status(closing) is OrderStatus.SUBMITTING
    assert world.status(opening) is OrderStatus.INTENT


def test_cancels_are_not_held_up_by_creates() -> None:
    world, order = a_world_with_working_order(max_orders_per_second=D(1))
    world.signal(strategy_id="other")

    assert world.command_status(order) is CommandStatus.SENT


def test_only_a_market_reduction_needs_no_fresh_quote_to_be_claimed() -> None:
    world, order = a_world_with_working_order(cancel_same_strategy_only=True)
    world.fill(order)
    world.transport(up=False)
    close = {"side": Side.SELL, "amount": D("0.01"), "intent": SignalIntent.CLOSE}
    world.signal(strategy_id="other")
    world.signal(strategy_id="third", **close)
    world.signal(strategy_id="fourth", **close, urgent=True)
    opening, resting, market = world.orders()[1:]
    world.after(6).transport(up=True)

    world.tick()

    assert world.status(market) is OrderStatus.SUBMITTING
    assert [world.status(opening), world.status(resting)] == [OrderStatus.INTENT] * 2
    world.quote()
    world.tick()
    assert [world.status(opening), world.status(resting)] == [OrderStatus.SUBMITTING] * 2


def test_openings_that_wait_are_not_claimed_behind_the_barrier() -> None:
    """Until the sweep after a restart the position may lack fills, so no risk is added."""
    world = a_world()
    world.transport(up=False)
    world.signal()
    world.restart()
    world.transport(up=True)
    world.stream(healthy=True)
    world.pass_(2)
    assert world.the_order().status is OrderStatus.INTENT

    world.sweep("START")
    world.pass_(0.3)

    assert world.the_order().status is OrderStatus.SUBMITTING


# -- cancel, then place


def a_world_with_replacement(**config: object) -> tuple[World, Order, Order]:
    """A working order of 0.02, and an intent that takes its place when it has ended."""
    world, order = a_world_with_working_order(**config)
    world.signal(strategy_id="other", amount=D(1500))
    return world, order, world.newest_order()


def test_cancels_and_the_new_order_are_committed_together_and_the_order_waits() -> None:
    world, order, waiting = a_world_with_replacement()

    assert waiting.status is OrderStatus.INTENT
    assert waiting.terms.replaces == (order.client_order_id,)
    assert world.command_status(order) is CommandStatus.SENT
    assert world.order(order).cancel_reason == Code.NEW_SIGNAL
    assert creates(world.last) == []


def test_it_is_claimed_when_all_it_replaces_have_ended() -> None:
    world, order, waiting = a_world_with_replacement()
    world.pass_(1)
    assert world.status(waiting) is OrderStatus.INTENT

    world.report(order, VenueStatus.CANCELLED)
    world.pass_(0.01)

    claimed = world.order(waiting)
    assert (claimed.status, claimed.quantity) == (OrderStatus.SUBMITTING, waiting.quantity)


def test_a_fill_of_the_replaced_order_shrinks_it_at_the_claim_and_keeps_its_price() -> None:
    world, order, waiting = a_world_with_replacement(max_position_size=D("0.035"))
    world.fill(order, "0.01")
    world.report(order, VenueStatus.PARTIALLY_FILLED_CANCELLED)

    world.quote(bid=D(50100), ask=D(50110))
    world.tick()

    claimed = world.order(waiting)
    assert (claimed.quantity, claimed.price) == (D("0.025"), waiting.price)
    (event,) = all_events(world, EventKind.ORDER_RESIZED)
    assert dict(event.detail) == {"from": D("0.030"), "to": D("0.025")}


def test_it_is_withdrawn_when_trading_is_restricted_in_between() -> None:
    world, order, waiting = a_world_with_replacement()
    world.feed(SetTradingState(**HALT, state=Trading.HALTED))

    world.report(order, VenueStatus.CANCELLED)
    world.pass_(0.01)

    ended = world.order(waiting)
    assert (ended.status, ended.ended_by) == (OrderStatus.CANCELLED, EndedBy.US)
    assert (ended.code, ended.text) == (Code.RECHECK_FAILED, Code.TRADING_STATE)


def test_it_expires_when_what_it_replaces_does_not_end_in_time() -> None:
    world, _, waiting = a_world_with_replacement()

    world.pass_(31)

    ended = world.order(waiting)
    assert (ended.status, ended.code) == (OrderStatus.EXPIRED, Code.REPLACED_BLOCKED)


def test_an_intent_never_claimed_is_cancelled_in_the_same_step() -> None:
    world, _, waiting = a_world_with_replacement()

    world.signal(amount=D(1500))

    ended = world.order(waiting)
    assert (ended.status, ended.code) == (OrderStatus.CANCELLED, Code.NEW_SIGNAL)
    assert (waiting.client_order_id, CommandKind.CANCEL) not in world.book.commands


def test_it_waits_also_for_an_order_whose_cancel_an_earlier_signal_asked_for() -> None:
    world, order, _ = a_world_with_replacement()

    world.signal(amount=D(1500))

    assert order.client_order_id in world.newest_order().terms.replaces


# -- children


def a_world_with_children() -> tuple[World, list[Order]]:
    """Three children: 0.016, 0.016 and 0.016 or so of a decision for 2,400."""
    world = a_world(enable_order_splitting=True, max_single_order_size=D(1000))
    world.signal(amount=D(2400))
    return world, world.orders()


def test_children_are_sent_one_by_one_each_when_the_one_before_is_answered() -> None:
    world, children = a_world_with_children()
    assert len(children) == 3
    assert [child.terms.follows for child in children[1:]] == [
        child.client_order_id for child in children[:2]
    ]

    for number, child in enumerate(children, 1):
        statuses = [world.status(one) for one in children]
        assert statuses[number:] == [OrderStatus.INTENT] * (3 - number)
        world.answer(child)
        world.pass_(0.01)
    assert [world.status(one) for one in children] == [OrderStatus.ACKED] * 3


def test_while_a_child_is_unknown_the_next_one_waits() -> None:
    world, children = a_world_with_children()

    world.answer(children[0], AnswerOutcome.UNKNOWN)
    world.pass_(1)

    assert world.status(children[1]) is OrderStatus.INTENT


def test_the_rest_stops_at_the_first_refusal() -> None:
    world, children = a_world_with_children()

    world.answer(children[0], AnswerOutcome.REFUSED)
    world.pass_(0.1)

    assert [world.order(child).code for child in children[1:]] == [Code.SIBLING_REFUSED] * 2
    assert sum(len(creates(step)) for step in world.steps) == 1


def test_a_rejection_by_report_stops_them_too() -> None:
    world, children = a_world_with_children()
    world.report(children[0], VenueStatus.REJECTED)
    world.pass_(0.1)

    assert [world.status(child) for child in children[1:]] == [OrderStatus.CANCELLED] * 2


def test_a_child_goes_on_when_the_one_before_it_is_long_forgotten() -> None:
    world = a_world(
        enable_order_splitting=True,
        max_single_order_size=D(1000),
        order_execution_timeout=seconds(2000),
    )
    world.signal(amount=D(1500))
    first, second = world.orders()
    world.transport(up=False)
    world.report(first, VenueStatus.CANCELLED)
    world.pass_(1000)
    assert first.client_order_id not in world.book.orders

    world.transport(up=True)
    world.pass_(0.1)

    assert world.status(second) is OrderStatus.SUBMITTING


def test_risk_counts_the_decision_once() -> None:
    _, children = a_world_with_children()

    assert sum(child.quantity for child in children) == D("0.048")


# -- stale orders


def test_an_order_that_rests_too_long_is_cancelled() -> None:
    world, order = a_world_with_working_order(cancel_stale_order_timeout=seconds(60))

    world.pass_(59.9)
    assert world.order(order).cancel_reason == ""
    world.pass_(0.2)

    assert world.order(order).cancel_reason == Code.STALE_ORDER
    assert world.command_status(order) is CommandStatus.SENT


def test_with_the_timeout_off_orders_rest_for_ever() -> None:
    world, order = a_world_with_working_order(cancel_stale_order_timeout=seconds(0))

    world.pass_(10_000)

    assert world.status(order) is OrderStatus.WORKING


def test_each_of_several_orders_is_cancelled_in_its_time_after_a_restart_too() -> None:
    world, first = a_world_with_working_order(
        cancel_stale_order_timeout=seconds(60), cancel_opposite_orders_only=True
    )
    world.feed(an_instrument(symbol="ETHUSDT"))
    for symbol in ("ETHUSDT", "BTCUSDT"):
        world.pass_(10)
        world.quote(instrument_id=f"linear:{symbol}")
        world.signal(instrument_id=f"linear:{symbol}")
        world.report(world.newest_order())
    orders = world.orders()
    world.restart()
    world.transport(up=True)

    world.pass_(51)

    assert [world.order(order).cancel_reason for order in orders] == [
        Code.STALE_ORDER,
        Code.STALE_ORDER,
        "",
    ]
    assert orders[0].client_order_id == first.client_order_id


# -- amends that wait


def test_an_amend_waits_for_its_token_without_asking_for_endless_ticks() -> None:
    world, order = a_world_with_working_order(max_orders_per_second=D(1))
    world.feed(
        AmendOrder(
            request_id="a", actor="ann", client_order_id=order.client_order_id, price=D(49000)
        )
    )
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.PENDING
    deadline = world.engine.next_deadline
    assert deadline is not None
    assert deadline > world.now

    world.pass_(1.1)

    assert [sent for step in world.steps for sent in amends(step)]


def test_an_amend_whose_last_moment_has_passed_is_refused() -> None:
    world, order = a_world_with_working_order()
    world.transport(up=False)
    world.feed(
        AmendOrder(
            request_id="a", actor="ann", client_order_id=order.client_order_id, price=D(49000)
        )
    )
    world.after(31).transport(up=True)

    world.tick()

    command = world.command(order, CommandKind.AMEND)
    assert (command.status, command.code) == (CommandStatus.REFUSED, Code.INTENT_EXPIRED)


def test_a_cancel_overtakes_an_open_amend() -> None:
    world, order = a_world_with_working_order()
    world.feed(
        AmendOrder(
            request_id="a", actor="ann", client_order_id=order.client_order_id, price=D(49000)
        )
    )

    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))

    assert len(cancels(world.last)) == 1


# -- timers of the account


def test_open_positions_are_snapshot_with_their_mark() -> None:
    world, order = a_world_with_working_order(position_snapshot_interval=seconds(60))
    world.fill(order)

    world.pass_(60)

    (snapshot,) = [row for step in world.steps for row in of_type(step.changes, PositionSnapshot)]
    assert (snapshot.size, snapshot.mark) == (D("0.020"), D(49995))
    assert snapshot.unrealized_pnl == D("0.1")
    assert len(all_events(world, EventKind.POSITION_SNAPSHOT)) == 1


def test_a_snapshot_without_a_fresh_price_has_no_unrealised_pnl() -> None:
    world, order = a_world_with_working_order(position_snapshot_interval=seconds(60))
    world.fill(order)

    world.pass_(60, quotes=False)

    (snapshot,) = [row for step in world.steps for row in of_type(step.changes, PositionSnapshot)]
    assert (snapshot.mark, snapshot.unrealized_pnl) == (None, None)


def test_flat_positions_are_not_snapshot() -> None:
    world, order = a_world_with_working_order(position_snapshot_interval=seconds(60))
    world.fill(order)
    world.signal(side=Side.SELL, amount=D("0.02"), intent=SignalIntent.CLOSE)
    world.fill(world.newest_order())

    world.pass_(61)

    assert all_events(world, EventKind.POSITION_SNAPSHOT) == []


def test_a_timer_that_was_missed_comes_once_and_keeps_its_beat() -> None:
    world, order = a_world_with_working_order(position_snapshot_interval=seconds(60))
    world.fill(order)
    world.after(200).tick()

    assert len(all_events(world, EventKind.POSITION_SNAPSHOT)) == 1
    world.pass_(39)
    assert len(all_events(world, EventKind.POSITION_SNAPSHOT)) == 1
    world.pass_(2)
    assert len(all_events(world, EventKind.POSITION_SNAPSHOT)) == 2


def test_positions_are_validated_by_a_sweep() -> None:
    world, order = a_world_with_working_order(position_validation_interval=seconds(60))
    world.fill(order)
    for _ in range(3):
        world.pass_(20)
        world.sweep()
    world.pass_(1)

    (event,) = all_events(world, EventKind.POSITION_VALIDATED)
    assert dict(event.detail) == {"positions": 1}
    assert "VALIDATION" in [one.reason for step in world.steps for one in sweeps(step)]


def test_a_loss_beyond_the_threshold_warns_once_per_episode() -> None:
    world, order = a_world_with_working_order()
    world.fill(order)

    def lose(bid: int) -> int:
        for _ in range(2):
            world.after(5).quote(bid=D(bid), ask=D(bid + 10))
            world.tick()
        return len(all_events(world, EventKind.LOSS_WARNING))

    assert lose(45_000) == 0
    assert lose(44_000) == 1
    assert lose(43_000) == 1
    assert lose(49_000) == 1
    assert lose(44_000) == 2
    event = all_events(world, EventKind.LOSS_WARNING)[0]
    assert dict(event.detail)["percent"] == D("11.97")


@pytest.mark.parametrize(("mid", "warnings"), [(44_996, 0), (44_941, 1)])
def test_a_loss_of_just_over_10_percent_warns_once_and_one_of_just_under_does_not(
    mid: int, warnings: int
) -> None:
    world, order = a_world_with_working_order()
    world.fill(order)
    for _ in range(4):
        world.after(5).quote(bid=D(mid - 5), ask=D(mid + 5))
        world.tick()

    told = all_events(world, EventKind.LOSS_WARNING)
    assert [dict(event.detail)["percent"] for event in told] == [D("10.10")] * warnings


def test_without_a_quote_no_loss_is_known() -> None:
    world, order = a_world_with_working_order()
    world.fill(order)
    world.book.quotes.clear()

    world.pass_(20, quotes=False)

    assert all_events(world, EventKind.LOSS_WARNING) == []


def test_a_loss_of_the_day_at_its_limit_stops_openings() -> None:
    world, order = a_world_with_working_order(max_daily_loss=D(100))
    world.fill(order, fee=D("0.5"))
    world.fill(order, "0.001", fee=D("0.000001"), fee_coin="BNB")
    world.quote(bid=D(44_900), ask=D(44_910))

    world.signal(strategy_id="other")

    assert world.row(a_signal_id(2)).code == Code.MAX_DAILY_LOSS


def test_a_realised_loss_stops_openings_although_the_position_is_closed() -> None:
    world, order = a_world_with_working_order(max_daily_loss=D(10))
    world.fill(order)
    world.signal(side=Side.SELL, amount=D(1), intent=SignalIntent.CLOSE)
    world.fill(world.newest_order(), price=D(49000))
    assert world.position().realized_pnl == D("-19.8")

    world.signal()

    assert world.row(a_signal_id(3)).code == Code.MAX_DAILY_LOSS


def a_world_with_two_coins(loss: str, **config: object) -> tuple[World, Order]:
    """A position that settles in USDT, and a loss in a contract that pays in BTC at 50,000."""
    world, order = a_world_with_working_order(**config)
    world.fill(order)
    inverse = an_instrument(
        category=Category.INVERSE, symbol="BTCUSD", quote_coin="USD", settle_coin="BTC"
    )
    world.feed(inverse)
    world.feed(
        an_execution(
            instrument_id=inverse.id,
            exec_id="funding",
            venue_order_id="",
            client_order_id="",
            kind=ExecutionKind.FUNDING,
            fee=D(loss),
            fee_coin="BTC",
            quantity=D(0),
        )
    )
    return world, order


def test_a_gain_in_one_coin_pays_for_no_loss_in_another() -> None:
    world, _ = a_world_with_two_coins("0.01", max_daily_loss=D(100))
    world.quote(instrument_id="linear:BTCUSDT", bid=D(99_990), ask=D(100_000))
    world.quote(instrument_id="inverse:BTCUSD")

    world.signal(strategy_id="other")

    assert world.row(a_signal_id(2)).code == Code.MAX_DAILY_LOSS


def test_a_small_loss_in_a_coin_is_valued_and_not_mistaken_for_quote_units() -> None:
    world, _ = a_world_with_two_coins("0.0001", max_daily_loss=D(100))
    world.quote()
    world.quote(instrument_id="inverse:BTCUSD")

    world.signal(strategy_id="other")

    assert world.row(a_signal_id(2)).code == Code.OK


def test_a_loss_in_a_coin_without_a_price_stops_openings() -> None:
    world, _ = a_world_with_two_coins("0.0001", max_daily_loss=D(100))
    world.quote()

    world.signal(strategy_id="other")

    assert world.row(a_signal_id(2)).code == Code.MAX_DAILY_LOSS


def test_a_loss_of_the_day_that_cannot_be_valued_stops_openings() -> None:
    world, order = a_world_with_working_order(max_daily_loss=D(100))
    world.feed(an_instrument(symbol="ETHUSDT"))
    world.fill(order)
    world.book.quotes.clear()
    world.quote(instrument_id="linear:ETHUSDT")

    world.signal(instrument_id="linear:ETHUSDT")

    assert world.row(a_signal_id(2)).code in (Code.MAX_DAILY_LOSS, Code.MAX_EXPOSURE)


def test_the_day_begins_at_midnight_utc_with_the_result_of_that_moment() -> None:
    world, order = a_world_with_working_order(max_daily_loss=D(100))
    world.fill(order, fee=D("0.5"))
    midnight = datetime(2026, 1, 3, tzinfo=UTC)
    world.now = midnight - seconds(1)
    world.tick()
    assert world.book.marks["day"].at == midnight - timedelta(days=1)

    world.quote()
    world.tick_to(midnight)

    mark = world.book.marks["day"]
    assert mark.at == midnight
    assert D(mark.text.removeprefix("USDT=")) == D("-0.4")


def test_a_position_without_a_price_at_midnight_keeps_the_day_before() -> None:
    world, order = a_world_with_working_order()
    before = world.book.marks["day"].text
    world.fill(order)
    world.book.quotes.clear()
    world.now = datetime(2026, 1, 3, tzinfo=UTC)

    world.tick()

    mark = world.book.marks["day"]
    assert (mark.at, mark.text) == (world.now, before)


# -- deadlines


def test_an_idle_engine_asks_only_for_its_timers() -> None:
    world = a_world()
    world.pass_(1)
    deadline = world.engine.next_deadline

    assert deadline is not None
    assert world.now < deadline <= world.now + seconds(5)


def test_a_snapshot_that_is_due_first_is_asked_for_at_its_time() -> None:
    world = a_world(position_snapshot_interval=seconds(2))

    world.pass_(1)

    assert world.engine.next_deadline == world.now + seconds(1)


def test_an_order_that_no_longer_matters_leaves_no_deadline() -> None:
    world, order = a_world_with_working_order(cancel_stale_order_timeout=seconds(2))
    world.report(order, VenueStatus.CANCELLED)
    world.pass_(1)

    deadline = world.engine.next_deadline

    assert deadline is not None
    assert deadline > world.now + seconds(2)


def test_ticks_are_few_while_nothing_happens() -> None:
    world, _ = a_world_with_working_order()
    count = len(world.steps)

    world.pass_(60, quotes=False)

    assert len(world.steps) - count < 30
