"""Rows that stores keep, valid by default, one keyword from the case."""

from datetime import datetime
from typing import Any

from order_domain.model.command import Command
from order_domain.model.enums import (
    CommandKind,
    CommandStatus,
    EventKind,
    OrderStatus,
    PositionSide,
    Trading,
    Verdict,
)
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import PositionSnapshot
from order_domain.model.rows import (
    Change,
    DeliveryRow,
    Mark,
    RequestRow,
    SignalRow,
    TradingStateRow,
)
from tests.builders import (
    BTC,
    NOW,
    STRATEGY,
    D,
    a_balance,
    a_position,
    a_quote,
    a_signal,
    a_signal_id,
    an_execution,
    an_instrument,
    an_order,
    an_order_id,
    seconds,
)


def an_order_of(number: int, **changes: Any) -> Order:
    """The order of the signal with this number."""
    return an_order(**{"signal_id": a_signal_id(number)} | changes)


def id_of(number: int) -> str:
    return an_order_id(signal=a_signal_id(number))


def a_closed_order(number: int, closed_at: datetime, **changes: Any) -> Order:
    values = {"status": OrderStatus.CANCELLED, "closed_at": closed_at, "updated_at": closed_at}
    return an_order_of(number, **values | changes)


def a_signal_row(number: int = 1, **changes: Any) -> SignalRow:
    """A signal that became an order."""
    signal = changes.pop("signal", None) or a_signal(signal_id=a_signal_id(number))
    values: dict[str, Any] = {
        "signal": signal,
        "generation": 0,
        "delivery": number,
        "received_at": NOW,
        "verdict": Verdict.ORDERED,
        "code": "OK",
        "decided_at": NOW,
        "trace": (("COLLAR", D(5), D("0.02"), True), ("STATE", "ACTIVE", None, True)),
        "quote": a_quote(),
        "order_ids": (id_of(number),),
    }
    return SignalRow(**values | changes)


def a_parked_row(number: int, **changes: Any) -> SignalRow:
    values: dict[str, Any] = {
        "verdict": Verdict.PARKED,
        "code": "WAITING",
        "decided_at": None,
        "deadline": NOW + seconds(60),
        "trace": (),
        "quote": None,
        "order_ids": (),
    }
    return a_signal_row(number, **values | changes)


def a_command(**changes: Any) -> Command:
    """A cancel on its way."""
    return Command(
        **{
            "client_order_id": an_order_id(),
            "kind": CommandKind.CANCEL,
            "number": 1,
            "status": CommandStatus.SENT,
            "reason": "NEW_SIGNAL",
            "created_at": NOW,
            "updated_at": NOW,
        }
        | changes
    )


def an_entry(number: int = 1, **changes: Any) -> LedgerEntry:
    """A booked fill."""
    execution = an_execution(**{"exec_id": f"e{number}"} | changes)
    return LedgerEntry(number, execution, STRATEGY, D("1.5"), NOW)


def an_order_event(order: Order, **changes: Any) -> Event:
    """The event that made this version of an order."""
    return Event(
        **{
            "kind": EventKind.ORDER_WORKING,
            "at": NOW,
            "subject": order.client_order_id,
            "sequence": order.version,
            "order": order,
        }
        | changes
    )


def an_alarm(sequence: int = 1, **changes: Any) -> Event:
    """An event of the account as a whole."""
    values = {"kind": EventKind.ALARM, "at": NOW, "subject": "account", "sequence": sequence}
    return Event(**values | changes)


def a_state(**changes: Any) -> TradingStateRow:
    """A person halts the account."""
    return TradingStateRow(
        **{
            "scope": "account",
            "cause": "OPERATOR",
            "state": Trading.HALTED,
            "version": 1,
            "reason": "lunch",
            "actor": "ann",
            "at": NOW,
        }
        | changes
    )


def a_request(request_id: str = "r1", **changes: Any) -> RequestRow:
    values = {
        "request_id": request_id,
        "kind": "PlaceOrder",
        "body_hash": "h",
        "actor": "ann",
        "at": NOW,
        "code": "OK",
        "result": (("client_order_id", "x"), ("quantity", D("0.10"))),
    }
    return RequestRow(**values | changes)


def a_snapshot(at: datetime = NOW) -> PositionSnapshot:
    return PositionSnapshot(BTC, PositionSide.BOTH, at, D("0.1"), D(5000), D(0), D(-3), D(49970))


def a_delivery_row(number: int = 7, **changes: Any) -> DeliveryRow:
    """A delivery that was no signal."""
    values = {
        "number": number,
        "at": NOW,
        "verdict": Verdict.INVALID,
        "code": "BODY_INVALID",
        "field": "amount",
        "rule": "> 0",
        "value": "-1",
        "body": '{"amount": -1}',
    }
    return DeliveryRow(**values | changes)


def one_of_each() -> tuple[Change, ...]:
    """A row of every class, none of them like another."""
    order = an_order(fees={"USDT": D("0.55"), "BTC": D("-0.00001")}, replaces=(id_of(8), id_of(9)))
    entry = an_entry()
    return (
        an_instrument(),
        a_signal_row(),
        a_delivery_row(),
        order,
        a_command(),
        entry,
        a_position(fees={"USDT": D("0.55")}),
        a_snapshot(),
        a_balance(),
        a_state(),
        Mark("sweep", NOW, 3, "end"),
        a_request(),
        an_order_event(order, ledger=entry, code="OK", detail=(("from", D("0.020")), ("n", 1))),
    )
