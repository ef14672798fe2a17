"""The signal format: one JSON object becomes one TradingSignal or a clear refusal."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

from order_adapters.intake.fields import boolean, mapping, number, text
from order_adapters.intake.invalid import SignalInvalid
from order_adapters.intake.strict_json import Json, load, readable
from order_domain.model.enums import Category, Side
from order_domain.model.identifiers import (
    InstrumentId,
    SignalId,
    StrategyId,
    TraceId,
    instrument_id,
)
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.signal import SignalIntent, TradingSignal

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SYMBOL: Final = re.compile(r"[A-Z0-9]{4,20}")
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
_YEAR_MIN, _YEAR_MAX = 2000, 2099
AMOUNT_MAX: Final = Decimal("1e15")
AMOUNT_MIN_OPENING: Final = Decimal("0.01")
"""Of the neighbours' contract; closing amounts are base units and may be smaller."""
_TEXT_MAX: Final = 100
NO_EXCEPTIONS: Final[Mapping[str, Category]] = {}


def read_delivery(
    number_: int,
    raw: bytes | str,
    category: Category = Category.LINEAR,
    exceptions: Mapping[str, Category] = NO_EXCEPTIONS,
) -> SignalDelivered | DeliveryInvalid:
    """Read one delivery; one that is wrong becomes the input that keeps it with its reason."""
    try:
        return SignalDelivered(number_, parse_signal(raw, category, exceptions))
    except SignalInvalid as error:
        return refused(number_, raw, error)


def refused(number_: int, raw: bytes | str, error: SignalInvalid) -> DeliveryInvalid:
    """Make the input that keeps a delivery which is no signal."""
    return DeliveryInvalid(
        number=number_,
        code=error.code,
        field=error.field,
        rule=error.rule,
        value=error.value,
        body=readable(raw),
        signal_id=error.signal_id,
    )


def parse_signal(
    raw: bytes | str,
    category: Category = Category.LINEAR,
    exceptions: Mapping[str, Category] = NO_EXCEPTIONS,
) -> TradingSignal:
    """Turn one JSON object into a signal; fields the format does not name stay in its body only.

    Args:
        category: Product category of the symbol; the body names only the symbol.
        exceptions: Symbols that are traded in another category.

    Raises:
        SignalInvalid: Names the field, the rule it breaks and its value.
    """
    body, canonical_body = load(raw)
    if not isinstance(body, dict):
        raise SignalInvalid("body", "a JSON object", body)
    signal_id = _signal_id(body)
    try:
        instrument = instrument_id(exceptions.get(symbol := _symbol(body), category), symbol)
        return _typed(body, canonical_body, signal_id, instrument)
    except SignalInvalid as error:
        error.signal_id = signal_id
        raise


def _typed(
    body: Mapping[str, Json], canonical_body: str, signal_id: SignalId, instrument: InstrumentId
) -> TradingSignal:
    metadata = mapping(body, "metadata", required=False)
    snapshot = mapping(body, "market_data_snapshot")
    price, spread, volume, volatility = _snapshot(snapshot)
    intent = _intent(body, metadata)
    return TradingSignal(
        signal_id=signal_id,
        strategy_id=StrategyId(text(body, "strategy_id", longest=_TEXT_MAX)),
        instrument_id=instrument,
        side=_side(body),
        amount=_amount(body, intent),
        confidence=number(body, "confidence", low=Decimal(0), high=Decimal(1)),
        timestamp=_timestamp(body),
        intent=intent,
        snapshot_price=price,
        snapshot_spread=spread,
        snapshot_volume_24h=volume,
        snapshot_volatility=volatility,
        urgent=metadata.get("urgency") is True,
        is_warmup=boolean(body, "is_warmup"),
        model_version=text(body, "model_version", longest=_TEXT_MAX, required=False) or None,
        trace_id=TraceId(text(body, "trace_id", longest=_TEXT_MAX, required=False)),
        body_hash=sha256(canonical_body.encode()).hexdigest(),
        body=canonical_body,
    )


def _signal_id(body: Mapping[str, Json]) -> SignalId:
    value = text(body, "signal_id", longest=36)
    if not _UUID.fullmatch(value):
        raise SignalInvalid("signal_id", "a UUID, 8-4-4-4-12 hex digits", value)
    return SignalId(value.lower())


def _symbol(body: Mapping[str, Json]) -> str:
    value = text(body, "asset", longest=_TEXT_MAX)
    if not _SYMBOL.fullmatch(value):
        raise SignalInvalid("asset", "4 to 20 of A-Z and 0-9", value)
    return value


def _side(body: Mapping[str, Json]) -> Side:
    value = text(body, "signal_type", longest=_TEXT_MAX)
    side = _SIDES.get(value.lower())
    if side is None:
        raise SignalInvalid("signal_type", "buy or sell", value)
    return side


def _intent(body: Mapping[str, Json], metadata: Mapping[str, Json]) -> SignalIntent:
    """Recognise a close; refuse a doubtful mark, for a close taken as an opening does harm."""
    action = body.get("action")
    if action not in (None, "open", "close"):
        raise SignalInvalid("action", "open or close", action)
    closes = (
        action == "close"
        or metadata.get("action") == "close"
        or boolean(metadata, "exit_strategy", name="metadata.exit_strategy")
        or metadata.get("reasoning") == "take_profit_triggered"
    )
    return SignalIntent.CLOSE if closes else SignalIntent.OPEN


def _amount(body: Mapping[str, Json], intent: SignalIntent) -> Decimal:
    smallest = AMOUNT_MIN_OPENING if intent is SignalIntent.OPEN else Decimal(0)
    amount = number(body, "amount", low=smallest, high=AMOUNT_MAX, decimals=18)
    if not amount:
        raise SignalInvalid("amount", "> 0", amount)
    return amount


def _snapshot(
    snapshot: Mapping[str, Json],
) -> tuple[Decimal, Decimal | None, Decimal | None, Decimal | None]:
    price = number(snapshot, "price", name="market_data_snapshot.price", high=AMOUNT_MAX)
    if not price:
        raise SignalInvalid("market_data_snapshot.price", "> 0", price)
    for name in ("orderbook_depth", "technical_indicators"):
        mapping(snapshot, name, name=f"market_data_snapshot.{name}", required=False)
    spread, volume, volatility = (
        None
        if snapshot.get(name) is None
        else number(snapshot, name, name=f"market_data_snapshot.{name}", high=AMOUNT_MAX)
        for name in ("spread", "volume_24h", "volatility")
    )
    return price, spread, volume, volatility


def _timestamp(body: Mapping[str, Json]) -> datetime:
    value = text(body, "timestamp", longest=_TEXT_MAX)
    if not _TIMESTAMP.fullmatch(value):
        raise SignalInvalid("timestamp", "ISO 8601 such as 2024-08-08T23:54:17.172Z", value)
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise SignalInvalid("timestamp", "a moment of the calendar", value) from None
    if not _YEAR_MIN <= moment.year <= _YEAR_MAX:
        raise SignalInvalid("timestamp", f"a year from {_YEAR_MIN} to {_YEAR_MAX}", value)
    return moment
