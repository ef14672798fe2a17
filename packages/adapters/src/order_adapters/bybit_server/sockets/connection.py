"""Connection: one WebSocket with a bounded queue; who reads too slowly is cut off."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from order_adapters.bybit_server.services import Address, Services

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_DECODE: Final = msgspec.json.Decoder()
_CHECK: Final = timedelta(seconds=30)
_IDLE: Final = timedelta(minutes=10)
_IDLE_SECONDS: Final = (30, 600)
_MAX_ACTIVE: Final = re.compile(rb"(?:^|&)max_active_time=([0-9]{1,4})([sm])(?:&|$)")


class Connection:
    """Sends in order, each message not before its time; reads JSON objects.

    Attributes:
        name: The `conn_id` of every acknowledgement.
        address: Of the client.
        is_closed: Nothing is sent any more.
    """

    def __init__(self, services: Services, address: Address, receive: Receive, send: Send) -> None:
        self.services = services
        self.address = address
        self.is_closed = False
        self.idle_limit = _IDLE
        self.name = str(UUID(int=services.next_connection()))
        self._receive = receive
        self._send = send
        self._queue: asyncio.Queue[tuple[datetime | None, str]] = asyncio.Queue(
            services.config.queue_size
        )
        self._active_at = services.clock.now()

    def limit_idle(self, query: bytes) -> None:
        """Read `max_active_time`, for example `30s` or `1m`; what is none changes nothing."""
        match = _MAX_ACTIVE.search(query)
        if match is not None:
            seconds = int(match[1]) * (60 if match[2] == b"m" else 1)
            if _IDLE_SECONDS[0] <= seconds <= _IDLE_SECONDS[1]:
                self.idle_limit = timedelta(seconds=seconds)

    def put(self, text: str) -> None:
        """Queue a message."""
        self._put(text, None)

    def say(self, message: dict[str, Any]) -> None:
        """Queue an answer that has had its latency already."""
        self._put(msgspec.json.encode(message).decode(), None)

    def acknowledge(self, message: dict[str, Any]) -> None:
        """Queue an acknowledgement, which takes as long as the exchange's latency."""
        latency = self.services.config.latency
        due = self.services.clock.now() + latency if latency else None
        self._put(msgspec.json.encode(message).decode(), due)

    def abort(self) -> None:
        """Cut the connection without a word."""
        if not self.is_closed:
            self.is_closed = True
            self.services.abort(self.address)

    async def run(self, handle: Callable[[Any], None]) -> None:
        """Serve until either end closes; `handle` takes each frame, None for one that is no JSON.

        What goes wrong in here ends the connection and is raised.
        """
        await self._receive()
        await self._send({"type": "websocket.accept"})
        tasks = [
            asyncio.create_task(self._read(handle)),
            asyncio.create_task(self._write()),
            asyncio.create_task(self._watch()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self.is_closed = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _put(self, text: str, due: datetime | None) -> None:
        if self.is_closed:
            return
        try:
            self._queue.put_nowait((due, text))
        except asyncio.QueueFull:
            self.abort()

    async def _read(self, handle: Callable[[Any], None]) -> None:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return
            self._active_at = self.services.clock.now()
            handle(_decoded(message))

    async def _write(self) -> None:
        while True:
            due, text = await self._queue.get()
            if due is not None:
                await self.services.clock.sleep_until(due)
            self._active_at = self.services.clock.now()
            await self._send({"type": "websocket.send", "text": text})

    async def _watch(self) -> None:
        """Close what neither pings nor is pushed to; the check is rare, so the cut may be late."""
        clock = self.services.clock
        while clock.now() - self._active_at < self.idle_limit:
            await clock.sleep_until(clock.now() + _CHECK)
        await self._send({"type": "websocket.close", "code": 1000})


def _decoded(message: Message) -> Any:
    raw = message.get("text") or message.get("bytes") or b""
    try:
        return _DECODE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
