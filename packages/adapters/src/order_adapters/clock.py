"""Clocks: the system's, and one that a test or a replay moves by hand."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Final

_SECOND: Final = timedelta(seconds=1)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Wall time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment, unmoved by corrections of wall time."""
        return time.monotonic()

    async def sleep_until(self, moment: datetime) -> None:
        """Sleep at most a second at a time: wall time may be corrected meanwhile.

        Set forward, it wakes earlier; set back, it wakes when it would have woken. Else a lease
        would not be renewed, nor a halt be seen, for as long as the clock was set back.
        """
        ends_at = self.monotonic() + (moment - self.now()) / _SECOND
        while True:
            left = min((moment - self.now()) / _SECOND, ends_at - self.monotonic())
            if left <= 0:
                return
            await asyncio.sleep(min(left, 1.0))


class VirtualClock:
    """Time that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The moment it was last moved to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the start."""
        return (self._now - self._start) / _SECOND

    async def sleep_until(self, moment: datetime) -> None:
        """Wait to be passed; a moment that is reached already only lets others run."""
        if moment <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (moment, next(self._order), woken))
        await woken

    @property
    def next_deadline(self) -> datetime | None:
        """When the next sleeper wants to wake.

        Who moves from one deadline to the next lets nobody wake late.
        """
        while self._sleepers and self._sleepers[0][2].done():
            heappop(self._sleepers)  # cancelled while it slept
        return self._sleepers[0][0] if self._sleepers else None

    def advance_to(self, moment: datetime) -> None:
        """Move on, and wake those it passes in the order of their deadlines.

        Raises ValueError for an earlier moment.
        """
        if moment < self._now:
            raise ValueError(f"time does not go back from {self._now} to {moment}")
        self._now = moment
        while self._sleepers and self._sleepers[0][0] <= moment:
            woken = heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
