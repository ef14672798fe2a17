"""VitalSigns: since when nothing was heard of the service, in the database and by its address."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from order_domain.ports.clock import Clock
from order_domain.ports.journal import Head

Read = Callable[[], Awaitable[Head]]
Probe = Callable[[str], Awaitable[bool]]
_SECOND = timedelta(seconds=1)


class VitalSigns:
    """Two signs, each with the moment it was last seen. Monotonic seconds of this process alone.

    The heartbeat is a head row that moves: an owner flushes every three seconds, if only an empty
    one. A database that cannot be read has no heartbeat. An account that never had an owner has
    nobody to die, and counts as alive. One whose owner left on purpose is told apart from one whose
    owner died: who leaves gives the account back in the head row.

    Args:
        read: Reads the head row. Whatever it raises is silence.
        probe: Asks the service at a URL whether it lives. Whatever it raises is a no.
        limit: How long one look may take.
        url: Of the service, until the head row names its owner's.
    """

    def __init__(
        self, clock: Clock, read: Read, probe: Probe, *, limit: timedelta, url: str = ""
    ) -> None:
        self._clock = clock
        self._read = read
        self._probe = probe
        self._limit = limit / _SECOND
        self._url = url
        self._seen: tuple[int, int] | None = None
        self._given_back_at: float | None = None
        self._beat_at = self._answer_at = clock.monotonic()

    async def look(self) -> None:
        """Look at both."""
        await asyncio.gather(self._look_at_heartbeat(), self._look_at_service())

    def silence(self) -> tuple[timedelta, timedelta]:
        """For how long neither the heartbeat nor the service was seen."""
        now = self._clock.monotonic()
        return timedelta(seconds=now - self._beat_at), timedelta(seconds=now - self._answer_at)

    @property
    def is_given_back(self) -> bool:
        """Whether the last owner left on purpose, and nobody was seen since."""
        return self._given_back_at is not None and self._answer_at <= self._given_back_at

    async def _look_at_heartbeat(self) -> None:
        began_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._limit):
                head = await self._read()
        except Exception:  # noqa: BLE001 -- whatever keeps it from being read, it is silence
            return
        self._url = head.url or self._url
        if not head.is_given_back:
            self._given_back_at = None
        elif self._given_back_at is None:
            self._given_back_at = self._clock.monotonic()
        seen = (head.epoch, head.flush_no)
        if seen != self._seen or not head.epoch:
            self._seen = seen
            self._beat_at = began_at

    async def _look_at_service(self) -> None:
        began_at = self._clock.monotonic()
        if not self._url:
            return
        try:
            async with asyncio.timeout(self._limit):
                is_alive = await self._probe(self._url)
        except Exception:  # noqa: BLE001 -- no connection, no answer, no sense: it does not live
            return
        if is_alive:
            self._answer_at = began_at
