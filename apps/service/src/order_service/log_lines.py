"""LogLines: finished lines on their way to a stream, written together by a thread of their own."""

import atexit
from collections import deque
from threading import Event, Thread
from typing import Final, TextIO

LINES_KEPT: Final = 10_000
GATHER_S: Final = 0.05
"""How long a line may wait for others: so much of the log is lost when the process is killed."""


class LogLines:
    """Whoever logs never waits for a terminal or a full disk.

    A line costs its writer a wake-up and a system call, so those of a moment leave in one write;
    what needs a person (from warnings on) leaves at once, with all that was said before it.

    Attributes:
        dropped: Lines lost because too many were waiting, or the stream did not take them.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._wanted, self._hurried, self._ended = Event(), Event(), Event()
        self._thread = Thread(target=self._run, name="log lines", daemon=True)
        self.dropped = 0

    def open(self) -> None:
        """Begin to write; what waits when the interpreter ends is written by then."""
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Write all that waits, and end."""
        self._ended.set()
        self.hurry()
        self._thread.join()

    def put(self, line: str) -> None:
        """Have a line written soon, if there is room."""
        if len(self._waiting) >= LINES_KEPT:
            self.dropped += 1
            return
        self._waiting.append(line)
        if not self._wanted.is_set():
            self._wanted.set()

    def put_at_once(self, line: str) -> None:
        """Have a line written now, if there is room."""
        self.put(line)
        self.hurry()

    def hurry(self) -> None:
        """Have all that waits written now."""
        self._hurried.set()
        self._wanted.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wanted.wait()
            self._hurried.wait(GATHER_S)
            # before the lines are taken: one that comes meanwhile is seen now or wakes again
            self._hurried.clear()
            self._wanted.clear()
            self._write()

    def _write(self) -> None:
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not lines:
            return
        lines.append("")
        try:
            self._stream.write("\n".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # closed, or nobody reads it any more
            self.dropped += len(lines) - 1


class LineLogger:
    """The end of the chain of processors: takes each line by the name of its level."""

    def __init__(self, lines: LogLines) -> None:
        self.debug = self.info = lines.put
        self.warning = self.error = self.critical = lines.put_at_once
