"""A story in which everything happens to an account, as rows; and ways to falsify it."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

import attrs

from order_domain.invariants import Report, check
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    EventKind,
    ExecutionKind,
    OrderType,
    Side,
    Trading,
    VenueStatus,
)
from order_domain.model.events import Event
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, ExecutionId, InstrumentId, VenueOrderId
from order_domain.model.inputs import (
    AmendOrder,
    CancelOrder,
    DeliveryInvalid,
    Flatten,
    RetrySignal,
    SetTradingState,
)
from order_domain.model.order import Order
from order_domain.model.reports import Answer, OrderReport
from order_domain.model.signal import SignalIntent
from order_domain.ports.outbox import NumberedEvent
from tests.builders import D, a_place_order, a_signal_id, an_execution
from tests.engine_driver import World, a_world

T = TypeVar("T")
Rows = list[Any]
WOULD_TAKE = "EC_PostOnlyWillTakeLiquidity"


def rows_of(world: World) -> Rows:
    """Everything a store would hold."""
    stored = [row for rows in world.store.rows.values() for row in rows.values()]
    events = [NumberedEvent(number, event) for number, event in enumerate(world.store.events, 1)]
    return [row for row in stored if not isinstance(row, Event)] + events


def work(world: World) -> Order:
    """The newest order is acknowledged and shown."""
    order = world.newest_order()
    world.answer(order)
    world.report(order)
    return world.order(order)


@cache
def _story() -> tuple[Any, ...]:
    world = a_world(max_orders_per_second=D(1000), cancel_opposite_orders_only=True, max_parked=1)
    _signals(world)
    _people(world)
    _strangers(world)
    world.pass_(301)
    world.stream(healthy=False, reason="cut")
    world.quote()
    world.signal()  # waits behind the barrier
    world.signal()  # has no room to wait
    world.signal(instrument_id="linear:NOSUCHUSDT")
    return tuple(rows_of(world))


def _signals(world: World) -> None:
    world.signal()  # 1: filled in part, then cancelled by a person
    order = work(world)
    world.fill(order, "0.005")
    cancel = CancelOrder(request_id="cancel-1", actor="ann", client_order_id=order.client_order_id)
    world.feed(cancel)
    world.answer(order, AnswerOutcome.REFUSED, kind=CommandKind.CANCEL, code=10001)
    world.feed(attrs.evolve(cancel, request_id="cancel-2"))
    world.answer(order, kind=CommandKind.CANCEL)
    world.report(order, VenueStatus.CANCELLED, cum_quantity=D("0.005"))
    world.signal(confidence=D("0.95"))  # 2: a market order, filled
    order = work(world)
    world.fill(order)
    world.signal(amount=D(1))  # 3: too small, and again by a person
    world.feed(RetrySignal(request_id="retry-3", actor="ann", signal_id=a_signal_id(3)))
    world.redeliver(a_signal_id(1))  # 4: again
    world.redeliver(a_signal_id(1), body_hash="other")  # 5: another body
    world.feed(DeliveryInvalid(6, "BODY_INVALID", "amount", "a number", "x", '{"amount":"x"}'))
    world._delivery = 6
    world.signal()  # 7: would take, so it is re-quoted
    order = work(world)
    world.report(order, VenueStatus.CANCELLED, reject_reason=WOULD_TAKE)
    replaced = work(world)
    world.signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.003"), urgent=True)  # 8
    world.answer(replaced, kind=CommandKind.CANCEL)
    world.report(replaced, VenueStatus.CANCELLED)
    world.tick()
    order = work(world)
    world.fill(order)


def _people(world: World) -> None:
    world.feed(a_place_order(request_id="place-1", price=D(49000)))
    order = work(world)
    amend = AmendOrder(
        request_id="amend-1",
        actor="ann",
        client_order_id=order.client_order_id,
        price=D(48000),
    )
    world.feed(amend)
    world.answer(order, kind=CommandKind.AMEND)
    world.after(1).report(order, price=D(48000))
    world.feed(a_place_order(request_id="place-2", order_type=OrderType.MARKET, price=None))
    order = work(world)
    world.fill(order)
    world.feed(Flatten(request_id="flat-1", actor="ann"))
    world.feed(
        SetTradingState(
            request_id="state-1",
            actor="ann",
            scope="strategy:other",
            state=Trading.HALTED,
            reason="a test",
        )
    )


def _strangers(world: World) -> None:
    world.feed(_foreign_order(world))
    world.fill(world.order(ClientOrderId("by-hand")), "0.1", fee=D(0), venue_order_id="v-by-hand")
    world.feed(a_foreign_execution(world))
    _order_told_after_its_fill(world)
    world.feed(Answer(ClientOrderId("nobody"), CommandKind.CREATE, 0, 1, AnswerOutcome.ACCEPTED))
    world.feed(
        an_execution(
            exec_id=ExecutionId("f2"),
            kind=ExecutionKind.FUNDING,
            client_order_id=ClientOrderId(""),
            venue_order_id=VenueOrderId(""),
            quantity=D(0),
            fee=D("0.25"),
            executed_at=world.now,
        )
    )


def _order_told_after_its_fill(world: World) -> None:
    nobody = ClientOrderId("")
    fill = an_execution(
        exec_id=ExecutionId("f0"),
        client_order_id=nobody,
        venue_order_id=VenueOrderId("v-late"),
        quantity=D("0.002"),
        executed_at=world.now,
    )
    world.feed(fill)
    shown = attrs.evolve(_foreign_order(world), venue_order_id=VenueOrderId("v-late"))
    world.feed(attrs.evolve(shown, client_order_id=nobody, cum_quantity=D("0.002")))


def _foreign_order(world: World) -> OrderReport:
    shown = world.report_of(world.newest_order())
    return attrs.evolve(
        shown,
        client_order_id=ClientOrderId("by-hand"),
        venue_order_id=VenueOrderId("v-by-hand"),
        quantity=D("0.5"),
        cum_quantity=D(0),
        side=Side.BUY,
        reduce_only=False,
    )


def a_foreign_execution(world: World) -> Execution:
    """A fill of no order we know."""
    return an_execution(
        exec_id=ExecutionId("f1"),
        instrument_id=InstrumentId("linear:ETHUSDT"),
        client_order_id=ClientOrderId(""),
        venue_order_id=VenueOrderId("v-elsewhere"),
        executed_at=world.now,
    )


def a_story() -> Rows:
    """The rows of the whole story; falsify the list as you like."""
    return list(_story())


def judged(rows: Iterable[Any], **options: Any) -> Report:
    """Check rows of the story's account."""
    return check(rows, account="dry:default", environment="dry", contiguous=True, **options)


