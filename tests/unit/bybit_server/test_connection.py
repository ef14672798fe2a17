"""One socket of the local Bybit, on ASGI's own two calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from order_adapters.bybit_server import BybitServer, ServerConfig
from order_adapters.bybit_server.sockets.connection import Connection
from order_adapters.clock import VirtualClock

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class Ends:
    """Both ends of one connection."""

    def __init__(self, query: bytes = b"", **config: Any) -> None:
        self.clock = VirtualClock(START)
        server = BybitServer(ServerConfig(**config), self.clock)
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[Any] = []
        self.heard: list[Any] = []
        self.connection = Connection(
            server.services, ("127.0.0.1", 5), self.incoming.get, self.record
        )
        self.connection.limit_idle(query)

    async def record(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.sent if each["type"] == "websocket.send"]

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def pass_time(self, **length: float) -> None:
        self.clock.advance_to(self.clock.now() + timedelta(**length))
        await self.settle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.incoming.put_nowait({"type": "websocket.connect"})
        task = asyncio.create_task(self.connection.run(self.heard.append))
        await self.settle()
        try:
            yield
        finally:
            self.incoming.put_nowait({"type": "websocket.disconnect"})
            await task


async def test_an_acknowledgement_comes_after_the_latency_and_nothing_overtakes_it() -> None:
    ends = Ends(latency=timedelta(milliseconds=20))
    async with ends.running():
        ends.connection.acknowledge({"op": "auth"})
        ends.connection.put("pushed")
        await ends.pass_time(milliseconds=19)
        assert ends.texts == []
        await ends.pass_time(milliseconds=1)
        assert ends.texts == ['{"op":"auth"}', "pushed"]


async def test_frames_are_read_as_json_or_as_nothing() -> None:
    ends = Ends()
    async with ends.running():
        for text in ('{"op":"ping"}', "{", ""):
            ends.incoming.put_nowait({"type": "websocket.receive", "text": text})
        ends.incoming.put_nowait({"type": "websocket.receive", "text": None, "bytes": b"\xff"})
        await ends.settle()

    assert ends.heard == [{"op": "ping"}, None, None, None]


async def test_more_than_the_queue_holds_ends_the_connection() -> None:
    ends = Ends(queue_size=2)
    async with ends.running():
        for text in ("1", "2", "3", "4"):
            ends.connection.put(text)
        assert ends.connection.is_closed


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        (b"", 600),
        (b"max_active_time=1m", 60),
        (b"a=b&max_active_time=30s", 30),
        (b"max_active_time=29s", 600),
        (b"max_active_time=11m", 600),
        (b"max_active_time=soon", 600),
    ],
)
async def test_silence_is_cut_after_the_time_that_was_asked_for(query: bytes, seconds: int) -> None:
    ends = Ends(query)
    async with ends.running():
        for _ in range(seconds // 30 - 1):
            await ends.pass_time(seconds=30)
        await ends.pass_time(seconds=29)
        assert ends.sent[-1]["type"] == "websocket.accept"
        await ends.pass_time(seconds=1)
        assert ends.sent[-1] == {"type": "websocket.close", "code": 1000}


async def test_a_ping_or_a_push_keeps_a_connection() -> None:
    ends = Ends(b"max_active_time=60s")
    async with ends.running():
        await ends.pass_time(seconds=45)
        ends.connection.put("pushed")
        await ends.settle()
        await ends.pass_time(seconds=45)
        ends.incoming.put_nowait({"type": "websocket.receive", "text": "{}"})
        await ends.settle()
        await ends.pass_time(seconds=45)
        assert ends.sent[-1]["type"] == "websocket.send"
