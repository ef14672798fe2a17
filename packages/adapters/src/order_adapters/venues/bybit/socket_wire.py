"""SocketWire: one WebSocket connection; the only module that knows the WebSocket library."""

import asyncio
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.frames import apply_mask as mask_with  # type: ignore[attr-defined]  # in C if built
from websockets.protocol import Event, State

SocketError: Final = WebSocketException
MESSAGE_MAX: Final = 2**24
_FRAGMENTS: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_HEAD_END: Final = b"\r\n\r\n"
_HEAD_MAX: Final = 2**16
_SWITCHES: Final = b"HTTP/1.1 101 "
_WHOLE_TEXT: Final = 0x81
_MASKED: Final = 0x80
_SHORT: Final = 126
"""Below, a frame's length stands in its second byte; this says that two more bytes tell it."""
_LONG: Final = 127
"""Eight more bytes."""


class SocketWire(ClientConnection):
    """Gives each message to `receive` in the moment it comes, without a queue and a task between.

    The library's own way wakes a task for every message, takes a lock for every frame that leaves,
    and reads each through a chain of generators; beside a bare connection that costs as much as the
    rest of an order. So whole text frames pass it by, both ways; everything else is the library's:
    handshake, fragments, pings, closing, and whatever breaks a rule.

    Attributes:
        ended: Raises what ended the connection.
    """

    def __init__(self, receive: Callable[[bytes], None], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._receive = receive
        self._parts: list[bytes] = []
        self._rest = b""
        self._is_cut: bool | None = None
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
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            raise SocketError("the connection has ended, or is about to")
        mask, size = os.urandom(4), len(message)
        if size < _SHORT:
            head = bytes((_WHOLE_TEXT, _MASKED | size))
        elif size < 2**16:
            head = struct.pack("!BBH", _WHOLE_TEXT, _MASKED | _SHORT, size)
        else:
            head = struct.pack("!BBQ", _WHOLE_TEXT, _MASKED | _LONG, size)
        self.transport.write(head + mask + mask_with(message, mask))

    async def leave(self) -> None:
        """Close, and wait for the end a little."""
        if self.ended.done() and not self.ended.cancelled():
            self.ended.exception()  # looked at, so that asyncio does not complain
        self.ended.cancel()
        with suppress(OSError, WebSocketException):
            await self.close()

    # -- what the library calls --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Cut bytes into frames: the library gets whole ones and is never in the middle of one."""
        if self._is_cut is None:
            data = self._after_handshake(data)
        if self._is_cut is False:
            super().data_received(data)
            return
        buffer = self._rest + data if self._rest else data
        begin = 0
        while (end := _frame_end(buffer, begin)) and end <= len(buffer):
            if buffer[begin] == _WHOLE_TEXT and buffer[begin + 1] < _MASKED and not self._parts:
                self._give(buffer[end - _size(buffer, begin) : end])
            else:
                super().data_received(buffer[begin:end])
            begin = end
        self._rest = buffer[begin:]
        if end > begin + MESSAGE_MAX:
            self._is_cut = False
            super().data_received(self._rest)  # it says why it will not have that

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
        self._end(self.protocol.close_exc)

    def _after_handshake(self, data: bytes) -> bytes:
        """Leave the answer to the handshake to the library; return what comes after it."""
        data = self._rest + data
        head, end, rest = data.partition(_HEAD_END)
        if not end and len(data) <= _HEAD_MAX:
            self._rest = data
            return b""
        self._rest = b""
        self._is_cut = bool(end) and head.startswith(_SWITCHES)
        if not self._is_cut:
            return data
        super().data_received(head + end)
        return rest

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


def _size(buffer: bytes, begin: int) -> int:
    """Length of the payload of the frame that begins there."""
    short = buffer[begin + 1] & 0x7F
    if short < _SHORT:
        return short
    return int.from_bytes(buffer[begin + 2 : begin + (4 if short == _SHORT else 10)], "big")


def _frame_end(buffer: bytes, begin: int) -> int:
    """Where the frame that begins there ends; 0 if its head is not whole yet."""
    left = len(buffer) - begin
    if left < 2:
        return 0
    short = buffer[begin + 1] & 0x7F
    head = 2 if short < _SHORT else 4 if short == _SHORT else 10
    if buffer[begin + 1] & _MASKED:
        head += 4
    return begin + head + _size(buffer, begin) if left >= head else 0
