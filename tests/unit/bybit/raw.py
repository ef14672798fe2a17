"""Servers that speak bytes, to break connections at a byte of one's choice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs

OK = b'{"retCode":0,"retMsg":"OK","result":{},"retExtInfo":{},"time":1700000000123}'


def http(body: bytes = OK, status: str = "200 OK", *headers: str) -> bytes:
    """A whole response."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@attrs.define
class Peer:
    """The server's end: what it heard, request by request, and how it goes on.

    `react` gets the writer and everything heard on this connection so far, whenever bytes come;
    it may answer, break or keep silent.
    """

    react: Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
    heard: list[bytes] = attrs.field(factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> int:
        """Requests of which at least the first byte came."""
        everything = b"".join(self.heard)
        return everything.count(b"POST ") + everything.count(b"GET ")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(b"")
        mine = len(self.heard) - 1
        try:
            while more := await reader.read(65536):
                self.heard[mine] += more
                await self.react(writer, self.heard[mine])
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(peer: Peer) -> AsyncIterator[Peer]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()


def is_whole(heard: bytes) -> bool:
    """Whether the last request on a connection is complete."""
    head, blank, body = heard.rpartition(b"\r\n\r\n")
    if not blank:
        return False
    for line in head.lower().split(b"\r\n")[::-1]:
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return True


def answering(*responses: bytes) -> Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]:
    """Answer one whole request after another, the last response ever again."""
    left = list(responses)

    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if is_whole(heard):
            writer.write(left.pop(0) if len(left) > 1 else left[0])

    return react
