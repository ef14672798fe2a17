"""The engine as its driver sees it: steps, needs, time, loading, exceptions (protocol 1, 8.4)."""

from decimal import localcontext
from typing import Any, get_args

import pytest

from order_domain.codes import Code
from order_domain.engine import Engine
from order_domain.engine import engine as engine_module
from order_domain.engine.work import WATERMARK
from order_domain.errors import InvalidValue
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EventKind,
    ExecutionKind,
    OrderStatus,
    Side,
    Trading,
    VenueStatus,
    Verdict,
)
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.inputs import (
    AmendOrder,
    CancelOrder,
    Input,
    RetrySignal,
    SetTradingState,
    SignalDelivered,
    Tick,
)
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, SweepResult
from order_domain.model.rows import Mark, TradingStateRow
from order_domain.model.steps import Need, Step
from tests.builders import (
    BTC,
    NOW,
    D,
    a_config,
    a_place_order,
    a_quote,
    a_signal,
    a_signal_id,
    an_execution,
    an_instrument,
    seconds,
)
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
    sweeps,
)


def an_incomplete_engine() -> Engine:
    """An engine whose store holds more than its book."""
    engine = Engine(a_config())
    engine.load((an_instrument(),), NOW)
    return engine


# -- steps and time


def test_steps_are_numbered_without_a_gap() -> None:
    world, _ = a_world_with_working_order()

    assert [step.number for step in world.steps] == list(range(1, len(world.steps) + 1))


def test_a_step_without_changes_is_a_step_too() -> None:
    world = a_world()

    step = world.quote()

    assert step.changes == step.effects == step.queries == []


def test_now_never_goes_back() -> None:
    world = a_world()
    late = world.now + seconds(3)
    world.engine.step(Tick(), late)

    world.signal()

    assert world.row(a_signal_id(1)).decided_at == late


def test_the_same_inputs_at_the_same_times_give_the_same_steps() -> None:
    def run() -> list[Step]:
        world, order = a_world_with_working_order()
        world.fill(order, "0.01")
        world.signal()
        world.pass_(10)
        return world.steps

    assert run() == run()


def test_nothing_is_due_before_the_first_step() -> None:
    assert Engine(a_config()).next_deadline is None


def test_a_context_of_too_few_digits_is_refused() -> None:
    with localcontext() as context:
        context.prec = 27
        with pytest.raises(InvalidValue):
            Engine(a_config())


# -- exceptions


def broken(*_: Any) -> None:
    raise RuntimeError("planted")


