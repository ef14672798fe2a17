"""Floors: the same steps in straight lines, without any logic, recovery or fills.

simple: aio-pika, websockets, a pool of asyncpg with BEGIN and COMMIT. lean: uvloop, aiormq, a bare
socket, one statement a transaction. shared: lean, and one statement for all signals that wait.
told: shared, and every event of an order is published, as ours are.
"""

import asyncio
import gc
import json
import socket
import struct
import sys
import time
from typing import Any

import aiormq
import asyncpg

from benchmarks.pipeline.frames import ClientSocket
from benchmarks.pipeline.place import (
    QUANTITY,
    SYMBOLS,
    Timings,
    number_in,
    summary,
    told,
)

DONE = struct.Struct("!qq")
CONNECTIONS = 8
TABLES = """
CREATE TABLE floor_signals (id text PRIMARY KEY, body text, at timestamptz DEFAULT now());
CREATE TABLE floor_orders (id text PRIMARY KEY, signal text, symbol text, status text,
    venue_id text, at timestamptz DEFAULT now());
CREATE TABLE floor_fills (id text PRIMARY KEY, quantity numeric, at timestamptz DEFAULT now());
CREATE TABLE floor_events (number bigserial PRIMARY KEY, subject text, kind text, body text);
"""
INTENT = """
WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS g (id, body, symbol)),
signals AS (INSERT INTO floor_signals (id, body) SELECT id, body FROM given),
events AS (INSERT INTO floor_events (subject, kind, body) SELECT id, 'order.created', '' FROM given)
INSERT INTO floor_orders (id, signal, symbol, status) SELECT id, id, symbol, 'SENT' FROM given
"""
RESULT = """
WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS g (id, venue, body)),
fills AS (INSERT INTO floor_fills (id, quantity) SELECT id, 1 FROM given),
events AS (INSERT INTO floor_events (subject, kind, body)
    SELECT id, 'order.filled', body FROM given)
UPDATE floor_orders SET status = 'FILLED', venue_id = venue FROM given
WHERE floor_orders.id = given.id
"""


def a_request(number: int) -> bytes:
    stamp = time.time_ns() // 1_000_000
    return (
        f'{{"reqId":"{number}","header":{{"X-BAPI-TIMESTAMP":"{stamp}","X-BAPI-RECV-WINDOW":'
        f'"2500"}},"op":"order.create","args":[{{"category":"linear",'
        f'"symbol":"{SYMBOLS[number % len(SYMBOLS)]}","side":"Buy","orderType":"Market",'
        f'"qty":"{QUANTITY}","timeInForce":"IOC","orderLinkId":"b{number}"}}]}}'
    ).encode()


def an_event(number: int, order_id: str, kind: str = "filled") -> bytes:
    return (
        f'{{"event_id":"e{number}","event_type":"{kind}","order":{{"id":"b{number}",'
        f'"order_id":"{order_id}","asset":"{SYMBOLS[number % len(SYMBOLS)]}","side":"Buy",'
        f'"quantity":"{QUANTITY}","filled_quantity":"{QUANTITY}","average_price":"100.0",'
        f'"status":"filled"}},"timestamp":"{time.time()}","signal_id":"{number}"}}'
    ).encode()


class Floor:
    """What all three share."""

    def __init__(self, where: dict[str, Any]) -> None:
        self.where = where
        self.timings = Timings()
        self._mouth = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._mouth.connect(where["heard_at"])

    def done(self, number: int) -> None:
        self._mouth.send(DONE.pack(number, time.monotonic_ns()))

    async def open(self) -> None:
        raise NotImplementedError


