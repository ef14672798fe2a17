"""Order reports and wallets: what the exchange shows. They commute, in any order and number."""

from datetime import datetime
from typing import Final

from order_domain.codes import Code
from order_domain.decide import requote
from order_domain.engine import contexts, states
from order_domain.engine.executions import KINDS, fold
from order_domain.engine.orders import (
    close_commands,
    copy_command,
    create,
    exists_already,
    nudge,
    request_cancel,
)
from order_domain.engine.watch import Why
from order_domain.engine.work import Work
from order_domain.lifecycle import Trigger
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EndedBy,
    EventKind,
    OrderStatus,
    Origin,
    Trading,
    VenueStatus,
    Verdict,
)
from order_domain.model.execution import EXTERNAL
from order_domain.model.identifiers import ClientOrderId, SignalId, TraceId, is_ours
from order_domain.model.order import TERMINAL, Order, OrderTerms
from order_domain.model.reports import OrderReport, WalletReport
from order_domain.model.steps import Need

WOULD_TAKE = "EC_PostOnlyWillTakeLiquidity"
_BY_REPORT: Final = EndedBy.REPORT
_SHOW: Final = Trigger.SHOW
_AMEND: Final = CommandKind.AMEND
_SHOWN_REJECTED: Final = VenueStatus.REJECTED
_ENDS = {
    VenueStatus.FILLED: Trigger.FILL_ALL,
    VenueStatus.CANCELLED: Trigger.END_CANCELLED,
    VenueStatus.PARTIALLY_FILLED_CANCELLED: Trigger.END_CANCELLED,
    VenueStatus.DEACTIVATED: Trigger.END_CANCELLED,
    VenueStatus.REJECTED: Trigger.END_REJECTED,
}
_IDLE = frozenset((VenueStatus.UNTRIGGERED, VenueStatus.DEACTIVATED))


def on_order_report(work: Work, report: OrderReport, asked: bool) -> Need | None:
    """Merge what the exchange shows of one order."""
    order = work.find(report.client_order_id, report.venue_order_id)
    if order is None:
        if is_idle_exit(report):
            return None
        if not asked and not work.book.signals_complete:
            ids = (report.client_order_id,) if report.client_order_id else ()
            return Need(orders=ids, venue_orders=(report.venue_order_id,))
        order = adopt(work, report)
    merge(work, order, report, report.updated_at)
    return None


def is_idle_exit(report: OrderReport) -> bool:
    """Whether it is an exit that the exchange keeps for a price that has not come.

    It risks nothing and takes nothing from the market; were it counted as on its way, no position
    that has one could be closed. It is adopted when it triggers.
    """
    return report.reduce_only and report.status in _IDLE


def adopt(work: Work, report: OrderReport) -> Order:
    """Take an order nobody here asked for into the book as EXTERNAL: shown, and counted in risk."""
    order_id = report.client_order_id or ClientOrderId(f"ext-{report.venue_order_id}"[:36])
    terms = OrderTerms(
        client_order_id=order_id,
        instrument_id=report.instrument_id,
        side=report.side,
        order_type=report.order_type,
        time_in_force=report.time_in_force,
        origin=Origin.EXTERNAL,
        signal_id=SignalId(""),
        strategy_id=EXTERNAL,
        trace_id=TraceId(""),
        requested_quantity=report.quantity,
        created_at=report.created_at,
        valid_until=report.created_at,
        position_side=report.position_side,
        reduce_only=report.reduce_only,
    )
    order = Order(
        terms,
        OrderStatus.ACKED,
        report.quantity,
        report.price,
        work.now,
        venue_order_id=report.venue_order_id,
    )
    for entry in work.book.loose.values():
        if entry.execution.venue_order_id == report.venue_order_id:
            fold(order, entry.execution)
    work.emit(order, EventKind.ORDER_ADOPTED, code=Origin.EXTERNAL.name)
    if is_ours(order_id):
        work.alert(EventKind.ALARM, code="OWN_ORDER_WITHOUT_ROW", text=order_id)
        states.own_without_row(work, order_id)
    return order


def merge(work: Work, order: Order, report: OrderReport, as_of: datetime) -> None:
    """Fold one report into its order; nothing is staged when it tells nothing new.

    Args:
        as_of: The exchange was like this at that time: of a push its own time, of a record the time
            at which it was asked for.
    """
    if order.ended_by is _BY_REPORT and report.cum_quantity <= order.cum_quantity:
        return
    new = order.derive()
    adopted = order.code == AnswerOutcome.EXISTS.name
    if adopted:
        _compare_terms(work, new, report)
    _merge_identity(new, report)
    amended = _merge_values(work, new, report, as_of)
    ahead = report.cum_quantity > new.cum_quantity and report.cum_quantity > new.reported_cum
    if ahead:
        new.reported_cum = report.cum_quantity
    trigger = _ENDS.get(report.status, _SHOW)
    waits = (
        trigger is not _SHOW
        and new.reported_cum > new.cum_quantity
        and new.ended_by is not _BY_REPORT
    )
    if trigger is Trigger.END_REJECTED and new.cum_quantity:
        trigger = Trigger.END_CANCELLED
    if waits:
        # the ledger has not followed yet: no terminal status is stored before it does
        new.reported_status = new.reported_status or report.status
        trigger = _SHOW
    if new.reported_cum > new.cum_quantity:
        work.watch.inquire(
            new.terms.client_order_id,
            Why.LEDGER,
            new.attempt,
            work.now + work.config.lookup_delays[1],
        )
    moved = work.move(new, trigger)
    if moved and trigger is _SHOW and new.cum_quantity:
        new.status = OrderStatus.PARTIALLY_FILLED
    noted = adopted or ahead or new.reported_status is not order.reported_status
    _publish(work, order, new, report, moved=moved, amended=amended, noted=noted)


