"""Sweeps: complete readings of the account, which repair from facts and invent nothing (8.2)."""

from datetime import timedelta

from order_domain.engine import first_start, states
from order_domain.engine.executions import book_all, may_be_stored
from order_domain.engine.reports import adopt, is_idle_exit, merge, on_wallet
from order_domain.engine.watch import Why
from order_domain.engine.work import WATERMARK, Work
from order_domain.model.enums import Category, EventKind
from order_domain.model.execution import Execution
from order_domain.model.identifiers import category_of
from order_domain.model.instrument import ZERO
from order_domain.model.order import AT_VENUE
from order_domain.model.reports import OrderReport, SweepResult
from order_domain.model.steps import Need, Sweep

_MISMATCHES = "mismatch:"
_SECOND = timedelta(seconds=1)


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
    is_first = WATERMARK not in work.book.marks
    if is_first and not first_start.may_begin(work, result):
        return None
    # strangers are adopted before executions are booked, so that these find their orders
    shown = [
        (known or adopt(work, report), report)
        for report in result.orders
        if (known := work.find(report.client_order_id, report.venue_order_id)) is not None
        or not is_idle_exit(report)
    ]
    if is_first:
        first_start.take_over(work, result)
    book_all(work, result.executions)
    for order, report in shown:
        newest = work.orders.get(order.terms.client_order_id, order)
        merge(work, newest, report, result.began_at)
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
        if may_be_stored(
            work, execution, work.find(execution.client_order_id, execution.venue_order_id)
        )
    )
    strangers: list[OrderReport | Execution] = [*result.orders, *result.executions]
    unknown = [
        one
        for one in strangers
        # funding is of no order
        if (one.client_order_id or one.venue_order_id)
        and work.find(one.client_order_id, one.venue_order_id) is None
    ]
    if not executions and not unknown:
        return None
    orders = tuple(one.client_order_id for one in unknown if one.client_order_id)
    venue_orders = tuple(one.venue_order_id for one in unknown if one.venue_order_id)
    return Need(orders=orders, venue_orders=venue_orders, executions=executions)


def _look_for_missing(work: Work, result: SweepResult) -> None:
    """An order the sweep did not show only starts a look-up."""
    known_ids = {report.client_order_id for report in result.orders}
    known_at = {report.venue_order_id for report in result.orders}
    for orders in work.book.live.values():
        for order_id, order in orders.items():
            newest = work.order(order_id) or order
            if (
                newest.status not in AT_VENUE
                or order_id in known_ids
                or newest.venue_order_id in known_at
            ):
                continue
            if newest.updated_at < result.began_at - work.watch.clock_offset:
                work.watch.inquire(order_id, Why.MISSING, newest.attempt, work.now)


def _compare_positions(work: Work, result: SweepResult) -> None:
    """Ledger against exchange.

    Differing twice in a row asks for a whole sweep and is told; nothing is invented.
    """
    shown = {
        (report.instrument_id, report.position_side): report.size for report in result.positions
    }
    for key in dict.fromkeys((*shown, *work.book.positions, *work.positions)):
        if key not in shown and category_of(key[0]) == Category.SPOT:
            continue  # the exchange has balances there, and no positions to compare with
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
            work.watch.sweep_wanted = work.watch.sweep_wanted or "MISMATCH"
            work.alert(EventKind.POSITION_MISMATCH, code="LEDGER_DIFFERS", detail=detail)


def request_sweep(work: Work, reason: str) -> None:
    """Ask for a sweep, or remember the wish while one is on its way."""
    watch = work.watch
    if watch.sweep_open:
        watch.sweep_wanted = watch.sweep_wanted or reason
        return
    mark = work.mark(WATERMARK)
    watch.sweep_open, watch.sweep_at, watch.sweep_wanted = True, None, ""
    if mark is None or mark.at is None:
        work.queries.append(Sweep(reason, first_start.since(work), first=True))
        return
    since = mark.at
    if reason == "MISMATCH":
        since = min(since, work.now - work.config.retention)
    work.queries.append(Sweep(reason, since))
