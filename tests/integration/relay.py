"""A relay of our orders as the ws-gateway is one, without its broker."""

import asyncio
import json

import attrs
from websockets.asyncio.client import connect

from order_adapters.venues.bybit.relayed import RelayedStream
from order_adapters.venues.bybit.signing import Credentials, socket_auth


@attrs.define
class Relay:
    """Hears the exchange's order topic on a socket of its own and passes each record on.

    Attributes:
        times: How often; two sockets make the gateway tell everything twice.
    """

    url: str
    credentials: Credentials
    times: int
    sink: RelayedStream
    passed: int = 0
    task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self.task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        far = 4_000_000_000_000  # the end of the signature's life
        async with connect(f"{self.url}/v5/private", ping_interval=None) as socket:
            await socket.send(
                json.dumps({"op": "auth", "args": socket_auth(self.credentials, far)})
            )
            await socket.send(json.dumps({"op": "subscribe", "args": ["order"]}))
            for _ in range(2):
                assert json.loads(await socket.recv())["success"]
            self.sink.up()
            async for frame in socket:
                for record in json.loads(frame).get("data", []) * self.times:
                    self.sink.order(record | {"topic": "order"})
                    self.passed += 1
