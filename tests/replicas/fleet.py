"""Fleet: several services on one account, each behind ways of its own, under steady load."""

import asyncio
import json
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aio_pika
import attrs
import httpx

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from tests.crash_matrix.checks import read_rows
from tests.crash_matrix.profiles import FAST
from tests.crash_matrix.world import ROOT, World, audit, run
from tests.faults.outages import FarBybit
from tests.faults.proxy import Proxy, Way
from tests.faults.servers import PrivatePostgres, PrivateRabbit, PrivateServer
from tests.integration.live_service import LiveService, local_bybit
from tests.integration.test_live_broker import on
from tests.postgres_server import PostgresServer
from tests.rabbitmq_server import settings_of
from tests.replicas.stepped import VARIABLE, step

LEASE_TTL_S = 2.0
SETTINGS = FAST | {
    "ORDERMANAGER_LEASE_TTL": f"{LEASE_TTL_S:g}",
    "ORDERMANAGER_RETENTION": "130",
    "ORDERMANAGER_MAX_ORDERS_PER_SECOND": "10",
}
READY_WITHIN_S = 90.0
BURST_EVERY_S, BURST_S = 60.0, 4.0
LOOK_S = 0.5
"""How long an answer of a replica's health is waited for: one that is frozen gives none."""


@attrs.frozen
class Use:
    """What a process uses, so many seconds after its start."""

    age_s: float
    resident: int
    files: int
    sockets: int
    threads: int


@attrs.define
class Life:
    """One process of a replica.

    Attributes:
        acted_s: Its age when it was first seen to act; None if it never was.
        is_doomed: Whoever runs the fleet has ended it.
    """

    pid: int
    began_at: float = attrs.field(factory=time.monotonic)
    uses: list[Use] = attrs.field(factory=list)
    acted_s: float | None = None
    is_doomed: bool = False

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.began_at


class Replica:
    """One service of a fleet. Whoever kills it starts it again.

    Attributes:
        proxies: Its ways to PostgreSQL, RabbitMQ and the exchange, by name.
        clock: The file that says how far its clock is off.
        lives: Its processes, the present one last.
        ended: What the processes that ended by themselves said last.
    """

    def __init__(self, fleet: "Fleet", number: int, proxies: dict[str, Proxy]) -> None:
        self.name = f"replica {number}"
        self.proxies = proxies
        self.clock = fleet.folder / f"clock-{number}"
        self.lives: list[Life] = []
        self.ended: list[str] = []
        self.said: deque[str] = deque(maxlen=200)
        self._fleet = fleet
        self._running: LiveService | None = None

    @property
    def running(self) -> LiveService:
        assert self._running is not None
        return self._running

    def start(self) -> None:
        """Start a process; its log is read on, or a full pipe would stop it."""
        self.end()
        running = self._fleet.replica(self)
        running.__enter__()
        self.lives.append(Life(running.process.pid))
        self._running = running
        threading.Thread(target=self._listen, args=(running,), daemon=True).start()

    def _listen(self, running: LiveService) -> None:
        assert running.process.stderr is not None
        with suppress(ValueError, OSError):  # closed meanwhile
            for line in running.process.stderr:
                self.said.append(line)

    def is_ready(self) -> bool:
        """Whether it says that it acts."""
        try:
            return self.running.http.get("/ready", timeout=LOOK_S).status_code == 200
        except (httpx.HTTPError, RuntimeError):  # the latter: closed meanwhile
            return False

    def has_ended(self) -> bool:
        return self.running.process.poll() is not None

    def acted(self) -> None:
        """Note that the present process was seen to act."""
        life = self.lives[-1]
        if life.acted_s is None:
            life.acted_s = life.age_s

    def signal(self, number: signal.Signals) -> None:
        if number == signal.SIGTERM:
            self.lives[-1].is_doomed = True
        with suppress(ProcessLookupError):
            self.running.process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        if not self.has_ended():
            self.lives[-1].is_doomed = True
        self.running.process.kill()
        self.running.process.wait()

    def end(self) -> None:
        """kill -9, whatever state it is in."""
        if self._running is not None:
            self.kill()
            self._running.http.close()

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return self.running.process.wait(30)

    def both(self, way: Way) -> None:
        for proxy in self.proxies.values():
            proxy.both(way)

    def refuse(self) -> None:
        for proxy in self.proxies.values():
            proxy.refuse()

    def heal(self) -> None:
        """Thaw it, open its ways and set its clock; start it again if it is gone."""
        self.signal(signal.SIGCONT)
        for proxy in self.proxies.values():
            proxy.heal()
        step(self.clock, 0.0)
        if self.has_ended():
            if not self.lives[-1].is_doomed:
                self.ended.append(" ".join(self.said)[-2000:])
            self.start()

    def sample(self) -> None:
        """Note what the present process uses."""
        life = self.lives[-1]
        place = Path(f"/proc/{life.pid}")
        with suppress(OSError):
            pages = int((place / "statm").read_text().split()[1])
            files = [_target(each) for each in (place / "fd").iterdir()]
            life.uses.append(
                Use(
                    age_s=life.age_s,
                    resident=pages * os.sysconf("SC_PAGE_SIZE"),
                    files=len(files),
                    sockets=sum(each.startswith("socket:") for each in files),
                    threads=sum(1 for _ in (place / "task").iterdir()),
                )
            )


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""


