"""Lease: until when this owner may let bytes out, and the heartbeat that keeps it alive."""

from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import Final

from order_domain.ports.clock import Clock

MARGIN_S: Final = 2.0
"""Before the lease ends by the database's clock, an owner has stopped by its own (protocol 2.4)."""
RENEWAL: Final = timedelta(seconds=3)


class Lease:
    """The right to send: monotonic seconds, counted from the start of the last committed flush."""

    __slots__ = ("_ttl_s", "began_at", "until")

    def __init__(self, ttl: timedelta) -> None:
        self._ttl_s = ttl / timedelta(seconds=1)
        self.began_at = -inf
        self.until = -inf

    def renew(self, began_at: float) -> None:
        """A flush (or take-over) that began at this moment is committed."""
        if began_at > self.began_at:
            self.began_at = began_at
            self.until = began_at + self._ttl_s - MARGIN_S

    def give_up(self) -> None:
        """Nothing may leave from now on."""
        self.until = -inf


async def keep_alive(lease: Lease, clock: Clock, flush: Callable[[], None]) -> None:
    """Ask for an empty flush whenever the last one began three seconds ago."""
    while True:
        since = timedelta(seconds=clock.monotonic() - lease.began_at)
        if since >= RENEWAL:
            flush()
            since = timedelta(0)
        await clock.sleep_until(clock.now() + RENEWAL - since)
