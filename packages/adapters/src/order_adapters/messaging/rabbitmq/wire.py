"""Wire: committed events as the neighbours read them, and refused signals as dead letters.

The shape is the union of all that is parsed out there: `order` nested, its most read fields again
at the top, `signal` and `market_conditions` on every event of an order that has a signal.
Quantities and money are strings; what neighbours do arithmetic with unasked (latency, market
conditions) are JSON numbers with exactly our digits.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, Final

import attrs
import msgspec

from order_domain.lifecycle import status_for_neighbours
from order_domain.model.enums import EventKind, PositionSide, Side
from order_domain.model.events import Event
from order_domain.model.identifiers import event_id_text, order_row_id, symbol_of
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow
from order_domain.model.signal import TradingSignal
from order_domain.model.trace import traceparent_of
from order_domain.ports.outbox import NumberedEvent

_ENDS: Final[Mapping[EventKind, str]] = {
    EventKind.ORDER_FILLED: "filled",
    EventKind.ORDER_PARTIALLY_FILLED: "partially_filled",
    EventKind.ORDER_CANCELLED: "cancelled",
    EventKind.ORDER_REJECTED: "rejected",
    EventKind.ORDER_DENIED: "rejected",
}
_SIDES: Final = {Side.BUY: "Buy", Side.SELL: "SELL"}
_NOTHING: Final = Decimal(0)


@attrs.frozen(slots=True)
class Sent:
    """A message ready to leave.

    Attributes:
        message_id: The same however often the same event is published.
    """

    body: bytes
    message_id: str
    type: str
    at: datetime
    headers: Mapping[str, str]


@attrs.frozen(slots=True)
class SignalWords:
    """What a signal says to neighbours, written once for all events of its orders.

    Attributes:
        part: Its own object, as JSON.
    """

    signal: TradingSignal
    part: msgspec.Raw
    price: str | None

    @classmethod
    def of(cls, signal: TradingSignal) -> "SignalWords":
        """Write a signal."""
        return cls(signal, msgspec.Raw(_encode(_signal(signal))), _text(signal.snapshot_price))


def type_of(event: Event) -> str:
    """The word of an event: the neighbours' for what they parse, else our own."""
    if event.order is not None and event.kind is EventKind.ORDER_EXPIRED:
        return status_for_neighbours(event.order.status, has_fills=bool(event.order.cum_quantity))
    return _ENDS.get(event.kind, event.kind.value)


def write_event(numbered: NumberedEvent, signal: SignalWords | None, *, is_dry: bool) -> Sent:
    """Write one event; `signal` is the one behind its order."""
    event, order = numbered.event, numbered.event.order
    identity = event_id_text(event.subject, event.sequence)
    word = type_of(event)
    trace = order.terms.trace_id if order is not None else ""
    body: dict[str, Any] = {
        "event_id": identity,
        "event_type": word,
        "kind": event.kind,
        "timestamp": event.at,
        "trace_id": trace or None,
        "number": numbered.number,
        "subject": event.subject,
        "sequence": event.sequence,
        "code": event.code,
        "text": event.text,
        "detail": _plain(dict(event.detail)) if event.detail else {},
    }
    if order is not None:
        body |= _order_parts(event, order, signal, word, is_dry=is_dry)
    headers = {"trace_id": trace} if trace else {}
    of = trace or ("" if order is None else order.terms.signal_id)
    if of:
        headers["traceparent"] = traceparent_of(of, identity)
    return Sent(_encode(body), identity, word, event.at, headers)


def dead_letter(numbered: NumberedEvent, row: DeliveryRow) -> Sent:
    """Write a refused delivery: the body as it came, the reason in the headers."""
    event = numbered.event
    reason = {
        "x-reason-code": row.code,
        "x-reason-field": row.field,
        "x-reason-rule": row.rule,
        "x-reason-value": row.value,
        "x-signal-id": row.signal_id,
        "x-delivery": str(row.number),
        "x-refused-at": moment(row.at) or "",
    }
    identity = event_id_text(event.subject, event.sequence)
    return Sent(row.body.encode(), identity, event.kind.value, row.at, reason)


