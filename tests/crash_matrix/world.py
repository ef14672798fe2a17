"""World: PostgreSQL, RabbitMQ, a local Bybit and the real service, killed again and again."""

import asyncio
import json
import os
import random
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import aio_pika
import httpx

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from tests.crash_matrix.checks import is_settled, problems, read_rows
from tests.integration.live_service import LiveService, LocalBybit, local_bybit
from tests.integration.service_process import a_body
from tests.integration.test_live_broker import on
from tests.postgres_server import PostgresServer
from tests.rabbitmq_server import a_broker, channel_to, drain, send, waiting

T = TypeVar("T")
FAST = {
    "ORDERMANAGER_LEASE_TTL": "1",
    "ORDERMANAGER_RECV_WINDOW": "0.8",
    "ORDERMANAGER_CLOCK_SKEW": "0.1",
    "ORDERMANAGER_VISIBILITY": "0.3",
    "ORDERMANAGER_ABSENCE_GAP": "0.2",
    "ORDERMANAGER_LOOKUP_DELAYS": "0,0.1,0.2,0.4",
    "ORDERMANAGER_ACKED_SILENCE": "0.5",
    "ORDERMANAGER_SWEEP_INTERVAL": "2",
    "ORDERMANAGER_SHUTDOWN_TIMEOUT": "5",
    "ORDERMANAGER_MAX_ORDERS_PER_SECOND": "50",
    "ORDERMANAGER_MAX_POSITION_SIZE": "1000",
    "ORDERMANAGER_MAX_EXPOSURE": "100000000",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE": "100000",
    "ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true",
    "BYBIT_SYMBOLS": "BTCUSDT,ETHUSDT",
    "ORDERMANAGER_SHARED_SCHEMA": "nowhere",
}
LONGEST_LIFE_S = 12.0
DRAIN_S = 60.0
ROOT = Path(__file__).resolve().parents[2]
BY_REST = frozenset({"submit.mid_send"})
"""Points of the REST way; the socket sends a frame at once."""


class World:
    """One account in a world of its own. `sent` and `malformed` are what it must never lose."""

    def __init__(
        self, folder: Path, bybit: LocalBybit, store: str, rabbit: RabbitConfig, seed: int
    ) -> None:
        self.folder, self.bybit, self.store, self.rabbit = folder, bybit, store, rabbit
        self.random = random.Random(seed)
        self.sent: set[str] = set()
        self.malformed: set[bytes] = set()
        self.events: list[dict[str, Any]] = []
        self.dead: list[Any] = []
        self.kills = 0
        self.planted = ""
        self.drain_s = DRAIN_S

    @property
    def audit_queue(self) -> str:
        """Where every event comes."""
        return f"{self.rabbit.events}.audit"

    def service(self, crash_at: str = "") -> LiveService:
        """The service, perhaps about to die."""
        settings = FAST | on(self.rabbit)
        if self.planted:
            # the folder of the tests is not where the service runs
            settings |= {"PLANTED": self.planted, "PYTHONPATH": str(ROOT)}
        if crash_at.split(":", maxsplit=1)[0] in BY_REST:
            settings["BYBIT_TRADE_BY_SOCKET"] = "false"
        if crash_at:
            settings["ORDER_MANAGER_CRASH_AT"] = crash_at
        service = LiveService(self.folder, self.bybit, self.store, **settings)
        if self.planted:
            service.module = "tests.crash_matrix.planted"
        return service

    def kill_at(self, point: str, number: int) -> bool:
        """Run the service with work until it dies at a point; False if it never came there."""
        self.send_some()
        with self.service(f"{point}:{number}") as running:
            ends_at = time.monotonic() + LONGEST_LIFE_S
            worked = False
            while running.process.poll() is None and time.monotonic() < ends_at:
                if not worked and is_ready(running):
                    worked = True
                    self.send_some()
                    self.ask_some(running)
                    if point == "shutdown.draining":
                        running.process.terminate()
                time.sleep(0.05)
            reached = running.process.poll() is not None
            running.kill()
        self.kills += 1
        return reached

    def send_some(self) -> None:
        """Put signals into the queue: markets and limits of two assets, repeats, and nonsense."""
        bodies = [self._body() for _ in range(4)]
        bodies.append(bodies[0])
        nonsense = json.dumps({"nonsense": self.random.random()}).encode()
        self.malformed.add(nonsense)
        run(send(self.rabbit, *bodies, nonsense))

    def ask_some(self, running: LiveService) -> None:
        """A person meanwhile: orders that rest, and then all of them cancelled."""
        with suppress(httpx.HTTPError):
            price = float(self.bybit.http.get(_TICKERS).json()["result"]["list"][0]["bid1Price"])
            for part in (0.99, 0.985, 0.98):
                form = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"}
                form["price"] = str(round(price * part))
                _post(running, "/orders", form, self.random)
            _post(running, "/orders/cancel-all", {}, self.random)

    def settle(self) -> list[str]:
        """Let a healthy service finish everything, stop it in good order, and judge."""
        # a market that goes on would fill what rests after the service has stopped
        self.bybit.post("market", running=False)
        try:
            return self._settle()
        finally:
            self.bybit.post("market", running=True)

    def _settle(self) -> list[str]:
        with self.service() as running:
            ends_at = time.monotonic() + self.drain_s
            while time.monotonic() < ends_at:
                if running.process.poll() is not None:
                    running.read_rest()
                    return [f"the service ended by itself: {running.log[-5:]}"]
                if self.is_drained(running):
                    break
                time.sleep(0.2)
            else:
                return [f"not settled after {self.drain_s:g} s: {self._why_not(running)}"]
            if running.stop() != 0:
                return [f"it did not stop in good order: {running.log[-5:]}"]
        self.events += [json.loads(each.body) for each in run(drain(self.rabbit, self.audit_queue))]
        self.dead += run(drain(self.rabbit, self.rabbit.dead))
        run(drain(self.rabbit, self.rabbit.events))
        return problems(
            run(read_rows(self.store)),
            sent=self.sent,
            malformed=self.malformed,
            dead=self.dead,
            events=[each for each in self.events if "number" in each],
            truth=self.bybit.state(),
            left=run(waiting(self.rabbit, self.rabbit.signals)),
        )

    def is_drained(self, running: LiveService) -> bool:
        """Whether it is ready, and nothing is left to decide, to settle or to publish."""
        if not is_ready(running) or run(waiting(self.rabbit, self.rabbit.signals)):
            return False
        metrics = running.http.get("/metrics").text
        published = "order_manager_unpublished_events 0.0" in metrics
        return published and is_settled(run(read_rows(self.store)), self.sent)

    def _why_not(self, running: LiveService) -> str:
        rows = run(read_rows(self.store))
        waits = [(o.client_order_id, o.status.value) for o in rows.orders if not o.is_terminal]
        undecided = len(self.sent - {row.signal.signal_id for row in rows.signals})
        return f"open {waits[-5:]}, undecided {undecided}, {running.http.get('/ready').text}"

    def _body(self) -> bytes:
        number = self.random.getrandbits(100)
        signal_id = str(UUID(int=number, version=4))
        self.sent.add(signal_id)
        asset = self.random.choice(["BTCUSDT", "ETHUSDT"])
        body = a_body(1) | {
            "signal_id": signal_id,
            "asset": asset,
            "signal_type": self.random.choice(["buy", "sell"]),
            "amount": self.random.choice([300, 900, 2500]),
            "confidence": self.random.choice([0.2, 0.95]),
            "strategy_id": f"s{self.random.randrange(4)}",
        }
        return json.dumps(body).encode()


