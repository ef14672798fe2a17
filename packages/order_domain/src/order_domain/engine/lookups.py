"""Look-ups of one order: presence is a fact at any time, absence only after the quarantine, twice.

Protocol part 6.
"""

from datetime import timedelta

from order_domain.codes import Code
from order_domain.engine import states
from order_domain.engine.executions import book_all, may_be_stored
from order_domain.engine.orders import give_up, nudge
from order_domain.engine.reports import merge
from order_domain.engine.watch import Inquiry, Why
from order_domain.engine.work import Work
from order_domain.lifecycle import Trigger
from order_domain.model.enums import (
    EventKind,
    OrderStatus,
)
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import Order
from order_domain.model.reports import LookupResult
from order_domain.model.steps import LookUp, Need


def ask(work: Work, order_id: ClientOrderId, inquiry: Inquiry) -> None:
    """Start the next look-up of an inquiry."""
    inquiry.due = None
    inquiry.tries += 1
    work.queries.append(LookUp(order_id, inquiry.attempt, work.order(order_id)))


def on_lookup(work: Work, result: LookupResult, asked: bool) -> Need | None:
    """Take what the three sources said of one client order id."""
    order = work.order(result.client_order_id)
    stored = tuple(
        (execution.instrument_id, execution.exec_id)
        for execution in result.executions
        if not asked and may_be_stored(work, execution, order)
    )
    if stored:
        return Need(executions=stored)
    _take_result(work, order, result)
    return None


def _take_result(work: Work, order: Order | None, result: LookupResult) -> None:
    inquiry = work.watch.inquiries.get(result.client_order_id)
    if order is None:
        work.watch.settle(result.client_order_id)
        return
    before = order
    found = result.order is not None or bool(result.executions)
    if found:
        order = _take(work, order, result)
    if inquiry is None:
        return
    if found:
        _after_presence(work, order, inquiry, is_news=order is not before)
    elif order.status is OrderStatus.UNKNOWN:
        _after_absence(work, order, inquiry, result)
    else:
        _again(work, order.terms.client_order_id, inquiry)


def _take(work: Work, order: Order, result: LookupResult) -> Order:
    order_id = order.terms.client_order_id
    book_all(work, result.executions)
    if result.order is not None:
        merge(work, work.order(order_id) or order, result.order, result.sent_at)
    return work.order(order_id) or order


def _after_presence(work: Work, order: Order, inquiry: Inquiry, *, is_news: bool) -> None:
    order_id = order.terms.client_order_id
    if inquiry.why is Why.SILENT and is_news:
        # it lives, and the stream never told: the stream cannot be trusted until a sweep is
        # complete
        states.restrict(work, "STREAM", f"no report of {order_id}")
        work.watch.sweep_wanted = work.watch.sweep_wanted or "RECONNECT"
    if order.unbooked_quantity or order.reported_status is not None:
        inquiry.why = Why.LEDGER
        _again(work, order_id, inquiry)
    else:
        work.watch.settle(order_id)


def _after_absence(work: Work, order: Order, inquiry: Inquiry, result: LookupResult) -> None:
    """Count absence only for the newest attempt, complete, after the quarantine, and twice."""
    config = work.config
    order_id = order.terms.client_order_id
    request_ts = order.request_ts or order.terms.created_at
    if (
        not result.complete
        or result.attempt != order.attempt
        or result.sent_at < request_ts + config.quarantine
    ):
        _again(work, order_id, inquiry)
        return
    if inquiry.absent_at is None:
        inquiry.absent_at = result.sent_at
        inquiry.due = work.now + config.absence_gap
        return
    if result.sent_at - inquiry.absent_at < config.absence_gap:
        inquiry.due = work.now + config.absence_gap
        return
    if work.now >= order.terms.valid_until:
        give_up(work, order, Trigger.LAPSE, Code.UNANSWERED_EXPIRED)
        nudge(work)
        return
    new = order.derive()
    work.move(new, Trigger.NOT_ACCEPTED)
    new.code = ""
    work.watch.settle(order_id)
    nudge(work)
    work.emit(
        new, EventKind.ORDER_RETRIED, code="ABSENT", text=f"attempt {order.attempt} never arrived"
    )


def _again(work: Work, order_id: ClientOrderId, inquiry: Inquiry) -> None:
    """Plan the next look-up.

    By the delays, then at the end of the quarantine, then ever at the last delay.
    """
    config = work.config
    delays = config.lookup_delays
    tries = inquiry.tries
    if tries >= len(delays) and inquiry.why in (Why.MISSING, Why.SILENT):
        work.watch.settle(order_id)  # the next sweep asks again
        work.alert(EventKind.ALARM, code="ORDER_NOT_FOUND", text=order_id)
        return
    inquiry.due = work.now + (delays[tries] if tries < len(delays) else max(delays[-1], _SECOND))
    order = work.order(order_id)
    if order is not None and order.status is OrderStatus.UNKNOWN and order.request_ts is not None:
        free = order.request_ts + config.quarantine - work.watch.clock_offset
        if work.now < free < inquiry.due:
            inquiry.due = free


_SECOND = timedelta(seconds=1)