@pytest.mark.parametrize("fails_at", ["decide", "create", "fold"])
def test_an_exception_in_a_handler_leaves_the_book_untouched(
    fails_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, order = a_world_with_working_order()
    place = {"decide": "signals.decide", "create": "signals.create", "fold": "executions.fold"}
    before = dict(world.book.durable())
    with monkeypatch.context() as patch:
        patch.setattr(f"order_domain.engine.{place[fails_at]}", broken)
        with pytest.raises(RuntimeError, match="planted"):
            if fails_at == "fold":
                world.fill(order)
            else:
                world.signal()

    assert world.book.durable() == before


def test_after_an_exception_the_next_step_begins_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    world, order = a_world_with_working_order()
    with monkeypatch.context() as patch:
        patch.setattr("order_domain.engine.executions.fold", broken)
        with pytest.raises(RuntimeError):
            world.feed(world.execution_of(order, "0.01"))

    step = world.fill(order, "0.01")

    assert world.position().size == D("0.01")
    assert [entry.number for entry in entries(step)] == [1]
    assert world.loaded_book().durable() == world.book.durable()


def test_an_exception_while_cancelling_leaves_no_half_of_a_decision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, order = a_world_with_working_order()
    with monkeypatch.context() as patch:
        patch.setattr("order_domain.engine.signals.create", broken)
        with pytest.raises(RuntimeError):
            world.signal()

    assert world.order(order) == order
    assert world.tick().changes == []


# -- what the book lacks


@pytest.mark.parametrize(
    ("message", "need"),
    [
        (SignalDelivered(1, a_signal()), Need(signals=(a_signal_id(1),))),
        (
            Answer(ClientOrderId("o1"), CommandKind.CREATE, 0, 1, AnswerOutcome.ACCEPTED),
            Need(orders=("o1",)),
        ),
        (
            an_execution(client_order_id=ClientOrderId("o1")),
            Need(orders=("o1",), venue_orders=("v1",), executions=((BTC, "e1"),)),
        ),
        (
            an_execution(client_order_id=ClientOrderId(""), venue_order_id=VenueOrderId("")),
            Need(executions=((BTC, "e1"),)),
        ),
        (a_place_order(), Need(requests=("request-1",))),
        (
            CancelOrder(request_id="r", actor="ann", client_order_id=ClientOrderId("o1")),
            Need(requests=("r",), orders=("o1",)),
        ),
        (
            AmendOrder(request_id="r", actor="ann", client_order_id=ClientOrderId("o1")),
            Need(requests=("r",), orders=("o1",)),
        ),
        (
            RetrySignal(request_id="r", actor="ann", signal_id=a_signal_id(1)),
            Need(requests=("r",), signals=(a_signal_id(1),)),
        ),
    ],
    ids=[
        "signal",
        "answer",
        "execution",
        "execution without ids",
        "order",
        "cancel",
        "amend",
        "retry",
    ],
)
def test_what_the_book_may_have_forgotten_is_needed_first(message: Any, need: Need) -> None:
    engine = an_incomplete_engine()
    before = dict(engine.book.durable())

    assert engine.step(message, NOW) == need
    assert engine.book.durable() == before


def test_rows_that_were_asked_for_and_are_not_there_are_no_second_need() -> None:
    engine = an_incomplete_engine()

    for message in (SignalDelivered(1, a_signal()), a_place_order(), an_execution()):
        assert isinstance(engine.step(message, NOW, ()), Step)


def test_a_report_of_an_order_nobody_knows_names_both_its_ids() -> None:
    world, order = a_world_with_working_order()
    engine = an_incomplete_engine()

    need = engine.step(world.report_of(order), NOW)

    assert need == Need(
        orders=(order.client_order_id,), venue_orders=(f"v-{order.client_order_id}",)
    )


def test_a_sweep_asks_for_every_stranger_at_once() -> None:
    world, order = a_world_with_working_order()
    fill = world.execution_of(order, "0.01")
    shown = world.report_of(order)
    world.engine = an_incomplete_engine()

    need = world.engine.step(_sweep_of(world, orders=(shown,), executions=(fill,)), world.now)

    assert isinstance(need, Need)
    assert set(need.orders) == {order.client_order_id}
    assert need.executions == ((BTC, fill.exec_id),)


def test_a_sweep_asks_nothing_about_funding_that_is_booked_already() -> None:
    """It is of no order: such a need named nothing, and a rebuild took that for an endless one."""
    world = a_world()
    world.engine = an_incomplete_engine()
    paid = an_execution(
        exec_id=ExecutionId("f1"),
        client_order_id=ClientOrderId(""),
        venue_order_id=VenueOrderId(""),
        kind=ExecutionKind.FUNDING,
        quantity=D(0),
    )
    world.engine.step(paid, world.now, ())

    assert isinstance(world.engine.step(_sweep_of(world, executions=(paid,)), world.now), Step)


def _sweep_of(world: World, **parts: Any) -> Any:
    return SweepResult(
        began_at=world.now, ended_at=world.now, complete=True, reason="START", **parts
    )


def test_a_row_brought_along_counts_only_if_the_book_does_not_hold_that_object() -> None:
    world, order = a_world_with_working_order()
    older = world.order(order)
    world.fill(order, "0.01")
    newer, rows = world.order(order), [older, *world.stored_rows()]
    world.feed(an_instrument())

    world.engine.step(SignalDelivered(9, a_signal(signal_id=a_signal_id(9))), world.now, rows)

    assert world.order(order) is newer
    assert world.position().size == D("0.01")


def test_a_driver_without_a_store_keeps_every_signal_id_and_needs_nothing() -> None:
    engine = Engine(a_config(retention=seconds(180)), has_store=False)
    engine.load((an_instrument(),), NOW)
    engine.step(SignalDelivered(1, a_signal(timestamp=NOW - seconds(1000))), NOW)
    engine.step(Tick(), NOW + seconds(1000))
    assert a_signal_id(1) not in engine.book.signals

    step = engine.step(SignalDelivered(2, a_signal()), NOW + seconds(1001))

    assert isinstance(step, Step)
    assert [effect.verdict for effect in step.effects] == [Verdict.DUPLICATE]  # type: ignore[union-attr]


def test_a_driver_without_a_store_need_not_commit() -> None:
    engine = Engine(a_config(retention=seconds(180)), has_store=False)
    engine.load((an_instrument(),), NOW)
    engine.step(SignalDelivered(1, a_signal(timestamp=NOW - seconds(1000))), NOW)
    assert engine.book.orders

    engine.step(a_quote(at=NOW + seconds(1000)), NOW + seconds(1000))
    engine.step(Tick(), NOW + seconds(1000))

    assert engine.book.orders == {}


def test_a_driver_without_a_store_forgets_nothing_that_a_sweep_may_bring_again() -> None:
    config = a_config(retention=seconds(200), retention_orders=1)
    engine = Engine(config, has_store=False)
    engine.load((an_instrument(), Mark(WATERMARK, NOW + seconds(100))), NOW)
    engine.step(SignalDelivered(1, a_signal(timestamp=NOW - seconds(1000))), NOW)
    late = a_signal(signal_id=a_signal_id(2), timestamp=NOW - seconds(1000))
    engine.step(SignalDelivered(2, late), NOW + seconds(101))

    engine.step(Tick(), NOW + seconds(1000))

    assert [order.terms.signal_id for order in engine.book.orders.values()] == [a_signal_id(2)]


def test_what_is_not_yet_durable_is_never_forgotten() -> None:
    world, order = a_world_with_working_order()
    world.report(order, VenueStatus.CANCELLED)
    world.after(1)
    step = world.engine.step(a_place_order(quantity=D(50)), world.now)
    assert isinstance(step, Step)

    for _ in range(3):
        world.now += seconds(1000)
        world.engine.step(Tick(), world.now)
    assert len(world.orders()) == 1
    assert world.book.requests

    world.engine.committed(step.number + 3)
    world.now += seconds(1000)
    world.engine.step(Tick(), world.now)
    assert world.orders() == []
    assert not world.book.requests


# -- loading and resuming


def test_sent_creates_are_unknown_after_a_restart_with_the_stored_request_time() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.after(3)

    step = world.restart()

    assert world.status(order) is OrderStatus.UNKNOWN
    assert world.order(order).request_ts == order.request_ts
    assert [(event.kind, event.code) for event in events(step)] == [
        (EventKind.ORDER_UNKNOWN, "RESTART")
    ]
    assert [one.client_order_id for one in lookups(world.tick())] == [order.client_order_id]


def test_the_quarantine_runs_from_the_stored_request_time() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.after(13).restart()

    world.lookup(order)
    world.after(2).lookup(order)

    assert world.status(order) is OrderStatus.INTENT


def test_unknown_orders_are_looked_up_again_after_a_restart() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.answer(order, AnswerOutcome.UNKNOWN)

    step = world.restart()

    assert step.changes == []
    assert [one.client_order_id for one in lookups(world.tick())] == [order.client_order_id]


def test_what_the_ledger_lacked_is_still_fetched_after_a_restart() -> None:
    world, order = a_world_with_working_order()
    world.report(order, VenueStatus.FILLED, cum_quantity=D("0.02"))

    world.restart()

    assert [one.client_order_id for one in lookups(world.tick())] == [order.client_order_id]


def test_silence_after_an_acknowledgement_is_noticed_after_a_restart_too() -> None:
    world = a_world()
    world.signal()
    world.answer(world.the_order())
    world.restart()
    assert lookups(world.tick()) == []

    world.pass_(5.1)

    assert [one for step in world.steps for one in lookups(step)]


def test_sent_cancels_go_again_after_a_restart() -> None:
    world, order = a_world_with_working_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))

    world.restart()
    assert world.command_status(order) is CommandStatus.PENDING
    world.transport(up=True)
    world.pass_(1.1)

    sent = [one for step in world.steps for one in cancels(step)]
    assert [(one.number, one.attempt) for one in sent] == [(1, 1), (1, 2)]


