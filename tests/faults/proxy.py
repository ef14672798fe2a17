"""Proxy: a TCP way between two programs whose faults a test decides, each direction by itself."""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import attrs

T = TypeVar("T")
_PIECE: Final = 65536
_NO_LINGER: Final = struct.pack("ii", 1, 0)


@attrs.frozen(kw_only=True)
class Way:
    """How one direction behaves. Every field left alone: bytes pass as they come.

    Attributes:
        latency, jitter: Seconds before a piece passes on, and up to so many more by chance.
        bandwidth: Bytes a second.
        slice: Bytes of one write; the next waits until this one has left.
        is_black_hole: Nothing passes, neither bytes nor the end, until this way is exchanged.
        is_dropped: What comes is thrown away; use it with a cut afterwards.
        cut_after: Bytes that still pass before both ends are closed.
        cut_at: Bytes at whose coming both ends are closed.
        passes: Whether `cut_at` itself still passes.
        is_reset: Whether a cut resets the connections instead of closing them.
    """

    latency: float = 0.0
    jitter: float = 0.0
    bandwidth: float = 0.0
    slice: int = 0
    is_black_hole: bool = False
    is_dropped: bool = False
    cut_after: int | None = None
    cut_at: bytes = b""
    passes: bool = True
    is_reset: bool = False


OPEN: Final = Way()
TO_SERVER: Final = "to_server"
TO_CLIENT: Final = "to_client"


class Cut(Exception):
    """The way says that the connection ends here."""


@attrs.define
class Filter:
    """What of a stream of bytes passes before it is cut. It counts anew with each new way."""

    way: Way = OPEN
    _passed: int = 0
    _tail: bytes = b""

    def take(self, way: Way, data: bytes) -> tuple[bytes, bool]:
        """Return what passes of a piece, and whether the connection is cut behind it."""
        if way is not self.way:
            self.way, self._passed, self._tail = way, 0, b""
        room = len(data) if way.cut_after is None else way.cut_after - self._passed
        is_cut = way.cut_after is not None and len(data) >= room
        if way.cut_at:
            found = (self._tail + data).find(way.cut_at)
            if found >= 0:
                end = found - len(self._tail) + (len(way.cut_at) if way.passes else 0)
                room, is_cut = min(room, max(end, 0)), True
            self._tail = (self._tail + data)[1 - len(way.cut_at) :] if len(way.cut_at) > 1 else b""
        data = data[: max(room, 0)]
        self._passed += len(data)
        return (b"" if way.is_dropped else data), is_cut


class Proxy:
    """Listens while its block lasts, in a thread of its own, in front of a server.

    Args:
        url: Of the server, with its port; `url` is then the same by way of the proxy.
        seed: Of the jitter.
    """

    def __init__(self, url: str, seed: int = 1) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        assert place.port is not None, "a proxy needs the port of the server"
        self._target = (place.hostname, place.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        user = place.netloc.rpartition("@")[0]
        at = f"{user}@" if user else ""
        self.url = urlunsplit(place._replace(netloc=f"{at}127.0.0.1:{self.port}"))
        self.accepted = 0
        self.cuts = 0
        self._ways = {TO_SERVER: OPEN, TO_CLIENT: OPEN}
        self._changed = asyncio.Event()
        self._is_refusing = False
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._pairs: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._open)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set(self, *, to_server: Way | None = None, to_client: Way | None = None) -> None:
        """Exchange the way of a direction, for connections there are and for new ones."""
        changes = {TO_SERVER: to_server, TO_CLIENT: to_client}
        self._ways |= {name: way for name, way in changes.items() if way is not None}
        self._loop.call_soon_threadsafe(self._changed.set)

    def both(self, way: Way) -> None:
        """Let both directions behave like this."""
        self.set(to_server=way, to_client=way)

    def cut(self, *, is_reset: bool = False) -> None:
        """Close, or reset, every connection there is."""

        async def cut_all() -> None:
            for writers in list(self._pairs.values()):
                self._end(writers, is_reset=is_reset)

        self._call(cut_all)

    def refuse(self, is_refusing: bool = True) -> None:
        """Close new connections at once, and those there are; or take them again."""
        self._is_refusing = is_refusing
        if is_refusing:
            self.cut()

    def heal(self) -> None:
        """Let everything pass again. What a black hole held comes out now."""
        self._is_refusing = False
        self.both(OPEN)

    def _call(self, call: Callable[[], "asyncio.Future[T] | object"]) -> None:
        asyncio.run_coroutine_threadsafe(call(), self._loop).result()  # type: ignore[arg-type]

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._accept, sock=self._listener)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = list(self._pairs)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.accepted += 1
        self._pairs[task] = (writer,)
        try:
            if self._is_refusing:
                return
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            self._pairs[task] = (writer, far_writer)
            there = asyncio.create_task(self._carry(TO_SERVER, reader, far_writer))
            back = asyncio.create_task(self._carry(TO_CLIENT, far_reader, writer))
            try:
                await asyncio.wait((there, back), return_when=asyncio.FIRST_EXCEPTION)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            return  # the server is not there, or the proxy ends
        finally:
            self._end(self._pairs.pop(task), is_reset=False)

    async def _carry(
        self, direction: str, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        """Carry bytes until an end closes. Raises Cut when the whole connection is over."""
        watched = Filter()
        while True:
            data = await source.read(_PIECE)
            while self._ways[direction].is_black_hole:
                self._changed.clear()
                await self._changed.wait()
            way = self._ways[direction]
            if not data:
                raise Cut
            passing, is_cut = watched.take(way, data)
            await self._pass(way, passing, target)
            if is_cut:
                self.cuts += 1
                task = next(each for each, pair in self._pairs.items() if target in pair)
                self._end(self._pairs[task], is_reset=way.is_reset)
                raise Cut

    async def _pass(self, way: Way, data: bytes, target: asyncio.StreamWriter) -> None:
        if way.latency or way.jitter:
            await asyncio.sleep(way.latency + self._random.random() * way.jitter)
        size = way.slice or len(data) or 1
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            target.write(piece)
            await target.drain()
            # without a pause between them the system puts small pieces together again
            await asyncio.sleep(len(piece) / way.bandwidth if way.bandwidth else 0)

    def _end(self, writers: tuple[asyncio.StreamWriter, ...], *, is_reset: bool) -> None:
        for writer in writers:
            if is_reset and not writer.is_closing():
                end = writer.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                writer.transport.abort()
            else:
                writer.close()
