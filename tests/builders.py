"""Valid by default, one keyword from the case: `a_signal(side=Side.SELL)`.

The market: BTCUSDT, tick 0.1, step 0.001, at least 0.001 and 5 USDT, bid 49,990, ask 50,000.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.balance import Balance
from order_domain.model.enums import OrderStatus, OrderType, Origin, PositionSide, Side, TimeInForce
from order_domain.model.execution import Execution
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    SignalId,
    StrategyId,
    TraceId,
    VenueOrderId,
    client_order_id,
)
from order_domain.model.inputs import PlaceOrder
from order_domain.model.instrument import ZERO, Instrument
from order_domain.model.order import Order, OrderTerms
from order_domain.model.position import Position
from order_domain.model.quote import Quote
from order_domain.model.signal import TradingSignal

D = Decimal
NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
BTC = InstrumentId("linear:BTCUSDT")
STRATEGY = StrategyId("trend")
SIGNAL = SignalId("00000000-0000-4000-8000-000000000001")
_TERMS = frozenset(field.name for field in attrs.fields(OrderTerms))


def a_signal_id(number: int) -> SignalId:
    """The UUID with this number in it."""
    return SignalId(f"00000000-0000-4000-8000-{number:012d}")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def an_instrument(**changes: Any) -> Instrument:
    return Instrument(
        **{
            "symbol": "BTCUSDT",
            "base_coin": "BTC",
            "quote_coin": "USDT",
            "settle_coin": "USDT",
            "tick_size": D("0.1"),
            "quantity_step": D("0.001"),
            "min_quantity": D("0.001"),
            "max_quantity": D(100),
            "max_market_quantity": D(50),
            "min_notional": D(5),
        }
        | changes
    )


def a_quote(**changes: Any) -> Quote:
    return Quote(
        **{
            "instrument_id": BTC,
            "bid": D(49990),
            "bid_size": D(3),
            "ask": D(50000),
            "ask_size": D(3),
            "at": NOW,
        }
        | changes
    )


def a_signal(**changes: Any) -> TradingSignal:
    """A model asks to buy for 1,000 USDT."""
    return TradingSignal(
        **{
            "signal_id": SIGNAL,
            "strategy_id": STRATEGY,
            "instrument_id": BTC,
            "side": Side.BUY,
            "amount": D(1000),
            "confidence": D("0.5"),
            "timestamp": NOW,
            "body_hash": "h1",
        }
        | changes
    )


def a_config(**changes: Any) -> EngineConfig:
    return EngineConfig(**changes)


def a_context(**changes: Any) -> Context:
    """Flat, no orders, 100,000 USDT, everything fresh."""
    return Context(
        **{
            "now": NOW,
            "instrument": an_instrument(),
            "quote": a_quote(),
            "available": D(100_000),
        }
        | changes
    )


def some_terms(**changes: Any) -> OrderTerms:
    """Terms of a limit order; the client order id follows from signal, leg and generation."""
    values: dict[str, Any] = {
        "instrument_id": BTC,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.POST_ONLY,
        "origin": Origin.SIGNAL,
        "signal_id": SIGNAL,
        "strategy_id": STRATEGY,
        "trace_id": TraceId(""),
        "requested_quantity": D("0.02"),
        "created_at": NOW,
        "valid_until": NOW + seconds(30),
        "leg": 1,
        "generation": 0,
    } | changes
    if "client_order_id" not in values:
        values["client_order_id"] = an_order_id(
            signal=values["signal_id"],
            strategy=values["strategy_id"],
            leg=values["leg"],
            generation=values["generation"],
        )
    return OrderTerms(**values)


def an_order_id(
    *, signal: str = SIGNAL, strategy: str = STRATEGY, leg: int = 1, generation: int = 0
) -> ClientOrderId:
    return client_order_id("dry", "dry:default", strategy, signal, leg, generation)


def an_order(**changes: Any) -> Order:
    """A working limit order to buy 0.020 at 49,990; takes keywords of terms and order."""
    terms = {name: value for name, value in changes.items() if name in _TERMS}
    rest = {name: value for name, value in changes.items() if name not in _TERMS}
    terms.setdefault("requested_quantity", rest.get("quantity", D("0.02")))
    is_market = terms.get("order_type") is OrderType.MARKET
    if is_market:
        terms.setdefault("time_in_force", TimeInForce.IOC)
    return Order(
        **{
            "terms": some_terms(**terms),
            "status": OrderStatus.WORKING,
            "quantity": D("0.02"),
            "price": None if is_market else D(49990),
            "updated_at": NOW,
            "version": 1,
        }
        | rest
    )


def a_place_order(**changes: Any) -> PlaceOrder:
    """A person asks to buy 0.020 at 49,990."""
    return PlaceOrder(
        **{
            "request_id": "request-1",
            "actor": "ann",
            "instrument_id": BTC,
            "side": Side.BUY,
            "quantity": D("0.02"),
            "order_type": OrderType.LIMIT,
            "price": D(49990),
        }
        | changes
    )


def an_execution(**changes: Any) -> Execution:
    """A fill of the whole of `an_order()`, as a taker."""
    return Execution(
        **{
            "exec_id": ExecutionId("e1"),
            "instrument_id": BTC,
            "client_order_id": an_order_id(),
            "venue_order_id": VenueOrderId("v1"),
            "side": Side.BUY,
            "price": D(50000),
            "quantity": D("0.02"),
            "fee": D("0.55"),
            "fee_coin": "USDT",
            "executed_at": NOW,
        }
        | changes
    )


def a_position(**changes: Any) -> Position:
    """Long 0.1 at 50,000."""
    size = changes.get("size", D("0.1"))
    return Position(
        **{
            "instrument_id": BTC,
            "position_side": PositionSide.BOTH,
            "size": size,
            "entry_value": abs(size) * 50000,
            "realized_pnl": ZERO,
            "fees": {},
            "funding": ZERO,
            "updated_at": NOW,
            "version": 1,
            "opened_at": NOW,
        }
        | changes
    )


def a_balance(**changes: Any) -> Balance:
    return Balance(
        **{
            "coin": "USDT",
            "wallet": D(100_000),
            "available": D(100_000),
            "equity": D(100_000),
            "as_of": NOW,
        }
        | changes
    )
