"""How orders are made, claimed, given up and asked to cancel.

Every handler that does so comes here.
"""

from collections.abc import Iterable
from typing import Final

from order_domain.codes import Code
from order_domain.context import Draft
from order_domain.decide import ids_of
from order_domain.engine.states import has_lost_rows
from order_domain.engine.work import Work
from order_domain.lifecycle import Trigger
from order_domain.model.command import Command
from order_domain.model.enums import CommandKind, CommandStatus, EndedBy, EventKind, OrderStatus
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import AT_VENUE, TERMINAL, Order
from order_domain.model.steps import SendAmend, SendCancel, SendCreate

# Members looked up once: on an enum class each look-up costs as much as an addition.
_INTENT_EXPIRED: Final = Code.INTENT_EXPIRED
_OPERATOR: Final = Code.OPERATOR
_ORDER_CLOSED: Final = Code.ORDER_CLOSED
_AMEND: Final = CommandKind.AMEND
_CANCEL: Final = CommandKind.CANCEL
_DONE: Final = CommandStatus.DONE
_PENDING: Final = CommandStatus.PENDING
_REFUSED: Final = CommandStatus.REFUSED
_SENT: Final = CommandStatus.SENT
_US: Final = EndedBy.US
_CANCEL_REQUESTED: Final = EventKind.CANCEL_REQUESTED
_ORDER_CANCELLED: Final = EventKind.ORDER_CANCELLED
_ORDER_CREATED: Final = EventKind.ORDER_CREATED
_ORDER_DENIED: Final = EventKind.ORDER_DENIED
_ORDER_EXPIRED: Final = EventKind.ORDER_EXPIRED
_ORDER_SUBMITTED: Final = EventKind.ORDER_SUBMITTED
_DENIED: Final = OrderStatus.DENIED
_INTENT: Final = OrderStatus.INTENT
_CLAIM: Final = Trigger.CLAIM
_LAPSE: Final = Trigger.LAPSE
_WITHDRAW: Final = Trigger.WITHDRAW


def create(work: Work, draft: Draft) -> Order:
    """Make an INTENT and, when nothing stands in its way, claim it in the same step."""
    order = Order(draft.terms, _INTENT, draft.quantity, draft.price, work.now)
    work.emit(order, _ORDER_CREATED)
    terms = draft.terms
    if terms.follows is None and not terms.replaces and can_claim(work):
        return claim(work, order)
    work.watch.intents_due = True
    return order


def can_claim(work: Work) -> bool:
    """Take a token if commands may leave now. What this returns True for must be claimed."""
    return work.watch.transport_up and work.watch.creates.take(work.now)


def claim(work: Work, order: Order) -> Order:
    """Stamp the request and let it leave once committed."""
    claimed = order.derive()
    work.move(claimed, _CLAIM)
    claimed.attempt += 1
    claimed.request_ts = work.exchange_now
    claimed.not_before = None
    work.emit(claimed, _ORDER_SUBMITTED)
    stale_after = work.config.cancel_stale_order_timeout
    if stale_after and claimed.attempt == 1:
        work.watch.resting.append(
            (claimed.terms.created_at + stale_after, claimed.terms.client_order_id)
        )
    work.effects.append(SendCreate(claimed))
    return claimed


def exists_already(work: Work, drafts: Iterable[Draft]) -> bool:
    """Whether an order of these is in the book: the exchange showed it when its row was lost."""
    if not has_lost_rows(work):
        return False
    return any(
        work.order(order_id) is not None
        for draft in drafts
        for order_id in ids_of(draft.terms, work.config)
    )


def deny(work: Work, draft: Draft, code: Code) -> Order:
    """Record an order that never was."""
    order = Order(
        draft.terms,
        _DENIED,
        draft.quantity,
        draft.price,
        work.now,
        _US,
        code=code,
        closed_at=work.now,
    )
    return work.emit(order, _ORDER_DENIED, code=code)


def give_up(work: Work, order: Order, trigger: Trigger, code: Code, text: str = "") -> Order:
    """End an order that is not at the exchange: WITHDRAW (cancelled by us) or LAPSE (expired)."""
    ended = order.derive()
    work.move(ended, trigger)
    ended.code, ended.text = code, text
    kind = _ORDER_EXPIRED if trigger is _LAPSE else _ORDER_CANCELLED
    work.watch.settle(order.terms.client_order_id)
    nudge(work)
    work.emit(ended, kind, code=code, text=text)
    close_commands(work, ended)
    return ended


