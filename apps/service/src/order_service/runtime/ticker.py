"""Ticker: wakes the loop when the engine's next deadline has come."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from order_domain.ports.clock import Clock


class Ticker:
    """One sleep at a time.

    A later deadline lets it run out and sleep again; an earlier one cuts it short.
    """

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._armed: datetime | None = None
        self._earlier = asyncio.Event()

    def arm(self, moment: datetime | None) -> None:
        """Wake the loop at this moment, or before."""
        if moment is not None and (self._armed is None or moment < self._armed):
            self._armed = moment
            self._earlier.set()

    async def run(self) -> None:
        """Sleep and wake, for ever."""
        while True:
            await self._earlier.wait()
            self._earlier.clear()
            if self._armed is not None and await self._slept_until(self._armed):
                self._armed = None
                self._wake()

    async def _slept_until(self, moment: datetime) -> bool:
        """Sleep; False when an earlier deadline came up."""
        sleep = asyncio.create_task(self._clock.sleep_until(moment))
        earlier = asyncio.create_task(self._earlier.wait())
        try:
            await asyncio.wait({sleep, earlier}, return_when=asyncio.FIRST_COMPLETED)
            return sleep.done()
        finally:
            sleep.cancel()
            earlier.cancel()
            await asyncio.gather(sleep, earlier, return_exceptions=True)
