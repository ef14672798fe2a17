"""A WebSocket server that says what a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import attrs
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from order_adapters.clock import SystemClock
from order_adapters.venues.bybit.link import Link, LinkTiming
from order_adapters.venues.bybit.signing import Credentials

KEY = Credentials("TESTKEY0000000001", "TESTSECRET000000000000000000000000001")
FAST = LinkTiming(ping=0.05, dead=0.2, greet=1.0, first_wait=0.01, longest_wait=0.02)
PATIENT = attrs.evolve(FAST, ping=20.0, dead=25.0)
Message = dict[str, Any]


@attrs.define
class SocketPeer:
    """The exchange's end: `reply` turns a message into what is said back, or None for silence."""

    reply: Callable[[Message], Any]
    heard: list[Message] = attrs.field(factory=list)
    open: list[ServerConnection] = attrs.field(factory=list)
    connections: int = 0
    port: int = 0

    async def serve(self, socket: ServerConnection) -> None:
        self.connections += 1
        self.open.append(socket)
        with suppress(ConnectionClosed):
            async for frame in socket:
                message = json.loads(frame)
                self.heard.append(message)
                said = self.reply(message)
                for each in said if isinstance(said, list) else [said]:
                    if each is not None:
                        await socket.send(each if isinstance(each, str | bytes) else dumps(each))
        self.open.remove(socket)

    async def say(self, *messages: Any) -> None:
        """Push to everybody."""
        for socket in self.open:
            for each in messages:
                await socket.send(each if isinstance(each, str | bytes) else dumps(each))

    def cut(self) -> None:
        """Cut everybody off without a word."""
        for socket in self.open:
            socket.transport.abort()

    def ops(self) -> list[str]:
        return [message["op"] for message in self.heard if message["op"] != "ping"]


def dumps(message: Any) -> str:
    return json.dumps(message)


@asynccontextmanager
async def talking(peer: SocketPeer) -> AsyncIterator[SocketPeer]:
    async with serve(peer.serve, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as server:
        peer.port = next(iter(server.sockets)).getsockname()[1]
        yield peer


def a_link(peer: SocketPeer, timing: LinkTiming = PATIENT) -> Callable[[Any], Link]:
    url = f"ws://127.0.0.1:{peer.port}"
    return lambda user: Link("test", url, user, SystemClock(), Random(1), timing)


@asynccontextmanager
async def running(link: Link) -> AsyncIterator[None]:
    task = asyncio.create_task(link.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], Any]) -> None:
    """Wait for something to become true; the suite's own time limit is the only one."""
    while not holds():  # noqa: ASYNC110 -- what it waits for rings no bell
        await asyncio.sleep(0.002)
