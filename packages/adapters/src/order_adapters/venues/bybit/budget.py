"""RateBudget: how many requests may leave now; cancels and closes before opens before polls."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from math import ceil
from typing import Final

from order_adapters.venues.bybit.replies import RateState
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Allowance, Rates

IP_REQUESTS: Final = 600
IP_SECONDS: Final = 5.0
UID_SECONDS: Final = 1.0
"""The exchange counts an account's requests as they arrive, in any stretch of so long."""
ADDRESS: Final = "address"
"""Name of the limit that all HTTP requests share."""
DEFAULT_LIMIT: Final = 10
LIMITS: Final[Mapping[str, int]] = {
    "/v5/order/realtime": 50,
    "/v5/order/history": 50,
    "/v5/execution/list": 50,
    "/v5/position/list": 50,
    "/v5/account/wallet-balance": 50,
    "/v5/account/info": 50,
    "/v5/account/fee-rate": 5,
}
"""Requests per second of one account; what is not here has 10. Answers tell the true ones."""
UNLIMITED: Final = frozenset({"/v5/market", "/v5/system"})
"""Market data costs the account nothing; only the address's own limit binds."""


class Priority(IntEnum):
    """Who goes first when requests are scarce."""

    URGENT = 0
    """Cancels and closes: they take risk away."""
    OPEN = 1
    LOOK_UP = 2
    """Questions about an order whose fate is unknown."""
    POLL = 3


_RESERVE: Final[Mapping[Priority, float]] = {
    Priority.URGENT: 0.0,
    Priority.OPEN: 0.1,
    Priority.LOOK_UP: 0.2,
    Priority.POLL: 0.4,
}
"""The part of every window that is left to those who are more urgent."""


class Window:
    """At most `limit` requests in any stretch of `seconds`, as the exchange counts them."""

    __slots__ = ("_blocked_until", "_seconds", "_sent", "limit")

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self._seconds = seconds
        self._sent: deque[float] = deque()
        self._blocked_until = 0.0

    def wait(self, now: float, priority: Priority) -> float:
        """Seconds until a request of this priority may leave; 0 is now."""
        sent = self._sent_in(now)
        if now < self._blocked_until:
            return self._blocked_until - now
        allowed = self._allowed(priority)
        if len(sent) < allowed:
            return 0.0
        return sent[len(sent) - allowed] + self._seconds - now

    def left(self, now: float, priority: Priority) -> int:
        """How many requests of this priority may leave now."""
        if now < self._blocked_until:
            return 0
        return max(0, self._allowed(priority) - len(self._sent_in(now)))

    def note(self, now: float) -> None:
        """One request leaves."""
        self._sent.append(now)

    def correct(self, now: float, limit: int, left: int) -> None:
        """Believe the exchange: its limit, and that somebody else used what we did not."""
        self.limit = limit
        ours = sum(at > now - UID_SECONDS for at in self._sent)
        unseen = limit - ours - left
        self._sent.extend([now] * max(0, unseen))

    def block(self, until: float) -> None:
        """Let nothing leave before a moment."""
        self._blocked_until = max(self._blocked_until, until)

    def _allowed(self, priority: Priority) -> int:
        return max(1, self.limit - ceil(self.limit * _RESERVE[priority]))

    def _sent_in(self, now: float) -> deque[float]:
        sent, oldest = self._sent, now - self._seconds
        while sent and sent[0] <= oldest:
            sent.popleft()
        return sent


