"""Bugs planted in the domain: wrong beliefs about facts, attempts, sums and rows."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs

from order_domain import exposure
from order_domain.book import Book
from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.engine import (
    answers,
    engine,
    executions,
    first_start,
    lookups,
    orders,
    plumbing,
    reports,
    resume,
    signals,
    sweeps,
    ticks,
)
from order_domain.engine.watch import LONG_AGO, Bucket
from order_domain.engine.work import Work
from order_domain.lifecycle import Trigger
from order_domain.model.enums import AnswerOutcome, EventKind, OrderStatus
from order_domain.model.events import Event
from order_domain.model.execution import Execution
from order_domain.model.inputs import SignalDelivered
from order_domain.model.order import Order
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult
from order_domain.model.rows import Change
from order_domain.model.steps import SendCancel
from tests.simulation.patches import Bug, Patches


def _no_quarantine(patches: Patches) -> None:
    nothing = property(lambda _: timedelta(0))
    patches.attribute(EngineConfig, "quarantine", nothing)


def _one_absence(patches: Patches) -> None:
    right = lookups._after_absence

    def believe(work: Work, order: Order, inquiry: Any, result: LookupResult) -> None:
        inquiry.absent_at = result.sent_at - work.config.quarantine
        right(work, order, inquiry, attrs.evolve(result, complete=True))

    patches.attribute(lookups, "_after_absence", believe)


def _stale_lookup(patches: Patches) -> None:
    right = lookups._after_absence

    def believe(work: Work, order: Order, inquiry: Any, result: LookupResult) -> None:
        late = work.exchange_now + timedelta(hours=1)
        right(work, order, inquiry, attrs.evolve(result, attempt=order.attempt, sent_at=late))
        if inquiry.absent_at is not None:
            inquiry.absent_at -= timedelta(seconds=10)

    patches.attribute(lookups, "_after_absence", believe)


def _give_up_unknown(patches: Patches) -> None:
    right = lookups._again

    def give_up(work: Work, order_id: Any, inquiry: Any) -> None:
        order = work.order(order_id)
        unknown = order is not None and order.status is OrderStatus.UNKNOWN
        if order is not None and unknown and inquiry.tries >= 3:
            orders.give_up(work, order, Trigger.LAPSE, Code.UNANSWERED_EXPIRED)
        else:
            right(work, order_id, inquiry)

    patches.attribute(lookups, "_again", give_up)


def _unknown_is_refused(patches: Patches) -> None:
    patches.item(answers._CREATE, AnswerOutcome.UNKNOWN, answers._refused)  # type: ignore[arg-type]


def _unknown_is_not_accepted(patches: Patches) -> None:
    patches.item(answers._CREATE, AnswerOutcome.UNKNOWN, answers._not_accepted)  # type: ignore[arg-type]


def _not_found_is_cancelled(patches: Patches) -> None:
    def end(work: Work, order: Order, _command: Any, _answer: Answer) -> None:
        ended = order.derive()
        work.move(ended, Trigger.END_CANCELLED)
        ended.code = order.cancel_reason
        work.emit(ended, EventKind.ORDER_CANCELLED, code=ended.code)
        orders.close_commands(work, ended)

    patches.item(answers._COMMAND, AnswerOutcome.NOT_FOUND, end)  # type: ignore[arg-type]


def _old_refusal(patches: Patches) -> None:
    right = answers._refused

    def refuse(work: Work, order: Order, answer: Answer) -> None:
        right(work, order, attrs.evolve(answer, attempt=order.attempt))

    patches.item(answers._CREATE, AnswerOutcome.REFUSED, refuse)  # type: ignore[arg-type]


def _replaced_too_early(patches: Patches) -> None:
    patches.attribute(ticks, "_replaced_ended", lambda _work, _order: True)


def _sent_twice(patches: Patches) -> None:
    def sent_twice(work: Work, order: Order) -> None:
        orders.claim(work, order)
        work.effects.append(work.effects[-1])

    patches.attribute(ticks, "claim", sent_twice)


def _float_sums(patches: Patches) -> None:
    def fold(new: Order, execution: Execution) -> None:
        right(new, execution)
        new.cum_value = Decimal(float(new.cum_value) * 1.0000000001)

    right = executions.fold
    patches.attribute(executions, "fold", fold)


def _newest_report_wins(patches: Patches) -> None:
    right = reports.merge

    def merge(work: Work, order: Order, report: OrderReport, as_of: Any) -> None:
        right(work, order, report, as_of)
        new = work.order(order.client_order_id)
        if new is not None and new.reported_cum > report.cum_quantity:
            new = new.derive()
            new.reported_cum = report.cum_quantity
            work.emit(new, EventKind.ORDER_REPORTED)

    for module in (reports, lookups, sweeps):
        patches.attribute(module, "merge", merge)


def _stale_values(patches: Patches) -> None:
    right = reports._merge_values

    def take(work: Work, new: Order, report: OrderReport, as_of: Any) -> bool:
        new.venue_updated_at = None
        return right(work, new, report, as_of)

    patches.attribute(reports, "_merge_values", take)


def _drop_orphans(patches: Patches) -> None:
    right = executions.book

    def book(work: Work, execution: Execution, order: Order | None) -> None:
        if order is not None:
            right(work, execution, order)

    patches.attribute(executions, "book", book)


def _fills_by_report(patches: Patches) -> None:
    right = engine.on_execution

    def take(work: Work, execution: Execution, asked: bool) -> Any:
        again = attrs.evolve(execution, exec_id=f"{execution.exec_id}-{work.ledger_number}")
        return right(work, again, asked)

    patches.item(engine._HANDLERS, Execution, take)  # type: ignore[arg-type]


def _forgets_submitting(patches: Patches) -> None:
    right = resume._resume_order

    def skip(work: Work, order: Order) -> None:
        if order.status is not OrderStatus.SUBMITTING:
            right(work, order)

    patches.attribute(resume, "_resume_order", skip)


def _forgets_cancels(patches: Patches) -> None:
    patches.attribute(resume, "_resume_command", lambda _work, _command: None)


def _stale_rows(patches: Patches) -> None:
    def bring(self: engine.Engine, rows: Sequence[Change]) -> None:
        for row in rows:
            self.book.apply(row)

    patches.attribute(engine.Engine, "_bring", bring)


def _decides_again(patches: Patches) -> None:
    right = engine.on_signal

    def forget(work: Work, delivered: SignalDelivered, asked: bool) -> Any:
        known = work.book.signals.pop(delivered.signal.signal_id, None)
        work.book.seen.pop(delivered.signal.signal_id, None)
        del known
        return right(work, delivered, True)

    patches.item(engine._HANDLERS, SignalDelivered, forget)  # type: ignore[arg-type]


def _silent_event(patches: Patches) -> None:
    right = Work.emit

    def emit(self: Work, order: Order, kind: EventKind, **details: Any) -> Order:
        new = right(self, order, kind, **details)
        if kind is EventKind.ORDER_WORKING:
            self.changes.remove(next(c for c in reversed(self.changes) if isinstance(c, Event)))
        return new

    patches.attribute(Work, "emit", emit)


def _no_overlap(patches: Patches) -> None:
    right = sweeps.request_sweep

    def request(work: Work, reason: str) -> None:
        right(work, "PERIODIC")
        for query in work.queries:
            if getattr(query, "since", None) is not None:
                query.since = work.now

    for module in (sweeps, ticks, plumbing, resume):
        patches.attribute(module, "request_sweep", request)


def _opened_at_once(patches: Patches) -> None:
    def never(*_: object) -> list[str]:
        return []

    patches.attribute(first_start, "_moved", never)
    patches.attribute(first_start, "_due", lambda *_: LONG_AGO)


def _opened_and_booked(patches: Patches) -> None:
    patches.attribute(executions, "_take", executions.book)


def _half_sweep(patches: Patches) -> None:
    right = engine.on_sweep

    def take(work: Work, result: SweepResult, asked: bool) -> Any:
        return right(work, attrs.evolve(result, complete=True, executions=()), asked)

    patches.item(engine._HANDLERS, SweepResult, take)  # type: ignore[arg-type]


def _unreserved(patches: Patches) -> None:
    right = exposure.at_risk

    def at_risk(book: Book, order: Order, taken: Any) -> Decimal:
        flying = order.status in (OrderStatus.SUBMITTING, OrderStatus.UNKNOWN, OrderStatus.INTENT)
        return Decimal(0) if flying else right(book, order, taken)

    patches.attribute(exposure, "at_risk", at_risk)


def _free_tokens(patches: Patches) -> None:
    patches.attribute(Bucket, "take", lambda _bucket, _now: True)
    patches.attribute(Bucket, "free_at", lambda _bucket: LONG_AGO)


def _cancels_too_early(patches: Patches) -> None:
    def send(work: Work, order: Order, command: Any) -> bool:
        work.effects.append(SendCancel(order, command.number, command.attempt, work.exchange_now))
        return True

    for module in (orders, ticks):
        patches.attribute(module, "send_cancel_if_possible", send)


def _parked_for_ever(patches: Patches) -> None:
    patches.attribute(ticks, "wake", lambda _work, _row, _deadline: False)


def _never_acknowledged(patches: Patches) -> None:
    right = signals._repeat

    def repeat(work: Work, delivered: SignalDelivered, body_hash: str, first: int) -> None:
        right(work, delivered, body_hash, first)
        work.effects.pop()

    patches.attribute(signals, "_repeat", repeat)


ENGINE_BUGS = {
    "no-quarantine": Bug("absence is believed before the old request is dead", _no_quarantine),
    "one-absence": Bug("one look-up, perhaps incomplete, proves absence", _one_absence),
    "stale-lookup": Bug("a look-up made for an older attempt is believed", _stale_lookup),
    "count-tries": Bug("an unknown order is given up after three look-ups", _give_up_unknown),
    "unknown-refused": Bug("no answer is taken for a refusal", _unknown_is_refused),
    "unknown-retried": Bug("no answer is taken for not accepted", _unknown_is_not_accepted),
    "not-found-ended": Bug("a cancel that finds nothing ends the order", _not_found_is_cancelled),
    "old-refusal": Bug("a refusal of an older attempt ends the newest one", _old_refusal),
    "replaced-early": Bug("a replacement goes before what it replaces ended", _replaced_too_early),
    "sent-twice": Bug("one claim is sent twice", _sent_twice),
    "float-sum": Bug("sums of fills go through binary floats", _float_sums),
    "last-report-wins": Bug("a report's quantity replaces a larger one", _newest_report_wins),
    "stale-values": Bug("an older report's price and quantity are taken", _stale_values),
    "orphans-dropped": Bug("a fill whose order is unknown is not booked", _drop_orphans),
    "booked-again": Bug("a fill told again is booked again", _fills_by_report),
    "submitting-forgotten": Bug(
        "what was sent is not asked for after a restart", _forgets_submitting
    ),
    "cancels-forgotten": Bug(
        "what was sent of cancels and amends is forgotten at a restart", _forgets_cancels
    ),
    "stale-rows": Bug("rows brought along replace newer ones", _stale_rows),
    "decided-again": Bug("a known signal is decided again", _decides_again),
    "silent-event": Bug("a change of an order is not told", _silent_event),
    "no-overlap": Bug("sweeps read executions since now only", _no_overlap),
    "opened-at-once": Bug("what is held counts though somebody trades", _opened_at_once),
    "opened-and-booked": Bug("what an opening holds is booked again", _opened_and_booked),
    "half-sweep": Bug("an incomplete sweep counts as complete", _half_sweep),
    "unreserved": Bug("what is on its way is not counted in risk", _unreserved),
    "free-tokens": Bug("the rate budget is not kept", _free_tokens),
    "cancels-unclaimed": Bug("a cancel leaves without its claim", _cancels_too_early),
    "parked-for-ever": Bug("a parked signal is never decided", _parked_for_ever),
    "never-acknowledged": Bug("a repeated signal is not acknowledged", _never_acknowledged),
}
