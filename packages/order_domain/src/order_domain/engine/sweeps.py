"""Sweeps: complete readings of the account, which repair from facts and invent nothing (8.2)."""

from datetime import timedelta
from decimal import Decimal

from order_domain.book import PositionKey
from order_domain.engine import states
from order_domain.engine.executions import book, book_all, may_be_stored
from order_domain.engine.reports import adopt, is_idle_exit, merge, on_wallet
from order_domain.engine.watch import Why
from order_domain.engine.work import Work
from order_domain.model.enums import Category, EventKind, ExecutionKind, Side, Trading
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId, category_of
from order_domain.model.instrument import ZERO
from order_domain.model.order import AT_VENUE
from order_domain.model.reports import OrderReport, SweepResult
from order_domain.model.steps import Need, Sweep

WATERMARK = "watermark"
"""Mark: executions before this moment are known completely."""
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
    if WATERMARK not in work.book.marks and not _start(work, result):
        return None
    # strangers are adopted before executions are booked, so that these find their orders
    shown = [
        (known or adopt(work, report), report)
        for report in result.orders
        if (known := work.find(report.client_order_id, report.venue_order_id)) is not None
        or not is_idle_exit(report)
    ]
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


def _start(work: Work, result: SweepResult) -> bool:
    """Take over what the account holds, on consent; False when that must wait."""
    if not result.complete:
        work.watch.sweep_at = work.now + _SECOND
        return False
    missing = _missing(work, result)
    strangers = any(
        work.find(report.client_order_id, report.venue_order_id) is None for report in result.orders
    )
    if (missing or strangers) and not work.config.adopt_existing:
        reason = "first start on an account with open orders or positions: consent to adopt them"
        states.restrict(work, "ADOPTION", reason, Trading.HALTED)
        return False
    states.lift(work, "ADOPTION")
    for key, quantity in missing.items():
        _open_position(work, result, key, quantity)
    return True


def _missing(work: Work, result: SweepResult) -> dict[PositionKey, Decimal]:
    """Signed base units that neither our ledger nor the executions of the sweep account for."""
    missing: dict[PositionKey, Decimal] = {
        (report.instrument_id, report.position_side): report.size for report in result.positions
    }
    for key, position in work.book.positions.items():
        missing[key] = missing.get(key, ZERO) - position.size
    for execution in result.executions:
        if (execution.instrument_id, execution.exec_id) not in work.book.executions:
            key = (execution.instrument_id, execution.position_side)
            signed = execution.quantity if execution.side is Side.BUY else -execution.quantity
            missing[key] = missing.get(key, ZERO) - signed
    return {key: quantity for key, quantity in missing.items() if quantity}


def _open_position(work: Work, result: SweepResult, key: PositionKey, quantity: Decimal) -> None:
    """Book one OPENING entry at the price the exchange averages, else that of the first trade."""
    prices = [
        report.average_price
        for report in result.positions
        if (report.instrument_id, report.position_side) == key and report.average_price
    ] + [
        execution.price
        for execution in result.executions
        if (execution.instrument_id, execution.position_side) == key
    ]
    opening = Execution(
        exec_id=ExecutionId(f"opening-{key[0]}-{key[1]}"),
        instrument_id=key[0],
        client_order_id=ClientOrderId(""),
        venue_order_id=VenueOrderId(""),
        side=Side.BUY if quantity > 0 else Side.SELL,
        price=prices[0] if prices else ZERO,
        quantity=abs(quantity),
        fee=ZERO,
        fee_coin="",
        executed_at=result.began_at,
        kind=ExecutionKind.OPENING,
        position_side=key[1],
    )
    book(work, opening, None)


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
    since = mark.at if mark is not None else None
    if since is not None and reason == "MISMATCH":
        since = min(since, work.now - work.config.retention)
    work.queries.append(Sweep(reason, since))
