"""Look-ups and sweeps.

Presence is a fact at any time; absence only after the quarantine, twice (protocol part 6).
"""

from datetime import timedelta
from decimal import Decimal

from order_domain.codes import Code
from order_domain.engine import states
from order_domain.engine.orders import give_up, nudge
from order_domain.engine.reports import book, merge, on_wallet, show
from order_domain.engine.watch import Inquiry, Why
from order_domain.engine.work import Work
from order_domain.lifecycle import Trigger
from order_domain.model.enums import (
    EventKind,
    ExecutionKind,
    OrderStatus,
    Side,
    Trading,
)
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.instrument import ZERO
from order_domain.model.order import AT_VENUE, Order
from order_domain.model.reports import LookupResult, OrderReport, PositionReport, SweepResult
from order_domain.model.steps import LookUp, Need, Sweep

WATERMARK = "watermark"
"""Mark: executions before this moment are known completely."""
_MISMATCHES = "mismatch:"


def ask(work: Work, order_id: ClientOrderId, inquiry: Inquiry) -> None:
    """Start the next look-up of an inquiry."""
    inquiry.due = None
    inquiry.tries += 1
    work.queries.append(LookUp(order_id, inquiry.attempt))


def on_lookup(work: Work, result: LookupResult, _asked: bool) -> None:
    """Take what the three sources said of one client order id."""
    order = work.order(result.client_order_id)
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
    for execution in sorted(result.executions, key=_by_time):
        _book_once(work, execution)
    if result.order is not None:
        merge(work, work.order(order_id) or order, result.order, result.sent_at)
    return work.order(order_id) or order


def _by_time(execution: Execution) -> tuple[object, ...]:
    return execution.executed_at, execution.sequence, execution.exec_id


def _book_once(work: Work, execution: Execution) -> None:
    key = (execution.instrument_id, execution.exec_id)
    if key not in work.book.executions and key not in work.executions:
        book(work, execution, work.find(execution.client_order_id, execution.venue_order_id))


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


# -- sweeps ----------------------------------------------------------------------------------------
# ---------------


def on_sweep(work: Work, result: SweepResult, asked: bool) -> Need | None:
    """Take a reading of the whole account.

    Only a complete one moves the watermark and lifts the barrier.
    """
    need = None if asked or work.book.signals_complete else _unknown_rows(work, result)
    if need is not None:
        return need
    watch = work.watch
    watch.sweep_open = False
    watch.sweep_at = work.now + work.config.sweep_interval
    untouched = (
        WATERMARK not in work.book.marks and not work.book.ledger_number and not work.book.orders
    )
    first = result.complete and untouched
    if first and (result.positions or result.orders) and not _may_adopt(work, result):
        return None
    if first:
        _open_positions(work, result)
    else:
        for execution in sorted(result.executions, key=_by_time):
            _book_once(work, execution)
    for report in result.orders:
        show(work, report, result.began_at)
    if result.wallet is not None:
        on_wallet(work, result.wallet, True)
    if not result.complete:
        watch.sweep_at = work.now + _SECOND
        return None
    work.put_mark(WATERMARK, result.ended_at - work.config.watermark_overlap)
    _look_for_missing(work, result)
    _compare_positions(work, result)
    if watch.stream_healthy and result.began_at >= watch.healthy_at:
        watch.barrier = False
        watch.parked_due = True
        states.lift(work, "STREAM")
    return None


def _unknown_rows(work: Work, result: SweepResult) -> Need | None:
    """Executions and orders the book may only have forgotten.

    The store must say whether they are new.
    """
    executions = tuple(
        (execution.instrument_id, execution.exec_id)
        for execution in result.executions
        if (execution.instrument_id, execution.exec_id) not in work.book.executions
        and work.find(execution.client_order_id, execution.venue_order_id) is None
    )
    strangers: list[OrderReport | Execution] = [*result.orders, *result.executions]
    unknown = [
        one for one in strangers if work.find(one.client_order_id, one.venue_order_id) is None
    ]
    if not executions and not unknown:
        return None
    orders = tuple(one.client_order_id for one in unknown if one.client_order_id)
    venue_orders = tuple(one.venue_order_id for one in unknown if one.venue_order_id)
    return Need(orders=orders, venue_orders=venue_orders, executions=executions)


