"""Wire: HTTP/1.1 to one host on kept connections, which knows whether a byte has left.

It takes requests as bytes. httpx's own transport costs twice the CPU, and with 32 requests in
flight serves them five times slower.
"""

import asyncio
import ssl
from typing import Final, cast

from order_adapters.passing import is_watched, passing
from order_adapters.venues.bybit.http_answers import AnswerReader, Broken, WireAnswer

_COMMAND: Final = b"POST "


class NotConnected(Exception):
    """There is no connection, or nothing to say on it: no byte of the request left."""


class Wire:
    """At most `connections` requests at once, each alone on its connection; more wait in order.

    Args:
        context: None speaks without TLS.
        connect_within: Seconds for a new connection, or for a free one.
        answer_within: Seconds for a whole exchange, connecting included.
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
        answer_within: float,
        idle: float = 25.0,
    ) -> None:
        self._host, self._port, self._context = host, port, context
        self._connect_within = connect_within
        self._answer_within = answer_within
        self._idle = idle
        self._slots = asyncio.Semaphore(connections)
        self._free: list[_Connection] = []
        self._busy: set[_Connection] = set()

    async def exchange(self, request: bytes) -> WireAnswer:
        """Send one request, once. Raises NotConnected, Broken.

        Whoever gives up waiting closes the connection: a late answer is nobody's.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._answer_within
        if self._slots.locked():
            await self._free_slot()
        else:
            await self._slots.acquire()
        try:
            connection = self._kept(loop.time()) or await self._connect(loop)
            return await self._use(connection, request, loop, deadline)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close every connection; whoever waits for an answer is told that it broke."""
        for connection in (*self._free, *self._busy):
            connection.close()
        self._free.clear()

    async def _free_slot(self) -> None:
        try:
            async with asyncio.timeout(self._connect_within):
                await self._slots.acquire()
        except TimeoutError:
            raise NotConnected("every connection is busy") from None

    async def _use(
        self,
        connection: "_Connection",
        request: bytes,
        loop: asyncio.AbstractEventLoop,
        deadline: float,
    ) -> WireAnswer:
        self._busy.add(connection)
        timer = None
        try:
            waiting = connection.ask(request, loop)
            timer = loop.call_at(deadline, connection.give_up, self._answer_within)
            answer = await waiting
        except BaseException:
            connection.close()
            raise
        finally:
            if timer is not None:
                timer.cancel()
            self._busy.discard(connection)
        connection.used_at = loop.time()
        if connection.is_usable:
            self._free.append(connection)
        else:
            connection.close()
        return answer

    def _kept(self, now: float) -> "_Connection | None":
        """The connection used last: it is the likeliest to live."""
        oldest = now - self._idle
        while self._free:
            connection = self._free.pop()
            if connection.is_usable and connection.used_at > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> "_Connection":
        try:
            async with asyncio.timeout(self._connect_within):
                _, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._context
                )
        except (OSError, TimeoutError) as error:
            raise NotConnected(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection. Anything the exchange says unasked makes it useless."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[WireAnswer] | None = None
        self._reader = AnswerReader()
        self.is_usable = True
        self.used_at = 0.0

    def ask(self, request: bytes, loop: asyncio.AbstractEventLoop) -> asyncio.Future[WireAnswer]:
        """Hand a request over; what is returned is its answer, or raises Broken."""
        if self._transport is None or not self.is_usable:
            raise NotConnected("the connection was closed")
        answer = self._answer = loop.create_future()
        self._reader = AnswerReader()
        _write(self._transport, request)
        return answer

    def give_up(self, seconds: float) -> None:
        """It has taken too long."""
        self._fail(f"no answer within {seconds:g} s")

    def close(self) -> None:
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()
        self._fail("closed")

    # -- what asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # of TCP and TLS it always is one, though uvloop's does not say so to isinstance
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.done():
            self.close()
            return
        try:
            self._take(self._reader.feed(data))
        except Broken as error:
            self._fail(str(error))
            self.close()

    def eof_received(self) -> bool:
        self.is_usable = False
        if self._answer is not None and not self._answer.done():
            try:
                self._take(self._reader.end())
            except Broken as error:
                self._fail(str(error))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.is_usable = False
        self._fail("connection lost" if error is None else f"{type(error).__name__}: {error}")

    def _take(self, answer: WireAnswer | None) -> None:
        if answer is None or self._answer is None:
            return
        if answer.is_last:
            self.is_usable = False
        self._answer.set_result(answer)

    def _fail(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken(reason))


def _write(transport: asyncio.WriteTransport, request: bytes) -> None:
    """Hand a request over; a command (POST) in two parts where somebody asked for that moment."""
    if not is_watched() or not request.startswith(_COMMAND):
        transport.write(request)
        return
    half = len(request) // 2
    transport.write(request[:half])
    passing("submit.mid_send")
    transport.write(request[half:])
    passing("submit.after_send")
