"""ClockMeter: how far the exchange's clock is from ours, and how sure that is."""

from collections import deque
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import attrs

from order_domain.model.inputs import ClockOffset

_KEPT: Final = 8
_MILLISECOND: Final = timedelta(milliseconds=1)
_ZERO: Final = timedelta(0)


class ClockState(StrEnum):
    """What the offset means for trading."""

    UNMEASURED = "unmeasured"
    GOOD = "good"
    ALARM = "alarm"
    """Corrected for, but somebody should look after the machine's clock."""
    STOP = "stop"
    """Too uncertain, or too far off, to sign requests by."""


@attrs.frozen(slots=True)
class ClockLimits:
    """When an offset (either way) or an uncertainty is worth an alarm, and when it stops trading.

    The exchange takes a request that is up to `recv_window` old, but less than 1 s early.
    """

    alarm_offset: timedelta = timedelta(milliseconds=250)
    stop_offset: timedelta = timedelta(seconds=30)
    stop_uncertainty: timedelta = timedelta(milliseconds=500)


class ClockMeter:
    """The best of the last eight measurements: the one with the shortest round trip.

    One measurement says that the exchange read its clock some time between request and answer, so
    the middle of the two is off by at most half of the round trip.
    """

    def __init__(self, limits: ClockLimits) -> None:
        self._limits = limits
        self._samples: deque[ClockOffset] = deque(maxlen=_KEPT)
        self.best = ClockOffset(_ZERO)
        """The surest offset known; none at all before the first measurement."""

    def add(self, asked_at: datetime, round_trip: timedelta, exchange_time: datetime) -> None:
        """Take one measurement. `asked_at` is our wall time, `round_trip` monotonic.

        One that contradicts what was believed (a clock was set) forgets what came before it.
        """
        half = round_trip / 2
        sample = ClockOffset(exchange_time - (asked_at + half), half + _MILLISECOND)
        if self._samples:
            best = self.best
            if abs(sample.offset - best.offset) > sample.uncertainty + best.uncertainty:
                self._samples.clear()
        self._samples.append(sample)
        self.best = min(self._samples, key=lambda each: each.uncertainty)

    @property
    def state(self) -> ClockState:
        """Judge the best offset."""
        if not self._samples:
            return ClockState.UNMEASURED
        best, limits = self.best, self._limits
        if (
            best.uncertainty > limits.stop_uncertainty
            or abs(best.offset) + best.uncertainty > limits.stop_offset
        ):
            return ClockState.STOP
        return ClockState.ALARM if abs(best.offset) > limits.alarm_offset else ClockState.GOOD

    def exchange_time(self, now: datetime) -> datetime:
        """What the exchange's clock shows at one of our moments."""
        return now + self.best.offset


def from_milliseconds(milliseconds: int) -> datetime:
    """Time of a Bybit stamp, exactly."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_milliseconds(moment: datetime) -> int:
    """Bybit stamp of a moment, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
