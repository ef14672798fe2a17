"""Executions: booked once, the only source of fills, fees, positions and PnL (protocol 8.1)."""

import itertools
from typing import Any

import pytest

from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EventKind,
    ExecutionKind,
    OrderStatus,
    PositionSide,
    Side,
    VenueStatus,
)
from order_domain.model.execution import EXTERNAL
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.inputs import AmendOrder, CancelOrder
from order_domain.model.order import Order
from order_domain.model.reports import SweepResult, WalletReport
from order_domain.model.steps import Need, Step
from tests.builders import BTC, D, a_balance, a_place_order, an_execution, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    entries,
    event_kinds,
    events,
    lookups,
    of_type,
)


def test_a_fill_is_an_entry_of_the_ledger_a_position_and_an_event() -> None:
    world, order = a_world_with_working_order()

    step = world.fill(order, "0.01", fee=D("0.1"))

    (entry,) = entries(step)
    assert (entry.number, entry.strategy_id, entry.realized_pnl) == (1, "trend", 0)
    assert world.position().size == D("0.01")
    filled = world.order(order)
    assert (filled.status, filled.cum_quantity) == (OrderStatus.PARTIALLY_FILLED, D("0.01"))
    assert (filled.cum_value, filled.fees) == (D("499.90"), {"USDT": D("0.1")})
    (event,) = events(step)
    assert (event.kind, event.ledger, event.order) == (
        EventKind.ORDER_PARTIALLY_FILLED,
        entry,
        filled,
    )


def test_the_same_execution_again_books_nothing() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order, "0.01")
    world.feed(fill)

    assert world.feed(fill).changes == []
    assert world.position().size == D("0.01")


def test_the_same_exec_id_on_another_instrument_is_another_execution() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order, "0.01")
    world.feed(fill)

    world.feed(an_execution(exec_id=fill.exec_id, instrument_id="spot:BTCUSDT", client_order_id=""))

    assert world.book.ledger_number == 2


def test_an_execution_outruns_answer_and_report() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()

    world.fill(order, "0.01")

    filled = world.order(order)
    assert filled.status is OrderStatus.PARTIALLY_FILLED
    assert filled.venue_order_id == f"v-{order.client_order_id}"
    assert filled.first_working_at == world.now


def test_the_last_fill_ends_the_order_and_settles_its_commands() -> None:
    world, order = a_world_with_working_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))

    world.fill(order)

    assert world.status(order) is OrderStatus.FILLED
    assert not world.book.open_commands


def test_every_partial_fill_has_an_event_of_its_own() -> None:
    world, order = a_world_with_working_order()

    kinds = [kind for _ in range(3) for kind in event_kinds(world.fill(order, "0.005"))]

    assert kinds == [EventKind.ORDER_PARTIALLY_FILLED] * 3
    assert world.order(order).version == order.version + 3


