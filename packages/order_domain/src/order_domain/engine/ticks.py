"""Time.

What is due at a Tick, and when the next one must come. Every deadline comes from a row or from the
watch.
"""

from datetime import timedelta
from decimal import Decimal

from order_domain.codes import Code
from order_domain.decide import recheck
from order_domain.engine import contexts
from order_domain.engine.lookups import ask
from order_domain.engine.orders import (
    claim,
    give_up,
    request_cancel,
    send_amend_if_possible,
    send_cancel_if_possible,
)
from order_domain.engine.signals import wake
from order_domain.engine.sweeps import request_sweep
from order_domain.engine.watch import Why
from order_domain.engine.work import WATERMARK, Work
from order_domain.lifecycle import Trigger
from order_domain.model.enums import CommandKind, CommandStatus, EventKind, OrderStatus
from order_domain.model.inputs import Tick
from order_domain.model.order import TERMINAL, Order
from order_domain.model.position import PositionSnapshot

SNAPSHOT, VALIDATION = "position_snapshot", "position_validation"
_LOSS = "loss:"
_LOSS_INTERVAL = timedelta(seconds=5)
_EVICT_INTERVAL = timedelta(seconds=10)
_EVICT_SLACK = 1000
_POLL_INTERVAL = timedelta(milliseconds=200)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def on_tick(work: Work, _tick: Tick, _asked: bool) -> None:
    """Do everything that is due."""
    _intents(work)
    _commands(work)
    _acknowledged(work)
    _inquiries(work)
    _stale(work)
    _parked(work)
    _timers(work)
    # a waiting order or signal may wait for a quote, and quotes come just before a step: look again
    # soon
    waits = work.book.intents or work.book.parked
    work.watch.poll_at = work.now + _POLL_INTERVAL if waits else None
    _evict(work)


def _evict(work: Work) -> None:
    """Forget what is old and durable; the book alone changes, so this is no row."""
    watch, book, config = work.watch, work.book, work.config
    crowded = len(book.closed) > config.retention_orders + _EVICT_SLACK
    if crowded or watch.evict_at is None or watch.evict_at <= work.now:
        watch.evict_at = work.now + _EVICT_INTERVAL
        durable = watch.open_steps[0][1] if watch.open_steps else work.now
        before = work.now - config.retention
        known = book.marks.get(WATERMARK)
        if watch.keeps_ids and known is not None and known.at is not None:
            durable = min(durable, known.at)  # a sweep may bring it again, and no store can tell
        book.evict(before, config.retention_orders, durable, keep_ids=watch.keeps_ids)


def _intents(work: Work) -> None:
    """Claim what may go, reduce-only first; drop what can no longer go."""
    work.watch.intents_due = False
    if not work.book.intents:
        return
    waiting = [work.book.orders[order_id] for order_id in work.book.intents]
    waiting.sort(key=lambda order: not order.terms.reduce_only)
    for order in waiting:
        _try_intent(work, order)


def _try_intent(work: Work, order: Order) -> None:
    cancel = work.command(order.terms.client_order_id, CommandKind.CANCEL)
    if cancel is not None and cancel.is_open:
        give_up(work, order, Trigger.WITHDRAW, Code.OPERATOR)
    elif order.terms.follows is not None and _sibling_ended_badly(work, order):
        give_up(work, order, Trigger.WITHDRAW, Code.SIBLING_REFUSED)
    elif work.now > order.terms.valid_until:
        blocked = not _replaced_ended(work, order)
        give_up(
            work, order, Trigger.LAPSE, Code.REPLACED_BLOCKED if blocked else Code.INTENT_EXPIRED
        )
    elif _is_ready(work, order):
        _check_and_claim(work, order)


