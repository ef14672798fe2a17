"""What leaves for the neighbours, field by field, and that each of them can read it."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.messaging.rabbitmq.wire import SignalWords, dead_letter, type_of, write_event
from order_domain.model.enums import EventKind, OrderStatus, Side, Verdict
from order_domain.model.events import Event
from order_domain.model.execution import Execution, LedgerEntry
from order_domain.model.identifiers import event_id
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent
from tests.builders import BTC, NOW, D, a_signal, an_order
from tests.neighbours import Linker, ModelService

SIGNAL = SignalRow(
    a_signal(
        snapshot_price=D("49990"),
        snapshot_spread=D("0.1"),
        snapshot_volume_24h=D("1200.5"),
        snapshot_volatility=D("0.013"),
        trace_id="trace-7",
    ),
    0,
    1,
    NOW,
    Verdict.ORDERED,
    "OK",
)


def a_fill(order: Order, **changes: Any) -> LedgerEntry:
    values: dict[str, Any] = {
        "exec_id": "e1",
        "instrument_id": BTC,
        "client_order_id": order.client_order_id,
        "venue_order_id": "v1",
        "side": order.terms.side,
        "price": D(50000),
        "quantity": order.cum_quantity,
        "fee": D("0.55"),
        "fee_coin": "USDT",
        "executed_at": NOW,
    }
    return LedgerEntry(1, Execution(**values | changes), order.terms.strategy_id, D(0), NOW)


def filled(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "status": OrderStatus.FILLED,
        "quantity": D("0.020"),
        "cum_quantity": D("0.020"),
        "cum_value": D(1000),
        "fees": {"USDT": D("0.55")},
        "venue_order_id": "v1",
        "executed_at": NOW + timedelta(milliseconds=250),
        "created_at": NOW,
    }
    return an_order(**values | changes)


def written(
    kind: EventKind, order: Order | None, signal: SignalRow | None = SIGNAL, **event: Any
) -> dict[str, Any]:
    subject = order.client_order_id if order is not None else "account"
    row = Event(kind, NOW, subject, 3, order, **event)
    words = None if signal is None else SignalWords.of(signal.signal)
    body: dict[str, Any] = json.loads(write_event(NumberedEvent(9, row), words, is_dry=False).body)
    return body


def test_a_fill_carries_everything_that_any_reader_looks_for() -> None:
    order = filled()
    body = written(EventKind.ORDER_FILLED, order, ledger=a_fill(order))

    assert body["event_type"] == "filled"
    assert body["event_id"] == str(event_id(order.client_order_id, 3))
    assert body["timestamp"] == "2026-01-02T12:00:00Z"
    assert body["order"]["order_id"] == body["order_id"] == "v1"
    assert body["order"]["filled_quantity"] == "0.020"
    assert body["order"]["average_price"] == "50000"
    assert body["execution_details"] == {
        "execution_latency_seconds": 0.25,
        "fill_percentage": 100,
        "remaining_quantity": "0",
    }
    assert body["execution_price"] == "50000"
    assert body["performance"]["slippage"] == 10
    assert body["signal"]["strategy_id"] == body["strategy_id"] == "trend"
    assert body["market_conditions"]["volume_24h"] == 1200.5
    assert body["market_conditions"]["unknown"] == []


def test_the_side_is_written_as_each_neighbour_keeps_it() -> None:
    bought = written(EventKind.ORDER_FILLED, filled(side=Side.BUY))
    sold = written(EventKind.ORDER_FILLED, filled(side=Side.SELL))

    assert (bought["order"]["side"], sold["order"]["side"]) == ("Buy", "SELL")


def test_a_rebate_is_nothing_to_the_reader_who_drops_it_and_exact_beside() -> None:
    order = filled(fees={"USDT": D("-0.2")})
    body = written(EventKind.ORDER_FILLED, order, ledger=a_fill(order, fee=D("-0.2")))

    assert body["order"]["fees"] == body["execution_fees"] == "0"
    assert body["order"]["fees_exact"] == {"USDT": "-0.2"}
    assert body["execution_fee_exact"] == "-0.2"


def test_conditions_nobody_told_are_numbers_and_named() -> None:
    body = written(EventKind.ORDER_FILLED, filled(), signal=None)
    conditions = body["market_conditions"]

    assert (conditions["volume_24h"], conditions["volatility"]) == (0, 0)
    assert {"volume_24h", "volatility"} <= set(conditions["unknown"])
    assert "signal" not in body


def test_without_a_spread_of_the_signal_that_of_the_decision_is_told() -> None:
    order = filled(decision_bid=D(100), decision_ask=D("100.5"))

    assert written(EventKind.ORDER_FILLED, order, signal=None)["market_conditions"]["spread"] == 0.5


@pytest.mark.parametrize(
    ("kind", "order", "word"),
    [
        (EventKind.ORDER_DENIED, an_order(status=OrderStatus.DENIED), "rejected"),
        (EventKind.ORDER_REJECTED, an_order(status=OrderStatus.REJECTED), "rejected"),
        (EventKind.ORDER_EXPIRED, an_order(status=OrderStatus.EXPIRED), "rejected"),
        (
            EventKind.ORDER_EXPIRED,
            an_order(status=OrderStatus.EXPIRED, cum_quantity=D("0.01")),
            "cancelled",
        ),
        (EventKind.ORDER_CANCELLED, an_order(status=OrderStatus.CANCELLED), "cancelled"),
        (EventKind.ORDER_PARTIALLY_FILLED, an_order(), "partially_filled"),
        (EventKind.ORDER_WORKING, an_order(), "order_working"),
        (EventKind.ALARM, None, "alarm"),
    ],
)
def test_an_event_has_the_word_its_readers_know(
    kind: EventKind, order: Order | None, word: str
) -> None:
    assert type_of(Event(kind, NOW, "x", 1, order)) == word
    assert written(kind, order)["event_type"] == word


def test_a_rejection_says_why_and_a_cancel_what_it_left() -> None:
    denied = an_order(status=OrderStatus.DENIED, code="MAX_EXPOSURE", text="too much")
    rejected = written(EventKind.ORDER_DENIED, denied)
    cancelled = written(EventKind.ORDER_CANCELLED, an_order(status=OrderStatus.CANCELLED))

    assert rejected["rejection_reason"] == "MAX_EXPOSURE: too much"
    assert cancelled["modification"]["before"]["status"] == "pending"
    assert cancelled["modification"]["after"]["status"] == "cancelled"


def test_a_dead_letter_is_the_body_as_it_came() -> None:
    row = DeliveryRow(7, NOW, Verdict.INVALID, "BODY_INVALID", "s", "asset", "4 to 20", "x", "{")
    event = NumberedEvent(1, Event(EventKind.SIGNAL_INVALID, NOW, "delivery:7", 1))
    sent = dead_letter(event, row)

    assert sent.body == b"{"
    assert sent.headers["x-reason-rule"] == "4 to 20"
    assert sent.headers["x-refused-at"] == "2026-01-02T12:00:00Z"


@given(
    price=st.decimals("0.0001", "1000000", places=4),
    quantity=st.decimals("0.001", "1000", places=3),
    fee=st.decimals("-10", "10", places=6),
    side=st.sampled_from(Side),
)
def test_every_fill_is_used_by_every_neighbour(
    price: Decimal, quantity: Decimal, fee: Decimal, side: Side
) -> None:
    order = filled(
        side=side,
        quantity=quantity,
        cum_quantity=quantity,
        cum_value=quantity * price,
        fees={"USDT": fee},
    )
    row = Event(EventKind.ORDER_FILLED, NOW, order.client_order_id, 1, order)
    words = SignalWords.of(SIGNAL.signal)
    body = write_event(NumberedEvent(1, row), words, is_dry=False).body
    fill, linker = ModelService().read(body), Linker()
    linker.read(body)

    assert fill is not None
    assert fill.fees == max(float(fee), 0)
    assert fill.spread == 0.1
    assert abs(linker.position) == quantity
    assert (linker.position > 0) is (side is Side.BUY)
