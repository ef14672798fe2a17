"""Alarm: calls once when a moment has come, by whichever clock."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from order_domain.ports.clock import Clock


class Alarm:
    """One pending call; setting it again moves it."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._due: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def set(self, due: datetime | None) -> None:
        """Ring at this moment instead; None never. An earlier ring that finds nothing is cheap."""
        if due is None or (self._due is not None and self._due <= due):
            return
        self.close()
        self._due = due
        self._task = asyncio.get_running_loop().create_task(self._wait(due))

    def close(self) -> None:
        """Do not ring."""
        if self._task is not None:
            self._task.cancel()
        self._task = None
        self._due = None

    async def _wait(self, due: datetime) -> None:
        await self._clock.sleep_until(due)
        self._task = None
        self._due = None
        self._ring()