def test_a_cancel_that_waits_goes_on_waiting_after_a_restart() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))
    before = world.command(order)

    world.restart()

    assert world.command(order) == before
    assert before.status is CommandStatus.PENDING


def test_a_sent_amend_is_unknown_after_a_restart_until_a_later_order_row() -> None:
    world, order = a_world_with_working_order()
    world.feed(
        AmendOrder(
            request_id="a", actor="ann", client_order_id=order.client_order_id, price=D(49000)
        )
    )

    world.restart()
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.UNKNOWN

    world.after(3).sweep("START", orders=[world.report_of(order, updated_at=order.updated_at)])
    assert world.command_status(order, CommandKind.AMEND) is CommandStatus.REFUSED


def test_the_next_cancel_after_a_restart_has_the_next_number() -> None:
    world, order = a_world_with_working_order()
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))
    world.answer(order, AnswerOutcome.REFUSED, kind=CommandKind.CANCEL)
    world.restart()

    world.feed(CancelOrder(request_id="d", actor="ann", client_order_id=order.client_order_id))

    assert world.command(order).number == 2


def test_after_a_restart_no_token_is_assumed() -> None:
    world, _ = a_world_with_working_order(cancel_opposite_orders_only=True)
    world.restart()
    world.transport(up=True)
    world.stream(healthy=True)
    world.sweep("START")
    world.quote()
    world.signal()
    assert world.newest_order().status is OrderStatus.INTENT

    world.pass_(1.1)

    assert world.newest_order().status is OrderStatus.SUBMITTING


