"""Incoming: what the broker says, cut into frames; some channels take their own in that moment.

The client's own way waits three times for the parts of each frame, hands it through a queue to a
task of its channel, and makes a further task of every delivery; beside a bare connection that costs
as much as reading and checking a signal. So deliveries, confirms and returned messages of a channel
that somebody takes pass it by; everything else is the client's: greeting, answers, closing,
heartbeats, and whatever breaks a rule.
"""

import asyncio
from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final, Protocol

from aio_pika import Connection
from aio_pika.abc import AbstractConnection
from aiormq import SSLContextProvider, TransportFactory
from pamqp.header import ContentHeader
from yarl import URL

METHOD, HEADER, BODY = 1, 2, 3
END: Final = 0xCE
_FRAME: Final = Struct("!BHI")
_DELIVER: Final = b"\x00\x3c\x00\x3c"
_NUMBER: Final = Struct("!Q")
_WITH_HEADERS: Final = 1 << 13
_HEARTBEAT: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"
HEARD_S: Final = 1.0
"""How long the client may hear nothing of a connection that lives, before it is told so."""
_NO_HEADERS: Final[Mapping[str, Any]] = {}


class Taker(Protocol):
    """Who takes frames of one channel."""

    def take(self, kind: int, payload: bytes) -> bool:
        """Take a frame; False leaves it to the client. What is raised ends the connection."""
        ...


class FrameReader(asyncio.StreamReader):
    """The stream that the client reads, without what is taken before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._time = loop.time
        self._takers: dict[int, Taker] = {}
        self._rest = b""
        self._is_cut = True
        self._heard_at = loop.time()

    def give(self, channel: int, taker: Taker) -> None:
        """Let somebody take frames of a channel from now on."""
        self._takers[channel] = taker

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # what transports feed
        """Cut bytes into frames: the client gets whole ones and is never in the middle of one."""
        if not self._is_cut:
            super().feed_data(data)
            return
        buffer = self._rest + data if self._rest else data
        begin, left, client = 0, len(buffer), []
        while left - begin > _FRAME.size:
            kind, channel, size = _FRAME.unpack_from(buffer, begin)
            end = begin + _FRAME.size + size
            if end >= left:
                break
            if buffer[end] != END:
                self._is_cut = False  # the client says what is wrong with it
                break
            taker = self._takers.get(channel)
            if taker is None or not taker.take(kind, buffer[begin + _FRAME.size : end]):
                client.append(buffer[begin : end + 1])
            begin = end + 1
        self._rest = buffer[begin:] if begin else buffer
        if not self._is_cut:
            client.append(self._rest)
        self._tell(client, is_alive=begin > 0)

    def feed_eof(self) -> None:
        """Let the client have the beginning of a frame that will not end."""
        if self._is_cut and self._rest:
            super().feed_data(self._rest)
        super().feed_eof()

    def _tell(self, client: list[bytes], *, is_alive: bool) -> None:
        """Give the client its frames; now and then one that says that the broker lives."""
        if not client:
            if not is_alive or self._time() - self._heard_at < HEARD_S:
                return
            client.append(_HEARTBEAT)
        self._heard_at = self._time()
        super().feed_data(b"".join(client))


class CutConnection(Connection):
    """The client's connection over a stream whose frames may be taken."""

    def __init__(self, url: URL, *args: Any, **more: Any) -> None:
        super().__init__(url, *args, **more)
        self._streams = _Streams()
        self.kwargs["transport_factory"] = self._streams

    def give(self, channel: int, taker: Taker) -> None:
        """Let somebody take frames of a channel from now on."""
        if self._streams.reader is None:
            raise RuntimeError("not connected")
        self._streams.reader.give(channel, taker)


def cut(connection: AbstractConnection) -> CutConnection:
    """The connection as what `Link` makes. Raises TypeError when it is none of those."""
    if not isinstance(connection, CutConnection):
        raise TypeError(f"not a connection whose frames may be taken: {connection!r}")
    return connection


class _Streams(TransportFactory):
    """Connects as asyncio's own `open_connection` does."""

    def __init__(self) -> None:
        self.reader: FrameReader | None = None

    async def create(
        self, url: URL, *, ssl_context_provider: SSLContextProvider | None = None, **more: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = None
        if url.scheme == "amqps" and ssl_context_provider is not None:
            context = await ssl_context_provider.get_context()
        loop = asyncio.get_running_loop()
        reader = self.reader = FrameReader(loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        host, port = str(url.host), int(url.port or 0)
        transport, _ = await loop.create_connection(
            lambda: protocol, host, port, ssl=context, **more
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


class Deliveries:
    """Takes what a channel's one consumer is brought.

    Args:
        arrived: Told of each delivery: its number, whether it came before, headers and body.
    """

    def __init__(self, arrived: Callable[[int, bool, Mapping[str, Any], bytes], None]) -> None:
        self._arrived = arrived
        self._is_open = False
        self._tag, self._came_before = 0, False
        self._content = Content()

    def take(self, kind: int, payload: bytes) -> bool:
        """Take a frame of a delivery."""
        if kind == METHOD:
            self._is_open = payload.startswith(_DELIVER)
            if self._is_open:
                at = 5 + payload[4]  # behind the consumer's tag
                (self._tag,) = _NUMBER.unpack_from(payload, at)
                self._came_before = bool(payload[at + _NUMBER.size] & 1)
            return self._is_open
        if not self._is_open:
            return False
        if self._content.take(kind, payload):
            self._is_open = False
            content = self._content
            self._arrived(self._tag, self._came_before, content.headers(), content.body)
        return True


class Content:
    """A header and the parts of a body, as they come."""

    def __init__(self) -> None:
        self._header = b""
        self._left = 0
        self._parts: list[bytes] = []

    def take(self, kind: int, payload: bytes) -> bool:
        """Take a frame; True once all is there. Raises ValueError."""
        if kind == HEADER:
            self._header = payload
            (self._left,) = _NUMBER.unpack_from(payload, 4)
            self._parts.clear()
        elif kind == BODY:
            self._parts.append(payload)
            self._left -= len(payload)
        else:
            raise ValueError(f"a frame of kind {kind} in the middle of a message")
        return self._left <= 0

    @property
    def body(self) -> bytes:
        """All parts."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def headers(self) -> Mapping[str, Any]:
        """What the sender wrote into the header's table."""
        if not int.from_bytes(self._header[12:14], "big") & _WITH_HEADERS:
            return _NO_HEADERS
        return self.properties().headers or _NO_HEADERS

    def properties(self) -> Any:
        """All that the header says."""
        header = ContentHeader()
        header.unmarshal(self._header)
        return header.properties
