"""World: PostgreSQL, RabbitMQ, a local Bybit and the real service, killed again and again."""

import asyncio
import json
import os
import random
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

import aio_pika
import attrs
import httpx

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from tests.crash_matrix.checks import UNSETTLED, differences, is_settled, problems, read_rows
from tests.crash_matrix.circumstances import QUIET_BEFORE, ROUNDS, on_the_way, usual
from tests.crash_matrix.profiles import PROFILES
from tests.integration.live_service import LiveService, LocalBybit, local_bybit
from tests.integration.service_process import a_body
from tests.integration.test_live_broker import on
from tests.postgres_server import PostgresServer, connected
from tests.rabbitmq_server import a_broker, channel_to, drain, send, waiting

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
BY_REST = frozenset({"submit.mid_send"})
"""Points of the REST way; the socket sends a frame at once."""
AT_ONCE = frozenset(
    {
        "submit.mid_send",
        "submit.after_send",
        "outbox.after_publish",
        "signal.after_ack",
        "parked.after_ack",
    }
)
"""Points that mean bytes are out: asyncio writes them at once, uvloop at the end of a turn."""
REFUSED = "refused-by-the-store"
"""A strategy whose signals the store refuses for their content."""
BETWEEN_ROUNDS_S = 0.4
LOOK_S = 0.02
REPORTS_S = 10.0
"""For how long a fill may be on its way here: a sweep finds it by then."""


@attrs.frozen
class Kill:
    """One life of the service, up to its kill.

    Attributes:
        reached: Whether it died at the point it was armed for.
        start_s, ready_s, work_s: Seconds to listening, from there to readiness, and to the end.
        cpu_s: What the service itself computed.
    """

    point: str
    reached: bool
    start_s: float
    ready_s: float
    work_s: float
    cpu_s: float


