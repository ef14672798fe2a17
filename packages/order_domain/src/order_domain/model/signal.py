"""TradingSignal: what a model asks for, already validated and typed."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId, SignalId, StrategyId, TraceId
from order_domain.model.members import direct


@direct
class SignalIntent(StrEnum):
    """What the amount means: opening is quote units; closing is base units of the live position."""

    OPEN = "open"
    CLOSE = "close"


@attrs.define(slots=True, kw_only=True)
class TradingSignal:
    """One signal of a strategy.

    Attributes:
        amount: Quote units for an opening signal; base units (see settings) for a closing one.
        confidence: 0..1.
        intent: Close signals are those with `metadata.exit_strategy`, `metadata.reasoning` of
            `take_profit_triggered`, or `action` of `close`.
        snapshot_price, snapshot_spread: The model's own view of the market; only a fallback.
        urgent: `metadata.urgency` is exactly true: forces a market order.
        body_hash: SHA-256 of the canonical body; same id with another hash is a conflict.
        body: The canonical JSON text, kept for the record.
    """

    signal_id: SignalId
    strategy_id: StrategyId
    instrument_id: InstrumentId
    side: Side
    amount: Decimal
    confidence: Decimal
    timestamp: datetime
    intent: SignalIntent = SignalIntent.OPEN
    snapshot_price: Decimal | None = None
    snapshot_spread: Decimal | None = None
    snapshot_volume_24h: Decimal | None = None
    snapshot_volatility: Decimal | None = None
    urgent: bool = False
    is_warmup: bool = False
    model_version: str | None = None
    trace_id: TraceId = TraceId("")
    body_hash: str = ""
    body: str = ""
