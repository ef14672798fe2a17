"""Resume: the first step after a load, making good for the time nobody was here (8.4)."""

from collections import deque
from datetime import timedelta

from order_domain.engine.orders import copy_command
from order_domain.engine.sweeps import request_sweep
from order_domain.engine.watch import Why
from order_domain.engine.work import Work
from order_domain.lifecycle import Trigger
from order_domain.model.command import Command
from order_domain.model.enums import CommandKind, CommandStatus, EventKind, OrderStatus
from order_domain.model.order import Order

_SECOND = timedelta(seconds=1)


def resume(work: Work) -> None:
    """What was sent is unknown, sent cancels go again, and no token is assumed."""
    book, watch = work.book, work.watch
    if book.orders or book.positions:
        watch.creates.drain(work.now + _SECOND)
        watch.cancels.drain(work.now + _SECOND)
    for orders in book.live.values():
        for order in orders.values():
            _resume_order(work, order)
    watch.resting = deque(sorted(watch.resting))
    for key in book.open_commands:
        _resume_command(work, book.commands[key])
    watch.intents_due = bool(book.intents)
    watch.parked_due = bool(book.parked)
    request_sweep(work, "START")


def _resume_order(work: Work, order: Order) -> None:
    watch, order_id, now = work.watch, order.terms.client_order_id, work.now
    stale_after = work.config.cancel_stale_order_timeout
    if stale_after and order.attempt:
        watch.resting.append((order.terms.created_at + stale_after, order_id))
    if order.status is OrderStatus.SUBMITTING:
        unknown = order.derive()
        work.move(unknown, Trigger.LOSE)
        work.emit(
            unknown,
            EventKind.ORDER_UNKNOWN,
            code="RESTART",
            text="no answer known after a restart",
        )
    if order.status in (OrderStatus.SUBMITTING, OrderStatus.UNKNOWN):
        watch.inquire(order_id, Why.UNANSWERED, order.attempt, now)
    elif order.unbooked_quantity or order.reported_status is not None:
        watch.inquire(order_id, Why.LEDGER, order.attempt, now)
    elif order.status is OrderStatus.ACKED:
        watch.acked.append((now + work.config.acked_silence, order_id))


def _resume_command(work: Work, command: Command) -> None:
    if command.status is not CommandStatus.SENT:
        return
    again = copy_command(command)
    again.status = (
        CommandStatus.PENDING if command.kind is CommandKind.CANCEL else CommandStatus.UNKNOWN
    )
    work.put_command(again)
