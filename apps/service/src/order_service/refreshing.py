"""Refreshing: a venue that also tells its trading rules again, at an interval."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

from order_domain.model.instrument import Instrument
from order_domain.model.reports import Answer, LookupResult, SweepResult
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Fact, Venue


class RefreshedVenue:
    """Passes everything on; between its facts come the rules as the exchange has them by then."""

    def __init__(self, venue: Venue, clock: Clock, interval: timedelta) -> None:
        self._venue = venue
        self._clock = clock
        self._interval = interval

    async def open(self) -> None:
        """Connect."""
        await self._venue.open()

    async def close(self) -> None:
        """Disconnect; the facts end."""
        await self._venue.close()

    async def send(self, command: SendCreate | SendAmend | SendCancel) -> Answer:
        """Make one attempt of a command."""
        return await self._venue.send(command)

    async def look_up(self, query: LookUp) -> LookupResult:
        """Ask for one order."""
        return await self._venue.look_up(query)

    async def sweep(self, query: Sweep) -> SweepResult:
        """Read the whole account."""
        return await self._venue.sweep(query)

    async def instruments(self) -> tuple[Instrument, ...]:
        """Read trading rules and fee rates."""
        return await self._venue.instruments()

    async def facts(self) -> AsyncIterator[Fact]:
        """Yield what the exchange pushes, and its rules whenever the interval has passed."""
        pushed = self._venue.facts()
        fact = asyncio.ensure_future(anext(pushed))
        pause = asyncio.ensure_future(self._pause())
        try:
            while True:
                await asyncio.wait({fact, pause}, return_when=asyncio.FIRST_COMPLETED)
                if fact.done():
                    try:
                        yield fact.result()
                    except StopAsyncIteration:
                        return
                    fact = asyncio.ensure_future(anext(pushed))
                if pause.done():
                    for instrument in await self._venue.instruments():
                        yield instrument
                    pause = asyncio.ensure_future(self._pause())
        finally:
            for task in (fact, pause):
                task.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await task

    async def _pause(self) -> None:
        await self._clock.sleep_until(self._clock.now() + self._interval)