def moment(at: datetime | None) -> str | None:
    """A time as every neighbour parses it: ISO, UTC, with a Z."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _order_parts(
    event: Event, order: Order, signal: SignalWords | None, word: str, *, is_dry: bool
) -> dict[str, Any]:
    shown = _order(order, is_dry=is_dry)
    parts: dict[str, Any] = {
        "order": shown,
        **{name: shown[name] for name in _AT_THE_TOP},
        "client_order_id": order.client_order_id,
        "strategy_id": order.terms.strategy_id,
        "mode": "one-way" if order.terms.position_side is PositionSide.BOTH else "hedge",
        "is_dry_run": is_dry,
        "execution_details": _details(order),
        "market_conditions": _conditions(order, signal),
    }
    if signal is not None:
        parts["signal"] = signal.part
        parts["signal_price"] = signal.price
        parts["signal_timestamp"] = signal.signal.timestamp
    if event.ledger is not None:
        execution = event.ledger.execution
        parts |= {
            "exec_id": execution.exec_id,
            "execution_price": _text(execution.price),
            "execution_quantity": _text(execution.quantity),
            "execution_fees": _text(max(execution.fee, _NOTHING)),
            "execution_fee_exact": _text(execution.fee),
            "fee_coin": execution.fee_coin,
            "realized_pnl": _text(event.ledger.realized_pnl),
            "performance": _performance(event, order, signal),
        }
    if word == "rejected":
        parts["rejection_reason"] = f"{event.code or order.code}: {event.text or order.text}"
    if word == "cancelled":
        parts["modification"] = _modification(order)
    return parts


_AT_THE_TOP: Final = (
    "order_id",
    "signal_id",
    "asset",
    "side",
    "order_type",
    "status",
    "quantity",
    "filled_quantity",
    "average_price",
    "fees",
    "executed_at",
)


def _order(order: Order, *, is_dry: bool) -> dict[str, Any]:
    terms = order.terms
    fees = sum(order.fees.values(), _NOTHING)
    return {
        "id": order_row_id(order.client_order_id),
        "order_id": order.venue_order_id or order.client_order_id,
        "client_order_id": order.client_order_id,
        "signal_id": terms.signal_id or None,
        "strategy_id": terms.strategy_id,
        "asset": symbol_of(terms.instrument_id),
        "side": _SIDES[terms.side],
        "order_type": terms.order_type,
        "time_in_force": terms.time_in_force,
        "reduce_only": terms.reduce_only,
        "quantity": _text(order.quantity),
        "price": _text(order.price) if order.price else None,
        "status": status_for_neighbours(order.status, has_fills=bool(order.cum_quantity)),
        "filled_quantity": _text(order.cum_quantity),
        "average_price": _text(order.average_price),
        # a reader that meets a negative fee drops the event: a rebate shows as 0 there, exact here
        "fees": _text(max(fees, _NOTHING)),
        "fees_exact": {coin: _text(fee) for coin, fee in order.fees.items()},
        "created_at": terms.created_at,
        "updated_at": order.updated_at,
        "executed_at": order.executed_at,
        "is_dry_run": is_dry,
        "trace_id": terms.trace_id or None,
        "mode": "one-way" if terms.position_side is PositionSide.BOTH else "hedge",
    }


def _details(order: Order) -> dict[str, Any]:
    latency = None
    if order.executed_at is not None:
        waited = order.executed_at - order.terms.created_at
        latency = _number(Decimal(waited // timedelta(microseconds=1)).scaleb(-6))
    part = order.cum_quantity / order.quantity * 100 if order.quantity else _NOTHING
    return {
        "execution_latency_seconds": latency,
        "fill_percentage": _number(round(part, 4)),
        "remaining_quantity": _text(order.leaves_quantity),
    }


def _conditions(order: Order, signal: SignalWords | None) -> dict[str, Any]:
    """What the market was when it was decided. Readers need all three numbers, never null.

    A number that nobody told is 0 and named in `unknown`, so that it can be told from one that is.
    """
    told = None if signal is None else signal.signal
    bid, ask = order.terms.decision_bid, order.terms.decision_ask
    spread = None if told is None else told.snapshot_spread
    if spread is None and bid is not None and ask is not None:
        spread = ask - bid
    known = {
        "spread": spread,
        "volume_24h": None if told is None else told.snapshot_volume_24h,
        "volatility": None if told is None else told.snapshot_volatility,
    }
    price = order.average_price or order.price or (None if told is None else told.snapshot_price)
    at = order.executed_at or order.updated_at
    return {
        "price": None if price is None else _number(price),
        **{name: _number(value or _NOTHING) for name, value in known.items()},
        "unknown": [name for name, value in known.items() if value is None],
        "timestamp": at,
    }


def _signal(signal: TradingSignal) -> dict[str, Any]:
    price = signal.snapshot_price
    return {
        "signal_id": signal.signal_id,
        "signal_type": signal.side.value.lower(),
        "asset": symbol_of(signal.instrument_id),
        "amount": _text(signal.amount),
        "confidence": _number(signal.confidence),
        "strategy_id": signal.strategy_id,
        "model_version": signal.model_version,
        "is_warmup": signal.is_warmup,
        "price": None if price is None else _number(price),
        "timestamp": signal.timestamp,
        "trace_id": signal.trace_id or None,
    }


def _performance(event: Event, order: Order, signal: SignalWords | None) -> dict[str, Any]:
    """How the fill compares with the price of the signal; a positive slippage cost money."""
    price = order.average_price
    wanted = None if signal is None else signal.signal.snapshot_price
    if price is None or not wanted:
        return {}
    slippage = price - wanted if order.terms.side is Side.BUY else wanted - price
    realized = _NOTHING if event.ledger is None else event.ledger.realized_pnl
    return {
        "slippage": _number(slippage),
        "slippage_percent": _number(round(slippage / wanted * 100, 6)),
        "realized_pnl": _number(realized),
    }


def _modification(order: Order) -> dict[str, Any]:
    filled, price = _text(order.cum_quantity), _text(order.average_price)
    same = {"filled_quantity": filled, "average_price": price}
    was = "partially_filled" if order.cum_quantity else "pending"
    return {"before": {"status": was, **same}, "after": {"status": "cancelled", **same}}


def _number(value: Decimal) -> msgspec.Raw:
    """A JSON number with exactly these digits."""
    return msgspec.Raw(f"{value:f}".encode())


def _text(value: Decimal | None) -> str | None:
    """A number without an exponent."""
    return None if value is None else f"{value:f}"


_encode: Final = msgspec.json.Encoder().encode
_THEMSELVES: Final = frozenset((str, int, bool, NoneType, datetime, msgspec.Raw))
"""What JSON has a word for; of a time the encoder makes the same as `moment`."""


def _plain(value: Any) -> Any:
    """Decimals without exponents, however deep."""
    kind = value.__class__
    if kind in _THEMSELVES:
        return value
    if kind is Decimal:
        return f"{value:f}"
    if kind is dict:
        return {str(name): _plain(each) for name, each in value.items()}
    if kind is tuple or kind is list:
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return _plain(dict(value))
    return value
