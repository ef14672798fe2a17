"""Sweeps: what a complete reading proves, and what an incomplete one does not (protocol 8)."""

import pytest

from order_domain.model.enums import (
    Category,
    EventKind,
    OrderStatus,
    Origin,
    PositionSide,
    VenueStatus,
)
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, VenueOrderId
from order_domain.model.reports import OrderReport, PositionReport, WalletReport
from order_domain.model.rows import Mark
from tests.builders import BTC, D, a_balance, a_signal_id, an_execution, an_instrument, seconds
from tests.engine_driver import (
    World,
    a_world,
    a_world_with_working_order,
    entries,
    event_kinds,
    events,
    lookups,
    sweeps,
)

FOREIGN = {"client_order_id": ClientOrderId("theirs"), "venue_order_id": VenueOrderId("v9")}


def a_position_report(size: object, world: World, price: object = D(50000)) -> PositionReport:
    return PositionReport(BTC, PositionSide.BOTH, D(size), price, world.now)  # type: ignore[arg-type]


def watermark(world: World) -> Mark:
    return world.book.marks["watermark"]


# -- when


def test_sweeps_are_asked_for_every_thirty_seconds() -> None:
    world = a_world()
    for _ in range(3):
        count = len(world.steps)
        world.pass_(30.1)
        (asked,) = [one for step in world.steps[count:] for one in sweeps(step)]
        assert asked.reason == "PERIODIC"
        world.sweep()


def test_a_sweep_asks_for_executions_since_the_watermark() -> None:
    world = a_world()
    began = world.now
    world.pass_(30.1)

    (asked,) = [one for step in world.steps for one in sweeps(step) if one.reason == "PERIODIC"]
    assert asked.since == began - seconds(120)


def test_every_reconnect_of_the_stream_asks_for_one() -> None:
    world = a_world()
    world.sweep()
    world.stream(healthy=False)

    assert [one.reason for one in sweeps(world.stream(healthy=True))] == ["RECONNECT"]
    assert sweeps(world.stream(healthy=True)) == []


def test_a_wish_during_a_sweep_is_remembered() -> None:
    world = a_world()
    world.pass_(30.1)
    world.stream(healthy=False)
    world.stream(healthy=True)

    world.sweep("PERIODIC")

    assert [one.reason for one in sweeps(world.tick())] == ["RECONNECT"]


def test_an_incomplete_sweep_is_tried_again_after_a_second() -> None:
    world = a_world()
    world.sweep(complete=False)

    world.pass_(0.9)
    assert not [one for step in world.steps for one in sweeps(step) if one.reason == "PERIODIC"]
    world.pass_(0.2)
    assert [one for step in world.steps for one in sweeps(step) if one.reason == "PERIODIC"]


# -- the watermark


def test_a_complete_sweep_moves_the_watermark_to_its_end_less_the_overlap() -> None:
    world = a_world()
    world.after(10).sweep()

    assert watermark(world).at == world.now - seconds(120)


def test_an_incomplete_sweep_does_not_move_it() -> None:
    world = a_world()
    before = watermark(world)

    world.after(10).sweep(complete=False)

    assert watermark(world) == before


def test_fills_of_the_stream_never_move_it() -> None:
    world, order = a_world_with_working_order()
    before = watermark(world)

    world.after(10).fill(order)

    assert watermark(world) == before


# -- what it repairs


