"""Limits: requests a second of each account and endpoint, and of each address."""

from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from order_adapters.bybit_server.numbers import milliseconds

_SECOND: Final = timedelta(seconds=1)
_SOON: Final = timedelta(milliseconds=300)
"""A reset is told at least so far ahead: a known client sleeps until it and fails on the past."""
_IP_WINDOW: Final = timedelta(seconds=5)
_BAN: Final = timedelta(minutes=10)
_SOCKET_LIMIT: Final = 3000

FUTURES: Final = "futures"
SPOT: Final = "spot"
LIMITS: Final[Mapping[str, int]] = {
    f"create/{FUTURES}": 10,
    f"create/{SPOT}": 20,
    f"amend/{FUTURES}": 10,
    f"amend/{SPOT}": 10,
    f"cancel/{FUTURES}": 10,
    f"cancel/{SPOT}": 20,
    f"cancel-all/{FUTURES}": 10,
    f"cancel-all/{SPOT}": 20,
    f"create-batch/{FUTURES}": 10,
    f"create-batch/{SPOT}": 20,
    f"amend-batch/{FUTURES}": 10,
    f"amend-batch/{SPOT}": 20,
    f"cancel-batch/{FUTURES}": 10,
    f"cancel-batch/{SPOT}": 20,
    "realtime": 50,
    "history": 50,
    "executions": 50,
    "positions": 50,
    "closed-pnl": 50,
    "set-leverage": 10,
    "switch-mode": 10,
    "trading-stop": 10,
    "set-margin-mode": 5,
    "dcp": 5,
    "wallet": 50,
    "info": 50,
    "fee-rate": 5,
    "transaction-log": 25,
    "query-api": 10,
    "account": 50,
    "coins": 5,
    "instruments": 10,
    "limit-px-action": 10,
    f"pre-check/{FUTURES}": 10,
    f"pre-check/{SPOT}": 20,
}


_REMEMBERED: Final = 1000
"""Moments of refusals that are remembered of each bucket, the newest."""
UNLIMITED: Final = 1000
"""What an account without limits is told, so that clients that keep to it are not slowed."""


@attrs.frozen(slots=True)
class Allowance:
    """What the X-Bapi-Limit headers say.

    Attributes:
        granted: How many of the units asked for are within the limit.
        resets_at: Milliseconds since 1970.
    """

    limit: int
    remaining: int
    resets_at: int
    granted: int

    def headers(self) -> dict[str, str]:
        """Write the three headers."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.remaining),
            "X-Bapi-Limit-Reset-Timestamp": str(self.resets_at),
        }


class RateLimits:
    """Rolling windows of one second, one for each account and bucket."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._recent: dict[tuple[int, str], deque[datetime]] = {}
        self._refused: Counter[tuple[int, str]] = Counter()
        self._asked: dict[tuple[int, str], deque[datetime]] = {}
        self._peaks: Counter[tuple[int, str]] = Counter()
        self._refused_at: dict[tuple[int, str], deque[int]] = {}

    def refused(self, user_id: int) -> dict[str, int]:
        """Units an account asked for beyond its limits, by bucket, since the server began."""
        return {bucket: n for (user, bucket), n in self._refused.items() if user == user_id}

    def record(self, user_id: int) -> dict[str, dict[str, Any]]:
        """What an account has asked for, by bucket; nothing is recorded without enforcement.

        Returns:
            `limit`; `peak`, the most units asked for within one second, refused ones included; and
            `refusedAt`, when units were refused, in milliseconds since 1970, the newest thousand.
        """
        return {
            bucket: {
                "limit": LIMITS[bucket],
                "peak": peak,
                "refusedAt": list(self._refused_at.get((user, bucket), ())),
            }
            for (user, bucket), peak in self._peaks.items()
            if user == user_id
        }

    def take(self, user_id: int, bucket: str, now: datetime, units: int = 1) -> Allowance:
        """Use up to so many units; what is beyond the limit is not granted and costs nothing."""
        if not self._enforced:
            return Allowance(UNLIMITED, UNLIMITED, milliseconds(now), units)
        limit = LIMITS[bucket]
        self._note(user_id, bucket, now, units)
        recent = self._recent.setdefault((user_id, bucket), deque())
        while recent and recent[0] <= now - _SECOND:
            recent.popleft()
        free = max(limit - len(recent), 0)
        granted = min(units, free)
        recent.extend([now] * min(granted, free))
        resets_at = now
        if granted < units:
            self._refused[user_id, bucket] += units - granted
            refused_at = self._refused_at.setdefault((user_id, bucket), deque(maxlen=_REMEMBERED))
            refused_at.append(milliseconds(now))
            resets_at = max(recent[0] + _SECOND, now + _SOON) if recent else now + _SECOND
        return Allowance(limit, max(limit - len(recent), 0), milliseconds(resets_at), granted)

    def _note(self, user_id: int, bucket: str, now: datetime, units: int) -> None:
        asked = self._asked.setdefault((user_id, bucket), deque())
        while asked and asked[0] <= now - _SECOND:
            asked.popleft()
        asked.extend([now] * units)
        self._peaks[user_id, bucket] = max(self._peaks[user_id, bucket], len(asked))


class AddressLimits:
    """Bans addresses that call too often; a ban ends by itself."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._recent: dict[str, deque[datetime]] = {}
        self._frames: dict[str, deque[datetime]] = {}
        self._banned: dict[str, datetime] = {}

    def admits(self, address: str, now: datetime) -> bool:
        """Count one HTTP request; tell whether it may be served."""
        if self._limit is None:
            return True
        until = self._banned.get(address)
        if until is not None and now < until:
            return False
        if _counted(self._recent.setdefault(address, deque()), now, _IP_WINDOW) > self._limit:
            self._banned[address] = now + _BAN
            return False
        return True

    def admits_frame(self, address: str, now: datetime) -> bool:
        """Count one request on a trade socket; tell whether it may be served."""
        if self._limit is None:
            return True
        return _counted(self._frames.setdefault(address, deque()), now, _SECOND) <= _SOCKET_LIMIT

    def ban(self, address: str, now: datetime) -> None:
        """Ban an address now."""
        self._banned[address] = now + _BAN


def _counted(recent: deque[datetime], now: datetime, window: timedelta) -> int:
    while recent and recent[0] <= now - window:
        recent.popleft()
    recent.append(now)
    return len(recent)