_TICKERS = "/v5/market/tickers?category=linear&symbol=BTCUSDT"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run something of the servers; nothing else has a loop here."""
    return asyncio.run(coroutine)


def is_ready(running: LiveService) -> bool:
    try:
        return running.http.get("/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _post(running: LiveService, path: str, form: Any, source: random.Random) -> None:
    headers = {"Idempotency-Key": f"{source.getrandbits(64):x}"}
    running.http.post(f"/api/v1{path}", json=form, headers=headers, timeout=3)


@contextmanager
def a_world(folder: Path, seed: int, *options: str) -> Iterator[World]:
    """A database, queues and an exchange of their own."""
    server = PostgresServer()
    server.name = f"om_crash_{os.getpid()}_{seed}"
    with ExitStack() as stack:
        stack.callback(server.drop)
        store = run(server.made())
        rabbit = stack.enter_context(_queues())
        bybit = stack.enter_context(local_bybit(folder, "--no-limits", *options))
        world = World(folder, bybit, store, rabbit, seed)
        run(audit(world))
        stack.callback(lambda: run(_forget(world)))
        yield world


@contextmanager
def _queues() -> Iterator[RabbitConfig]:
    manager = a_broker()
    loop = asyncio.new_event_loop()
    try:
        yield loop.run_until_complete(manager.__aenter__())
    finally:
        loop.run_until_complete(manager.__aexit__(None, None, None))
        loop.close()


async def audit(world: World) -> None:
    async with channel_to(world.rabbit) as channel:
        exchange = await channel.declare_exchange(
            world.rabbit.exchange, aio_pika.ExchangeType.TOPIC, durable=True
        )
        queue = await channel.declare_queue(world.audit_queue, durable=True)
        await queue.bind(exchange, "live.#")
        for name in (world.rabbit.signals, world.rabbit.dead, world.rabbit.events):
            await channel.declare_queue(name, durable=True)


async def _forget(world: World) -> None:
    async with channel_to(world.rabbit) as channel:
        await channel.queue_delete(world.audit_queue)
