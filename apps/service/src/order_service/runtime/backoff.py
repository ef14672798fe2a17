"""Back-off: the wait before the same thing is tried again, visible to whoever moves time."""

from datetime import datetime, timedelta
from typing import Final

from order_domain.ports.clock import Clock

SHORTEST: Final = timedelta(milliseconds=100)
LONGEST: Final = timedelta(seconds=1)


class Backoff:
    """0.1 s, 0.2 s, ... 1 s between tries. `until` is set while it waits."""

    __slots__ = ("_clock", "_delay", "until")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._delay = SHORTEST
        self.until: datetime | None = None

    async def wait(self) -> None:
        """Return when the next try is due."""
        self.until = self._clock.now() + self._delay
        self._delay = min(self._delay * 2, LONGEST)
        await self._clock.sleep_until(self.until)
        self.until = None

    def reset(self) -> None:
        """It worked: the next failure waits shortly again."""
        self._delay = SHORTEST
        self.until = None

    @property
    def is_waiting(self) -> bool:
        """Whether there is nothing to do before time moves."""
        return self.until is not None and self.until > self._clock.now()