def test_a_fill_that_leaves_the_ledger_behind_does_not_end_the_search_for_the_others() -> None:
    world, order = a_world_with_working_order()
    world.report(order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.015"))

    world.fill(order, "0.005")
    world.pass_(0.6)

    assert [one for step in world.steps for one in lookups(step)]


def test_a_fill_changes_neither_the_id_nor_the_time_at_which_its_order_was_first_shown() -> None:
    world, order = a_world_with_working_order()

    world.after(1).fill(order, "0.01", venue_order_id=VenueOrderId("v-other"))

    filled = world.order(order)
    assert filled.venue_order_id == order.venue_order_id
    assert filled.first_working_at == order.first_working_at
    assert filled.executed_at == world.now


def test_the_last_fill_of_an_order_told_as_filled_ends_it_in_one_event() -> None:
    world, order = a_world_with_working_order()
    world.report(order, VenueStatus.FILLED, cum_quantity=D("0.01"))

    step = world.fill(order, "0.01")

    assert event_kinds(step) == [EventKind.ORDER_FILLED]


def test_a_late_fill_is_booked_without_reopening_the_order() -> None:
    world, order = a_world_with_working_order()
    world.report(order, VenueStatus.CANCELLED)

    step = world.fill(order, "0.01")

    ended = world.order(order)
    assert (ended.status, ended.cum_quantity) == (OrderStatus.CANCELLED, D("0.01"))
    assert world.position().size == D("0.01")
    assert event_kinds(step) == [EventKind.LATE_FILL]


def test_a_late_fill_of_one_order_is_never_that_of_the_next_one() -> None:
    world, before = a_world_with_working_order()
    late = world.execution_of(before, "0.01")
    world.report(before, VenueStatus.CANCELLED)
    world.after(1)
    world.quote()
    world.signal()
    after = world.newest_order()
    world.answer(after)
    world.report(after)

    step = world.feed(late)

    (entry,) = entries(step)
    assert after.client_order_id != before.client_order_id
    assert entry.execution.client_order_id == before.client_order_id
    assert world.order(after).cum_quantity == 0
    assert world.order(before).cum_quantity == D("0.01")


def test_more_than_was_ordered_is_booked_and_alarmed_about() -> None:
    world, order = a_world_with_working_order()

    step = world.fill(order, "0.03")

    assert world.position().size == D("0.03")
    assert [event.code for event in events(step, EventKind.ALARM)] == ["OVERFILL"]
    assert world.status(order) is OrderStatus.FILLED


def amend(world: World, order: Order, **values: Any) -> None:
    world.feed(
        AmendOrder(request_id="a", actor="ann", client_order_id=order.client_order_id, **values)
    )


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_fill_beyond_the_old_quantity_shows_that_the_larger_one_took_effect(
    is_answered: bool,
) -> None:
    world, order = a_world_with_working_order()
    amend(world, order, quantity=D("0.05"), price=D(49_000))
    if is_answered:
        world.answer(order, AnswerOutcome.UNKNOWN, kind=CommandKind.AMEND)

    step = world.fill(order, "0.03")

    assert event_kinds(step) == [EventKind.ORDER_AMENDED, EventKind.ORDER_PARTIALLY_FILLED]
    shown = world.order(order)
    assert (shown.quantity, shown.price, shown.cum_quantity) == (D("0.05"), D(49_000), D("0.03"))
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.DONE


def test_an_order_filled_up_to_its_larger_quantity_before_any_report_is_no_overfill() -> None:
    world, order = a_world_with_working_order()
    amend(world, order, quantity=D("0.05"))

    step = world.fill(order, "0.05")

    assert event_kinds(step) == [EventKind.ORDER_AMENDED, EventKind.ORDER_FILLED]
    ended = world.order(order)
    assert (ended.status, ended.quantity, ended.price) == (
        OrderStatus.FILLED,
        D("0.05"),
        order.price,
    )
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.DONE


@pytest.mark.parametrize(
    ("values", "filled"),
    [({"quantity": D("0.05")}, "0.06"), ({"price": D(49_000)}, "0.03")],
    ids=["beyond the larger one too", "only the price was to change"],
)
def test_a_fill_that_no_amend_explains_is_an_overfill(values: dict[str, Any], filled: str) -> None:
    world, order = a_world_with_working_order()
    amend(world, order, **values)

    step = world.fill(order, filled)

    assert [event.code for event in events(step, EventKind.ALARM)] == ["OVERFILL"]
    assert world.order(order).quantity == order.quantity


def test_an_amend_that_never_left_explains_no_fill() -> None:
    world, order = a_world_with_working_order()
    world.transport(up=False)
    amend(world, order, quantity=D("0.05"))

    step = world.fill(order, "0.03")

    assert [event.code for event in events(step, EventKind.ALARM)] == ["OVERFILL"]


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_who_waits_for_the_end_of_an_order_goes_without_any_time_passing(
    is_cancelled: bool,
) -> None:
    world, order = a_world_with_working_order()
    world.signal()
    waiting = world.newest_order()
    assert waiting.terms.replaces == (order.client_order_id,)
    world.tick()
    if is_cancelled:
        world.report(order, VenueStatus.PARTIALLY_FILLED_CANCELLED, cum_quantity=D("0.01"))

    world.fill(order, "0.01" if is_cancelled else "0.02")
    world.pass_(0)

    assert world.order(order).is_terminal
    assert world.status(waiting) is OrderStatus.SUBMITTING


def test_funding_that_names_an_order_is_no_fill_of_it() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.01")

    world.fill(order, "0.01", kind=ExecutionKind.FUNDING)

    assert world.order(order).cum_quantity == D("0.01")


def test_fills_told_three_times_are_one_of_one_and_never_three_of_one() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order)
    for _ in range(3):
        world.feed(fill)
        world.report(order, VenueStatus.FILLED, cum_quantity=fill.quantity)

    assert world.order(order).cum_quantity == world.position().size == order.quantity
    assert [event for step in world.steps for event in events(step, EventKind.ALARM)] == []


def test_an_execution_of_an_unknown_order_settles_it() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.answer(order, AnswerOutcome.UNKNOWN)

    world.fill(order, "0.02")

    assert world.status(order) is OrderStatus.FILLED
    assert not world.book.unknown
    assert world.engine._watch.inquiries == {}


def test_fees_are_summed_by_coin() -> None:
    world, order = a_world_with_working_order()
    for coin, fee in (("USDT", "0.1"), ("BNB", "0.001"), ("USDT", "-0.02")):
        world.fill(order, "0.005", fee=D(fee), fee_coin=coin)

    assert world.order(order).fees == {"USDT": D("0.08"), "BNB": D("0.001")}
    assert world.position().fees == {"USDT": D("0.08"), "BNB": D("0.001")}


