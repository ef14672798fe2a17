"""Market records: trading rules, tickers, price limits and changes of order books."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.venues.bybit import words
from order_adapters.venues.bybit.account_records import FeeRate
from order_adapters.venues.bybit.fields import (
    array_or_empty,
    integer_or_none,
    mapping_or_empty,
    moment,
    moment_or_none,
    not_negative,
    number_or_zero,
    positive,
    price_or_none,
    text,
)
from order_adapters.venues.bybit.order_records import instrument_in
from order_adapters.venues.bybit.quarantine import Raw, RecordInvalid
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ONE, Instrument
from order_domain.model.quote import Quote

_MARGIN_OF_LEVERAGE_10: Final = Decimal("0.1")
_TICKS_UP: Final = 10**9
"""Spot tells no highest price; so many ticks are above any, and leave room to multiply."""
_SNAPSHOT: Final = "snapshot"
_RESTARTED: Final = 1

Level = tuple[Decimal, Decimal]


@attrs.frozen(slots=True)
class PriceLimit:
    """The band outside which a limit order is refused or moved, quote units."""

    instrument_id: InstrumentId
    highest_bid: Decimal
    lowest_ask: Decimal


@attrs.frozen(slots=True)
class BookChange:
    """A snapshot of an order book, or what changed in it. Levels are (price, size); size 0 removes.

    Attributes:
        replaces: The whole book is these levels: a snapshot, or the exchange restarted.
        update_id, sequence: The exchange's counters; `sequence` compares streams.
    """

    instrument_id: InstrumentId
    replaces: bool
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    update_id: int
    sequence: int
    at: datetime


def decode_instrument(
    raw: Raw,
    category: Category,
    fees: FeeRate | None = None,
    initial_margin_rate: Decimal | None = None,
) -> Instrument:
    """Decode the trading rules of one symbol.

    Args:
        fees: Of this account; without them a retail account's usual rates.
        initial_margin_rate: 1 / leverage of this account; spot has 1, else 0.1 is assumed.

    Raises:
        RecordInvalid: A field breaks its rule, or prices and quantities would not multiply exactly.
        UnknownWord: The status is new to us.
    """
    is_spot = category is Category.SPOT
    prices = mapping_or_empty(raw, "priceFilter")
    lots = mapping_or_empty(raw, "lotSizeFilter")
    tick = positive(prices, "tickSize")
    step = positive(lots, "basePrecision" if is_spot else "qtyStep")
    quote_coin = text(raw, "quoteCoin")
    taker, maker = (fees.taker, fees.maker) if fees else _usual_fees(is_spot=is_spot)
    try:
        return Instrument(
            category=category,
            symbol=text(raw, "symbol"),
            base_coin=text(raw, "baseCoin"),
            quote_coin=quote_coin,
            settle_coin=quote_coin if is_spot else text(raw, "settleCoin"),
            tick_size=tick,
            quantity_step=step,
            # spot gives up its smallest quantity for a smallest value
            min_quantity=price_or_none(lots, "minOrderQty") or step,
            max_quantity=positive(lots, _first(lots, "maxLimitOrderQty", "maxOrderQty")),
            max_market_quantity=positive(
                lots, _first(lots, "maxMarketOrderQty", "maxMktOrderQty", "maxOrderQty")
            ),
            min_notional=number_or_zero(lots, "minOrderAmt" if is_spot else "minNotionalValue"),
            max_price=tick * _TICKS_UP if is_spot else positive(prices, "maxPrice"),
            status=words.INSTRUMENT_STATUS.read(raw, "status"),
            initial_margin_rate=ONE if is_spot else initial_margin_rate or _MARGIN_OF_LEVERAGE_10,
            taker_fee_rate=taker,
            maker_fee_rate=maker,
        )
    except RecordInvalid:
        raise
    except InvalidValue as error:
        details = error.details
        raise RecordInvalid(str(details["field"]), str(details["rule"]), details["value"]) from None


def decode_ticker(raw: Raw, category: Category, at: datetime) -> Quote:
    """Decode a complete ticker: a row of REST, a snapshot, or a snapshot with its deltas put in.

    Args:
        at: The exchange's time of the message that holds it.

    Raises:
        RecordInvalid: A field breaks its rule; a side of the market without price or size is one.
    """
    return _quote(
        instrument_in(raw, category),
        (positive(raw, "bid1Price"), positive(raw, "bid1Size")),
        (positive(raw, "ask1Price"), positive(raw, "ask1Size")),
        at,
        price_or_none(raw, "markPrice"),
    )


def decode_book(message: Raw, category: Category) -> BookChange:
    """Decode a whole message of an `orderbook` topic.

    Raises:
        RecordInvalid: A field breaks its rule.
    """
    data = mapping_or_empty(message, "data")
    update_id = integer_or_none(data, "u") or 0
    at = moment_or_none(message, "cts") or moment(message, "ts")
    return BookChange(
        instrument_id=instrument_in(data, category, "s"),
        replaces=text(message, "type") == _SNAPSHOT or update_id == _RESTARTED,
        bids=_levels(data, "b"),
        asks=_levels(data, "a"),
        update_id=update_id,
        sequence=integer_or_none(data, "seq") or 0,
        at=at,
    )


def decode_price_limit(raw: Raw, category: Category) -> PriceLimit:
    """Decode the price band of one symbol.

    Raises:
        RecordInvalid: A field breaks its rule.
    """
    return PriceLimit(
        instrument_in(raw, category), positive(raw, "buyLmt"), positive(raw, "sellLmt")
    )


def _quote(
    instrument: InstrumentId, bid: Level, ask: Level, at: datetime, mark: Decimal | None
) -> Quote:
    if bid[0] >= ask[0]:
        raise RecordInvalid("ask1Price", f"above the bid {bid[0]}", ask[0])
    return Quote(instrument, bid[0], bid[1], ask[0], ask[1], at, mark)


def _levels(raw: Raw, key: str) -> tuple[Level, ...]:
    return tuple(_level(key, each) for each in array_or_empty(raw, key))


def _level(key: str, pair: object) -> Level:
    if not isinstance(pair, list) or len(pair) < 2:  # RPI books add a third element
        raise RecordInvalid(key, "pairs of price and size", pair)
    named: Raw = {"price": pair[0], "size": pair[1]}
    return positive(named, "price"), not_negative(named, "size")


def _first(raw: Raw, *keys: str) -> str:
    """Name the first key that has a value, the last where none has."""
    return next((key for key in keys if raw.get(key) not in (None, "")), keys[-1])


def _usual_fees(*, is_spot: bool) -> tuple[Decimal, Decimal]:
    if is_spot:
        return Decimal("0.001"), Decimal("0.001")
    return Decimal("0.00055"), Decimal("0.0002")
