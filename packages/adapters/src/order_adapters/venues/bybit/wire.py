"""Wire: HTTP/1.1 to one host on kept connections, which knows whether a byte has left.

httpx's own transport costs twice the CPU, and with 32 requests in flight serves them five times
slower.
"""

import asyncio
import ssl
from typing import Final

import attrs
import h11

from order_adapters.passing import is_watched, passing

BODY_MAX: Final = 32 * 2**20
_EVENTS: Final = (h11.NEED_DATA, h11.PAUSED)
Headers = list[tuple[bytes, bytes]]


class NotConnected(Exception):
    """There is no connection, or nothing to say on it: no byte of the request left."""


class Broken(Exception):
    """The connection failed after bytes left, or before the answer was whole."""


@attrs.frozen(slots=True)
class WireAnswer:
    status: int
    headers: Headers
    body: bytes


class Wire:
    """At most `connections` requests at once, each alone on its connection; more wait in order.

    Args:
        context: None speaks without TLS.
        connect_within: Seconds for a new connection, or for a free one.
        idle: Seconds after which a kept connection is not trusted any more.
    """

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        *,
        connections: int,
        connect_within: float,
        idle: float = 25.0,
    ) -> None:
        self._host, self._port, self._context = host, port, context
        self._within = connect_within
        self._idle = idle
        self._slots = asyncio.Semaphore(connections)
        self._free: list[_Connection] = []
        self._busy: set[_Connection] = set()

    async def exchange(
        self, method: bytes, target: bytes, headers: Headers, body: bytes
    ) -> WireAnswer:
        """Send one request, once. Raises NotConnected, Broken.

        Whoever gives up waiting closes the connection: a late answer is nobody's.
        """
        try:
            request = h11.Request(method=method, target=target, headers=headers)
        except h11.LocalProtocolError as error:
            raise NotConnected(f"no HTTP request: {error}") from error
        try:
            async with asyncio.timeout(self._within):
                await self._slots.acquire()
        except TimeoutError:
            raise NotConnected("every connection is busy") from None
        try:
            connection = self._kept() or await self._connect()
            return await self._use(connection, request, body)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close every connection; whoever waits for an answer is told that it broke."""
        for connection in (*self._free, *self._busy):
            connection.close()
        self._free.clear()

    async def _use(
        self, connection: "_Connection", request: h11.Request, body: bytes
    ) -> WireAnswer:
        self._busy.add(connection)
        try:
            answer = await connection.exchange(request, body)
        except BaseException:
            connection.close()
            raise
        finally:
            self._busy.discard(connection)
        if connection.is_usable:
            self._free.append(connection)
        else:
            connection.close()
        return answer

    def _kept(self) -> "_Connection | None":
        """The connection used last: it is the likeliest to live."""
        oldest = asyncio.get_running_loop().time() - self._idle
        while self._free:
            connection = self._free.pop()
            if connection.is_usable and connection.used_at > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._within):
                _, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._context
                )
        except (OSError, TimeoutError) as error:
            raise NotConnected(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection. Anything the exchange says unasked makes it useless."""

    def __init__(self) -> None:
        self._machine = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[WireAnswer] | None = None
        self._response: h11.Response | None = None
        self._body = bytearray()
        self.is_usable = True
        self.used_at = 0.0

    async def exchange(self, request: h11.Request, body: bytes) -> WireAnswer:
        loop = asyncio.get_running_loop()
        if self._transport is None or not self.is_usable:
            raise NotConnected("the connection was closed")
        answer: asyncio.Future[WireAnswer] = loop.create_future()
        self._answer, self._response = answer, None
        self._body.clear()
        parts = [self._machine.send(request)]
        if body:
            parts.append(self._machine.send(h11.Data(data=body)))
        parts.append(self._machine.send(h11.EndOfMessage()))
        _write(self._transport, b"".join(part for part in parts if part), method=request.method)
        try:
            return await answer
        finally:
            self._answer = None
            self.used_at = loop.time()

    def close(self) -> None:
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()
        self._fail("closed")

    # -- what asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- TCP and TLS have no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()
        else:
            self._take(data)

    def eof_received(self) -> bool:
        self.is_usable = False
        if self._answer is not None and not self._answer.done():
            self._take(b"")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.is_usable = False
        self._fail("connection lost" if error is None else f"{type(error).__name__}: {error}")

    # -- reading -----------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        try:
            self._machine.receive_data(data)
            self._read()
        except h11.ProtocolError as error:
            self._fail(f"{type(error).__name__}: {error}")
            self.close()

    def _read(self) -> None:
        while (event := self._machine.next_event()) not in _EVENTS:
            if isinstance(event, h11.Response):
                self._response = event
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > BODY_MAX:
                    raise h11.RemoteProtocolError("the answer has no end")
            elif isinstance(event, h11.EndOfMessage):
                self._finish()
                return
            elif isinstance(event, h11.ConnectionClosed):
                return

    def _finish(self) -> None:
        machine, response, answer = self._machine, self._response, self._answer
        if response is None or answer is None:
            return
        is_done = machine.our_state is h11.DONE and machine.their_state is h11.DONE
        if is_done and not machine.trailing_data[0]:
            machine.start_next_cycle()
        else:
            self.is_usable = False  # bytes beyond the answer would be taken for the next one
        if not answer.done():
            headers = list(response.headers.raw_items())
            answer.set_result(WireAnswer(response.status_code, headers, bytes(self._body)))

    def _fail(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken(reason))


def _write(transport: asyncio.WriteTransport, data: bytes, *, method: bytes) -> None:
    """Hand a request over; a command (POST) in two parts where somebody asked for that moment."""
    if method != b"POST" or not is_watched():
        transport.write(data)
        return
    half = len(data) // 2
    transport.write(data[:half])
    passing("submit.mid_send")
    transport.write(data[half:])
    passing("submit.after_send")