def _is_ready(work: Work, order: Order) -> bool:
    if order.not_before is not None and work.now < order.not_before:
        return False
    watch = work.watch
    if not watch.transport_up or watch.creates.free_at() > work.now:
        return False
    if watch.barrier and not order.terms.reduce_only:
        return False
    return (
        _replaced_ended(work, order)
        and _sibling_answered(work, order)
        and _quote_is_fresh(work, order)
    )


def _quote_is_fresh(work: Work, order: Order) -> bool:
    quote = work.book.quotes.get(order.terms.instrument_id)
    fresh = quote is not None and work.now - quote.at <= work.config.quote_max_age
    return fresh or (order.terms.reduce_only and order.price is None)


def _replaced_ended(work: Work, order: Order) -> bool:
    for replaced_id in order.terms.replaces:
        replaced = work.order(replaced_id)
        if replaced is not None and replaced.status not in TERMINAL:
            return False
    return True


def _sibling_answered(work: Work, order: Order) -> bool:
    """Child k + 1 goes when k is answered: neither an intent, nor on its way, nor unknown."""
    if order.terms.follows is None:
        return True
    before = work.order(order.terms.follows)
    unanswered = (OrderStatus.INTENT, OrderStatus.SUBMITTING, OrderStatus.UNKNOWN)
    return before is None or before.status not in unanswered


def _sibling_ended_badly(work: Work, order: Order) -> bool:
    before = work.order(order.terms.follows) if order.terms.follows is not None else None
    if before is None:
        return False
    if before.status is OrderStatus.REJECTED or before.status is OrderStatus.EXPIRED:
        return True
    return before.status is OrderStatus.CANCELLED and before.code in (
        Code.SIBLING_REFUSED,
        Code.RECHECK_FAILED,
    )


def _check_and_claim(work: Work, order: Order) -> None:
    """Risk and trading state once more with a fresh quote.

    The price stays, the quantity may only shrink.
    """
    assessment = recheck(order, contexts.for_order(work, order), work.config)
    if assessment.code is not Code.OK:
        give_up(work, order, Trigger.WITHDRAW, Code.RECHECK_FAILED, assessment.code)
        return
    work.watch.creates.take(work.now)  # it was there a moment ago
    if assessment.quantity < order.quantity:
        smaller = order.derive()
        smaller.quantity = assessment.quantity
        order = work.emit(
            smaller,
            EventKind.ORDER_RESIZED,
            detail=(("from", order.quantity), ("to", smaller.quantity)),
        )
    claim(work, order)


def _commands(work: Work) -> None:
    """Send cancels whose order is settled by now, and amends that had to wait."""
    for order_id, kind in list(work.book.open_commands):
        command = work.command(order_id, kind)
        order = work.order(order_id)
        if command is None or order is None or command.status is not CommandStatus.PENDING:
            continue
        if command.not_before is not None and work.now < command.not_before:
            continue
        if kind is CommandKind.CANCEL:
            send_cancel_if_possible(work, order, command)
        else:
            send_amend_if_possible(work, order, command)


def _inquiries(work: Work) -> None:
    for order_id, inquiry in list(work.watch.inquiries.items()):
        if inquiry.due is not None and inquiry.due <= work.now:
            ask(work, order_id, inquiry)


def _acknowledged(work: Work) -> None:
    """An acknowledged order that no report has shown for a while is looked up.

    Finding it condemns the stream.
    """
    acked = work.watch.acked
    while acked and acked[0][0] <= work.now:
        _, order_id = acked.popleft()
        order = work.order(order_id)
        if order is not None and order.status is OrderStatus.ACKED:
            work.watch.inquire(order_id, Why.SILENT, order.attempt, work.now)


def _stale(work: Work) -> None:
    resting = work.watch.resting
    while resting and resting[0][0] <= work.now:
        _, order_id = resting.popleft()
        order = work.order(order_id)
        if order is not None:
            request_cancel(work, order, Code.STALE_ORDER)


