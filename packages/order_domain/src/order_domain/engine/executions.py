"""Executions: booked once, the only source of fills, fees, positions and PnL (protocol 8.1)."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from order_domain.book import PositionKey
from order_domain.codes import Code
from order_domain.engine import states
from order_domain.engine.orders import close_commands, copy_command, nudge, request_cancel
from order_domain.engine.work import OPENED, WATERMARK, Work
from order_domain.lifecycle import Trigger
from order_domain.model.enums import (
    CommandKind,
    CommandStatus,
    EventKind,
    ExecutionKind,
    OrderStatus,
    Side,
    VenueStatus,
)
from order_domain.model.execution import EXTERNAL, Execution, LedgerEntry
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    VenueOrderId,
    category_of,
    is_ours,
)
from order_domain.model.instrument import ZERO, notional_of
from order_domain.model.order import TERMINAL, Order
from order_domain.model.position import Position
from order_domain.model.steps import Need

_FILLED: Final = OrderStatus.FILLED
_PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
_FUNDING: Final = ExecutionKind.FUNDING
_AMEND: Final = CommandKind.AMEND
_ON_ITS_WAY: Final = (CommandStatus.SENT, CommandStatus.UNKNOWN)
_FILL_ALL: Final = Trigger.FILL_ALL
_FILL: Final = Trigger.FILL
KINDS = {
    OrderStatus.WORKING: EventKind.ORDER_WORKING,
    OrderStatus.PARTIALLY_FILLED: EventKind.ORDER_PARTIALLY_FILLED,
    OrderStatus.FILLED: EventKind.ORDER_FILLED,
    OrderStatus.CANCELLED: EventKind.ORDER_CANCELLED,
    OrderStatus.REJECTED: EventKind.ORDER_REJECTED,
}


def on_execution(work: Work, execution: Execution, asked: bool) -> Need | None:
    """Book one execution, once."""
    key = (execution.instrument_id, execution.exec_id)
    if key in work.book.executions or key in work.executions:
        return None
    order = work.find(execution.client_order_id, execution.venue_order_id)
    if not asked and may_be_stored(work, execution, order):
        ids = (execution.client_order_id,) if execution.client_order_id else ()
        venue_ids = (execution.venue_order_id,) if execution.venue_order_id else ()
        return Need(orders=ids, venue_orders=venue_ids, executions=(key,))
    _take(work, execution, order)
    return None


def may_be_stored(work: Work, execution: Execution, order: Order | None) -> bool:
    """Tell whether the store may hold an execution that the book does not.

    An order comes with the executions that name it. Those of a stranger's order name nobody.
    """
    key = (execution.instrument_id, execution.exec_id)
    if work.book.signals_complete or key in work.book.executions:
        return False
    return order is None or not execution.client_order_id


def book_all(work: Work, executions: Iterable[Execution]) -> None:
    """Book those of a look-up or sweep that are new, in the exchange's order."""
    for execution in sorted(executions, key=by_time):
        key = (execution.instrument_id, execution.exec_id)
        if key not in work.book.executions and key not in work.executions:
            _take(work, execution, work.find(execution.client_order_id, execution.venue_order_id))


def by_time(execution: Execution) -> tuple[object, ...]:
    """The exchange's order of executions."""
    return execution.executed_at, execution.sequence, execution.exec_id


def _take(work: Work, execution: Execution, order: Order | None) -> None:
    """Book an execution, but what the first start took over with a position counts once.

    If an order in the book needs it, it leaves the opening entry for an entry of its own.
    """
    opened = work.mark(OPENED)
    if opened is not None and opened.at is not None and execution.executed_at < opened.at:
        if order is None or execution.kind is _FUNDING:
            return
        key = (execution.instrument_id, execution.position_side)
        name = f"opening-{execution.exec_id}"
        taken = -signed(execution)
        book(work, opening(name, key, taken, execution.price, execution.executed_at), None)
    book(work, execution, order)


def signed(execution: Execution) -> Decimal:
    """Base units by which an execution moves its position."""
    return execution.quantity if execution.side is Side.BUY else -execution.quantity


def opening(
    name: str, key: PositionKey, quantity: Decimal, price: Decimal, at: datetime
) -> Execution:
    """Make an OPENING entry of so many signed base units."""
    return Execution(
        exec_id=ExecutionId(name),
        instrument_id=key[0],
        client_order_id=ClientOrderId(""),
        venue_order_id=VenueOrderId(""),
        side=Side.BUY if quantity > 0 else Side.SELL,
        price=price,
        quantity=abs(quantity),
        fee=ZERO,
        fee_coin="",
        executed_at=at,
        kind=ExecutionKind.OPENING,
        position_side=key[1],
    )


