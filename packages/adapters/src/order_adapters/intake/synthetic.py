"""SyntheticMarket: a seeded market of a few symbols, in whole numbers of ticks and steps."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import merge
from random import Random
from typing import Final

import attrs

from order_adapters.intake.catalogue import CATALOGUE
from order_adapters.simulator.trade import MarketTrade
from order_domain.model.enums import Side
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote

START: Final = datetime(2024, 1, 8, 12, 0, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


@attrs.frozen(slots=True, kw_only=True)
class Nature:
    """How one symbol moves.

    Attributes:
        price: Where it starts, in ticks.
        spread: Usual distance of bid and ask, in ticks.
        step: Largest move of the mid between two quotes, in ticks.
        size: Usual displayed size and size of a trade, in quantity steps.
        quote_ms, trade_ms: Longest time between two quotes, between two trades.
        jumps: (milliseconds after the start, ticks): moves that a seed does not decide.
    """

    symbol: str
    price: int
    spread: int
    step: int
    size: int
    quote_ms: int = 500
    trade_ms: int = 700
    jumps: tuple[tuple[int, int], ...] = ()


# Spreads around 0.1 % and above: wide enough that the default policy chooses limit orders.
NATURES: Final = (
    Nature(symbol="BTCUSDT", price=612_000, spread=900, step=60, size=400),
    Nature(symbol="ETHUSDT", price=248_000, spread=380, step=30, size=900),
    Nature(symbol="SOLUSDT", price=14_210, spread=24, step=4, size=1500),
)


class SyntheticMarket:
    """Quotes and trades of all symbols in time order; the same for the same seed."""

    def __init__(
        self,
        seed: int,
        length: timedelta,
        natures: Sequence[Nature] = NATURES,
        start: datetime = START,
    ) -> None:
        self.start = start
        self.end = start + length
        self._seed = seed
        self._natures = tuple(natures)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Trading rules of its symbols."""
        return tuple(CATALOGUE[nature.symbol] for nature in self._natures)

    def __iter__(self) -> Iterator[Quote | MarketTrade]:
        return merge(*(self.of(nature.symbol) for nature in self._natures), key=lambda row: row.at)

    def of(self, symbol: str) -> Iterator[Quote | MarketTrade]:
        """Quotes and trades of one symbol in time order. KeyError for one it has not."""
        nature = {each.symbol: each for each in self._natures}[symbol]
        random = Random(f"{self._seed}/{symbol}")  # noqa: S311 -- repeatable on purpose
        length = (self.end - self.start) // _MS
        return _walk(nature, CATALOGUE[symbol], random, self.start, length)


@attrs.define(slots=True)
class _Touch:
    """Best bid and ask in ticks, and the sizes there in steps."""

    bid: int
    ask: int
    bid_size: int
    ask_size: int


def _walk(
    nature: Nature, instrument: Instrument, random: Random, start: datetime, length: int
) -> Iterator[Quote | MarketTrade]:
    """Quotes wander; trades hit the touch. Slow drift changes its mind every minute or so."""
    mid, drift = nature.price, 0
    jumps = dict(nature.jumps)
    next_quote, next_trade, next_drift = 0, random.randint(1, nature.trade_ms), 0
    touch = _Touch(mid, mid + 1, 1, 1)
    while (at_ms := min(next_quote, next_trade, *jumps)) <= length:
        if at_ms >= next_drift:
            drift = random.randint(-(nature.step // 4), nature.step // 4)
            next_drift = at_ms + random.randint(20_000, 80_000)
        at = start + at_ms * _MS
        if at_ms in jumps:
            mid += jumps.pop(at_ms)
        elif at_ms == next_trade:
            yield _trade(nature, instrument, random, touch, at)
            next_trade = at_ms + random.randint(1, nature.trade_ms)
            continue
        else:
            mid = max(nature.spread * 4, mid + drift + random.randint(-nature.step, nature.step))
            next_quote = at_ms + random.randint(nature.quote_ms // 10, nature.quote_ms)
        touch = _touch(nature, random, mid)
        yield _quote(instrument, touch, at)


def _touch(nature: Nature, random: Random, mid: int) -> _Touch:
    half = max(1, random.randint(nature.spread * 4 // 5, nature.spread * 6 // 5) // 2)
    sizes = (random.randint(nature.size // 4 + 1, nature.size * 2) for _ in range(2))
    return _Touch(mid - half, mid + half, *sizes)


def _quote(instrument: Instrument, touch: _Touch, at: datetime) -> Quote:
    tick, step = instrument.tick_size, instrument.quantity_step
    return Quote(
        instrument.id,
        touch.bid * tick,
        touch.bid_size * step,
        touch.ask * tick,
        touch.ask_size * step,
        at,
    )


def _trade(
    nature: Nature, instrument: Instrument, random: Random, touch: _Touch, at: datetime
) -> MarketTrade:
    buys = random.randrange(2) == 1
    # A few large ones among many small: a queue that only ever shortens by crumbs fills nobody.
    size = random.randint(1, nature.size * (4 if random.randrange(8) == 0 else 1))
    price: Decimal = (touch.ask if buys else touch.bid) * instrument.tick_size
    side = Side.BUY if buys else Side.SELL
    return MarketTrade(instrument.id, price, size * instrument.quantity_step, side, at)