class Simple(Floor):
    """One task a signal, a transaction of three statements each time."""

    async def open(self) -> None:
        import aio_pika  # noqa: PLC0415
        import websockets  # noqa: PLC0415

        self._pool = await asyncpg.create_pool(self.where["dsn"], min_size=CONNECTIONS)
        self._replies: dict[str, asyncio.Future[str]] = {}
        url = f"ws://127.0.0.1:{self.where['stub']}/v5/trade"
        self._socket = await websockets.connect(url, compression=None, ping_interval=None)
        self._reading = asyncio.create_task(self._read())
        connection = await aio_pika.connect(self.where["amqp"])
        self._out = await connection.channel()
        self._exchange = self._out.default_exchange
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=self.where["in_flight"])
        queue = await channel.get_queue(self.where["signals"])
        await queue.consume(self._work)

    async def _read(self) -> None:
        while True:
            reply = json.loads(await self._socket.recv())
            self._replies.pop(reply["reqId"]).set_result(reply["data"]["orderId"])

    async def _work(self, message: Any) -> None:
        import aio_pika  # noqa: PLC0415

        body = json.loads(message.body)
        number = number_in(message.body)
        self.timings.came[number] = time.monotonic_ns()
        name = str(number)
        async with self._pool.acquire() as connection, connection.transaction():
            put = "INSERT INTO floor_signals (id, body) VALUES ($1, $2)"
            await connection.execute(put, name, message.body.decode())
            put = (
                "INSERT INTO floor_orders (id, signal, symbol, status) VALUES ($1, $1, $2, 'SENT')"
            )
            await connection.execute(put, name, body["asset"])
            put = "INSERT INTO floor_events (subject, kind, body) VALUES ($1, 'order.created', '')"
            await connection.execute(put, name)
        await message.ack()
        reply = self._replies[name] = asyncio.get_running_loop().create_future()
        await self._socket.send(a_request(number), text=True)
        self.timings.left[number] = time.monotonic_ns()
        order_id = await reply
        event = an_event(number, order_id)
        async with self._pool.acquire() as connection, connection.transaction():
            put = "UPDATE floor_orders SET status = 'FILLED', venue_id = $2 WHERE id = $1"
            await connection.execute(put, name, order_id)
            await connection.execute("INSERT INTO floor_fills (id, quantity) VALUES ($1, 1)", name)
            put = "INSERT INTO floor_events (subject, kind, body) VALUES ($1, 'order.filled', $2)"
            await connection.execute(put, name, event.decode())
        persistent = aio_pika.DeliveryMode.PERSISTENT
        sent = aio_pika.Message(event, delivery_mode=persistent)
        await self._exchange.publish(sent, self.where["events"])
        self.done(number)


class Lean(Floor):
    """One task a signal, one statement a transaction."""

    async def open(self) -> None:
        self._connections: asyncio.Queue[Any] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            self._connections.put_nowait(await asyncpg.connect(self.where["dsn"]))
        self._replies: dict[str, asyncio.Future[str]] = {}
        self._bare = ClientSocket("127.0.0.1", "/v5/trade", self._take)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self._bare, "127.0.0.1", self.where["stub"])
        await self._bare.is_open.wait()
        self._rabbit = await aiormq.connect(self.where["amqp"])
        self._out = await self._rabbit.channel(publisher_confirms=True)
        self._in = await self._rabbit.channel()
        await self._in.basic_qos(prefetch_count=self.where["in_flight"])
        await self._in.basic_consume(self.where["signals"], self._came)

    def _take(self, payload: bytes) -> None:
        reply = json.loads(payload)
        self._replies.pop(reply["reqId"]).set_result(reply["data"]["orderId"])

    async def _came(self, message: Any) -> None:
        number = number_in(message.body)
        self.timings.came[number] = time.monotonic_ns()
        body = json.loads(message.body)
        await self._run(INTENT, [(str(number), message.body.decode(), body["asset"])])
        await message.channel.basic_ack(message.delivery.delivery_tag)
        reply = self._replies[str(number)] = asyncio.get_running_loop().create_future()
        self._submit(number)
        order_id = await reply
        event = an_event(number, order_id)
        await self._run(RESULT, [(str(number), order_id, event.decode())])
        await self._publish(number, event)

    def _submit(self, number: int) -> None:
        self._bare.send(a_request(number))
        self.timings.left[number] = time.monotonic_ns()

    async def _run(self, statement: str, rows: list[tuple[str, str, str]]) -> None:
        connection = await self._connections.get()
        try:
            await connection.execute(statement, *map(list, zip(*rows, strict=True)))
        finally:
            self._connections.put_nowait(connection)

    async def _publish(self, number: int, event: bytes) -> None:
        properties = aiormq.spec.Basic.Properties(delivery_mode=2)
        await self._out.basic_publish(
            event, routing_key=self.where["events"], properties=properties
        )
        self.done(number)