class Load:
    """Signals at a rate, from a thread of its own. One whose confirm was lost may have arrived.

    Attributes:
        doubtful: Signals that the broker did not confirm.
        most: Signals that were confirmed within one second, at most.
    """

    def __init__(self, fleet: "Fleet", rate: float, peak: float = 0.0) -> None:
        self.doubtful: set[str] = set()
        self.sent = self.most = 0
        self._fleet, self._rate, self._peak = fleet, rate, peak
        self._began_at = time.monotonic()
        self._recent: deque[float] = deque()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._publish()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    async def _publish(self) -> None:
        while not self._is_over.is_set():
            try:
                connection = await aio_pika.connect(self._fleet.rabbit.url, timeout=5)
                async with connection, connection.channel() as channel:
                    await self._publish_to(channel)
            except Exception:  # noqa: BLE001 -- the broker is being killed: on with the next one
                await asyncio.sleep(0.2)

    @property
    def _pause(self) -> float:
        """Seconds to the next signal; at the peak for some of them out of every minute."""
        in_minute = (time.monotonic() - self._began_at) % BURST_EVERY_S
        is_burst = self._peak and in_minute > BURST_EVERY_S - BURST_S
        return 1 / (self._peak if is_burst else self._rate)

    def _confirmed(self, signal_id: str) -> None:
        self.doubtful.discard(signal_id)
        self._fleet.sent.add(signal_id)
        self.sent += 1
        self._recent.append(time.monotonic())
        while self._recent[0] < self._recent[-1] - 1:
            self._recent.popleft()
        self.most = max(self.most, len(self._recent))

    async def _publish_to(self, channel: Any) -> None:
        next_at = time.monotonic()
        while not self._is_over.is_set():
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            next_at = max(next_at + self._pause, time.monotonic() - 1)
            body = self._fleet.uncounted_body()
            signal_id = json.loads(body)["signal_id"]
            self.doubtful.add(signal_id)
            message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            async with asyncio.timeout(5):
                await channel.default_exchange.publish(message, self._fleet.rabbit.signals)
            self._confirmed(signal_id)


