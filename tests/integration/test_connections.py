"""Connections that take their time, or too many of them, on a real server with short limits."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from litestar.types import Receive, Scope, Send

from order_service.http.connections import Impatient
from tests.integration.service_process import ServiceProcess

ASK_SECONDS = 0.3
LONG_SECONDS = 3 * ASK_SECONDS
WHOLE = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Hasty(Impatient):
    ask_seconds = ASK_SECONDS
    most = 3


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    """Wait as long as the path says, then answer; never reads the body."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/long":
        await asyncio.sleep(LONG_SECONDS)
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"said", "more_body": False})


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    """A server of this protocol; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(answers, http=Hasty, log_config=None, lifespan="off")
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    running.should_exit = True
    await task


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the other side closes, however it does."""
    said = b""
    try:
        while part := await reader.read(1000):
            said += part
    except ConnectionError:
        pass
    return said


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: here\r\n"])
async def test_whoever_does_not_bring_a_request_to_its_end_is_cut_off(begun: bytes) -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)

        assert await rest(reader) == b""
        writer.close()


async def test_a_byte_now_and_then_does_not_help() -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = asyncio.create_task(rest(reader))
        writer.write(b"GET / HTTP/1.1\r\nX-Long: ")
        while not ended.done():
            writer.write(b"x")
            await asyncio.sleep(ASK_SECONDS / 10)

        assert await ended == b""
        writer.close()


async def test_a_body_that_drips_after_its_answer_is_cut_off() -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = asyncio.create_task(rest(reader))
        writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n")
        while not ended.done():
            writer.write(b"x")
            await asyncio.sleep(ASK_SECONDS / 10)

        assert (await ended).startswith(b"HTTP/1.1 401")
        writer.close()


async def test_an_answer_may_take_longer_than_the_request() -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WHOLE.replace(b"/ ", b"/long ", 1))

        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.close()


async def test_a_connection_too_many_is_closed_and_the_others_are_answered() -> None:
    async with server() as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(Hasty.most)]
        for _, writer in held:
            writer.write(WHOLE)
        first = [await reader.readuntil(b"said") for reader, _ in held]
        further, more = await asyncio.open_connection("127.0.0.1", port)
        refused = await rest(further)
        for _, writer in held:
            writer.write(WHOLE)
        again = [b"401" in await reader.readuntil(b"said") for reader, _ in held]
        for writer in (more, *(writer for _, writer in held)):
            writer.close()

    assert [b"401" in line for line in first] == [True] * Hasty.most
    assert refused == b""
    assert again == [True] * Hasty.most


def test_the_service_itself_cuts_off_whoever_never_ends_his_request(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with ServiceProcess(tmp_path_factory.mktemp("slow")) as running:
        running.ready()
        address = running.http.base_url.host, running.http.base_url.port or 0
        with socket.create_connection(address, 30) as slow:
            slow.sendall(b"GET /health HTTP/1.1\r\nX-Endless: ")
            try:
                said = slow.recv(1)
            except ConnectionResetError:
                said = b""
        alive = running.http.get("/live").status_code

    assert said == b""
    assert alive == 200
