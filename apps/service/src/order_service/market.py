"""Market: a synthetic market played into the simulated exchange at the pace of the clock."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from order_adapters.intake.synthetic import NATURES, SyntheticMarket
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.model.instrument import Instrument
from order_domain.ports.clock import Clock
from order_service.settings import Problem, SettingsError

LENGTH: Final = timedelta(days=365)


class SyntheticFeed:
    """Quotes and trades of some symbols, for as long as the service runs.

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
        start = clock.now()
        # Another market at every start: what is repeatable is `replay`.
        self._market = SyntheticMarket(
            start.microsecond, LENGTH, [known[symbol] for symbol in wanted], start
        )

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Trading rules of its symbols."""
        return self._market.instruments

    async def play(self, venue: SimulatedVenue) -> None:
        """Bring every row at its time."""
        for row in self._market:
            await self._clock.sleep_until(row.at)
            venue.feed(row)
