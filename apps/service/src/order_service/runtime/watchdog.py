"""Watchdog: tells when a part does not move, though nothing of it has died."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from order_domain.ports.clock import Clock
from order_service.runtime.committer import Committer
from order_service.runtime.metrics import Metrics
from order_service.runtime.relay import Relay, cursor_name

PERIOD: Final = timedelta(seconds=1)
LAGGING: Final = timedelta(milliseconds=500)
"""How late a task may run; more, and pings, pongs and request windows are at risk."""
STALLED_COMMIT: Final = timedelta(seconds=5)
STALLED_RELAY: Final = timedelta(seconds=30)
log: Final = logging.getLogger(__name__)


class Watchdog:
    """Looks once a second. It ends nothing: what it tells is for people and readiness.

    Attributes:
        alarms: What is wrong now, in words, by the name of the part.
    """

    def __init__(
        self, clock: Clock, metrics: Metrics, committer: Committer, relays: Sequence[Relay]
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._committer = committer
        self._relays = relays
        self._moved: dict[str, tuple[int, float]] = {}
        self.alarms: dict[str, str] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            began_at = self._clock.monotonic()
            await self._clock.sleep_until(self._clock.now() + PERIOD)
            late = timedelta(seconds=self._clock.monotonic() - began_at) - PERIOD
            self._metrics.loop_lag = max(late, timedelta(0))
            self.look()

    def look(self) -> None:
        """Judge every part as it is now."""
        lag, age = self._metrics.loop_lag, self._committer.flight_age
        self._tell("loop", f"a task ran {lag / _MS:.0f} ms late" if lag > LAGGING else "")
        stalled = age > STALLED_COMMIT
        self._tell("committer", f"a commit takes {age / _SECOND:.0f} s" if stalled else "")
        for relay in self._relays:
            self._tell(cursor_name(relay.name), self._stall_of(relay))

    def _stall_of(self, relay: Relay) -> str:
        """Why a relay counts as stalled: it has events to publish, and its cursor stands still."""
        now = self._clock.monotonic()
        cursor, since = self._moved.get(relay.name, (-1, now))
        if relay.is_done or cursor != relay.cursor:
            self._moved[relay.name] = (relay.cursor, now)
            return ""
        age = timedelta(seconds=now - since)
        if age <= STALLED_RELAY:
            return ""
        return f"no event left for {age / _SECOND:.0f} s after {relay.cursor}: {relay.failure!r}"

    def _tell(self, part: str, what: str) -> None:
        known = part in self.alarms
        if what:
            self.alarms[part] = what
            if not known:
                self._metrics.alarms += 1
                log.error("%s: %s", part, what)
        elif known:
            del self.alarms[part]
            log.info("%s: moves again", part)


_SECOND = timedelta(seconds=1)
_MS = timedelta(milliseconds=1)