@pytest.mark.parametrize("fee", ["0", "0.0"])
def test_a_fill_without_a_fee_names_no_coin(fee: str) -> None:
    world, order = a_world_with_working_order()

    world.fill(order, "0.005", fee=D(fee))

    assert world.order(order).fees == {}


def test_funding_is_an_entry_of_its_own_and_no_fill() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.01")

    step = world.feed(
        an_execution(
            exec_id=ExecutionId("f1"),
            client_order_id=ClientOrderId(""),
            kind=ExecutionKind.FUNDING,
            quantity=D(0),
            fee=D("0.3"),
        )
    )

    assert world.position().funding == D("0.3")
    assert world.position().size == D("0.01")
    assert event_kinds(step) == [EventKind.EXECUTION_BOOKED]
    assert entries(step)[0].strategy_id == EXTERNAL


@pytest.mark.parametrize(
    "kind", [ExecutionKind.LIQUIDATION, ExecutionKind.ADL, ExecutionKind.SETTLEMENT]
)
def test_what_the_exchange_does_by_force_moves_the_position(kind: ExecutionKind) -> None:
    world, order = a_world_with_working_order()
    world.fill(order)

    step = world.feed(
        an_execution(
            exec_id=ExecutionId("x1"), client_order_id=ClientOrderId(""), kind=kind, side=Side.SELL
        )
    )

    assert world.position().size == 0
    assert [event.code for event in events(step)] == [kind.name]


def test_a_foreign_fill_is_booked_as_external() -> None:
    world, _ = a_world_with_working_order()

    step = world.feed(
        an_execution(client_order_id=ClientOrderId("theirs"), venue_order_id=VenueOrderId("v9"))
    )

    assert entries(step)[0].strategy_id == EXTERNAL
    assert world.position().size == D("0.02")


def test_an_execution_finds_its_order_by_the_venues_id_alone() -> None:
    world, order = a_world_with_working_order()

    world.fill(order, "0.01", client_order_id=ClientOrderId(""))

    assert world.order(order).cum_quantity == D("0.01")


def test_long_and_short_of_a_hedged_account_are_positions_of_their_own() -> None:
    world = a_world(hedge_mode=True)
    world.signal()
    long = world.newest_order()
    world.fill(long, "0.02")
    world.signal(side=Side.SELL)
    short = world.newest_order()
    world.fill(short, "0.02")

    assert world.position(BTC, PositionSide.LONG).size == D("0.02")
    assert world.position(BTC, PositionSide.SHORT).size == D("-0.02")


def test_where_no_store_knows_more_a_strangers_fill_is_booked_at_once() -> None:
    world = a_world()

    step = world.engine.step(an_execution(client_order_id=ClientOrderId("")), world.now)

    assert isinstance(step, Step)
    assert len(entries(step)) == 1


@pytest.mark.parametrize(
    ("names", "asks"),
    [
        ({"client_order_id": "theirs", "venue_order_id": "v9"}, {"orders", "venue_orders"}),
        ({"client_order_id": "", "venue_order_id": "v9"}, {"venue_orders"}),
        ({"client_order_id": "", "venue_order_id": ""}, set()),
    ],
)
def test_after_a_restart_the_store_is_asked_for_a_fill_and_for_what_it_names(
    names: dict[str, Any], asks: set[str]
) -> None:
    world = a_world()
    world.restart()
    fill = an_execution(**names)

    need = world.engine.step(fill, world.now)

    named = {"orders": ("theirs",), "venue_orders": ("v9",)}
    assert need == Need(
        executions=((fill.instrument_id, fill.exec_id),),
        **{name: named[name] for name in asks},  # type: ignore[arg-type]
    )


def test_after_a_restart_a_fill_of_an_order_in_the_book_is_booked_without_asking() -> None:
    world, order = a_world_with_working_order()
    world.restart()

    step = world.engine.step(world.execution_of(order, "0.01"), world.now)

    assert isinstance(step, Step)
    assert len(entries(step)) == 1


def test_a_sweep_that_brings_a_strangers_fill_again_asks_for_nothing() -> None:
    world = a_world()
    world.restart()
    fill = an_execution(client_order_id=ClientOrderId(""), venue_order_id=VenueOrderId(""))
    world.feed(fill)
    again = SweepResult(
        began_at=world.now, ended_at=world.now, complete=True, reason="X", executions=(fill,)
    )

    assert isinstance(world.engine.step(again, world.now), Step)


def test_what_was_ordered_exactly_is_no_overfill() -> None:
    world, order = a_world_with_working_order()

    assert event_kinds(world.fill(order)) == [EventKind.ORDER_FILLED]


def test_a_late_repetition_of_a_forgotten_execution_is_still_booked_only_once() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order)
    world.feed(fill)
    world.pass_(1000)
    assert world.book.executions == {}

    step = world.feed(fill)

    assert entries(step) == []
    assert world.position().size == D("0.02")