class Fleet(World):
    """Replicas on one account. What the base class runs directly settles and judges at the end."""

    rates: dict[str, dict[str, Any]]
    replicas: list[Replica]
    servers: dict[str, PrivateServer]

    def replica(self, replica: Replica) -> LiveService:
        """A service behind the ways of a replica."""
        near = replica.proxies
        port = str(near["rabbitmq"].port)
        settings = (
            SETTINGS
            | on(self.rabbit)
            | {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": port, "PYTHONPATH": str(ROOT)}
        )
        store = f"{near['postgres'].url.rpartition('/')[0]}/{self.store.rpartition('/')[2]}"
        bybit = FarBybit(self.bybit, near["bybit"].url)
        bybit.http.close()
        settings |= {VARIABLE: str(replica.clock)}
        service = LiveService(self.folder, bybit, store, **settings)
        service.module = "tests.replicas.stepped"
        return service

    def uncounted_body(self) -> bytes:
        """A signal that is not yet counted as sent."""
        return self._body()

    def owner(self) -> Replica | None:
        """Who says that it acts."""
        return next((each for each in self.replicas if each.is_ready()), None)

    def await_owner(self, *besides: Replica) -> float:
        """Seconds until somebody else acts."""
        began_at = time.monotonic()
        while time.monotonic() < began_at + READY_WITHIN_S:
            for each in self.replicas:
                if each not in besides and each.is_ready():
                    return time.monotonic() - began_at
            time.sleep(0.02)
        raise AssertionError(f"nobody acts after {READY_WITHIN_S:g} s")

    def heal(self) -> None:
        """Start, thaw and connect everybody."""
        for each in self.replicas:
            each.heal()

    def judge(self, load: Load, held_back: Sequence[tuple[float, float]]) -> list[str]:
        """Stop everybody in good order, let one service finish the rest, and judge.

        Args:
            held_back: Beginnings and ends, in seconds since 1970, of what held requests back, in a
                line or in a process. They may come together then, and so be too many in one second,
                although they left in time.
        """
        codes = {each.name: each.stop() for each in self.replicas}
        found = [f"{name} stopped with {code}" for name, code in codes.items() if code]
        found += [
            f"{each.name} ended by itself: {said}" for each in self.replicas for said in each.ended
        ]
        self.sent |= load.doubtful & run(_decided(self.store))
        found += self.settle()
        self.rates = self.bybit.state()["rates"]
        return found + too_many(self.rates, held_back)

    def end(self) -> None:
        """kill -9 of everybody."""
        for each in self.replicas:
            each.end()


def too_many(
    rates: dict[str, dict[str, Any]], held_back: Sequence[tuple[float, float]]
) -> list[str]:
    """Say what the exchange's own record shows beyond the limits of an account.

    Args:
        rates: As the exchange records them, by kind of request.
        held_back: As `Fleet.judge` takes them.
    """
    found = []
    for kind, record in rates.items():
        moments = [each / 1000 for each in record["refusedAt"]]
        late = [at for at in moments if not any(begin <= at <= end for begin, end in held_back)]
        if late:
            found.append(
                f"rate: {len(late)} requests {kind} beyond {record['limit']} a second, "
                f"at most {record['peak']}, the first at {late[0]:.3f}"
            )
    return found


async def _decided(store: str) -> set[str]:
    return {row.signal.signal_id for row in (await read_rows(store)).signals}


@contextmanager
def a_fleet(folder: Path, seed: int, size: int) -> Iterator[Fleet]:
    """A fleet on servers of its own; nobody of it runs yet."""
    with ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres())
        rabbit = stack.enter_context(PrivateRabbit())
        bybit = stack.enter_context(local_bybit(folder))
        server = PostgresServer()
        server.dsn = postgres.url
        config: RabbitConfig = settings_of(host="127.0.0.1", port=rabbit.port)
        fleet = Fleet(folder, bybit, run(server.made()), config, seed)
        fleet.servers = {"postgres": postgres, "rabbitmq": rabbit}
        run(audit(fleet))
        urls = {"postgres": postgres.url, "rabbitmq": rabbit.url, "bybit": bybit.url}
        fleet.replicas = [
            Replica(fleet, n, {name: stack.enter_context(Proxy(url)) for name, url in urls.items()})
            for n in range(1, size + 1)
        ]
        stack.callback(fleet.end)
        yield fleet
