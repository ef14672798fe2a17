"""Lease: until when this owner may let bytes out, and the heartbeat that keeps it alive."""

from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import Final

from order_domain.ports.clock import Clock

MARGIN: Final = timedelta(seconds=2)
"""Before the lease ends by the database's clock, an owner has stopped by its own (protocol 2.4)."""
RENEWAL: Final = timedelta(seconds=3)
"""Of an idle owner (protocol 2.3)."""
LEAST_TTL: Final = timedelta(seconds=1)
"""A lease shorter than 10 s, for tests, has margin and renewal shortened with it."""
_PARTS: Final = (5, 3)


class Lease:
    """The right to send: monotonic seconds, counted from the start of the last committed flush."""

    __slots__ = ("_ttl", "began_at", "until")

    def __init__(self, ttl: timedelta) -> None:
        self._ttl = ttl
        self.began_at = -inf
        self.until = -inf

    @property
    def renewal(self) -> timedelta:
        """After how long an idle owner proves again that the lease is its own."""
        return min(RENEWAL, self._ttl / _PARTS[1])

    def renew(self, began_at: float) -> None:
        """A flush (or take-over) that began at this moment is committed."""
        if began_at > self.began_at:
            margin = min(MARGIN, self._ttl / _PARTS[0])
            self.began_at = began_at
            self.until = began_at + (self._ttl - margin) / _SECOND

    def give_up(self) -> None:
        """Nothing may leave from now on."""
        self.until = -inf


async def keep_alive(lease: Lease, clock: Clock, flush: Callable[[], None]) -> None:
    """Ask for an empty flush whenever the last one began a renewal ago."""
    while True:
        since = timedelta(seconds=clock.monotonic() - lease.began_at)
        if since >= lease.renewal:
            flush()
            since = timedelta(0)
        await clock.sleep_until(clock.now() + lease.renewal - since)


_SECOND: Final = timedelta(seconds=1)
