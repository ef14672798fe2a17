"""Cancel selection: which working orders a new signal takes the place of."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import OrderStatus, OrderType, Origin
from order_domain.model.order import Order
from order_domain.model.signal import SignalIntent, TradingSignal

_CLOSE: Final = SignalIntent.CLOSE
_INTENT: Final = OrderStatus.INTENT
_MARKET: Final = OrderType.MARKET
_NEW_SIGNAL: Final = Code.NEW_SIGNAL
_SIGNAL: Final = Origin.SIGNAL
_UNKNOWN: Final = OrderStatus.UNKNOWN


def replaced_orders(
    signal: TradingSignal, context: Context, config: EngineConfig
) -> tuple[Order, ...]:
    """Orders that must end before this signal's may be claimed, oldest first.

    Only orders that signals made, of this instrument and position side; also those whose cancel an
    earlier signal already asked for (protocol 7.3).
    """
    return tuple(order for order in context.orders if _is_replaced(order, signal, config))


def _is_replaced(order: Order, signal: TradingSignal, config: EngineConfig) -> bool:
    terms = order.terms
    if terms.origin is not _SIGNAL or _cannot_wait_for(order, signal):
        return False
    if config.cancel_same_strategy_only and terms.strategy_id != signal.strategy_id:
        return False
    if order.cancel_reason == _NEW_SIGNAL:
        return True
    if config.cancel_opposite_orders_only and terms.side is signal.side:
        return False
    return config.cancel_partially_filled or not (order.cum_quantity or order.reported_cum)


def _cannot_wait_for(order: Order, signal: TradingSignal) -> bool:
    """A market order on its way is past cancelling; a close never waits for an unknown outcome."""
    if order.terms.order_type is _MARKET and order.status is not _INTENT:
        return True
    return order.status is _UNKNOWN and signal.intent is _CLOSE