class Shared(Lean):
    """All signals that wait go into one statement; at most one of each step is under way."""

    async def open(self) -> None:
        self._new: asyncio.Queue[Any] = asyncio.Queue()
        self._answered: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self._publishing: set[asyncio.Task[None]] = set()
        self._committing = [
            asyncio.create_task(self._commit_intents()),
            asyncio.create_task(self._commit_results()),
        ]
        await super().open()

    def _take(self, payload: bytes) -> None:
        reply = json.loads(payload)
        self._answered.put_nowait((int(reply["reqId"]), reply["data"]["orderId"]))

    async def _came(self, message: Any) -> None:
        number = number_in(message.body)
        self.timings.came[number] = time.monotonic_ns()
        self._new.put_nowait((number, message, json.loads(message.body)))

    async def _commit_intents(self) -> None:
        while True:
            waiting = await _all_of(self._new)
            await self._run(
                INTENT, [(str(n), message.body.decode(), b["asset"]) for n, message, b in waiting]
            )
            for number, message, _ in waiting:
                self._submit(number)
                await message.channel.basic_ack(message.delivery.delivery_tag)

    async def _commit_results(self) -> None:
        while True:
            events = [
                (n, order_id, an_event(n, order_id))
                for n, order_id in await _all_of(self._answered)
            ]
            await self._run(RESULT, [(str(n), o, event.decode()) for n, o, event in events])
            for number, _, event in events:
                task = asyncio.create_task(self._publish(number, event))
                self._publishing.add(task)
                task.add_done_callback(self._publishing.discard)


class Told(Shared):
    """Four events an order instead of one, each after the confirm of the one before it."""

    async def open(self) -> None:
        self._born: dict[int, asyncio.Task[None]] = {}
        await super().open()

    def _submit(self, number: int) -> None:
        super()._submit(number)
        self._born[number] = asyncio.create_task(self._tell(number, "", "created", "submitted"))

    async def _publish(self, number: int, event: bytes) -> None:
        await self._born.pop(number)
        await self._tell(number, "", "accepted")
        await super()._publish(number, event)

    async def _tell(self, number: int, order_id: str, *kinds: str) -> None:
        properties = aiormq.spec.Basic.Properties(delivery_mode=2)
        for kind in kinds:
            event = an_event(number, order_id, kind)
            await self._out.basic_publish(
                event, routing_key=self.where["events"], properties=properties
            )


async def _all_of(queue: asyncio.Queue[Any]) -> list[Any]:
    found = [await queue.get()]
    while not queue.empty():
        found.append(queue.get_nowait())
    return found


FLOORS = {"simple": Simple, "lean": Lean, "shared": Shared, "told": Told}


async def main() -> None:
    where = told()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    connection = await asyncpg.connect(where["dsn"])
    await connection.execute(TABLES)
    await connection.close()
    floor = FLOORS[sys.argv[1]](where)
    await floor.open()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.startswith("end"):
            first, last = map(int, line.split()[1:])
            print(json.dumps(summary(floor.timings.told(range(first, last + 1)))), flush=True)
    print("{}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "simple":
        asyncio.run(main())
    else:
        import uvloop

        uvloop.run(main())