class World:
    """One account in a world of its own. `sent` and `malformed` are what it must never lose.

    Attributes:
        has_trouble: Whether requests may be late or lost on their way around a kill.
    """

    def __init__(
        self, folder: Path, bybit: LocalBybit, store: str, rabbit: RabbitConfig, seed: int
    ) -> None:
        self.folder, self.bybit, self.store, self.rabbit = folder, bybit, store, rabbit
        self.random = random.Random(seed)
        self.sent: set[str] = set()
        self.malformed: set[bytes] = set()
        self.events: list[dict[str, Any]] = []
        self.dead: list[Any] = []
        self.profile = PROFILES["fast"]
        self.planted = ""
        self.changed: Mapping[str, str] = {}
        self.drain_s = 0.0
        self.has_trouble = True
        self._calm_at = 0.0

    @property
    def audit_queue(self) -> str:
        """Where every event comes."""
        return f"{self.rabbit.events}.audit"

    def service(self, crash_at: str = "") -> LiveService:
        """The service, perhaps about to die."""
        settings = {**self.profile.settings, **self.changed, **on(self.rabbit)}
        if self.planted:
            # the folder of the tests is not where the service runs
            settings |= {"PLANTED": self.planted, "PYTHONPATH": str(ROOT)}
        point = crash_at.split(":", maxsplit=1)[0]
        if point in BY_REST:
            settings["BYBIT_TRADE_BY_SOCKET"] = "false"
        if point in AT_ONCE:
            settings["ORDERMANAGER_EVENT_LOOP"] = "asyncio"
        if crash_at:
            settings["ORDER_MANAGER_CRASH_AT"] = crash_at
        service = HeardService(self.folder, self.bybit, self.store, **settings)
        if self.planted:
            service.module = "tests.crash_matrix.planted"
        return service

    def kill_at(self, point: str, number: int) -> Kill:
        """Run the service with work until it dies at the n-th pass of a point."""
        if point not in QUIET_BEFORE:
            self.send_some()
        late_s = self._trouble(number) if point == "submit.after_send" else 0.0
        began_at, cpu_s = time.monotonic(), _cpu_of_children()
        with self.service(f"{point}:{number}") as running:
            started_at = time.monotonic()
            ready_at, reached = self._work_until_dead(point, running)
            ended_at = time.monotonic()
            self._calm_at = ended_at + late_s
            running.kill()
        return Kill(
            point,
            reached,
            started_at - began_at,
            ready_at - started_at,
            ended_at - ready_at,
            _cpu_of_children() - cpu_s,
        )

    def _work_until_dead(self, point: str, running: LiveService) -> tuple[float, bool]:
        """Keep it busy; return when it was ready, and whether it died by itself."""
        round_of = ROUNDS.get(point, usual)
        ends_at = time.monotonic() + self.profile.life_s
        ready_at = 0.0
        while running.process.poll() is None and time.monotonic() < ends_at:
            if not is_ready(running):
                time.sleep(LOOK_S)
                continue
            ready_at = ready_at or time.monotonic()
            with suppress(httpx.HTTPError):
                round_of(self, running)
            again_at = time.monotonic() + BETWEEN_ROUNDS_S
            while running.process.poll() is None and time.monotonic() < again_at:
                time.sleep(LOOK_S)
        return ready_at or time.monotonic(), running.process.poll() == -signal.SIGKILL

    def _trouble(self, number: int) -> float:
        """Let something befall creates on their way; return how late one may come, in seconds."""
        fault = on_the_way(self, number) if self.has_trouble else None
        if fault is None:
            return 0.0
        answer = self.bybit.http.post("/admin/faults", content=json.dumps(fault))
        assert answer.status_code == 200, answer.text
        return float(fault.get("by_ms", 0)) / 1000

    def send_some(self) -> None:
        """Put signals into the queue: markets and limits of two assets, repeats, and nonsense."""
        bodies = [self.body() for _ in range(4)]
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
        try:
            found = self._finish()
            self.events += [json.loads(m.body) for m in run(drain(self.rabbit, self.audit_queue))]
            self.dead += run(drain(self.rabbit, self.rabbit.dead))
            run(drain(self.rabbit, self.rabbit.events))
            return found + problems(
                run(read_rows(self.store)),
                sent=self.sent,
                malformed=self.malformed,
                dead=self.dead,
                events=[each for each in self.events if "number" in each],
                truth=self.bybit.state(),
                left=run(waiting(self.rabbit, self.rabbit.signals)),
            )
        finally:
            self.bybit.post("market", running=True)

    def _finish(self) -> list[str]:
        drain_s = self.drain_s or self.profile.drain_s
        with self.service() as running:
            drained = self._drains(running, drain_s)
            # a market that goes on would fill what rests after the service has stopped; one that
            # has stopped has no quotes to decide by
            self.bybit.post("market", running=False)
            drained = drained and self._drains(running, drain_s)
            self._await_reports(running)
            if running.process.poll() is not None:
                running.read_rest()
                return [f"the service ended by itself: {running.log[-5:]}"]
            if not drained:
                return [f"{UNSETTLED} after {drain_s:g} s: {self._why_not(running)}"]
            if running.stop() != 0:
                return [f"it did not stop in good order: {running.log[-5:]}"]
        return []

    def _await_reports(self, running: LiveService) -> None:
        """Wait for what the market did last; if it never comes, the judgement says so."""
        ends_at = time.monotonic() + REPORTS_S
        while time.monotonic() < ends_at and running.process.poll() is None:
            if not differences(run(read_rows(self.store)), self.bybit.state()):
                return
            time.sleep(0.1)

    def _drains(self, running: LiveService, seconds: float) -> bool:
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at and running.process.poll() is None:
            if self.is_drained(running):
                return True
            time.sleep(0.1)
        return False

    def is_drained(self, running: LiveService) -> bool:
        """Whether it is ready, and nothing is left to arrive, decide, settle or publish."""
        if time.monotonic() < self._calm_at or not is_ready(running):
            return False
        if run(waiting(self.rabbit, self.rabbit.signals)):
            return False
        metrics = running.http.get("/metrics").text
        published = "order_manager_unpublished_events 0.0" in metrics
        return published and run(is_settled(self.store, self.sent))

    def _why_not(self, running: LiveService) -> str:
        rows = run(read_rows(self.store))
        waits = [(o.client_order_id, o.status.value) for o in rows.orders if not o.is_terminal]
        known = {row.signal.signal_id: row.verdict.value for row in rows.signals}
        undecided = Counter(known.get(each, "unknown") for each in self.sent)
        with suppress(httpx.HTTPError):
            waits.append(("ready", running.http.get("/ready").text))
        return f"open {waits[-5:]}, signals {dict(undecided)}"

    def refused_body(self) -> bytes:
        """A signal whose row the store refuses: it must become a dead letter.

        Its text is the one that is kept of every signal, keys in order and no spaces.
        """
        form = json.loads(self._body(strategy_id=REFUSED))
        body = json.dumps(form, sort_keys=True, separators=(",", ":")).encode()
        self.malformed.add(body)
        return body

    def body(self) -> bytes:
        """A signal that must never be lost."""
        body = self._body()
        self.sent.add(json.loads(body)["signal_id"])
        return body

    def _body(self, **changes: str) -> bytes:
        number = self.random.getrandbits(100)
        signal_id = str(UUID(int=number, version=4))
        asset = self.random.choice(["BTCUSDT", "ETHUSDT"])
        body = a_body(1) | {
            "signal_id": signal_id,
            "asset": asset,
            "signal_type": self.random.choice(["buy", "sell"]),
            "amount": self.random.choice([300, 900, 2500]),
            "confidence": self.random.choice([0.2, 0.95]),
            "strategy_id": f"s{self.random.randrange(4)}",
        }
        return json.dumps(body | changes).encode()


class HeardService(LiveService):
    """The service, whose log is read while it runs: a pipe that is full would hold it up."""

    _reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        self._reader = threading.Thread(target=super().read_rest)
        self._reader.start()
        return self

    def read_rest(self) -> None:
        """Wait for the end of the log and of the process."""
        if self._reader is not None:
            self._reader.join()
        self.process.wait(10)


_TICKERS = "/v5/market/tickers?category=linear&symbol=BTCUSDT"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run something of the servers; nothing else has a loop here."""
    return asyncio.run(coroutine)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
        run(_refuse_a_strategy(store))
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


async def _refuse_a_strategy(store: str) -> None:
    async with connected(store) as connection:
        await connection.execute(f"ALTER TABLE signals ADD CHECK (strategy_id <> '{REFUSED}')")


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
