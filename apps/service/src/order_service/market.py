"""Market: a synthetic market played into the simulated exchange at the pace of the clock."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from order_adapters.intake.synthetic import NATURES, SyntheticMarket
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.model.instrument import Instrument
from order_domain.ports.clock import Clock
from order_service.settings import Problem, SettingsError

LENGTH: Final = timedelta(days=365)


class SyntheticFeed:
    """Quotes and trades of some symbols, for as long as the service runs.

    Attributes:
        begun: Set once every symbol has a price.

    Raises:
        SettingsError: There is no synthetic market of a symbol.
    """

    def __init__(self, symbols: Iterable[str], clock: Clock) -> None:
        self._clock = clock
        known = {nature.symbol: nature for nature in NATURES}
        wanted = sorted(symbols)
        strange = [symbol for symbol in wanted if symbol not in known]
        if strange:
            rule = f"must be among {', '.join(known)}"
            raise SettingsError([Problem("ORDERMANAGER_DRY_RUN_SYMBOLS", rule, ",".join(strange))])
        self._natures = [known[symbol] for symbol in wanted]
        self.begun = asyncio.Event()

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Trading rules of its symbols."""
        return SyntheticMarket(0, LENGTH, self._natures).instruments

    def market(self, start: datetime) -> SyntheticMarket:
        """The market as it would be if it began now. Another one each time: `replay` repeats."""
        return SyntheticMarket(start.microsecond, LENGTH, self._natures, start)

    async def play(self, venue: SimulatedVenue) -> None:
        """Bring every row at its time."""
        start = self._clock.now()
        unpriced = {instrument.id for instrument in self.instruments}
        for row in self.market(start):
            await self._clock.sleep_until(row.at)
            venue.feed(row)
            unpriced.discard(row.instrument_id)
            if not unpriced:
                self.begun.set()
