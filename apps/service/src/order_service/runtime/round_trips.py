"""RoundTrips: how long answers take, and the margin at the end of a request's window."""

from bisect import bisect_left, insort
from collections import deque
from datetime import timedelta
from typing import Final

UNMEASURED: Final = timedelta(milliseconds=500)
_KEPT: Final = 200
_ENOUGH: Final = 20


class RoundTrips:
    """The last 200 round trips, in monotonic seconds."""

    __slots__ = ("_ranked", "_seconds")

    def __init__(self) -> None:
        self._seconds: deque[float] = deque()
        self._ranked: list[float] = []

    def add(self, seconds: float) -> None:
        """Note one answered request."""
        self._seconds.append(seconds)
        insort(self._ranked, seconds)
        if len(self._seconds) > _KEPT:
            oldest = self._seconds.popleft()
            del self._ranked[bisect_left(self._ranked, oldest)]

    def margin(self, recv_window: timedelta) -> timedelta:
        """min(p99 of the round trip, half the window); 500 ms until measured (protocol 5.5)."""
        if len(self._seconds) < _ENOUGH:
            return min(UNMEASURED, recv_window / 2)
        ranked = self._ranked
        return min(timedelta(seconds=ranked[len(ranked) * 99 // 100]), recv_window / 2)
