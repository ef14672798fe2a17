"""Outages: what befalls the servers of a running service, and the ways between it and them."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import attrs

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from tests.crash_matrix.profiles import FAST, PROFILES
from tests.crash_matrix.world import World, audit, is_ready, run
from tests.faults.proxy import Proxy, Way
from tests.faults.servers import PrivatePostgres, PrivateRabbit, PrivateServer
from tests.integration.live_service import LiveService, LocalBybit, local_bybit
from tests.integration.test_live_broker import on
from tests.postgres_server import PostgresServer
from tests.rabbitmq_server import settings_of

READY_WITHIN_S: Final = 90.0
DRAIN_S: Final = PROFILES["fast"].drain_s


@attrs.frozen
class Ground:
    """The servers of a world, and the proxies by which alone the service reaches them."""

    servers: dict[str, PrivateServer]
    proxies: dict[str, Proxy]


class FarBybit(LocalBybit):
    """The exchange, which the service reaches by a proxy and the test directly."""

    def __init__(self, bybit: LocalBybit, far: str) -> None:
        super().__init__(bybit.url)
        self._far = far

    @property
    def settings(self) -> dict[str, str]:
        """What the service is told."""
        far = {"BYBIT_REST_URL": self._far, "BYBIT_STREAM_URL": self._far.replace("http", "ws")}
        return super().settings | far


class FarWorld(World):
    """A world whose service meets everything by way of proxies."""

    ground: Ground

    def service(self, crash_at: str = "") -> LiveService:
        """The service behind the proxies."""
        assert not crash_at
        near = self.ground.proxies
        port = str(near["rabbitmq"].port)
        settings = FAST | on(self.rabbit) | {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": port}
        store = f"{near['postgres'].url.rpartition('/')[0]}/{self.store.rpartition('/')[2]}"
        return LiveService(self.folder, self.bybit, store, **settings)


@contextmanager
def a_far_world(folder: Path, seed: int) -> Iterator[FarWorld]:
    """Servers of its own, killed with it."""
    with ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres())
        rabbit = stack.enter_context(PrivateRabbit())
        bybit = stack.enter_context(local_bybit(folder, "--no-limits"))
        urls = {"postgres": postgres.url, "rabbitmq": rabbit.url, "bybit": bybit.url}
        proxies = {name: stack.enter_context(Proxy(url)) for name, url in urls.items()}
        server = PostgresServer()
        server.dsn = postgres.url
        config: RabbitConfig = settings_of(host="127.0.0.1", port=rabbit.port)
        far = FarBybit(bybit, proxies["bybit"].url)
        stack.callback(far.http.close)
        world = FarWorld(folder, far, run(server.made()), config, seed)
        world.ground = Ground({"postgres": postgres, "rabbitmq": rabbit}, proxies)
        run(audit(world))
        yield world


def _kill(name: str) -> Callable[[FarWorld], None]:
    def outage(world: FarWorld) -> None:
        server = world.ground.servers[name]
        server.kill()
        time.sleep(1)
        server.start()

    return outage


def _pause(name: str, seconds: float) -> Callable[[FarWorld], None]:
    def outage(world: FarWorld) -> None:
        server = world.ground.servers[name]
        server.pause()
        time.sleep(seconds)
        server.resume()

    return outage


def _way(name: str, way: Way, seconds: float) -> Callable[[FarWorld], None]:
    def outage(world: FarWorld) -> None:
        proxy = world.ground.proxies[name]
        proxy.both(way)
        world.send_some()
        time.sleep(seconds)
        proxy.heal()

    return outage


def _cut(name: str, *, is_reset: bool) -> Callable[[FarWorld], None]:
    def outage(world: FarWorld) -> None:
        proxy = world.ground.proxies[name]
        for _ in range(5):
            world.send_some()
            proxy.cut(is_reset=is_reset)
            time.sleep(0.3)

    return outage


def _refuse(name: str, seconds: float) -> Callable[[FarWorld], None]:
    def outage(world: FarWorld) -> None:
        proxy = world.ground.proxies[name]
        proxy.refuse()
        world.send_some()
        time.sleep(seconds)
        proxy.heal()

    return outage


def _outages() -> dict[str, Callable[[FarWorld], None]]:
    found = {
        "postgres killed": _kill("postgres"),
        "postgres frozen": _pause("postgres", 4),
        "rabbitmq killed": _kill("rabbitmq"),
        "rabbitmq frozen": _pause("rabbitmq", 8),
    }
    for name in ("postgres", "rabbitmq", "bybit"):
        found[f"{name} closed"] = _cut(name, is_reset=False)
        found[f"{name} reset"] = _cut(name, is_reset=True)
        found[f"{name} refused"] = _refuse(name, 4)
        found[f"{name} black-holed"] = _way(name, Way(is_black_hole=True), 5)
        found[f"{name} sliced"] = _way(name, Way(slice=1), 3)
        found[f"{name} slow"] = _way(name, Way(latency=0.1, jitter=0.2), 4)
        found[f"{name} cut every 3000 bytes"] = _way(name, Way(cut_after=3000), 4)
    found["postgres: answers of commits lost"] = _answers_lost
    return found


def _answers_lost(world: FarWorld) -> None:
    proxy = world.ground.proxies["postgres"]
    for _ in range(3):
        proxy.set(to_client=Way(cut_at=b"COMMIT\x00", passes=False))
        world.send_some()
        time.sleep(0.5)
        proxy.heal()


OUTAGES: Final = _outages()
"""By name: what happens under load, from its begin to its healing."""


@attrs.frozen
class Outcome:
    """What an outage did. `ready_s` is the time from its healing to readiness."""

    name: str
    ready_s: float
    restarts: int
    broken: list[str]


def one_world(seed: int, names: list[str]) -> list[Outcome]:
    """Let outages befall one service, one after the other, and judge after each."""
    with tempfile.TemporaryDirectory() as folder, a_far_world(Path(folder), seed) as world:
        return [_one(world, name) for name in names]


def _one(world: FarWorld, name: str) -> Outcome:
    broken: list[str] = []
    restarts, running = 0, world.service().__enter__()
    try:
        broken += [] if _comes_ready(running) else ["not ready before the outage"]
        world.send_some()
        world.ask_some(running)
        OUTAGES[name](world)
        healed_at = time.monotonic()
        while not _comes_ready(running) and restarts < 3:
            if running.process.poll() is None:
                broken.append(f"not ready {READY_WITHIN_S:g} s after the healing")
                break
            restarts += 1  # its supervisor would: it said what is wrong and ended
            running.__exit__()
            running = world.service().__enter__()
        ready_s = time.monotonic() - healed_at
        world.send_some()
        if not broken and not _drains(world, running):
            broken.append("the same process did not finish what was left")
    finally:
        running.__exit__()  # kill -9
    return Outcome(name, ready_s, restarts, broken + world.settle())


def _drains(world: FarWorld, running: LiveService) -> bool:
    ends_at = time.monotonic() + DRAIN_S
    while time.monotonic() < ends_at:
        if world.is_drained(running):
            return True
        time.sleep(0.2)
    return False


def _comes_ready(running: LiveService) -> bool:
    ends_at = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < ends_at:
        if running.process.poll() is not None:
            return False
        if is_ready(running):
            return True
        time.sleep(0.1)
    return False