def test_an_execution_the_stream_lost_is_booked_by_the_sweep() -> None:
    world, order = a_world_with_working_order()
    lost = world.execution_of(order, "0.01")

    world.sweep(
        executions=[lost],
        orders=[world.report_of(order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.01"))],
    )

    repaired = world.order(order)
    assert (repaired.status, repaired.cum_quantity) == (OrderStatus.PARTIALLY_FILLED, D("0.01"))
    assert world.position().size == D("0.01")


def test_thirty_seconds_without_a_word_while_an_order_rests_cost_no_fill() -> None:
    """Whoever tells of our orders goes on saying that all is well, and tells nothing."""
    world, order = a_world_with_working_order()
    world.sweep()
    lost = world.execution_of(order)
    count = len(world.steps)
    world.pass_(29)
    before = [one for step in world.steps[count:] for one in sweeps(step)]
    world.pass_(1.1)
    asked = [one for step in world.steps[count:] for one in sweeps(step)]
    filled = world.report_of(order, VenueStatus.FILLED, cum_quantity=lost.quantity)
    world.sweep(executions=[lost], orders=[filled])

    assert before == []
    assert len(asked) == 1
    assert world.status(order) is OrderStatus.FILLED
    assert world.position().size == lost.quantity


def test_a_sweep_told_again_changes_nothing_but_its_watermark() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order, "0.01")
    shown = world.report_of(order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.01"))
    world.sweep(executions=[fill], orders=[shown])

    step = world.sweep(executions=[fill], orders=[shown])

    assert [type(change) for change in step.changes] == [Mark]


def test_an_incomplete_sweep_proves_presence() -> None:
    world, order = a_world_with_working_order()

    world.sweep(executions=[world.execution_of(order, "0.01")], complete=False)

    assert world.position().size == D("0.01")


def test_an_order_that_a_sweep_does_not_show_is_only_looked_up() -> None:
    world, order = a_world_with_working_order()

    world.after(10).sweep()

    assert world.status(order) is OrderStatus.WORKING
    assert [one.client_order_id for one in lookups(world.tick())] == [order.client_order_id]


def test_an_order_that_came_while_the_sweep_was_read_is_not_missing() -> None:
    world = a_world()
    began = world.now
    world.after(1).signal()
    world.report(world.the_order())

    world.sweep(began_at=began)

    assert lookups(world.tick()) == []


def test_an_order_shown_by_its_venue_id_alone_is_not_missing() -> None:
    world, order = a_world_with_working_order()

    world.after(10).sweep(orders=[world.report_of(order, client_order_id=ClientOrderId(""))])

    assert lookups(world.tick()) == []


def test_an_incomplete_sweep_makes_nothing_missing() -> None:
    world, _ = a_world_with_working_order()

    world.after(10).sweep(complete=False)

    assert lookups(world.tick()) == []


def test_the_wallet_of_a_sweep_is_taken() -> None:
    world = a_world()
    world.after(10).sweep(
        wallet=WalletReport(world.now, (a_balance(available=D(7), as_of=world.now),))
    )

    assert world.book.balances["USDT"].available == D(7)


# -- positions against the ledger


def test_one_difference_is_looked_at_again_soon_and_not_told() -> None:
    world, order = a_world_with_working_order()
    world.fill(order)

    step = world.sweep(positions=[a_position_report("0.03", world)])
    assert events(step, EventKind.POSITION_MISMATCH) == []

    world.pass_(1.1)
    assert [one for step in world.steps for one in sweeps(step)][-1].reason == "PERIODIC"


def test_two_differences_in_a_row_are_told_once_and_nothing_is_invented() -> None:
    world, order = a_world_with_working_order()
    world.fill(order)
    told = [
        event
        for _ in range(4)
        for event in events(
            world.after(5).sweep(positions=[a_position_report("0.03", world)]),
            EventKind.POSITION_MISMATCH,
        )
    ]

    assert [dict(event.detail) for event in told] == [
        {
            "instrument_id": BTC,
            "position_side": "Both",
            "ledger": D("0.020"),
            "exchange": D("0.03"),
        }
    ]
    assert world.position().size == D("0.02")


def test_a_sweep_is_wanted_when_position_and_ledger_differ_twice() -> None:
    world, order = a_world_with_working_order()
    world.fill(order)
    world.sweep(positions=[a_position_report("0.03", world)])
    world.sweep(positions=[a_position_report("0.03", world)])

    world.pass_(1.1)

    asked = [one for step in world.steps for one in sweeps(step)][-1]
    assert asked.reason == "MISMATCH"
    assert asked.since is not None
    assert asked.since <= world.now - world.config.retention


def test_spot_has_no_positions_at_the_exchange_and_none_is_missed() -> None:
    world = a_world()
    spot = an_instrument(category=Category.SPOT)
    world.feed(spot)
    world.feed(an_execution(instrument_id=spot.id, client_order_id="", venue_order_id=""))
    for _ in range(3):
        world.after(30).sweep(positions=[])

    assert not [name for name in world.book.marks if name.startswith("mismatch:")]


def test_a_spot_position_that_the_exchange_does_show_is_compared() -> None:
    world = a_world()
    spot = an_instrument(category=Category.SPOT)
    world.feed(spot)
    shown = PositionReport(spot.id, PositionSide.BOTH, D(1), None, world.now)
    world.after(30).sweep(positions=[shown])

    assert world.book.marks[f"mismatch:{spot.id}:Both"].number == 1


def test_an_agreement_in_between_starts_the_count_again() -> None:
    world, order = a_world_with_working_order()
    world.fill(order)
    for size in ("0.03", "0.02", "0.03"):
        step = world.sweep(positions=[a_position_report(size, world)])
        assert events(step, EventKind.POSITION_MISMATCH) == []


def test_a_position_the_exchange_does_not_show_counts_as_flat_there() -> None:
    world, order = a_world_with_working_order()
    world.fill(order)
    world.sweep(positions=[])

    step = world.sweep(positions=[])

    assert len(events(step, EventKind.POSITION_MISMATCH)) == 1


# -- orders and fills of others


def test_a_foreign_order_with_fills_in_one_sweep_is_adopted_with_them() -> None:
    world, order = a_world_with_working_order()
    shown = world.report_of(order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.01"), **FOREIGN)
    fill = world.execution_of(order, "0.01", **FOREIGN)

    world.sweep(orders=[shown, world.report_of(order)], executions=[fill])

    foreign = world.newest_order()
    assert (foreign.terms.origin, foreign.status) == (Origin.EXTERNAL, OrderStatus.PARTIALLY_FILLED)
    assert (foreign.cum_quantity, foreign.unbooked_quantity) == (D("0.01"), 0)


def test_a_sweep_leaves_out_exits_that_wait_at_the_exchange_and_what_it_knows_of_them_not() -> None:
    world, order = a_world_with_working_order()
    waits = world.report_of(order, VenueStatus.UNTRIGGERED, reduce_only=True, **FOREIGN)

    world.sweep(orders=[waits, world.report_of(order)])
    assert [each.terms.origin for each in world.orders()] == [Origin.SIGNAL]
    triggered = world.report_of(order, VenueStatus.NEW, reduce_only=True, **FOREIGN)
    world.sweep(orders=[triggered, world.report_of(order)])
    assert world.newest_order().terms.origin is Origin.EXTERNAL
    ends = world.report_of(order, VenueStatus.DEACTIVATED, reduce_only=True, **FOREIGN)
    world.sweep(orders=[ends, world.report_of(order)])

    assert world.newest_order().status is OrderStatus.CANCELLED


def test_a_foreign_fill_told_before_its_order_does_not_count_twice() -> None:
    world, order = a_world_with_working_order(cancel_opposite_orders_only=True)
    world.report(order, VenueStatus.CANCELLED)
    world.fill(order, "0.01", **FOREIGN)

    world.report(
        order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.01"), quantity=D("0.02"), **FOREIGN
    )

    foreign = world.newest_order()
    assert (foreign.cum_quantity, foreign.unbooked_quantity) == (D("0.01"), 0)
    assert foreign.status is OrderStatus.PARTIALLY_FILLED


def test_fills_of_other_strangers_are_not_taken_for_those_of_a_foreign_order() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.01", client_order_id=ClientOrderId(""), venue_order_id=VenueOrderId("v8"))

    world.report(order, **FOREIGN)

    assert world.newest_order().cum_quantity == 0


def a_world_restarted_with_a_filled_stranger() -> tuple[World, Execution, OrderReport]:
    """A stranger's order, known by the exchange's id alone, its fill told before it."""
    world, order = a_world_with_working_order()
    nameless = {"client_order_id": ClientOrderId(""), "venue_order_id": VenueOrderId("v9")}
    fill = world.execution_of(order, "0.01", **nameless)
    world.feed(fill)
    shown = world.report_of(order, VenueStatus.NEW, cum_quantity=D("0.01"), **nameless)
    world.feed(shown)
    world.fill(order, "0.001")  # the newest entry of a ledger is always loaded
    world.restart()
    assert fill.exec_id not in [exec_id for _, exec_id in world.book.executions]
    return world, fill, shown


def test_after_a_restart_a_sweep_does_not_book_the_fill_of_a_stranger_again() -> None:
    world, fill, shown = a_world_restarted_with_a_filled_stranger()

    step = world.sweep("START", orders=[shown], executions=[fill])

    assert entries(step) == []
    assert world.position().size == D("0.011")


def test_after_a_restart_the_stream_does_not_book_the_fill_of_a_stranger_again() -> None:
    world, fill, _ = a_world_restarted_with_a_filled_stranger()

    assert world.feed(fill).changes == []


def test_after_a_restart_a_look_up_does_not_book_the_fill_of_a_stranger_again() -> None:
    world, fill, shown = a_world_restarted_with_a_filled_stranger()
    stranger = world.book.find(ClientOrderId(""), shown.venue_order_id)
    assert stranger is not None

    assert entries(world.lookup(stranger, found=shown, executions=[fill])) == []


@pytest.mark.parametrize("forgets", ["restart", "eviction"])
@pytest.mark.parametrize("how", ["report", "sweep"])
@pytest.mark.parametrize("name", ["", "by-hand"])
def test_a_strangers_order_that_is_told_after_its_fill_begins_with_what_was_booked(
    forgets: str, how: str, name: str
) -> None:
    """Else it waited for its executions for ever: those are in the ledger, and come no more."""
    world, order = a_world_with_working_order()
    ids = {"client_order_id": ClientOrderId(name), "venue_order_id": VenueOrderId("v9")}
    fill = world.execution_of(order, "0.01", **ids)
    world.feed(fill)
    world.fill(order, "0.001")  # else it were the newest entry, which is always loaded
    if forgets == "restart":
        world.restart()
        world.stream(healthy=True)
    else:
        world.pass_(1000)
    told = world.report_of(order, VenueStatus.PARTIALLY_FILLED, cum_quantity=D("0.01"), **ids)

    if how == "report":
        world.feed(told)
    else:
        world.sweep(orders=[told, world.report_of(order)])

    stranger = world.newest_order()
    assert stranger.terms.origin is Origin.EXTERNAL
    assert (stranger.cum_quantity, stranger.unbooked_quantity) == (D("0.01"), 0)
    assert stranger.status is OrderStatus.PARTIALLY_FILLED


def test_a_position_that_no_fill_explains_costs_no_working_order_after_a_restart() -> None:
    world = a_world(cancel_same_strategy_only=True)
    for number in range(1, 15):
        world.after(1)
        world.quote()
        world.signal(signal_id=a_signal_id(number), strategy_id=f"s{number}", amount=D(100))
        world.answer(world.newest_order())
        world.report(world.newest_order())
    working = world.orders()
    shown = [world.report_of(order) for order in working]
    world.restart()
    world.stream(healthy=True)
    for _ in range(3):
        odd = a_position_report("0.7", world)
        world.sweep("START", orders=shown, positions=[odd])
        world.after(1)

    assert len(working) == 14
    assert {world.status(order) for order in working} == {OrderStatus.WORKING}
    assert [entry for step in world.steps for entry in entries(step)] == []
    assert len(world.orders()) == 14


def test_a_sweep_whose_rows_the_book_has_forgotten_asks_the_store() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order)
    world.feed(fill)
    world.pass_(1000)
    assert world.book.executions == {}

    step = world.sweep(executions=[fill])

    assert entries(step) == []
    assert event_kinds(step) == []
