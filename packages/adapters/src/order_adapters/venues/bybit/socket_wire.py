"""SocketWire: one WebSocket connection; the only module that knows the WebSocket library."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

SocketError: Final = WebSocketException
MESSAGE_MAX: Final = 2**24
_FRAGMENTS: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class SocketWire(ClientConnection):
    """Gives each message to `receive` in the moment it comes, without a queue and a task between.

    The library's own way wakes a task for every message and takes a lock for every frame that
    leaves; beside a bare connection both cost as much as the rest of an order.

    Attributes:
        ended: Raises what ended the connection.
    """

    def __init__(self, receive: Callable[[bytes], None], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._receive = receive
        self._parts: list[bytes] = []
        self.ended: asyncio.Future[None] = self.loop.create_future()

    @classmethod
    async def to(cls, url: str, receive: Callable[[bytes], None], *, within: float) -> Self:
        """Connect. Raises OSError, TimeoutError, SocketError.

        Args:
            within: Seconds for all of it.
        """
        connection = await connect(
            url,
            create_connection=partial(cls, receive),  # type: ignore[arg-type]  # a factory will do
            compression=None,
            open_timeout=within,
            ping_interval=None,
            close_timeout=1,
            max_size=MESSAGE_MAX,
        )
        assert isinstance(connection, cls)  # noqa: S101 -- `create_connection` made it
        return connection

    def say(self, message: bytes) -> None:
        """Hand a message over. It may leave later, or never. Raises SocketError."""
        if self.protocol.state is not State.OPEN:
            raise SocketError("the connection has ended, or is about to")
        self.protocol.send_text(message)
        self.send_data()

    async def leave(self) -> None:
        """Close, and wait for the end a little."""
        if self.ended.done() and not self.ended.cancelled():
            self.ended.exception()  # looked at, so that asyncio does not complain
        self.ended.cancel()
        with suppress(OSError, WebSocketException):
            await self.close()

    # -- what the library calls --------------------------------------------------------------------

    def process_event(self, event: Event) -> None:
        """Take a frame, whole or in parts."""
        if not isinstance(event, Frame) or event.opcode not in _FRAGMENTS:
            super().process_event(event)
        elif event.fin and not self._parts:
            self._give(bytes(event.data))
        else:
            self._parts.append(bytes(event.data))
            if event.fin:
                message = b"".join(self._parts)
                self._parts.clear()
                self._give(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits why it ended."""
        super().connection_lost(exc)
        self._end(self.close_exc)

    def _give(self, message: bytes) -> None:
        if self.ended.done():
            return
        try:
            self._receive(message)
        except Exception as error:  # noqa: BLE001 -- a defect of the reader: it ends the link
            self._end(error)

    def _end(self, error: BaseException) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
