"""Serving: how the address is taken."""

import asyncio
import socket

from order_service.serving import listen


async def test_no_part_of_an_answer_waits_until_another_is_acknowledged() -> None:
    answering: list[int] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line: socket.socket = writer.get_extra_info("socket")
        answering.append(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = listen("127.0.0.1", 0)
    async with await asyncio.start_server(answer, sock=listener):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        await reader.read()
        writer.close()

    assert [bool(each) for each in answering] == [True]
