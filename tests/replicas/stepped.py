"""The service on a machine whose clock somebody sets: `python -m tests.replicas.stepped serve ...`.

The clock of the real machine is everybody's. So the seconds by which this one's is off stand in the
file that CLOCK_OFFSET names, which is read whenever the service asks for the time. Monotonic time
and the sleeps of the event loop go on as they do on a machine whose clock is set.
"""

import os
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

from order_adapters import clock
from order_cli.__main__ import main
from order_service.http import wire

VARIABLE = "CLOCK_OFFSET"


class SetClock:
    """How far the clock is off, read again when the file has been exchanged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._offset = timedelta(0)

    @property
    def offset(self) -> timedelta:
        """Zero while there is no file."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return timedelta(0)
        file = (found.st_ino, found.st_mtime_ns)
        if file != self._file:
            self._offset = timedelta(seconds=float(self._path.read_text()))
            self._file = file
        return self._offset


def step(path: Path, seconds: float) -> None:
    """Set the clock that is read from a file so far off the true time."""
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{seconds!r}")
    fresh.replace(path)


def install(path: Path) -> None:
    """Let everything of the service that asks for the time ask this clock."""
    set_clock = SetClock(path)

    class Stepped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            there: Any = datetime.now(tz) + set_clock.offset
            return there  # type: ignore[no-any-return]

    def now(_: clock.SystemClock) -> datetime:
        return datetime.now(UTC) + set_clock.offset

    clock.SystemClock.now = now  # type: ignore[method-assign]
    wire.datetime = Stepped  # type: ignore[misc]


if __name__ == "__main__":
    if VARIABLE in os.environ:
        install(Path(os.environ[VARIABLE]))
    main(sys.argv[1:])
