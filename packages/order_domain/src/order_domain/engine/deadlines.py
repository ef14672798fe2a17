"""When the next Tick is due: the earliest moment any row or the watch waits for (protocol 1.2)."""

from collections import deque
from datetime import datetime, timedelta

from order_domain.book import Book
from order_domain.engine import contexts
from order_domain.engine.ticks import SNAPSHOT, VALIDATION
from order_domain.engine.watch import Watch
from order_domain.model.enums import CommandKind, CommandStatus, OrderStatus
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import AT_VENUE, TERMINAL

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


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
        if queue:
            earliest = min(earliest, *_heads(book, watch, queue), earliest)
    if watch.inquiries or book.intents or book.open_commands or book.parked:
        earliest = min(earliest, *_moments(book, watch, now), earliest)
    return earliest


def _heads(
    book: Book, watch: Watch, queue: deque[tuple[datetime, ClientOrderId]]
) -> list[datetime]:
    """First entry of a queue that still means something; what no longer does is dropped."""
    while queue:
        order = book.orders.get(queue[0][1])
        if order is None or order.status in TERMINAL:
            queue.popleft()
        elif queue is not watch.acked or order.status is OrderStatus.ACKED:
            return [queue[0][0]]
        else:
            queue.popleft()
    return []


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