def _may_adopt(work: Work, result: SweepResult) -> bool:
    known = all(
        work.find(report.client_order_id, report.venue_order_id) for report in result.orders
    )
    if (known and not _foreign(work, result.positions)) or work.config.adopt_existing:
        return True
    reason = (
        "first start on an account with open orders or positions: set the consent to adopt them"
    )
    states.restrict(work, "ADOPTION", reason, Trading.HALTED)
    return False


def _foreign(work: Work, reports: tuple[PositionReport, ...]) -> bool:
    return any(_difference(work, report) for report in reports)


def _open_positions(work: Work, result: SweepResult) -> None:
    """First start: what the account already holds becomes one OPENING entry per position."""
    states.lift(work, "ADOPTION")
    for report in result.positions:
        missing = _difference(work, report)
        if not missing:
            continue
        book(
            work,
            Execution(
                exec_id=ExecutionId(f"opening-{report.instrument_id}-{report.position_side}"),
                instrument_id=report.instrument_id,
                client_order_id=ClientOrderId(""),
                venue_order_id=VenueOrderId(""),
                side=Side.BUY if missing > 0 else Side.SELL,
                price=report.average_price or ZERO,
                quantity=abs(missing),
                fee=ZERO,
                fee_coin="",
                executed_at=report.updated_at,
                kind=ExecutionKind.OPENING,
                position_side=report.position_side,
            ),
            None,
        )


def _look_for_missing(work: Work, result: SweepResult) -> None:
    """An order the sweep did not show only starts a look-up."""
    shown = {report.client_order_id for report in result.orders}
    shown_at = {report.venue_order_id for report in result.orders}
    for orders in work.book.live.values():
        for order_id, order in orders.items():
            newest = work.order(order_id) or order
            if (
                newest.status not in AT_VENUE
                or order_id in shown
                or newest.venue_order_id in shown_at
            ):
                continue
            if newest.updated_at < result.began_at - work.watch.clock_offset:
                work.watch.inquire(order_id, Why.MISSING, newest.attempt, work.now)


def _difference(work: Work, report: PositionReport) -> Decimal:
    key = (report.instrument_id, report.position_side)
    position = work.positions.get(key) or work.book.positions.get(key)
    return report.size - (position.size if position is not None else ZERO)


def _compare_positions(work: Work, result: SweepResult) -> None:
    """Ledger against exchange.

    Differing twice in a row asks for a whole sweep and is told; nothing is invented.
    """
    shown = {
        (report.instrument_id, report.position_side): report.size for report in result.positions
    }
    for key in dict.fromkeys((*shown, *work.book.positions, *work.positions)):
        position = work.positions.get(key) or work.book.positions.get(key)
        ours, theirs = (position.size if position is not None else ZERO), shown.get(key, ZERO)
        name = f"{_MISMATCHES}{key[0]}:{key[1]}"
        mark = work.mark(name)
        if ours == theirs:
            if mark is not None and mark.number:
                work.put_mark(name, work.now, 0)
            continue
        count = 1 if mark is None else mark.number + 1
        work.put_mark(name, work.now, count)
        if count == 1:
            work.watch.sweep_at = work.now + _SECOND  # a fill may be on its way: look again soon
        if count == 2:
            detail = (
                ("instrument_id", key[0]),
                ("position_side", key[1].value),
                ("ledger", ours),
                ("exchange", theirs),
            )
            work.alert(EventKind.POSITION_MISMATCH, code="LEDGER_DIFFERS", detail=detail)


def request_sweep(work: Work, reason: str) -> None:
    """Ask for a sweep, or remember the wish while one is on its way."""
    watch = work.watch
    if watch.sweep_open:
        watch.sweep_wanted = watch.sweep_wanted or reason
        return
    mark = work.mark(WATERMARK)
    watch.sweep_open, watch.sweep_at, watch.sweep_wanted = True, None, ""
    since = mark.at if mark is not None else None
    if since is not None and reason == "MISMATCH":
        since = min(since, work.now - work.config.retention)
    work.queries.append(Sweep(reason, since))
