"""Feed: plays a market into the server at a multiple of its own pace."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from order_adapters.bybit_server.market.boards import Boards
from order_adapters.bybit_server.market.mirror import Mirror, News
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ONE, Instrument
from order_domain.model.quote import Quote
from order_domain.ports.clock import Clock

_PRIMED: Final = 100_000
"""Rows that are looked through for the first quote of each instrument."""
_BREATH: Final = 64
"""Rows after which others may run, while the feed is late."""


class Feed:
    """Rows of a market, restamped to the time at which they are played.

    Args:
        rows: Quotes and trades in order of time.
        sources: The instruments they are about.
        speed: Times real time.

    Attributes:
        is_running: False holds the market still; what is missed meanwhile comes later, not at once.
    """

    def __init__(
        self,
        rows: Iterable[News],
        sources: Iterable[InstrumentId],
        instruments: Iterable[Instrument],
        boards: Boards,
        clock: Clock,
        speed: Decimal = ONE,
    ) -> None:
        self.is_running = True
        self._sources = tuple(sources)
        self._mirror = Mirror(instruments, self._sources)
        self._rows: Iterator[News] = iter(rows)
        self._boards = boards
        self._clock = clock
        self._factor, self._divisor = speed.as_integer_ratio()
        self._resumed = asyncio.Event()
        self._resumed.set()

    def prime(self) -> None:
        """Play at once until every instrument has a quote."""
        missing = set(self._sources)
        for _, news in zip(range(_PRIMED), self._rows, strict=False):
            self._bring(news, self._clock.now())
            if isinstance(news, Quote):
                missing.discard(news.instrument_id)
            if not missing:
                return

    def hold(self, *, still: bool) -> None:
        """Hold the market still, or let it go on."""
        self.is_running = not still
        if still:
            self._resumed.clear()
        else:
            self._resumed.set()

    async def play(self) -> None:
        """Bring every row at its time, until there are no more."""
        began: tuple[datetime, datetime] | None = None
        for number, news in enumerate(self._rows):
            if not self.is_running:
                await self._resumed.wait()
                began = None
            if began is None:
                began = self._clock.now(), news.at
            due = began[0] + (news.at - began[1]) * self._divisor // self._factor
            if due > self._clock.now():
                await self._clock.sleep_until(due)
            elif number % _BREATH == 0:
                await asyncio.sleep(0)
            self._bring(news, due)

    def _bring(self, news: News, at: datetime) -> None:
        for each in self._mirror.reflect(news, at):
            self._boards.feed(each)


def still_market(instruments: Iterable[Instrument], at: datetime) -> list[Quote]:
    """One quote for each instrument whose coin has a usual price; it moves only by hand."""
    instruments = tuple(instruments)
    quotes: list[Quote] = []
    for each in instruments:
        touch = STILL.get(each.base_coin)
        if touch is not None:
            price, size = touch
            source = Quote(each.id, price, size, price + each.tick_size, size, at)
            quotes.extend(
                row
                for row in Mirror([each], [each.id]).reflect(source, at)
                if isinstance(row, Quote)
            )
    return quotes


STILL: Final[Mapping[str, tuple[Decimal, Decimal]]] = {
    "BTC": (Decimal(50_000), Decimal(10)),
    "ETH": (Decimal(2_500), Decimal(100)),
    "SOL": (Decimal(150), Decimal(1_000)),
}
"""Best bid and size; the ask is one tick above."""
