"""Instrument rows: trading rules as instruments-info shows them, which differ by category."""

from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.numbers import text
from order_domain.model.enums import Category
from order_domain.model.instrument import Instrument

Row = dict[str, Any]
_RATIOS: Final = {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"}
_QUOTE_PRECISION: Final = "0.0000001"
_LARGEST_AMOUNT: Final = "8000000"
_POST_ONLY_TIMES: Final = 5


def instrument_row(instrument: Instrument, number: int) -> Row:
    """Write the rules of a symbol; numbers count symbols from 1."""
    if instrument.category is Category.SPOT:
        return _spot(instrument, number)
    return _contract(instrument, number)


def _contract(instrument: Instrument, number: int) -> Row:
    inverse = instrument.category is Category.INVERSE
    tick = instrument.tick_size
    largest = text(instrument.max_quantity)
    return {
        "symbol": instrument.symbol,
        "symbolId": number,
        "contractType": "InversePerpetual" if inverse else "LinearPerpetual",
        "status": instrument.status,
        "baseCoin": instrument.base_coin,
        "quoteCoin": instrument.quote_coin,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(_decimals(tick)),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": text(tick),
            "maxPrice": text(instrument.max_price),
            "tickSize": text(tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": largest,
            "minOrderQty": text(instrument.min_quantity),
            "qtyStep": text(instrument.quantity_step),
            "postOnlyMaxOrderQty": largest,
            "maxMktOrderQty": text(instrument.max_market_quantity),
            "minNotionalValue": text(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": instrument.settle_coin,
        "copyTrading": "none",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "displayName": "",
        "forbidUplWithdrawal": False,
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": _RATIOS,
        "symbolType": "",
    }


def _spot(instrument: Instrument, number: int) -> Row:
    largest = text(instrument.max_quantity)
    return {
        "symbolId": number,
        "symbol": instrument.symbol,
        "baseCoin": instrument.base_coin,
        "quoteCoin": instrument.quote_coin,
        "innovation": "0",
        "status": instrument.status,
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": text(instrument.quantity_step),
            "quotePrecision": _QUOTE_PRECISION,
            "minOrderQty": text(instrument.min_quantity),
            "maxOrderQty": largest,
            "minOrderAmt": text(instrument.min_notional),
            "maxOrderAmt": _LARGEST_AMOUNT,
            "maxLimitOrderQty": largest,
            "maxMarketOrderQty": text(instrument.max_market_quantity),
            "postOnlyMaxLimitOrderSize": text(instrument.max_quantity * _POST_ONLY_TIMES),
        },
        "priceFilter": {"tickSize": text(instrument.tick_size)},
        "riskParameters": _RATIOS,
        "symbolType": "",
        "xstockMultiplier": "1",
    }


def _decimals(tick: Decimal) -> int:
    exponent = tick.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
