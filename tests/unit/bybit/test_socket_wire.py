"""One WebSocket connection: whole messages in the moment they come, and why it ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from order_adapters.venues.bybit.socket_wire import MESSAGE_MAX, SocketError, SocketWire
from tests.unit.bybit.raw import Peer, listening
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


async def test_a_connection_that_was_cut_takes_no_message() -> None:
    async with a_wire(lambda _: None) as (_, wire):
        wire.transport.abort()

        with pytest.raises(SocketError, match="has ended"):
            wire.say(b"{}")


async def test_many_messages_in_one_packet_come_one_by_one() -> None:
    heard: list[bytes] = []
    async with a_wire(heard.append) as (peer, _):
        for number in range(100):
            peer.protocol.send_text(b"%d" % number)
        peer.send_data()
        await until(lambda: len(heard) == 100)

    assert heard == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
async def test_messages_of_every_length_are_said_and_heard(size: int) -> None:
    heard: list[bytes] = []
    async with a_wire(heard.append) as (peer, wire):
        wire.say(b"x" * size)
        told = await peer.recv(decode=False)
        await peer.send(told, text=True)
        await until(lambda: heard)

    assert heard == [told] == [b"x" * size]


@given(
    st.lists(st.sampled_from((0, 3, 125, 126, 300, 70_000)), max_size=6),
    st.lists(st.integers(1, 80_000), max_size=12),
)
def test_messages_are_whole_however_their_bytes_are_cut(sizes: list[int], cuts: list[int]) -> None:
    """By the library's own frames, with a ping, a fragmented message and a handshake among them."""
    messages = [bytes((65 + number,)) * size for number, size in enumerate(sizes)]
    frames = [Frame(Opcode.TEXT, message).serialize(mask=False) for message in messages]
    parts = [Frame(Opcode.TEXT, b"in ", fin=False), Frame(Opcode.CONT, b"parts")]
    odd = [Frame(Opcode.PING, b"p"), *parts]
    data = b"".join([*frames, *(each.serialize(mask=False) for each in odd), *frames])
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})

    async def hear() -> list[bytes]:
        heard: list[bytes] = []
        async with a_wire(heard.append) as (_, wire):
            for begin, end in pairwise(edges):
                wire.data_received(data[begin:end])
        return heard

    assert asyncio.run(hear()) == [*messages, b"in parts", *messages]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n\x81\x03abc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0\r\n\r\n",
        b"x" * 70_000,
    ],
)
async def test_who_will_not_speak_websocket_is_no_connection(answer: bytes) -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        writer.write(answer)

    async with listening(Peer(react)) as peer:
        with pytest.raises(SocketError):
            await SocketWire.to(peer.url.replace("http", "ws"), lambda _: None, within=5.0)


@pytest.mark.parametrize("frame", [b"\x81\x83mask...", b"\xc1\x01x", b"\x83\x00", b"\x80\x00"])
async def test_a_frame_that_breaks_the_rules_ends_the_connection(frame: bytes) -> None:
    heard: list[bytes] = []
    async with a_wire(heard.append) as (peer, wire):
        peer.transport.write(frame)
        with pytest.raises(SocketError, match="1002"):
            await asyncio.shield(wire.ended)

    assert heard == []


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
