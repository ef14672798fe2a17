"""The fault proxy does to a connection what a test asks of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.proxy import OPEN, Filter, Proxy, Way


class Echo:
    """A server that answers every piece with itself; `heard` is all it was sent."""

    def __init__(self) -> None:
        self.heard = b""
        self.pieces: list[int] = []
        self.ended = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.heard += data
                self.pieces.append(len(data))
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            self.ended.set()
            writer.close()


@asynccontextmanager
async def an_echo() -> AsyncIterator[tuple[Echo, Proxy]]:
    echo = Echo()
    async with await asyncio.start_server(echo.answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with Proxy(f"tcp://127.0.0.1:{port}") as proxy:
            yield echo, proxy


@asynccontextmanager
async def a_line(proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.fixture(params=[False, True], ids=["closed", "reset"])
def is_reset(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_an_open_way_carries_everything_both_ways_and_the_end() -> None:
    sent = bytes(range(256)) * 2000
    async with an_echo() as (echo, proxy), a_line(proxy) as (reader, writer):
        writer.write(sent)
        back = await reader.readexactly(len(sent))
        writer.write_eof()
        assert await reader.read() == b""

    assert back == sent == echo.heard


async def test_a_cut_at_a_pattern_that_passes_loses_the_answer_alone() -> None:
    async with an_echo() as (echo, proxy), a_line(proxy) as (reader, writer):
        proxy.set(to_server=Way(cut_at=b"COMMIT"), to_client=Way(is_dropped=True))
        writer.write(b"BEGIN; COM")
        await asyncio.sleep(0)
        writer.write(b"MIT; more")
        assert await reader.read() == b""
        await echo.ended.wait()

    assert (echo.heard, proxy.cuts) == (b"BEGIN; COMMIT", 1)


async def test_a_cut_before_a_pattern_keeps_it_from_the_server() -> None:
    async with an_echo() as (echo, proxy), a_line(proxy) as (reader, writer):
        proxy.set(to_server=Way(cut_at=b"COMMIT", passes=False))
        writer.write(b"BEGIN; COMMIT")
        assert await reader.read() in (b"", b"BEGIN; ")

    assert b"COMMIT" not in echo.heard


async def test_a_cut_after_a_number_of_bytes_lets_so_many_pass(is_reset: bool) -> None:
    async with an_echo() as (echo, proxy), a_line(proxy) as (reader, writer):
        proxy.set(to_client=Way(cut_after=5, is_reset=is_reset))
        writer.write(b"0123456789")
        back = b""
        try:
            while piece := await reader.read(100):
                back += piece
            was_reset = False
        except ConnectionResetError:
            was_reset = True

    assert was_reset == is_reset
    assert back in ((b"", b"01234") if is_reset else (b"01234",))
    assert echo.heard == b"0123456789"


async def test_connections_are_cut_on_demand_and_new_ones_pass(is_reset: bool) -> None:
    async with an_echo() as (_, proxy):
        async with a_line(proxy) as (reader, writer):
            writer.write(b"one")
            await reader.readexactly(3)
            proxy.cut(is_reset=is_reset)
            try:
                was_reset = await reader.read() != b""
            except ConnectionResetError:
                was_reset = True
        async with a_line(proxy) as (reader, writer):
            writer.write(b"two")
            assert await reader.readexactly(3) == b"two"

    assert was_reset == is_reset
    assert proxy.accepted == 2


async def test_a_black_hole_holds_everything_until_it_is_healed() -> None:
    async with an_echo() as (echo, proxy), a_line(proxy) as (reader, writer):
        proxy.both(Way(is_black_hole=True))
        writer.write(b"anybody?")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)
        heard_meanwhile = echo.heard
        proxy.heal()
        assert await reader.readexactly(8) == b"anybody?"

    assert heard_meanwhile == b""


async def test_dropped_bytes_never_come() -> None:
    async with an_echo() as (echo, proxy), a_line(proxy) as (reader, writer):
        proxy.set(to_server=Way(is_dropped=True, cut_after=4))
        writer.write(b"gone")
        assert await reader.read() == b""

    assert echo.heard == b""


async def test_a_sliced_way_brings_single_bytes() -> None:
    async with an_echo() as (echo, proxy), a_line(proxy) as (reader, writer):
        proxy.set(to_server=Way(slice=1, latency=0.01, jitter=0.01, bandwidth=1000))
        writer.write(b"0123456789" * 3)
        assert await reader.readexactly(30) == b"0123456789" * 3

    assert len(echo.pieces) > 5


async def test_who_is_refused_hears_the_end_and_is_taken_after_the_healing() -> None:
    async with an_echo() as (_, proxy):
        proxy.refuse()
        async with a_line(proxy) as (reader, _):
            assert await reader.read() == b""
        proxy.heal()
        async with a_line(proxy) as (reader, writer):
            writer.write(b"in")
            assert await reader.readexactly(2) == b"in"


async def test_a_server_that_is_not_there_ends_the_connection() -> None:
    async with an_echo() as (_, proxy):
        absent = proxy.port
    with Proxy(f"tcp://127.0.0.1:{absent}") as proxy:
        async with a_line(proxy) as (reader, _):
            assert await reader.read() == b""


def test_a_pattern_is_found_wherever_its_pieces_end() -> None:
    way = Way(cut_at=b"abc")
    for first in range(1, 6):
        watched = Filter()
        before, is_early = watched.take(way, b"xxabcx"[:first])
        after, is_late = watched.take(way, b"xxabcx"[first:]) if not is_early else (b"", False)
        assert (before + after, is_early or is_late) == (b"xxabc", True)


def test_a_new_way_counts_anew() -> None:
    watched = Filter()

    assert watched.take(Way(cut_after=5), b"123") == (b"123", False)
    assert watched.take(OPEN, b"456") == (b"456", False)
    assert watched.take(Way(cut_after=2), b"789") == (b"78", True)


def test_the_address_keeps_its_user_and_its_path() -> None:
    with Proxy("postgresql://me:secret@127.0.0.1:5432/base?schema=own") as proxy:
        url = proxy.url

    assert url == f"postgresql://me:secret@127.0.0.1:{proxy.port}/base?schema=own"