def test_a_manual_order_forgotten_without_any_signal_is_remembered_by_the_store() -> None:
    """Nothing but orders of a person: the store must be asked all the same."""
    world = a_world()
    world.feed(a_place_order())
    order = world.the_order()
    fill = world.execution_of(order)
    world.feed(fill)
    world.pass_(1000)
    assert world.orders() == []

    assert entries(world.feed(fill)) == []


# -- what the wallet knows


def test_a_working_order_holds_balance_until_a_younger_wallet_shows_it() -> None:
    world = a_world()
    world.after(2).signal()
    order = world.the_order()
    world.report(order)

    world.wallet(as_of=world.now - seconds(1))
    assert order.client_order_id in world.book.unseen_by_wallet

    world.wallet()
    assert world.book.unseen_by_wallet == {}


def test_an_order_that_ends_empty_holds_nothing() -> None:
    world, order = a_world_with_working_order()

    world.report(order, VenueStatus.CANCELLED)

    assert world.book.unseen_by_wallet == {}


def test_an_older_wallet_does_not_overwrite_a_younger_one() -> None:
    world = a_world()
    world.after(10).wallet(available=D(7))

    step = world.wallet(available=D(5), as_of=world.now - seconds(1))

    assert step.changes == []
    assert world.book.balances["USDT"].available == D(7)


def test_a_wallet_of_the_same_moment_counts_when_it_says_something_else() -> None:
    world = a_world()
    world.after(10).wallet(available=D(7))

    assert world.wallet(available=D(7)).changes == []
    world.wallet(available=D(5))

    assert world.book.balances["USDT"].available == D(5)


def test_one_wallet_may_hold_several_coins() -> None:
    world = a_world()
    coins = tuple(a_balance(coin=coin, as_of=world.now + seconds(1)) for coin in ("USDT", "BTC"))

    step = world.feed(WalletReport(world.now + seconds(1), coins))

    assert [balance.coin for balance in of_type(step.changes, type(coins[0]))] == ["USDT", "BTC"]


def test_what_an_order_holds_is_not_there_for_the_next_one() -> None:
    """Margin and fee of the first take 100.53 of 150 USDT; the rest pays for 0.009."""
    world = a_world(cancel_opposite_orders_only=True)
    world.after(1).wallet(available=D(150))
    world.signal()

    world.signal()

    assert world.newest_order().quantity == D("0.009")


def a_world_with_three_orders() -> tuple[World, list[Order]]:
    """Buy 1, buy 1, sell 3, sent and not answered."""
    world = a_world(max_position_size=D(100))
    world.quote(bid=D("99.9"), ask=D(100))
    for number, (side, quantity) in enumerate([(Side.BUY, 1), (Side.BUY, 1), (Side.SELL, 3)]):
        values = {"side": side, "quantity": D(quantity), "price": D(100)}
        world.feed(a_place_order(request_id=f"p{number}", **values))
    orders = [order for order in world.orders() if order.attempt]
    assert len(orders) == 3
    return world, orders


def the_end(world: World) -> tuple[object, ...]:
    position = world.position()
    ends = sorted((order.client_order_id, order.status) for order in world.orders())
    return position.size, position.average_price, position.realized_pnl, ends


def test_two_buys_at_100_and_110_and_a_sell_of_3_at_120_leave_minus_1_at_120_and_a_gain_of_30() -> (
    None
):
    world, orders = a_world_with_three_orders()
    for order, price in zip(orders, (100, 110, 120), strict=True):
        world.answer(order)
        world.fill(order, price=D(price))

    size, average, realized, _ = the_end(world)
    assert (size, average, realized) == (D(-1), D(120), D(30))


@pytest.mark.parametrize("places", list(itertools.permutations(range(4))))
def test_partial_fills_replays_and_reports_in_any_order_leave_the_same_end(
    places: tuple[int, ...],
) -> None:
    world, orders = a_world_with_three_orders()
    for order, price in zip(orders[:2], (100, 110), strict=True):
        world.fill(order, price=D(price))  # before its answer
        world.answer(order)
    last = orders[2]
    parts = [world.execution_of(last, quantity, price=D(120)) for quantity in (1, 2)]
    told = [
        lambda: world.feed(parts[0]),
        lambda: world.feed(parts[1]),
        lambda: world.report(last, VenueStatus.FILLED, cum_quantity=D(3)),
        lambda: world.answer(last),
    ]
    for place in places:
        told[place]()
        told[place]()

    size, average, realized, ends = the_end(world)
    assert (size, average, realized) == (D(-1), D(120), D(30))
    assert {status for _, status in ends} == {OrderStatus.FILLED}  # type: ignore[attr-defined]
    assert len(world.book.executions) == 4
