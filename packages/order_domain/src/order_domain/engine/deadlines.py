"""When the next Tick is due: the earliest moment any row or the watch waits for (protocol 1.2)."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from order_domain.book import Book
from order_domain.engine import contexts
from order_domain.engine.ticks import SNAPSHOT, VALIDATION
from order_domain.engine.watch import Watch
from order_domain.model.enums import CommandKind, CommandStatus, OrderStatus
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import AT_VENUE, TERMINAL

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_ACKED: Final = OrderStatus.ACKED


def next_deadline(book: Book, watch: Watch, now: datetime) -> datetime | None:
    """When something will be due; may lie in the past. None while nothing is planned."""
    if watch.intents_due or watch.parked_due or (watch.sweep_wanted and not watch.sweep_open):
        return now
    if watch.poll_at is None and (book.parked or book.intents):
        return now  # something has begun to wait since the last Tick
    day = book.marks.get(contexts.DAY)
    if watch.losses_at is None or day is None or day.at is None:
        return now
    earliest = watch.losses_at
    for moment in (watch.sweep_at, watch.poll_at, day.at + _DAY):
        if moment is not None and moment < earliest:
            earliest = moment
    for name in (SNAPSHOT, VALIDATION):
        mark = book.marks.get(name)
        if mark is not None and mark.at is not None and mark.at < earliest:
            earliest = mark.at
    for queue in (watch.acked, watch.resting):
        head = _head(book, watch, queue) if queue else None
        if head is not None and head < earliest:
            earliest = head
    if watch.inquiries or book.intents or book.open_commands or book.parked:
        earliest = min(earliest, *_moments(book, watch, now), earliest)
    return earliest


def _head(
    book: Book, watch: Watch, queue: deque[tuple[datetime, ClientOrderId]]
) -> datetime | None:
    """First moment of a queue that still means something; what no longer does is dropped."""
    while queue:
        moment, order_id = queue[0]
        order = book.orders.get(order_id)
        if (
            order is not None
            and order.status not in TERMINAL
            and (queue is not watch.acked or order.status is _ACKED)
        ):
            return moment
        queue.popleft()
    return None


def _moments(book: Book, watch: Watch, now: datetime) -> list[datetime]:
    moments = [inquiry.due for inquiry in watch.inquiries.values() if inquiry.due is not None]
    for order_id in book.intents:
        order = book.orders[order_id]
        moments.append(order.terms.valid_until + _MICROSECOND)
        later = (order.not_before, watch.creates.free_at() if watch.transport_up else None)
        moments += [moment for moment in later if moment is not None and moment > now]
    for key in book.open_commands if watch.transport_up else ():
        command, holder = book.commands[key], book.orders.get(key[0])
        pending = command.status is CommandStatus.PENDING
        if pending and holder is not None and holder.status in AT_VENUE:
            bucket = watch.cancels if command.kind is CommandKind.CANCEL else watch.creates
            moments.append(max(command.not_before or now, bucket.free_at()))
    heads = [next(iter(queue.values())).deadline for queue in book.parked.values()]
    return moments + [deadline for deadline in heads if deadline is not None]