def first(rows: Rows, row_type: type[T], where: Callable[[T], object] = bool) -> T:
    """The first row of a type that meets a condition."""
    return next(row for row in rows if isinstance(row, row_type) and (where is bool or where(row)))


def changed(rows: Rows, old: Any, **changes: Any) -> Rows:
    """The rows with one of them changed."""
    return [attrs.evolve(row, **changes) if row is old else row for row in rows]


def without(rows: Rows, *gone: Any) -> Rows:
    """The rows without some."""
    return [row for row in rows if not any(row is each for each in gone)]


def the_event(
    rows: Rows, kind: EventKind, where: Callable[[Event], object] = bool
) -> NumberedEvent:
    """The first event of a kind."""
    return first(
        rows,
        NumberedEvent,
        lambda row: row.event.kind is kind and (where is bool or where(row.event)),
    )


def retold(rows: Rows, told: NumberedEvent, **changes: Any) -> Rows:
    """The rows with one event changed; what only orders have changes the order in it."""
    order, event = told.event.order, told.event
    names = {field.name for field in attrs.fields(Order)} - {"code", "text"}
    of_order = {name: value for name, value in changes.items() if name in names}
    if order is not None and of_order:
        event = attrs.evolve(event, order=attrs.evolve(order, **of_order))
    rest = {name: value for name, value in changes.items() if name not in names}
    return changed(rows, told, event=attrs.evolve(event, **rest))
