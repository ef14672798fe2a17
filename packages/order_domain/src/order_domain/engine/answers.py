"""Answers to our commands.

An answer names its attempt; what it does not prove stays unknown (protocol 5.6, 5.7).
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from order_domain.codes import Code
from order_domain.engine import states
from order_domain.engine.orders import close_commands, copy_command, nudge
from order_domain.engine.watch import Why
from order_domain.engine.work import Work
from order_domain.lifecycle import Trigger
from order_domain.model.command import Command
from order_domain.model.enums import AnswerOutcome, CommandKind, CommandStatus, EventKind
from order_domain.model.order import Order
from order_domain.model.reports import Answer
from order_domain.model.steps import Need

_CLOCK: Final = AnswerOutcome.CLOCK
_ACCEPTED: Final = AnswerOutcome.ACCEPTED
_REFUSED: Final = AnswerOutcome.REFUSED
_CANCEL: Final = CommandKind.CANCEL
_ACK: Final = Trigger.ACK
_ORDER_ACCEPTED: Final = EventKind.ORDER_ACCEPTED
_RATE_LIMITED = 10006
_CLOCK_LIMIT = 3
_CLOCK_PATIENCE = timedelta(seconds=5)
"""How long an opening waits for a clock that nobody measures; a cancel waits 1 s."""
_SOON = timedelta(milliseconds=100)
_SECOND = timedelta(seconds=1)


def on_answer(work: Work, answer: Answer, asked: bool) -> Need | None:
    """Take the answer to one attempt."""
    order = work.order(answer.client_order_id)
    if order is None:
        if asked or work.book.signals_complete:
            work.alert(EventKind.ALARM, code="ANSWER_WITHOUT_ORDER", text=answer.client_order_id)
            return None
        return Need(orders=(answer.client_order_id,))
    _learn(work, order, answer)
    if answer.kind is CommandKind.CREATE:
        _CREATE[answer.outcome](work, order, answer)
    else:
        command = work.command(answer.client_order_id, answer.kind)
        # an open command's order has not ended: its end settles them
        if command is not None and command.number == answer.number and command.is_open:
            _COMMAND[answer.outcome](work, order, command, answer)
    return None


def _learn(work: Work, order: Order, answer: Answer) -> None:
    """What an answer says about our plumbing, whatever it says about the order."""
    watch = work.watch
    bucket = watch.cancels if answer.kind is _CANCEL else watch.creates
    if answer.code == _RATE_LIMITED:
        bucket.drain(work.now + _SECOND)
    if answer.limit is not None:
        bucket.bound(answer.limit)
    if answer.next_at is not None:
        bucket.drain(min(answer.next_at - watch.clock_offset, work.now + _SECOND))
    if answer.outcome is _CLOCK:
        watch.clock_failures += 1
        if watch.clock_at <= order.updated_at:  # the next attempt waits for a new offset (5.7)
            watch.creates.hold(work.now + _CLOCK_PATIENCE)
            watch.cancels.hold(work.now + _SECOND)
        if watch.clock_failures >= _CLOCK_LIMIT:
            states.restrict(
                work,
                "CLOCK",
                f"{_CLOCK_LIMIT} requests in a row outside the exchange's time window",
            )
    elif answer.outcome in (_ACCEPTED, _REFUSED):
        watch.clock_failures = 0
        states.lift(work, "CLOCK")


def _created(work: Work, order: Order, answer: Answer) -> None:
    new = order.derive()
    if not new.venue_order_id:
        new.venue_order_id = answer.venue_order_id
    if not work.move(new, _ACK):
        if new.venue_order_id != order.venue_order_id:
            work.emit(new, EventKind.ORDER_REPORTED)
        return
    work.watch.settle(order.terms.client_order_id)
    work.watch.acked.append((work.now + work.config.acked_silence, order.terms.client_order_id))
    nudge(work)
    work.emit(new, _ORDER_ACCEPTED)


def _refused(work: Work, order: Order, answer: Answer) -> None:
    new = order.derive()
    if answer.attempt != order.attempt or not work.move(new, Trigger.REFUSE):
        return
    new.code, new.text = Code.VENUE_REFUSED, f"{answer.code} {answer.text}".strip()
    work.watch.settle(order.terms.client_order_id)
    nudge(work)
    work.emit(new, EventKind.ORDER_REJECTED, code=new.code, text=new.text)
    close_commands(work, new)


def _not_accepted(work: Work, order: Order, answer: Answer) -> None:
    new = order.derive()
    if answer.attempt != order.attempt or not work.move(new, Trigger.NOT_ACCEPTED):
        return
    text = f"{answer.code} {answer.text}".strip()
    new.not_before = work.now + (
        _SOON if answer.outcome is AnswerOutcome.NOT_SENT else work.retry_delay(order.attempt)
    )
    work.watch.settle(order.terms.client_order_id)
    nudge(work)
    work.emit(new, EventKind.ORDER_RETRIED, code=answer.outcome.name, text=text)
    if (
        answer.outcome is not AnswerOutcome.NOT_SENT
        and order.attempt >= work.config.retry_max_attempts
    ):
        lapsed = new.derive()
        work.move(lapsed, Trigger.LAPSE)
        lapsed.code, lapsed.text = Code.NOT_ACCEPTED, text
        work.emit(lapsed, EventKind.ORDER_EXPIRED, code=lapsed.code, text=text)
        close_commands(work, lapsed)


def _lost(work: Work, order: Order, answer: Answer) -> None:
    new = order.derive()
    if answer.attempt != order.attempt or not work.move(new, Trigger.LOSE):
        return
    new.code = answer.outcome.name if answer.outcome is AnswerOutcome.EXISTS else ""
    work.watch.inquire(order.terms.client_order_id, Why.UNANSWERED, order.attempt, work.now)
    text = f"{answer.code} {answer.text}".strip() if answer.code else "no answer"
    work.emit(new, EventKind.ORDER_UNKNOWN, code=answer.outcome.name, text=text)


_CREATE: Mapping[AnswerOutcome, Callable[[Work, Order, Answer], None]] = {
    AnswerOutcome.ACCEPTED: _created,
    AnswerOutcome.REFUSED: _refused,
    AnswerOutcome.NOT_ACCEPTED: _not_accepted,
    AnswerOutcome.NOT_SENT: _not_accepted,
    AnswerOutcome.CLOCK: _not_accepted,
    AnswerOutcome.EXISTS: _lost,
    AnswerOutcome.NOT_FOUND: _lost,
    AnswerOutcome.UNKNOWN: _lost,
}


def _done(work: Work, order: Order, command: Command, _answer: Answer) -> None:
    # Accepted means queued: the order itself changes only by a report. An amend stays open until
    # one shows it.
    new = copy_command(command)
    if command.kind is _CANCEL:
        new.status = CommandStatus.DONE
    work.put_command(new)
    work.watch.inquire(
        order.terms.client_order_id, Why.SILENT, order.attempt, work.now + work.config.acked_silence
    )


def _command_refused(work: Work, order: Order, command: Command, answer: Answer) -> None:
    if answer.attempt != command.attempt:
        return
    new = copy_command(command)
    new.status, new.code = CommandStatus.REFUSED, str(answer.code)
    work.put_command(new)
    asked = order.derive()
    kind = EventKind.CANCEL_REFUSED if command.kind is _CANCEL else EventKind.AMEND_REFUSED
    if command.kind is _CANCEL:
        asked.cancel_reason = ""
    work.emit(asked, kind, code=str(answer.code), text=answer.text)
    if answer.outcome is AnswerOutcome.NOT_FOUND:
        # "not found" only starts a look-up: it may have filled, or may not have arrived yet
        work.watch.inquire(order.terms.client_order_id, Why.MISSING, order.attempt, work.now)


def _command_again(work: Work, _order: Order, command: Command, answer: Answer) -> None:
    if answer.attempt != command.attempt:
        return
    new = copy_command(command)
    new.status = CommandStatus.PENDING
    not_sent = answer.outcome is AnswerOutcome.NOT_SENT
    new.not_before = work.now + (_SOON if not_sent else work.retry_delay(command.attempt))
    new.code = answer.outcome.name
    work.put_command(new)


def _command_lost(work: Work, order: Order, command: Command, answer: Answer) -> None:
    if answer.attempt != command.attempt:
        return
    new = copy_command(command)
    new.code = answer.outcome.name
    if command.kind is _CANCEL:
        new.status, new.not_before = CommandStatus.PENDING, work.now + _SECOND
    else:
        new.status = CommandStatus.UNKNOWN
    work.put_command(new)
    work.watch.inquire(order.terms.client_order_id, Why.MISSING, order.attempt, work.now)


_COMMAND: Mapping[AnswerOutcome, Callable[[Work, Order, Command, Answer], None]] = {
    AnswerOutcome.ACCEPTED: _done,
    AnswerOutcome.REFUSED: _command_refused,
    AnswerOutcome.NOT_FOUND: _command_refused,
    AnswerOutcome.NOT_ACCEPTED: _command_again,
    AnswerOutcome.NOT_SENT: _command_again,
    AnswerOutcome.CLOCK: _command_again,
    AnswerOutcome.EXISTS: _command_lost,
    AnswerOutcome.UNKNOWN: _command_lost,
}