def test_a_restart_asks_for_a_sweep_and_puts_up_the_barrier() -> None:
    world, _ = a_world_with_working_order()

    step = world.restart()

    assert [one.reason for one in sweeps(step)] == ["START"]
    assert world.engine.is_behind_barrier


def test_an_intent_that_is_still_valid_is_claimed_after_the_restart() -> None:
    world = a_world()
    world.transport(up=False)
    world.signal()
    world.restart()
    world.transport(up=True)
    world.stream(healthy=True)
    world.sweep("START")

    world.pass_(2)

    assert sum(len(creates(step)) for step in world.steps) == 1


def test_a_second_load_of_the_same_rows_changes_nothing() -> None:
    world, order = a_world_with_working_order()
    world.fill(order, "0.01")
    before = dict(world.book.durable())

    world.engine.load(world.stored_rows(), world.now)

    assert world.book.durable() == before


# -- plumbing


def test_rules_that_did_not_change_are_no_news() -> None:
    world = a_world()

    assert world.feed(an_instrument()).changes == []
    assert len(world.feed(an_instrument(tick_size=D("0.5"))).changes) == 1
    assert world.book.instruments[BTC].tick_size == D("0.5")


def test_a_lost_stream_restricts_until_the_sweep_after_it_is_complete() -> None:
    world = a_world()

    step = world.stream(healthy=False, reason="no pong for 25 s")
    assert world.state("STREAM").state is Trading.REDUCE_ONLY
    assert world.state("STREAM").reason == "no pong for 25 s"
    assert event_kinds(step) == [EventKind.TRADING_STATE_CHANGED]
    assert world.stream(healthy=False).changes == []

    world.stream(healthy=True)
    assert world.state("STREAM").state is Trading.REDUCE_ONLY
    world.sweep("RECONNECT")
    assert world.state("STREAM").state is Trading.ACTIVE


