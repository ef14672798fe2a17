"""When lines are written, and what becomes of them when they cannot be."""

import io
import time
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from order_service import log_lines
from order_service.log_lines import LineLogger, LogLines

LONG_S = 30.0


class Stream(io.StringIO):
    """Keeps each write, and may be blocked or broken."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.free = Event()
        self.free.set()
        self.is_broken = False

    def write(self, text: str) -> int:
        self.free.wait()
        if self.is_broken:
            raise BrokenPipeError
        self.writes.append(text)
        return len(text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def lines(stream: Stream) -> Iterator[LogLines]:
    made = LogLines(stream)
    made.open()
    yield made
    stream.free.set()
    made.close()


def soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not holds() and time.monotonic() < end:
        time.sleep(0.001)
    return holds()


def test_lines_of_a_moment_leave_in_one_write(
    lines: LogLines, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "GATHER_S", 0.5)
    for number in range(100):
        lines.put(str(number))

    assert soon(lambda: bool(stream.writes))
    assert stream.writes == ["".join(f"{number}\n" for number in range(100))]


def test_what_needs_a_person_is_written_at_once_with_all_that_was_said_before(
    lines: LogLines, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "GATHER_S", LONG_S)
    log = LineLogger(lines)

    log.info("before")
    log.warning("now")

    assert soon(lambda: bool(stream.writes))
    assert "".join(stream.writes) == "before\nnow\n"


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_from_warnings_on_a_line_does_not_wait_for_others(
    level: str, lines: LogLines, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "GATHER_S", LONG_S)

    getattr(LineLogger(lines), level)("now")

    assert soon(lambda: stream.writes == ["now\n"])


def test_whoever_closes_has_all_lines_written(stream: Stream) -> None:
    made = LogLines(stream)
    made.open()

    made.put("a")
    made.put("b")
    made.close()

    assert "".join(stream.writes) == "a\nb\n"


def test_a_stream_that_takes_nothing_holds_nobody_up_and_costs_lines_beyond_a_bound(
    lines: LogLines, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "LINES_KEPT", 3)
    stream.free.clear()
    lines.put_at_once("taken by the thread")
    assert soon(lambda: not lines._waiting)

    for number in range(5):
        lines.put(str(number))
    dropped = lines.dropped
    stream.free.set()

    assert dropped == 2
    assert soon(lambda: "".join(stream.writes) == "taken by the thread\n0\n1\n2\n")


def test_a_stream_that_nobody_reads_any_more_costs_lines_and_later_ones_are_tried(
    lines: LogLines, stream: Stream
) -> None:
    stream.is_broken = True
    lines.put_at_once("lost")
    assert soon(lambda: lines.dropped == 1)

    stream.is_broken = False
    lines.put_at_once("kept")

    assert soon(lambda: stream.writes == ["kept\n"])