def request_cancel(work: Work, order: Order, reason: str, request_id: str = "") -> bool:
    """Ask for the end of an order; False when there is nothing to ask.

    An intent is withdrawn at once. A create that is on its way or unknown must be settled first, so
    its cancel waits.
    """
    if order.status in TERMINAL:
        return False
    if order.status is _INTENT:
        give_up(
            work,
            order,
            _WITHDRAW,
            Code[reason] if reason in Code.__members__ else _OPERATOR,
        )
        return True
    known = work.command(order.terms.client_order_id, _CANCEL)
    if known is not None and known.is_open:
        return False
    asked = order.derive()
    asked.cancel_reason = reason
    work.emit(asked, _CANCEL_REQUESTED, code=reason)
    command = Command(
        client_order_id=order.terms.client_order_id,
        kind=_CANCEL,
        number=1 if known is None else known.number + 1,
        status=_PENDING,
        reason=reason,
        created_at=work.now,
        updated_at=work.now,
        request_id=request_id,
    )
    work.put_command(command)
    send_cancel_if_possible(work, asked, command)
    return True


def send_cancel_if_possible(work: Work, order: Order, command: Command) -> bool:
    """Claim a pending cancel when its order is settled at the exchange and a token is free."""
    watch = work.watch
    if order.status not in AT_VENUE or not watch.transport_up or not watch.cancels.take(work.now):
        return False
    claimed = copy_command(command)
    claimed.status = _SENT
    claimed.attempt += 1
    claimed.request_ts = work.exchange_now
    claimed.not_before = None
    work.put_command(claimed)
    work.effects.append(SendCancel(order, claimed.number, claimed.attempt, work.exchange_now))
    return True


def send_amend_if_possible(work: Work, order: Order, command: Command) -> bool:
    """Claim a pending amend while its order rests and its last moment has not passed."""
    late = command.valid_until is not None and work.now > command.valid_until
    if late or order.status in TERMINAL:
        settled = copy_command(command)
        settled.status, settled.code = (
            _REFUSED,
            _INTENT_EXPIRED if late else _ORDER_CLOSED,
        )
        work.put_command(settled)
        return False
    watch = work.watch
    if order.status not in AT_VENUE or not watch.transport_up or not watch.creates.take(work.now):
        return False
    claimed = copy_command(command)
    claimed.status = _SENT
    claimed.attempt += 1
    claimed.request_ts = request_ts = work.exchange_now
    claimed.not_before = None
    work.put_command(claimed)
    work.effects.append(
        SendAmend(
            order, claimed.number, claimed.attempt, request_ts, claimed.price, claimed.quantity
        )
    )
    return True


def copy_command(command: Command) -> Command:
    """Copy a command for its next version."""
    return Command(
        client_order_id=command.client_order_id,
        kind=command.kind,
        number=command.number,
        status=command.status,
        reason=command.reason,
        created_at=command.created_at,
        updated_at=command.updated_at,
        valid_until=command.valid_until,
        attempt=command.attempt,
        request_ts=command.request_ts,
        not_before=command.not_before,
        price=command.price,
        quantity=command.quantity,
        code=command.code,
        request_id=command.request_id,
    )


def nudge(work: Work) -> None:
    """Something ended or was answered: who waits for it should look again at once."""
    if work.book.intents:
        work.watch.intents_due = True


def cancel_all(
    work: Work, order_ids: Iterable[ClientOrderId], reason: str, request_id: str = ""
) -> int:
    """Ask for the end of several orders; return how many were asked."""
    count = 0
    for order_id in order_ids:
        order = work.order(order_id)
        if order is not None and request_cancel(work, order, reason, request_id):
            count += 1
    return count


def close_commands(work: Work, order: Order) -> None:
    """An ended order needs no more amends or cancels: settle what is open."""
    for kind in (_CANCEL, _AMEND):
        command = work.command(order.terms.client_order_id, kind)
        if command is not None and command.is_open:
            settled = copy_command(command)
            settled.status = _DONE if kind is _CANCEL else _REFUSED
            settled.code = order.status.value
            work.put_command(settled)