def _compare_terms(work: Work, new: Order, report: OrderReport) -> None:
    """Adopt an order that already existed under our id, but only with our terms (protocol 5.7)."""
    terms = new.terms
    same = (
        terms.instrument_id == report.instrument_id
        and terms.side is report.side
        and new.quantity == report.quantity
        and new.price in (None, report.price)
    )
    new.code = ""
    if not same:
        reason = f"{terms.client_order_id} exists with other terms"
        states.restrict(work, "MISMATCH", reason, Trading.HALTED)


def _merge_identity(new: Order, report: OrderReport) -> None:
    if not new.venue_order_id:
        new.venue_order_id = report.venue_order_id
    shown = report.status is not _SHOWN_REJECTED
    if new.first_working_at is None and (shown or report.cum_quantity):
        new.first_working_at = report.updated_at


def _merge_values(work: Work, new: Order, report: OrderReport, as_of: datetime) -> bool:
    """Price and quantity by the exchange's time; returns whether an amend showed."""
    if _is_older(new, report):
        return False
    new.venue_updated_at = report.updated_at
    _settle_amend(work, new, report, as_of)
    price = new.price if new.price is None or report.price is None else report.price
    if price == new.price and report.quantity == new.quantity:
        return False
    new.price, new.quantity = price, report.quantity
    return True


def _is_older(order: Order, report: OrderReport) -> bool:
    """Whether an order is known in a later state.

    Of two reports of one moment the older one has filled less, or does not know of the end.
    """
    known_at = order.venue_updated_at
    if report.updated_at != known_at:
        return known_at is not None and report.updated_at < known_at
    if order.reported_status is not None and report.status not in _ENDS:
        return True
    return report.cum_quantity < max(order.cum_quantity, order.reported_cum)


def _settle_amend(work: Work, order: Order, report: OrderReport, as_of: datetime) -> None:
    """An order row that shows the amend settles it; so does one from when it is too late for it."""
    command = work.command(order.terms.client_order_id, _AMEND)
    if command is None or command.status not in (CommandStatus.SENT, CommandStatus.UNKNOWN):
        return
    shows = command.price in (None, report.price) and command.quantity in (None, report.quantity)
    asked_at = command.request_ts or command.created_at
    if not shows and as_of <= asked_at + work.config.recv_window + work.config.clock_skew:
        return
    settled = copy_command(command)
    settled.status = CommandStatus.DONE if shows else CommandStatus.REFUSED
    work.put_command(settled)


def _publish(
    work: Work,
    order: Order,
    new: Order,
    report: OrderReport,
    *,
    moved: bool,
    amended: bool,
    noted: bool,
) -> None:
    if moved:
        if new.reported_cum <= new.cum_quantity:
            work.watch.settle(order.terms.client_order_id)
        _publish_move(work, order, new, report)
    elif amended:
        work.emit(new, EventKind.ORDER_AMENDED)
    elif (
        noted
        or new.venue_order_id != order.venue_order_id
        or new.first_working_at != order.first_working_at
    ):
        work.emit(new, EventKind.ORDER_REPORTED)


def _publish_move(work: Work, order: Order, new: Order, report: OrderReport) -> None:
    code, text = "", report.reject_reason
    if new.status is OrderStatus.CANCELLED:
        code = new.cancel_reason or report.cancel_type
        if report.reject_reason == WOULD_TAKE:
            code = Code.POST_ONLY_WOULD_TAKE
    elif new.status is OrderStatus.REJECTED:
        code = Code.VENUE_REFUSED
    new.code, new.text = code, text if new.status in TERMINAL else ""
    work.emit(new, KINDS[new.status], code=code, text=new.text)
    if (
        order.status in TERMINAL
        and new.status not in TERMINAL
        and new.reported_status is None
        and order.terms.origin is not Origin.EXTERNAL
    ):
        request_cancel(work, new, Code.LATE_BIRTH)
    if new.status in TERMINAL:
        close_commands(work, new)
        nudge(work)
        if code == Code.POST_ONLY_WOULD_TAKE:
            _requote(work, new)


def _requote(work: Work, order: Order) -> None:
    """One re-quote at the touch, committed with the cancel report that causes it (protocol 7.4)."""
    decision = requote(order, contexts.for_order(work, order), work.config)
    if decision.verdict is Verdict.ORDERED and not exists_already(work, decision.drafts):
        for draft in decision.drafts:
            create(work, draft)


def on_wallet(work: Work, report: WalletReport, _asked: bool) -> None:
    """Take a wallet snapshot unless a younger one is known."""
    for balance in report.balances:
        known = work.book.balances.get(balance.coin)
        if (
            known is None
            or balance.as_of > known.as_of
            or (balance.as_of == known.as_of and balance != known)
        ):
            work.changes.append(balance)
