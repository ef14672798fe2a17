"""Our books beside the exchange's word, when all is quiet."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from order_domain.invariants.report import Findings, Report
from order_domain.model.enums import EndedBy, ExecutionKind, OrderStatus, VenueStatus
from order_domain.model.execution import Execution, LedgerEntry
from order_domain.model.identifiers import is_ours
from order_domain.model.instrument import ZERO
from order_domain.model.order import AT_VENUE, Order
from order_domain.model.position import Position
from order_domain.model.reports import OrderReport, PositionReport

_OPEN = (VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED, VenueStatus.UNTRIGGERED)


@attrs.frozen(slots=True, kw_only=True)
class Truth:
    """What the exchange has: every order it ever knew, every execution, every position.

    Attributes:
        opened_at: What was executed before this moment may be in OPENING entries; None where the
            account was empty at the first start.
    """

    orders: tuple[OrderReport, ...] = ()
    executions: tuple[Execution, ...] = ()
    positions: tuple[PositionReport, ...] = ()
    opened_at: datetime | None = None


def compare_with_exchange(
    orders: Iterable[Order],
    ledger: Iterable[LedgerEntry],
    positions: Iterable[Position],
    truth: Truth,
) -> Report:
    """Check V2, V3, V4, V7, V9, V15 and V16. Only a quiet account can be judged."""
    findings = Findings()
    ours = {str(order.client_order_id): order for order in orders}
    theirs = _by_order_id(findings, truth.orders)
    for order_id, report in theirs.items():
        _their_order(findings, order_id, report, ours.get(order_id))
    for order_id, order in ours.items():
        if order.status in AT_VENUE:
            found = theirs.get(order_id)
            is_open = found is not None and found.status in _OPEN
            status = "unknown there" if found is None else found.status
            findings.holds("V15", f"order {order_id}", is_open, "it is open there too", status)
    _executions(findings, ledger, truth)
    _positions(findings, positions, truth.positions)
    return findings.report()


def _by_order_id(findings: Findings, reports: Iterable[OrderReport]) -> dict[str, OrderReport]:
    known: dict[str, OrderReport] = {}
    for report in reports:
        order_id = str(report.client_order_id or f"ext-{report.venue_order_id}"[:36])
        first = known.setdefault(order_id, report)
        findings.equal(
            "V2",
            f"order {order_id}",
            report.venue_order_id,
            first.venue_order_id,
            "one order there",
        )
    return known


def _their_order(
    findings: Findings, order_id: str, report: OrderReport, order: Order | None
) -> None:
    name = f"order {order_id}"
    if order is None:
        mine = is_ours(order_id)
        findings.holds("V3", name, not mine, "an order with our id has a row", report.status)
        if report.status in _OPEN and not mine:
            findings.holds("V16", name, truth=False, text="an open foreign order is known")
        return
    findings.equal("V8", name, report.cum_quantity, order.cum_quantity, "filled as there")
    findings.holds("V4", name, report.cum_quantity <= order.quantity, "filled within its quantity")
    if report.status in _OPEN:
        findings.holds("V16", name, order.status in AT_VENUE, "it is open here too", order.status)
        theirs, ours = (report.price, report.quantity), (order.price, order.quantity)
        findings.equal("V16", name, theirs, ours, "price and quantity are as there")
    elif order.ended_by is EndedBy.REPORT or order.status in AT_VENUE:
        has_ended = order.ended_by is EndedBy.REPORT
        findings.holds("V15", name, has_ended, "it has ended here too", order.status)
        is_filled = report.status is VenueStatus.FILLED
        same = not has_ended or is_filled == (order.status is OrderStatus.FILLED)
        findings.holds("V15", name, same, "it was filled wholly here as there", order.status)


def _executions(findings: Findings, ledger: Iterable[LedgerEntry], truth: Truth) -> None:
    booked = {
        _key(entry.execution): entry.execution
        for entry in ledger
        if entry.execution.kind is not ExecutionKind.OPENING
    }
    told = {_key(execution): execution for execution in truth.executions}
    for key, execution in told.items():
        ours = booked.get(key)
        name = f"execution {key[1]}"
        is_opened = truth.opened_at is not None and execution.executed_at < truth.opened_at
        findings.holds("V7", name, ours is not None or is_opened, "it is booked")
        if ours is not None:
            findings.equal(
                "V7", name, _facts(execution), _facts(ours), "it is booked as it was told"
            )
    for key in sorted(booked.keys() - told.keys()):
        findings.holds("V7", f"execution {key[1]}", truth=False, text="the exchange knows it")


def _positions(
    findings: Findings, positions: Iterable[Position], reports: Iterable[PositionReport]
) -> None:
    ours = {(each.instrument_id, each.position_side): each.size for each in positions}
    theirs = {(each.instrument_id, each.position_side): each.size for each in reports}
    for key in sorted(ours.keys() | theirs.keys()):
        findings.equal(
            "V9", f"position {key[0]} {key[1]}", theirs.get(key, ZERO), ours.get(key, ZERO),
            "the size is the exchange's",
        )  # fmt: skip


def _key(execution: Execution) -> tuple[str, str]:
    return (execution.instrument_id, execution.exec_id)


def _facts(execution: Execution) -> tuple[object, ...]:
    return (
        execution.venue_order_id,
        execution.side,
        execution.price,
        execution.quantity,
        execution.fee,
        execution.fee_coin,
        execution.kind,
    )
