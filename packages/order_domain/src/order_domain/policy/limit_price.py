"""Limit price: on the passive side of mid, on the tick, never crossing the touch."""

from decimal import Decimal
from typing import Final

from order_domain.config import EngineConfig
from order_domain.model.enums import Side
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote

_BUY: Final = Side.BUY


def limit_price(side: Side, quote: Quote, instrument: Instrument, config: EngineConfig) -> Decimal:
    """Mid less (buy) or plus (sell) spread x ratio, rounded away from crossing."""
    offset = (quote.ask - quote.bid) * config.limit_order_price_offset_ratio
    wanted = quote.mid - offset if side is _BUY else quote.mid + offset
    return passive_price(wanted, side, quote, instrument)


def touch_price(side: Side, quote: Quote, instrument: Instrument) -> Decimal:
    """The best price of the own side: where a resting order joins the queue."""
    return passive_price(quote.bid if side is _BUY else quote.ask, side, quote, instrument)


def passive_price(wanted: Decimal, side: Side, quote: Quote, instrument: Instrument) -> Decimal:
    """Round to the tick, buys down and sells up, and stay short of the other side."""
    price = instrument.round_price_passive(wanted, side)
    tick = instrument.tick_size
    if side is _BUY:
        if price >= quote.ask:
            price = instrument.round_price_passive(quote.ask, side)
            return price - tick if price == quote.ask else price
        return price
    if price <= quote.bid:
        price = instrument.round_price_passive(quote.bid, side)
        return price + tick if price == quote.bid else price
    return price
