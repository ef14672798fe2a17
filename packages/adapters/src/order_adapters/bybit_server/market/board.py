"""Board: what everybody sees of one instrument: touch, levels, last trades, candles."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, takewhile
from typing import Final

import attrs

from order_adapters.bybit_server.numbers import EPOCH
from order_adapters.simulator import MarketTrade
from order_adapters.simulator.position import worth
from order_domain.model.instrument import ZERO, Instrument
from order_domain.model.quote import Quote

MINUTE: Final = timedelta(minutes=1)
TRADES_KEPT: Final = 1000
CANDLES_KEPT: Final = 60 * 24 * 7
INTERVALS: Final = {
    **{str(minutes): minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": 24 * 60,
    "W": 7 * 24 * 60,
}
"""Minutes of a candle by the exchange's name; months are not simulated."""
Level = tuple[Decimal, Decimal]


@attrs.define(slots=True)
class Candle:
    """One minute. Volume in base units, turnover in quote units."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    turnover: Decimal = ZERO

    def add(self, price: Decimal) -> None:
        """Take the next price."""
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price


class Board:
    """The public state of one instrument since the server started.

    Attributes:
        last: Price of the last trade; the mid before there was one.
        sequence: Grows with everything that happens here.
        update: Number of the book's version; 1 would mean a restart, so it begins at 2.
    """

    def __init__(self, instrument: Instrument, depth: int) -> None:
        self.instrument = instrument
        self.quote: Quote | None = None
        self.last: Decimal | None = None
        self.first: Decimal | None = None
        self.trades: deque[tuple[int, MarketTrade]] = deque(maxlen=TRADES_KEPT)
        self.candles: deque[Candle] = deque(maxlen=CANDLES_KEPT)
        self.sequence = 1
        self.update = 1
        self.tick = "ZeroPlusTick"
        self._depth = depth

    def show(self, quote: Quote) -> None:
        """Take the next touch."""
        self.quote = quote
        self.sequence += 1
        self.update += 1
        if self.last is None:
            self._price((quote.bid + quote.ask) / 2, quote.at)

    def trade(self, trade: MarketTrade) -> None:
        """Take the next trade."""
        self.sequence += 1
        self.trades.append((self.sequence, trade))
        last = self.last
        if last is not None and trade.price != last:
            self.tick = "PlusTick" if trade.price > last else "MinusTick"
        candle = self._price(trade.price, trade.at)
        candle.volume += trade.size
        candle.turnover += worth(self.instrument, trade.price, trade.size)

    @property
    def mark(self) -> Decimal | None:
        """Mark price, as every account's core has it."""
        return None if self.quote is None else self.quote.mark_price

    def levels(self, buys: bool) -> list[Level]:
        """Bids or asks, best first: the touch, and the levels that a taker may walk."""
        quote = self.quote
        if quote is None:
            return []
        tick = self.instrument.tick_size
        price, size = (quote.bid, quote.bid_size) if buys else (quote.ask, quote.ask_size)
        step = -tick if buys else tick
        prices = (price + step * level for level in range(self._depth + 1))
        return [(each, size) for each in prices if each > 0]

    def candles_of(self, minutes: int) -> list[Candle]:
        """Candles of so many minutes, oldest first."""
        length = minutes * MINUTE
        groups = groupby(self.candles, lambda each: EPOCH + (each.start - EPOCH) // length * length)
        return [_joined(start, parts) for start, parts in groups]

    def newest_candle(self, minutes: int) -> Candle | None:
        """The candle of so many minutes that is or was last."""
        if not self.candles:
            return None
        length = minutes * MINUTE
        start = EPOCH + (self.candles[-1].start - EPOCH) // length * length
        parts = list(takewhile(lambda each: each.start >= start, reversed(self.candles)))
        return _joined(start, reversed(parts))

    def day(self) -> Candle | None:
        """Everything of the last twenty-four hours in one candle."""
        if not self.candles:
            return None
        begin = self.candles[-1].start - 24 * 60 * MINUTE
        recent = [candle for candle in self.candles if candle.start > begin]
        return _joined(recent[0].start, recent)

    def _price(self, price: Decimal, at: datetime) -> Candle:
        self.last = price
        if self.first is None:
            self.first = price
        start = EPOCH + (at - EPOCH) // MINUTE * MINUTE
        if not self.candles or self.candles[-1].start != start:
            self.candles.append(Candle(start, price, price, price, price))
        else:
            self.candles[-1].add(price)
        return self.candles[-1]


def _joined(start: datetime, parts: Iterable[Candle]) -> Candle:
    """One candle of several, of which there is at least one, oldest first."""
    first, *rest = parts
    joined = attrs.evolve(first, start=start)
    for candle in rest:
        joined.add(candle.high)
        joined.add(candle.low)
        joined.add(candle.close)
        joined.volume += candle.volume
        joined.turnover += candle.turnover
    return joined
