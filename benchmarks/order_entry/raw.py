"""Bare asyncio connections with their own framing: the floor of both transports."""

import asyncio
import base64
import hmac
import json
import os
import struct
import sys
import time
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from timing import IN_FLIGHT, measure, place


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def a_body(name: str) -> str:
    return json.dumps(
        {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.02",
            "price": "46000",
            "timeInForce": "IOC",
            "orderLinkId": name,
        },
        separators=(",", ":"),
    )


async def over_rest() -> None:
    where = place()
    host, _, port = where["rest"].removeprefix("http://").partition(":")
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(IN_FLIGHT):
        free.put_nowait(await asyncio.open_connection(host, int(port)))

    async def send(name: str) -> None:
        body, stamp = a_body(name), str(int(time.time() * 1000))
        signature = sign(where["secret"], f"{stamp}{where['key']}5000{body}")
        reader, writer = free.get_nowait()
        writer.write(
            f"POST /v5/order/create HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/json\r\nX-BAPI-API-KEY: {where['key']}\r\n"
            f"X-BAPI-TIMESTAMP: {stamp}\r\nX-BAPI-RECV-WINDOW: 5000\r\n"
            f"X-BAPI-SIGN: {signature}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        reply = json.loads(await reader.readexactly(length))
        free.put_nowait((reader, writer))
        if reply["retCode"]:
            raise RuntimeError(f"not taken: {reply}")

    await measure(send)


def frame(text: str) -> bytes:
    data, mask = text.encode(), os.urandom(4)
    size = len(data)
    head = bytes((0x81, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
    long_mask = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(data, "big") ^ long_mask).to_bytes(size, "big")


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    _, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    return await reader.readexactly(size)


async def over_socket() -> None:
    where = place()
    host, _, port = where["ws"].removeprefix("ws://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /v5/trade HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    expires = int(time.time() * 1000) + 10_000
    args = [where["key"], expires, sign(where["secret"], f"GET/realtime{expires}")]
    writer.write(frame(json.dumps({"op": "auth", "args": args})))
    if json.loads(await read_frame(reader))["retCode"]:
        raise RuntimeError("auth refused")
    waiting: dict[str, asyncio.Future[int]] = {}

    async def read() -> None:
        while True:
            reply = json.loads(await read_frame(reader))
            waiting.pop(reply["reqId"]).set_result(reply["retCode"])

    async def send(name: str) -> None:
        waiting[name] = asyncio.get_running_loop().create_future()
        stamp = int(time.time() * 1000)
        writer.write(
            frame(
                f'{{"reqId":"{name}","header":{{"X-BAPI-TIMESTAMP":"{stamp}"}},'
                f'"op":"order.create","args":[{a_body(name)}]}}'
            )
        )
        if code := await waiting[name]:
            raise RuntimeError(f"not taken: {code}")

    reading = asyncio.create_task(read())
    await measure(send)
    reading.cancel()


if __name__ == "__main__":
    asyncio.run(over_socket() if sys.argv[1] == "socket" else over_rest())