def test_each_cause_clears_only_itself() -> None:
    world = a_world()
    world.stream(healthy=False)
    world.feed(
        SetTradingState(
            request_id="r", actor="ann", scope="account", state=Trading.CANCEL_ONLY, reason="x"
        )
    )

    world.stream(healthy=True)
    world.sweep("RECONNECT")

    assert world.book.trading("trend", BTC) == (Trading.CANCEL_ONLY, "account/OPERATOR")


def a_state(version: int, state: Trading = Trading.HALTED) -> TradingStateRow:
    return TradingStateRow("account", "OPERATOR", state, version, "guardian", "cli", NOW)


def test_a_state_set_in_the_store_without_the_lease_is_taken_over() -> None:
    world = a_world()

    world.feed(a_state(5))

    assert world.book.trading("trend", BTC) == (Trading.HALTED, "account/OPERATOR")
    assert world.book.states_version == 5


def test_a_state_that_a_person_set_is_told_as_an_event_with_its_actor() -> None:
    world = a_world()

    (event,) = events(world.feed(a_state(5)))

    assert (event.kind, event.subject) == (EventKind.TRADING_STATE_CHANGED, "state:5")
    assert dict(event.detail)["actor"] == "cli"
    assert dict(event.detail)["state"] == "HALTED"


def test_an_older_state_of_the_store_is_no_news() -> None:
    world = a_world()
    world.feed(a_state(5))

    assert world.feed(a_state(4, Trading.ACTIVE)).changes == []


def test_versions_of_states_only_rise() -> None:
    world = a_world()
    world.feed(a_state(5))
    world.stream(healthy=False)

    assert world.state("STREAM").version == 6


def test_a_state_of_the_store_whose_version_a_cause_of_ours_has_too_gets_one_of_its_own() -> None:
    world = a_world()
    world.stream(healthy=False)
    taken = world.state("STREAM").version

    (event,) = events(world.feed(a_state(taken)))

    assert world.state("OPERATOR").version == taken + 1
    assert (event.subject, event.code) == (f"state:{taken + 1}", "OPERATOR")


def test_two_restrictions_of_one_step_have_two_versions() -> None:
    world = a_world()
    world.signal()
    order = world.the_order()
    world.answer(order, AnswerOutcome.EXISTS)
    world.after(5.1)
    versions = [row.version for row in world.store.rows[TradingStateRow].values()]

    world.lookup(order, found=world.report_of(order, quantity=D("0.03")))

    assert world.state("MISMATCH").version > max(versions, default=0)


def test_a_transport_that_comes_back_is_asked_for_what_waits() -> None:
    world, order = a_world_with_working_order()
    world.transport(up=False)
    world.feed(CancelOrder(request_id="c", actor="ann", client_order_id=order.client_order_id))
    assert world.command_status(order) is CommandStatus.PENDING

    world.transport(up=True)
    world.pass_(0.01)

    assert world.command_status(order) is CommandStatus.SENT


def test_handlers_stand_for_every_kind_of_input() -> None:
    assert set(get_args(Input)) == {*engine_module._HANDLERS, Quote}


def test_two_sided_orders_of_a_flip_stay_within_the_limits() -> None:
    world, order = a_world_with_working_order(max_position_size=D("0.02"))
    world.fill(order)

    world.signal(side=Side.SELL, amount=D(4000))

    assert world.newest_order().quantity == D("0.04")
    assert world.row(a_signal_id(2)).code == Code.OK
