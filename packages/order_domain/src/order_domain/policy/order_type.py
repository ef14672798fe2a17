"""Order type: market when sure, urgent or the spread is small; else a resting limit."""

from decimal import Decimal
from typing import Final

from order_domain.config import EngineConfig
from order_domain.model.enums import OrderType
from order_domain.model.quote import Quote
from order_domain.model.signal import TradingSignal
from order_domain.notes import Note

Notes = list[tuple[str, object, object, bool]]

_LIMIT: Final = OrderType.LIMIT
_MARKET: Final = OrderType.MARKET
_ORDER_TYPE: Final = Note.ORDER_TYPE
_SPREAD: Final = Note.SPREAD


def choose_order_type(
    signal: TradingSignal, quote: Quote | None, config: EngineConfig, notes: Notes
) -> OrderType:
    """Choose, and note why. Without a live quote (closes only) a limit could not be priced."""
    if signal.urgent:
        return _noted(notes, "urgency", _MARKET)
    if signal.confidence >= config.market_order_confidence_threshold:
        return _noted(notes, "confidence", _MARKET)
    spread = spread_percent(signal, quote, config, notes)
    if spread is not None and spread < config.market_order_spread_threshold:
        return _noted(notes, "spread", _MARKET)
    if quote is None:
        return _noted(notes, "no_quote", _MARKET)
    return _noted(notes, "resting", _LIMIT)


def spread_percent(
    signal: TradingSignal, quote: Quote | None, config: EngineConfig, notes: Notes
) -> Decimal | None:
    """Percent of mid: the live quote's, else the signal's own in its declared unit."""
    if quote is not None:
        spread = quote.spread_percent
        notes.append((_SPREAD, "live", spread, True))
        return spread
    told = signal.snapshot_spread
    if told is None:
        return None
    if config.snapshot_spread_is_percent:
        notes.append((_SPREAD, "signal_percent", told, True))
        return told
    if not signal.snapshot_price:
        return None
    spread = told * 100 / signal.snapshot_price
    notes.append((_SPREAD, "signal_price", spread, True))
    return spread


def _noted(notes: Notes, reason: str, order_type: OrderType) -> OrderType:
    notes.append((_ORDER_TYPE, reason, order_type, True))
    return order_type
