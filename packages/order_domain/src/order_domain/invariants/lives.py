"""Lives: the events of every order replayed, version by version, up to its current row."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from order_domain.invariants.report import Findings
from order_domain.lifecycle import OUTCOMES, State
from order_domain.model.enums import (
    CommandKind,
    EndedBy,
    EventKind,
    ExecutionKind,
    OrderStatus,
    Origin,
)
from order_domain.model.events import Event
from order_domain.model.execution import Execution, LedgerEntry
from order_domain.model.identifiers import category_of
from order_domain.model.instrument import ZERO, notional_of
from order_domain.model.order import TERMINAL, Order

K, S = EventKind, OrderStatus
NEXT: Final[Mapping[State, frozenset[State]]] = {
    state: frozenset((state, *(target for target in edges.values() if target is not None)))
    for state, edges in OUTCOMES.items()
}
"""Where one event may lead from each state; staying is always allowed."""
_BORN: Final = {
    K.ORDER_CREATED: (S.INTENT, EndedBy.NOBODY),
    K.ORDER_DENIED: (S.DENIED, EndedBy.US),
    K.ORDER_ADOPTED: (S.ACKED, EndedBy.NOBODY),
}
_SAYS: Final = {
    K.ORDER_SUBMITTED: S.SUBMITTING,
    K.ORDER_ACCEPTED: S.ACKED,
    K.ORDER_WORKING: S.WORKING,
    K.ORDER_PARTIALLY_FILLED: S.PARTIALLY_FILLED,
    K.ORDER_FILLED: S.FILLED,
    K.ORDER_CANCELLED: S.CANCELLED,
    K.ORDER_REJECTED: S.REJECTED,
    K.ORDER_EXPIRED: S.EXPIRED,
    K.ORDER_UNKNOWN: S.UNKNOWN,
    K.ORDER_RETRIED: S.INTENT,
}
_GIVES_REASON: Final = (K.ORDER_DENIED, K.ORDER_CANCELLED, K.ORDER_REJECTED, K.ORDER_EXPIRED)
_LEAVES_TERMS_ALONE: Final = frozenset(
    (
        K.ORDER_SUBMITTED,
        K.ORDER_ACCEPTED,
        K.ORDER_UNKNOWN,
        K.ORDER_RETRIED,
        K.ORDER_EXPIRED,
        K.CANCEL_REQUESTED,
        K.CANCEL_REFUSED,
        K.AMEND_REQUESTED,
        K.AMEND_REFUSED,
        K.LATE_FILL,
    )
)
_FIELDS: Final = tuple(field.name for field in attrs.fields(Order))


Filled = tuple[Decimal, Decimal, dict[str, Decimal]]
"""Quantity, value, and fees by coin."""
Asked = tuple[datetime, str]
"""When a command was asked for, and why."""


@attrs.define(slots=True)
class _Life:
    order: Order
    cancels: list[Asked] = attrs.Factory(list)
    amends: list[Asked] = attrs.Factory(list)


class Lives:
    """Replays order events one by one; holds only the newest version of each order."""

    def __init__(self, findings: Findings, ledger: Mapping[int, LedgerEntry]) -> None:
        self._findings = findings
        self._ledger = ledger
        self._lives: dict[str, _Life] = {}
        self.booked: dict[int, str] = {}
        """Ledger number to the order it was booked in; empty for none."""

    def take(self, event: Event, order: Order) -> None:
        """Replay one event of an order."""
        name = f"order {event.subject}"
        self._findings.equal(
            "V12", name, event.subject, order.client_order_id, "an event is about its subject"
        )
        self._findings.equal(
            "V12", name, (event.sequence, event.at), (order.version, order.updated_at),
            "an event and its order have one version and time",
        )  # fmt: skip
        life = self._lives.get(event.subject)
        if life is None:
            self._birth(event, order, name)
            life = self._lives[event.subject] = _Life(order)
        else:
            self._step(event, life.order, order, name)
            life.order = order
        if event.kind is K.CANCEL_REQUESTED:
            life.cancels.append((event.at, event.code))
        elif event.kind is K.AMEND_REQUESTED:
            life.amends.append((event.at, event.code))
        self._reason(event, order, name)

    def book(self, number: int, order_id: str) -> None:
        """Note where a ledger entry was booked."""
        first = self.booked.setdefault(number, order_id)
        self._findings.equal(
            "V13", f"execution {number}", order_id, first, "an execution is told once"
        )

    def finish(self, orders: Mapping[str, Order]) -> None:
        """Compare the last versions with the current rows."""
        for order_id, order in orders.items():
            life = self._lives.get(order_id)
            name = f"order {order_id}"
            self._findings.holds("V12", name, life is not None, "an order has events")
            if life is None:
                continue
            if life.order == order:
                self._findings.checked += 1
                continue
            for field in _FIELDS:
                self._findings.equal(
                    "V12",
                    name,
                    getattr(life.order, field),
                    getattr(order, field),
                    f"{field} is as its last event said",
                )
        for order_id in sorted(self._lives.keys() - orders.keys()):
            self._findings.holds("V12", f"order {order_id}", truth=False, text="its row exists")
        for number in sorted(self._ledger.keys() - self.booked.keys()):
            self._findings.holds("V13", f"execution {number}", truth=False, text="it was told")
        for number in sorted(self.booked.keys() - self._ledger.keys()):
            self._findings.holds("V8", f"execution {number}", truth=False, text="it is booked")

    def asked(self, order_id: str, kind: CommandKind) -> list[Asked]:
        """Every cancel or amend of an order that was asked for, in order."""
        life = self._lives.get(order_id)
        if life is None:
            return []
        return life.cancels if kind is CommandKind.CANCEL else life.amends

    def _birth(self, event: Event, order: Order, name: str) -> None:
        state = (order.status, order.ended_by)
        self._findings.equal("V12", name, 1, order.version, "the first version is 1")
        self._findings.equal("V11", name, _BORN.get(event.kind), state, "an order is born so")
        told = (order.cum_quantity, order.cum_value, dict(order.fees))
        begins = self._told_before(order) if event.kind is K.ORDER_ADOPTED else (ZERO, ZERO, {})
        text = "it begins unfilled, but for what a stranger's order was told before it"
        self._findings.equal("V8", name, begins, told, text)
        self._findings.equal("V19", name, 0, order.attempt, "it begins without an attempt")

    def _told_before(self, order: Order) -> Filled:
        """Sum the executions of a stranger's order that were booked before anybody knew of it."""
        quantity, value, fees = ZERO, ZERO, dict[str, Decimal]()
        for number in [each for each, owner in self.booked.items() if not owner]:
            entry = self._ledger.get(number)
            if entry is None or entry.execution.venue_order_id != order.venue_order_id:
                continue
            self.booked[number] = order.client_order_id
            quantity, value = _added(quantity, value, fees, entry.execution)
        return quantity, value, fees

    def _step(self, event: Event, before: Order, order: Order, name: str) -> None:
        equal, holds = self._findings.equal, self._findings.holds
        equal("V12", name, before.version + 1, order.version, "versions have no gap")
        old, new = (before.status, before.ended_by), (order.status, order.ended_by)
        ways = NEXT.get(old, frozenset())
        holds("V11", name, new in ways, f"an edge leads from {before.status}", order.status)
        holds("V12", name, order.terms == before.terms, "the terms never change")
        claimed = event.kind is K.ORDER_SUBMITTED
        equal("V19", name, before.attempt + claimed, order.attempt, "a claim is an attempt")
        if claimed:
            in_time = event.at <= order.terms.valid_until
            holds("V5", name, in_time, "it was claimed while it was valid", event.at)
        else:
            equal("V19", name, before.request_ts, order.request_ts, "only a claim has a new stamp")
        self._stays(before, order, name)
        if event.kind is K.CANCEL_REQUESTED:
            equal("V12", name, event.code, order.cancel_reason, "the reason of a cancel was told")
        elif event.kind is not K.CANCEL_REFUSED:
            text = "only a cancel has a new reason"
            equal("V12", name, before.cancel_reason, order.cancel_reason, text)
        if event.kind in _LEAVES_TERMS_ALONE:
            equal(
                "V12",
                name,
                (before.price, before.quantity),
                (order.price, order.quantity),
                f"{event.kind} changes neither price nor quantity",
            )
        self._fill(event, before, order, name)

    def _stays(self, before: Order, order: Order, name: str) -> None:
        """What is learned once stays, and what is merged by its largest never shrinks."""
        holds = self._findings.holds
        venue_id, shown_at = order.venue_order_id, order.first_working_at
        holds("V12", name, before.venue_order_id in ("", venue_id), "the venue id stays", venue_id)
        stays = before.first_working_at in (None, shown_at)
        holds("V12", name, stays, "the time it was first shown stays", shown_at)
        grows = order.reported_cum >= before.reported_cum
        holds("V12", name, grows, "what was reported as filled grows", order.reported_cum)
        then, now = before.venue_updated_at, order.venue_updated_at
        is_later = then is None or (now is not None and now >= then)
        holds("V12", name, is_later, "the exchange's time goes on", now)

    def _fill(self, event: Event, before: Order, order: Order, name: str) -> None:
        quantity, value, fees = before.cum_quantity, before.cum_value, dict(before.fees)
        entry = event.ledger
        if entry is not None:
            self.book(entry.number, event.subject)
            execution = entry.execution
            self._findings.equal(
                "V12",
                name,
                self._ledger.get(entry.number),
                entry,
                "the event told the ledger's entry",
            )
            self._findings.holds("V8", name, execution.kind is not ExecutionKind.FUNDING, "a fill")
            quantity, value = _added(quantity, value, fees, execution)
        told = (order.cum_quantity, order.cum_value, dict(order.fees))
        self._findings.equal("V8", name, (quantity, value, fees), told, "a version adds its fill")

    def _reason(self, event: Event, order: Order, name: str) -> None:
        said = _SAYS.get(event.kind)
        if said is not None:
            self._findings.equal("V11", name, said, order.status, f"{event.kind} says the status")
        self._findings.equal(
            "V11",
            name,
            order.status in TERMINAL,
            order.closed_at is not None,
            "ended orders, and no others, have a time of their end",
        )
        if event.kind in _GIVES_REASON:
            self._findings.equal("V12", name, event.code, order.code, "the reason was told")
        is_external = order.terms.origin is Origin.EXTERNAL
        self._findings.equal(
            "V35", name, event.sequence == 1 and is_external,
            event.kind is K.ORDER_ADOPTED, "what is adopted is EXTERNAL",
        )  # fmt: skip


def _added(
    quantity: Decimal, value: Decimal, fees: dict[str, Decimal], execution: Execution
) -> tuple[Decimal, Decimal]:
    """Add an execution to quantity and value, and to the fees in place."""
    if execution.fee:
        fees[execution.fee_coin] = fees.get(execution.fee_coin, ZERO) + execution.fee
    category = category_of(execution.instrument_id)
    return (
        quantity + execution.quantity,
        value + notional_of(category, execution.price, execution.quantity),
    )
