"""Clocks: the true time of the world, and what a node takes for it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.simulation.loop import SimulationLoop

START: Final = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class WorldClock:
    """True time: the exchange's and the database's."""

    def __init__(self, loop: SimulationLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep_until(self, moment: datetime) -> None:
        left = (moment - self.now()) / timedelta(seconds=1)
        await asyncio.sleep(max(0.0, left))


class NodeClock:
    """A machine's clock: off by something that may be corrected, and a little fast or slow."""

    def __init__(self, loop: SimulationLoop, offset: float, drift: float) -> None:
        self._loop = loop
        self._drift = drift
        self.offset = offset

    def now(self) -> datetime:
        elapsed = self._loop.time() * (1 + self._drift)
        return START + timedelta(seconds=elapsed + self.offset)

    def monotonic(self) -> float:
        return self._loop.time() * (1 + self._drift)

    async def sleep_until(self, moment: datetime) -> None:
        left = moment - self.now()
        if left <= timedelta(0):
            await asyncio.sleep(0)
            return
        while left > timedelta(0):
            # a microsecond more: the difference of two clocks is a float
            await asyncio.sleep((left + _MICROSECOND) / timedelta(seconds=1))
            left = moment - self.now()
