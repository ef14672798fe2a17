"""The ws-gateway as a neighbour: its API, its socket to the exchange, its queue, its bad habits.

Written from the description of its wire contracts. It tells everything twice, replays nothing, and
knows a subscription only as long as it lives.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self
from uuid import uuid4

import aio_pika
import attrs
from websockets.asyncio.client import connect

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.gateway import ARGUMENTS
from order_adapters.venues.bybit.signing import Credentials, socket_auth
from tests.rabbitmq_server import channel_to

FAR: Final = 4_000_000_000_000
"""The end of a signature's life, in milliseconds."""


@attrs.define
class Api:
    """Its REST API, as far as a subscriber uses it."""

    status: int = 200
    row: dict[str, Any] = attrs.field(
        factory=lambda: {"id": "s1", "is_active": True, "created_at": "2026-03-02T09:00:00"}
    )
    health: dict[str, Any] = attrs.field(
        factory=lambda: {"websocket_connected": True, "queue_connected": True}
    )
    asked: list[tuple[str, dict[str, Any]]] = attrs.field(factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(lines.get("content-length", 0)))
        status, answer = 200, self.health
        if head.startswith("POST /api/v1/subscriptions "):
            self.asked.append((lines.get("x-api-key", ""), json.loads(body)))
            status, answer = self.status, self.row
        text = json.dumps(answer).encode()
        top = f"HTTP/1.1 {status} -\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
        writer.write(top.encode() + text)
        await writer.drain()
        writer.close()


class WsGateway:
    """A running gateway, in a thread of its own; `stop` and `start` are its restart.

    Args:
        url: Of the exchange's sockets.
        times: How often each update is told.

    Attributes:
        is_silent: It goes on saying that all is well, and tells nothing.
        relayed: Updates that were put into the queue.
        lives: How often it was started.
    """

    def __init__(
        self, rabbit: RabbitConfig, queue: str, url: str, credentials: Credentials, times: int = 2
    ) -> None:
        self._rabbit, self._queue, self._url = rabbit, queue, url
        self._credentials, self._times = credentials, times
        self._port = 0
        self._thread: threading.Thread | None = None
        self._end: Callable[[], None] = lambda: None
        self._api = Api()
        self.is_silent = False
        self.relayed = 0
        self.lives = 0

    @property
    def settings(self) -> dict[str, str]:
        """What a service needs to be told by it."""
        return {
            "ORDERMANAGER_EVENT_SOURCE": "gateway",
            "WS_GATEWAY_HOST": "127.0.0.1",
            "WS_GATEWAY_PORT": str(self._port),
            "WS_GATEWAY_API_KEY": "gateway-key",
            "WS_GATEWAY_ORDER_QUEUE": self._queue,
        }

    @property
    def is_asked(self) -> bool:
        """Whether somebody has subscribed in this life."""
        return bool(self._api.asked)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin a life without subscriptions, where the last one was; return when it listens."""
        row = {"id": str(uuid4()), "is_active": True, "created_at": "2026-03-02T09:00:00"}
        self._api = Api(row=row)
        self.lives += 1
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live(ready)))
        self._thread.start()
        assert ready.wait(20)

    def stop(self) -> None:
        """End this life at once."""
        if self._thread is not None:
            self._end()
            self._thread.join()
            self._thread = None

    async def _live(self, ready: threading.Event) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(end.set)
        server = await asyncio.start_server(self._api.serve, "127.0.0.1", self._port)
        self._port = server.sockets[0].getsockname()[1]
        async with channel_to(self._rabbit) as channel:
            await channel.declare_queue(self._queue, durable=True, arguments={**ARGUMENTS})

            async def tell(body: bytes) -> None:
                message = aio_pika.Message(body, delivery_mode=2)
                await channel.default_exchange.publish(message, self._queue)

            hearing = asyncio.create_task(self._hear(tell, ready))
            ending = asyncio.create_task(end.wait())
            await asyncio.wait({hearing, ending}, return_when=asyncio.FIRST_COMPLETED)
            server.close()
            for task in (hearing, ending):
                task.cancel()
            await asyncio.gather(hearing, ending, return_exceptions=True)

    async def _hear(self, tell: Callable[[bytes], Awaitable[None]], ready: threading.Event) -> None:
        async with connect(f"{self._url}/v5/private", ping_interval=None) as socket:
            auth = socket_auth(self._credentials, FAR)
            for request in ({"op": "auth", "args": auth}, {"op": "subscribe", "args": ["order"]}):
                await socket.send(json.dumps(request))
                assert json.loads(await socket.recv())["success"]
            ready.set()
            async for frame in socket:
                for record in json.loads(frame).get("data", []):
                    await self._relay(record, tell)

    async def _relay(self, record: Any, tell: Callable[[bytes], Awaitable[None]]) -> None:
        if self.is_silent or not self.is_asked:
            return
        payload = record | {"topic": "order"}
        for _ in range(self._times):
            envelope = {"event_id": str(uuid4()), "event_type": "order", "payload": payload}
            await tell(json.dumps(envelope).encode())
            self.relayed += 1