def _parked(work: Work) -> None:
    """Wake the head of each queue; one decision per Tick, since the next must see what it did."""
    work.watch.parked_due = False
    for queue in list(work.book.parked.values()):
        row = next(iter(queue.values()))
        if row.deadline is not None and wake(work, row, row.deadline):
            work.watch.parked_due = True
            return


def _timers(work: Work) -> None:
    watch, now = work.watch, work.now
    if watch.sweep_wanted or (watch.sweep_at is not None and watch.sweep_at <= now):
        request_sweep(work, watch.sweep_wanted or "PERIODIC")
    _midnight(work)
    if _due(work, SNAPSHOT, work.config.position_snapshot_interval):
        _snapshot(work)
    if _due(work, VALIDATION, work.config.position_validation_interval):
        _validate(work)
    if watch.losses_at is None or watch.losses_at <= now:
        watch.losses_at = now + _LOSS_INTERVAL
        _warn_of_losses(work)


def _due(work: Work, name: str, interval: timedelta) -> bool:
    """Advance a periodic timer; the first call only starts it."""
    mark = work.mark(name)
    if mark is None or mark.at is None:
        work.put_mark(name, work.now + interval)
        return False
    if mark.at > work.now:
        return False
    missed = (work.now - mark.at) // interval
    work.put_mark(name, mark.at + interval * (missed + 1), mark.number + 1)
    return True


def _midnight(work: Work) -> None:
    mark = work.mark(contexts.DAY)
    today = contexts.midnight(work.now)
    if mark is not None and mark.at is not None and mark.at >= today:
        return
    results = contexts.results_now(work.book)
    if results is not None:
        text = contexts.results_text(results)
    else:
        text = mark.text if mark is not None else ""
    work.put_mark(contexts.DAY, today, 0, text)


def _snapshot(work: Work) -> None:
    for (instrument_id, side), position in work.book.positions.items():
        if not position.size:
            continue
        quote = work.book.quotes.get(instrument_id)
        fresh = quote is not None and work.now - quote.at <= work.config.quote_max_age
        mark = quote.mark_price if quote is not None and fresh else None
        unrealized = position.unrealized_pnl(mark) if mark is not None else None
        work.changes.append(
            PositionSnapshot(
                instrument_id,
                side,
                work.now,
                position.size,
                position.entry_value,
                position.realized_pnl,
                unrealized,
                mark,
            )
        )
        detail = (("size", position.size), ("mark", mark), ("unrealized_pnl", unrealized))
        subject = f"snapshot:{instrument_id}:{side}:{work.now.isoformat()}"
        work.tell(EventKind.POSITION_SNAPSHOT, subject, detail=detail)


def _validate(work: Work) -> None:
    """Positions against the exchange: a sweep compares them, and tells when they differ twice."""
    request_sweep(work, "VALIDATION")
    count = sum(1 for position in work.book.positions.values() if position.size)
    work.alert(EventKind.POSITION_VALIDATED, code="STARTED", detail=(("positions", count),))


def _warn_of_losses(work: Work) -> None:
    """One warning per episode: it begins below the threshold and ends above it."""
    threshold = work.config.unrealized_loss_warning_threshold
    for (instrument_id, side), position in work.book.positions.items():
        quote = work.book.quotes.get(instrument_id)
        if quote is None:
            continue
        name = f"{_LOSS}{instrument_id}:{side}"
        mark = work.mark(name)
        warned = mark is not None and mark.number == 1
        unrealized = position.unrealized_pnl(quote.mark_price)
        beyond = bool(position.size) and -unrealized * 100 > threshold * position.entry_value
        if beyond == warned:
            continue
        work.put_mark(name, work.now, 1 if beyond else 0)
        if beyond:
            percent = (-unrealized * 100 / position.entry_value).quantize(Decimal("0.01"))
            detail = (
                ("instrument_id", instrument_id),
                ("unrealized_pnl", unrealized),
                ("percent", percent),
            )
            work.alert(EventKind.LOSS_WARNING, code="UNREALIZED_LOSS", detail=detail)