def book(work: Work, execution: Execution, order: Order | None) -> None:
    """Write the ledger entry, fold the position, and tell the order."""
    exec_key = (execution.instrument_id, execution.exec_id)
    work.executions[exec_key] = None
    if WATERMARK not in work.book.marks:
        work.watch.early[exec_key] = execution
    if order is None and is_ours(execution.client_order_id):
        states.own_without_row(work, execution.client_order_id)
    key = (execution.instrument_id, execution.position_side)
    position = work.positions.get(key) or work.book.positions.get(key)
    if position is None:
        position = Position.flat(*key, work.now)
    position, realized = position.booked(execution, work.now)
    work.positions[key] = position
    work.ledger_number += 1
    strategy = EXTERNAL if order is None else order.terms.strategy_id
    entry = LedgerEntry(work.ledger_number, execution, strategy, realized, work.now)
    work.changes.append(entry)
    work.changes.append(position)
    if order is None or execution.kind is _FUNDING:
        work.tell(EventKind.EXECUTION_BOOKED, f"execution:{entry.number}", code=execution.kind.name)
        return
    _fill(work, order, entry)


def _fill(work: Work, order: Order, entry: LedgerEntry) -> None:
    new = _as_amended(work, order, entry.execution.quantity).derive()
    fold(new, entry.execution)
    cum = new.cum_quantity
    agrees = cum >= new.reported_cum
    filled = cum >= new.quantity and cum >= _largest_quantity(work, new)
    trigger = _FILL_ALL if filled or _told_filled(new, agrees) else _FILL
    moved = work.move(new, trigger)
    kind = (
        KINDS[new.status]
        if moved or new.status is OrderStatus.PARTIALLY_FILLED
        else EventKind.LATE_FILL
    )
    if agrees:
        work.watch.settle(new.terms.client_order_id)
    if new.status is OrderStatus.FILLED:
        new.reported_status = None
    work.emit(new, kind, ledger=entry)
    _alarm_overfill(work, new, cum)
    if new.status is OrderStatus.FILLED and moved:
        close_commands(work, new)
        nudge(work)
    elif agrees and new.reported_status is not None:
        _end_as_reported(work, new)
    elif order.status in TERMINAL and new.status not in TERMINAL:
        request_cancel(work, new, Code.LATE_BIRTH)


def _as_amended(work: Work, order: Order, quantity: Decimal) -> Order:
    """A fill beyond the quantity we know shows that a larger one we had asked for took effect."""
    cum = order.cum_quantity + quantity
    if cum <= order.quantity:
        return order
    amend = work.command(order.terms.client_order_id, _AMEND)
    if amend is None or amend.status not in _ON_ITS_WAY:
        return order
    if amend.quantity is None or amend.quantity < cum:
        return order
    settled = copy_command(amend)
    settled.status = CommandStatus.DONE
    work.put_command(settled)
    new = order.derive()
    new.quantity = amend.quantity
    if amend.price is not None:
        new.price = amend.price
    return work.emit(new, EventKind.ORDER_AMENDED)


def fold(new: Order, execution: Execution) -> None:
    """Add an execution to a fresh version of its order."""
    new.cum_quantity += execution.quantity
    category = category_of(execution.instrument_id)
    new.cum_value += notional_of(category, execution.price, execution.quantity)
    if execution.fee:
        fees = dict(new.fees)
        fees[execution.fee_coin] = fees.get(execution.fee_coin, ZERO) + execution.fee
        new.fees = fees
    new.executed_at = execution.executed_at
    if not new.venue_order_id:
        new.venue_order_id = execution.venue_order_id
    if new.first_working_at is None:
        new.first_working_at = execution.executed_at


def _largest_quantity(work: Work, order: Order) -> Decimal:
    """What the order may have become by an amend that is still open (protocol 5.1)."""
    amend = work.command(order.terms.client_order_id, _AMEND)
    if amend is None or not amend.is_open or amend.quantity is None:
        return order.quantity
    return max(amend.quantity, order.quantity)


def _told_filled(order: Order, agrees: bool) -> bool:
    return agrees and order.reported_status is VenueStatus.FILLED


def _alarm_overfill(work: Work, order: Order, cum: Decimal) -> None:
    if cum > order.quantity:
        detail = (("quantity", order.quantity), ("cum_quantity", cum))
        work.alert(
            EventKind.ALARM, code="OVERFILL", text=order.terms.client_order_id, detail=detail
        )


def _end_as_reported(work: Work, order: Order) -> None:
    """The ledger has caught up with a terminal word of the exchange: now it becomes the status."""
    word = order.reported_status
    ended = order.derive()
    ended.reported_status = None
    trigger = Trigger.END_CANCELLED if word is not VenueStatus.FILLED else _FILL_ALL
    work.move(ended, trigger)
    ended.code = ended.cancel_reason
    work.emit(ended, KINDS[ended.status], code=ended.code)
    close_commands(work, ended)
    nudge(work)
