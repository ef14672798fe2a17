"""Answers of HTTP/1.1 read from bytes: the plain form at once, every other by h11."""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import h11

HEAD_MAX: Final = 64 * 2**10
BODY_MAX: Final = 32 * 2**20
_EVENTS: Final = (h11.NEED_DATA, h11.PAUSED)
_BODILESS: Final = frozenset((204, 304))


class Broken(Exception):
    """The connection failed after bytes left, or before the answer was whole."""


class Headers(Mapping[str, str]):
    """Headers by name in any case; the last of a name counts."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@attrs.define(slots=True)
class WireAnswer:
    """A whole answer.

    Attributes:
        is_last: Nothing more can be asked on its connection.
    """

    status: int
    headers: Headers
    body: bytes
    is_last: bool = False


class AnswerReader:
    """The bytes of one answer as they come.

    The exchange answers an order with a status, some headers, a length and so many bytes: that is
    read here. Chunks, informational answers, an end by closing, and whatever looks odd go through
    h11, from their first byte on.
    """

    __slots__ = ("_buffer", "_head", "_odd")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[int, Headers, int, int] | None = None
        self._odd: _Odd | None = None

    def feed(self, data: bytes) -> WireAnswer | None:
        """Take bytes; None until the answer is whole. Raises Broken."""
        if self._odd is not None:
            return self._odd.feed(data)
        buffer = self._buffer
        buffer += data
        if self._head is None:
            end = buffer.find(b"\r\n\r\n")
            if end < 0 and len(buffer) <= HEAD_MAX and b"HTTP/1.1 "[: len(buffer)] == buffer[:9]:
                return None
            self._head = _plain_head(buffer, end)
            if self._head is None:
                self._odd = _Odd()
                return self._odd.feed(bytes(buffer))
        status, headers, begin, length = self._head
        missing = begin + length - len(buffer)
        if missing > 0:
            return None
        # bytes beyond the answer would be taken for the next one
        is_last = missing < 0 or headers.get("connection", "").lower() == "close"
        return WireAnswer(status, headers, bytes(buffer[begin : begin + length]), is_last)

    def end(self) -> WireAnswer | None:
        """Take the end of the connection: of an answer without a length it is the end too."""
        answer = None if self._odd is None else self._odd.feed(b"")
        if answer is not None:
            answer.is_last = True
        return answer


def _plain_head(buffer: bytearray, end: int) -> tuple[int, Headers, int, int] | None:
    """Read status, headers, where the body begins and how long it is; None if it is not plain."""
    first, *lines = bytes(buffer[: max(end, 0)]).split(b"\r\n")
    version, _, rest = first.partition(b" ")
    code = rest[:3]
    if version != b"HTTP/1.1" or not code.isdigit() or rest[3:4] not in (b" ", b""):
        return None
    status = int(code)
    values: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name.strip() != name:
            return None
        key = name.decode("latin-1").lower()
        if key in values and key in ("content-length", "transfer-encoding"):
            return None
        values[key] = value.strip(b" \t").decode("latin-1")
    length = values.get("content-length", "")
    is_plain = length.isascii() and length.isdigit() and len(length) <= len(str(BODY_MAX))
    if not is_plain or "transfer-encoding" in values or status in _BODILESS or status < 200:
        return None
    if int(length) > BODY_MAX:
        raise Broken("the answer has no end")
    return status, Headers(values), end + 4, int(length)


class _Odd:
    """One answer by h11."""

    def __init__(self) -> None:
        self._machine = h11.Connection(h11.CLIENT)
        self._machine.send(h11.Request(method="GET", target="/", headers=[("Host", "exchange")]))
        self._machine.send(h11.EndOfMessage())
        self._response: h11.Response | None = None
        self._body = bytearray()

    def feed(self, data: bytes) -> WireAnswer | None:
        try:
            self._machine.receive_data(data)
            return self._read()
        except h11.ProtocolError as error:
            raise Broken(f"{type(error).__name__}: {error}") from error

    def _read(self) -> WireAnswer | None:
        while (event := self._machine.next_event()) not in _EVENTS:
            if isinstance(event, h11.Response):
                self._response = event
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > BODY_MAX:
                    raise Broken("the answer has no end")
            elif isinstance(event, h11.EndOfMessage):
                return self._whole()
            elif isinstance(event, h11.ConnectionClosed):
                return None
        return None

    def _whole(self) -> WireAnswer | None:
        response, machine = self._response, self._machine
        if response is None:
            return None
        values = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw_items()
        }
        is_done = machine.our_state is h11.DONE and machine.their_state is h11.DONE
        is_last = not is_done or bool(machine.trailing_data[0])
        return WireAnswer(response.status_code, Headers(values), bytes(self._body), is_last)
