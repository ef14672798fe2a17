"""Ways to falsify a story: change, drop, double or retell one row or event."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs

from order_domain.model.enums import (
    EventKind,
    OrderStatus,
    Origin,
    Verdict,
)
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent
from tests.unit.invariants.story import (
    Rows,
    changed,
    first,
    retold,
    the_event,
    without,
)

Lie = Callable[[Rows], Rows]
K, S = EventKind, OrderStatus
SECOND = timedelta(seconds=1)


def filled(order: Order) -> bool:
    return order.status is S.FILLED and order.terms.origin is Origin.SIGNAL


def one(row_type: type, where: Callable[[Any], object] = bool, **changes: Any) -> Lie:
    """Change the first row of a type."""
    return lambda rows: changed(rows, first(rows, row_type, where), **changes)


def gone(row_type: type, where: Callable[[Any], object] = bool) -> Lie:
    return lambda rows: without(rows, first(rows, row_type, where))


def again(row_type: type, where: Callable[[Any], object] = bool, **changes: Any) -> Lie:
    """Add a row like the first of a type."""
    return lambda rows: [*rows, attrs.evolve(first(rows, row_type, where), **changes)]


def told(which: EventKind, /, **changes: Any) -> Lie:
    """Change the first event of a kind, or the order in it."""
    return lambda rows: retold(rows, the_event(rows, which), **changes)


def silenced(kind: EventKind) -> Lie:
    return lambda rows: without(rows, the_event(rows, kind))


def order_and_event(kind: EventKind, **changes: Any) -> Lie:
    """Change an order in its row and in its last event, so that both tell the same lie."""

    def lie(rows: Rows) -> Rows:
        event = the_event(rows, kind)
        row = first(rows, Order, lambda order: order == event.event.order)
        return changed(retold(rows, event, **changes), row, **changes)

    return lie


def terms_everywhere(where: Callable[[Order], object], **changes: Any) -> Lie:
    """Change the terms of an order in its row and in every event of it."""

    def of(order: Order) -> Order:
        return attrs.evolve(order, terms=attrs.evolve(order.terms, **changes))

    def lie(rows: Rows) -> Rows:
        wanted = first(rows, Order, where).client_order_id
        lies: Rows = []
        for row in rows:
            if isinstance(row, Order) and row.client_order_id == wanted:
                lies.append(of(row))
            elif isinstance(row, NumberedEvent) and row.event.subject == wanted:
                event = attrs.evolve(row.event, order=of(row.event.order))
                lies.append(attrs.evolve(row, event=event))
            else:
                lies.append(row)
        return lies

    return lie


def execution(**changes: Any) -> Lie:
    """Change the execution of the first entry that was booked in an order of a signal."""

    def lie(rows: Rows) -> Rows:
        entry = first(rows, LedgerEntry)
        return changed(rows, entry, execution=attrs.evolve(entry.execution, **changes))

    return lie


def signal(where: Callable[[Any], object] = bool, **changes: Any) -> Lie:
    """Change the typed signal of a row."""

    def lie(rows: Rows) -> Rows:
        row = first(rows, SignalRow, where)
        return changed(rows, row, signal=attrs.evolve(row.signal, **changes))

    return lie


def ordered(row: SignalRow) -> bool:
    return row.verdict is Verdict.ORDERED


def denied(row: SignalRow) -> bool:
    return row.verdict is Verdict.DENIED and row.generation == 0


def retried(row: SignalRow) -> bool:
    return row.generation == 1


def parked(row: SignalRow) -> bool:
    return row.verdict is Verdict.PARKED


def duplicate(row: DeliveryRow) -> bool:
    return row.verdict is Verdict.DUPLICATE


def body_invalid(row: DeliveryRow) -> bool:
    return row.code == "BODY_INVALID"


def conflict(row: DeliveryRow) -> bool:
    return row.code == "ID_CONFLICT"


def manual(order: Order) -> bool:
    return order.terms.origin is Origin.MANUAL


def foreign(order: Order) -> bool:
    return order.terms.origin is Origin.EXTERNAL


def requote(order: Order) -> bool:
    return order.terms.requote_of is not None


def of_an_order(row: NumberedEvent) -> bool:
    return row.event.order is not None