class RateBudget:
    """The limits of one account and one address, kept to a share of what the exchange allows.

    Of the address's limit the share is taken from the number. Of the account's it is taken from the
    time: as many as are allowed in a second leave in 1.25 s. That is as many in the long run, and
    bursts that the way to the exchange pushes together by up to 0.25 s stay within its second.

    Times are the clock's monotonic seconds. `stop_http` is for HTTP 403: while it lasts no HTTP
    request leaves, because each one would make the penalty longer.
    """

    def __init__(self, clock: Clock, *, share: float = 0.8) -> None:
        self._clock = clock
        self._share = share
        self._address = Window(max(1, int(IP_REQUESTS * share)), IP_SECONDS)
        self._windows: dict[str, Window] = {}
        self._lanes: defaultdict[tuple[str, Priority], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting = Counter[Priority]()
        self.http_stopped_until = 0.0

    def rates(self) -> Rates:
        """What may leave now. An endpoint that nobody has asked yet is not named."""
        now = self._clock.monotonic()
        windows = {ADDRESS: self._address, **self._windows}
        return Rates(
            [
                Allowance(
                    name, window.limit, {p.name.lower(): window.left(now, p) for p in Priority}
                )
                for name, window in windows.items()
            ],
            {priority.name.lower(): self._waiting[priority] for priority in Priority},
            max(0.0, self.http_stopped_until - now),
        )

    def stop_http(self, seconds: float) -> None:
        """Let no HTTP request leave for so long."""
        until = self._clock.monotonic() + seconds
        self.http_stopped_until = max(self.http_stopped_until, until)

    @property
    def is_http_stopped(self) -> bool:
        """Whether the exchange's penalty is still on."""
        return self._clock.monotonic() < self.http_stopped_until

    async def take(
        self, endpoint: str, priority: Priority, within: float, *, http: bool = True
    ) -> bool:
        """Wait for a turn, first come first served per priority; False if it would be too late.

        A turn that was taken is spent, whether or not the request leaves.

        Args:
            endpoint: Path and kind of market, as `endpoint_of` names it.
            within: Seconds after which the turn is of no use.
        """
        if self._takes(endpoint, priority, http):
            return True
        self._waiting[priority] += 1
        try:
            return await self._wait_for_turn(endpoint, priority, within, http)
        finally:
            self._waiting[priority] -= 1

    def learn(self, endpoint: str, rate: RateState | None, exchange_now: datetime) -> None:
        """Take the limit that an answer told; None changes nothing."""
        if rate is None:
            return
        window, now = self._window(endpoint), self._clock.monotonic()
        window.correct(now, rate.limit, rate.remaining)
        if rate.remaining <= 0 and rate.reset_at is not None:
            left = (rate.reset_at - exchange_now).total_seconds()
            window.block(now + min(max(left, 0.0), UID_SECONDS))

    def limit_of(self, endpoint: str) -> int:
        """Requests a second that an endpoint takes from us, as far as is known."""
        return max(1, int(self._window(endpoint).limit * self._share))

    def refused(self, endpoint: str) -> None:
        """An answer said "too many visits": nothing more for this endpoint for a whole window."""
        self._window(endpoint).block(self._clock.monotonic() + UID_SECONDS)

    async def _wait_for_turn(
        self, endpoint: str, priority: Priority, within: float, http: bool
    ) -> bool:
        deadline = self._clock.monotonic() + within
        async with self._lanes[endpoint, priority]:
            while not self._takes(endpoint, priority, http, waited=True):
                wait = self._wait(endpoint, priority, http)
                if self._clock.monotonic() + wait > deadline:
                    return False
                await self._clock.sleep_until(self._clock.now() + timedelta(seconds=wait))
        return True

    def _takes(
        self, endpoint: str, priority: Priority, http: bool, *, waited: bool = False
    ) -> bool:
        if not waited and self._lanes[endpoint, priority].locked():
            return False
        if self._wait(endpoint, priority, http) > 0:
            return False
        now = self._clock.monotonic()
        for window in self._binding(endpoint, http):
            window.note(now)
        return True

    def _wait(self, endpoint: str, priority: Priority, http: bool) -> float:
        now = self._clock.monotonic()
        waits = [window.wait(now, priority) for window in self._binding(endpoint, http)]
        if http:
            waits.append(self.http_stopped_until - now)
        return max(waits, default=0.0)

    def _binding(self, endpoint: str, http: bool) -> list[Window]:
        windows = [self._address] if http else []
        if not endpoint.startswith(tuple(UNLIMITED)):
            windows.append(self._window(endpoint))
        return windows

    def _window(self, endpoint: str) -> Window:
        window = self._windows.get(endpoint)
        if window is None:
            limit = LIMITS.get(endpoint.partition(" ")[0], DEFAULT_LIMIT)
            window = self._windows[endpoint] = Window(limit, UID_SECONDS / self._share)
        return window


def endpoint_of(path: str, category: str = "") -> str:
    """Name what shares one limit: linear and inverse do, spot has its own."""
    return f"{path} spot" if category == "spot" else path
