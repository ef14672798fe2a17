"""One WebSocket connection: whole messages in the moment they come, and why it ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from order_adapters.venues.bybit.socket_wire import MESSAGE_MAX, SocketError, SocketWire
from tests.unit.bybit.sockets import PATIENT, SocketPeer, a_link, talking, until


@asynccontextmanager
async def a_wire(
    receive: Callable[[bytes], None],
) -> AsyncIterator[tuple[ServerConnection, SocketWire]]:
    """Both ends of one connection."""
    met: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def meet(end: ServerConnection) -> None:
        met.set_result(end)
        await end.wait_closed()

    async with serve(meet, "127.0.0.1", 0, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        wire = await SocketWire.to(f"ws://127.0.0.1:{port}", receive, within=2.0)
        try:
            yield await met, wire
        finally:
            await wire.leave()


async def test_a_message_in_fragments_is_put_together() -> None:
    heard: list[bytes] = []
    async with a_wire(heard.append) as (peer, _):
        await peer.send(["om", "-", "1"])
        await peer.send("whole")
        await until(lambda: len(heard) == 2)

    assert heard == [b"om-1", b"whole"]


async def test_many_messages_in_one_packet_come_one_by_one() -> None:
    heard: list[bytes] = []
    async with a_wire(heard.append) as (peer, _):
        for number in range(100):
            peer.protocol.send_text(b"%d" % number)
        peer.send_data()
        await until(lambda: len(heard) == 100)

    assert heard == [b"%d" % number for number in range(100)]


async def test_pings_of_the_exchange_are_answered() -> None:
    async with a_wire(lambda _: None) as (peer, _):
        async with asyncio.timeout(2):
            await (await peer.ping())


async def test_a_message_too_long_for_this_exchange_ends_the_connection() -> None:
    heard: list[bytes] = []
    async with a_wire(heard.append) as (peer, wire):
        await peer.send(b"x" * (MESSAGE_MAX + 1))
        with pytest.raises(SocketError, match="1009"):
            await asyncio.shield(wire.ended)

    assert heard == []


async def test_nothing_is_said_on_a_connection_that_ended() -> None:
    async with a_wire(lambda _: None) as (peer, wire):
        peer.transport.abort()
        with pytest.raises(SocketError):
            await asyncio.shield(wire.ended)
        with pytest.raises(SocketError):
            wire.say(b"{}")


async def test_nothing_is_said_on_a_connection_that_is_ending() -> None:
    async with a_wire(lambda _: None) as (_, wire):
        leaving = asyncio.create_task(wire.leave())
        await asyncio.sleep(0)
        with pytest.raises(SocketError):
            wire.say(b"{}")
        await leaving


class Defect(Exception):
    pass


async def test_a_defect_of_whoever_reads_ends_the_link_with_it() -> None:
    class Broken:
        async def greet(self) -> None:
            """Say nothing."""

        def receive(self, frame: bytes) -> None:
            raise Defect(frame)

        def up(self) -> None:
            """Say nothing."""

        def down(self, reason: str) -> None:
            """Say nothing."""

    peer = SocketPeer(lambda _: None)
    async with talking(peer):
        link: Any = a_link(peer, PATIENT)(Broken())
        running = asyncio.create_task(link.run())
        await until(lambda: peer.open)
        await peer.say("hello", "again")
        with pytest.raises(Defect, match="hello"):
            await running
