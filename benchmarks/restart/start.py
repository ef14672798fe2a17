"""One restart, in a process of its own: the service on a store, until it takes signals and acts.

The service is the container's, by its settings; only its exchange is another one, which holds the
same open orders without a round trip, and refuses the order that it is sent in the end. Prints what
was spent as JSON. With a port in its arguments it then serves HTTP until its input ends.
"""

import asyncio
import gc
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import uvicorn
from dependency_injector import providers

from benchmarks.loop import CALM, quote
from benchmarks.memory import resident
from benchmarks.restart.account import ACTING, CONFIG, at, instruments
from order_adapters.clock import SystemClock
from order_adapters.simulator import AccountState, Message, SimulatedExchange, SimulatorConfig
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.model.enums import AnswerOutcome, CommandKind, Verdict
from order_domain.model.reports import Answer
from order_domain.model.steps import SendAmend, SendCancel, SendCreate, Sweep
from order_service.app import create_app
from order_service.container import Container
from order_service.heap import look_for_cycles_rarely
from order_service.http.connections import Impatient
from order_service.logging import configure_logging
from order_service.service import Service
from order_service.settings import Settings

KEY: Final = "key-of-the-bench"
LOOK_S: Final = 0.002
LONGEST_S: Final = 60
"""Longest time until it acts."""


def spent() -> dict[str, float]:
    """CPU of this process so far, all threads, and the time, in seconds."""
    return {"cpu": time.process_time(), "wall": time.time()}


class TimedExchange(SimulatedExchange):
    """Knows what CPU it took: it is in our process, but not ours."""

    cpu = 0.0

    def sweep(self, query: Sweep, now: datetime) -> None:
        began = time.thread_time()
        super().sweep(query, now)
        self.cpu += time.thread_time() - began

    def poll(self, now: datetime) -> list[Message]:
        began = time.thread_time()
        messages = super().poll(now)
        self.cpu += time.thread_time() - began
        return messages


class Venue(SimulatedVenue):
    """Notes when the first order comes, and refuses it, so that the account stays as it was."""

    def __init__(self, exchange: TimedExchange, clock: SystemClock) -> None:
        super().__init__(exchange, clock)
        self.acted = asyncio.Event()

    async def send(self, command: SendCreate | SendAmend | SendCancel) -> Answer:
        if not isinstance(command, SendCreate):
            raise TypeError(f"nobody asked for this: {command}")
        self.acted.set()
        order = command.order
        return Answer(
            order.client_order_id,
            CommandKind.CREATE,
            0,
            order.attempt,
            AnswerOutcome.REFUSED,
            code=170_000,
            text="refused by the bench",
        )


class Market:
    """A price of every instrument once a second: an exposure without prices is denied."""

    instruments = instruments()

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self.begun = asyncio.Event()
        self.begun.set()

    async def play(self, venue: SimulatedVenue) -> None:
        while True:
            now = self._clock.now()
            for instrument in self.instruments:
                venue.feed(at(quote(CALM[0], now), instrument.id))
            await asyncio.sleep(1)


def settings(store: str) -> Settings:
    """What the service is set to."""
    return Settings.from_environment(
        {
            "ORDERMANAGER_ENABLE_DRY_RUN": "true",
            "ORDERMANAGER_STORE_URL": store,
            "ORDERMANAGER_API_KEY": KEY,
            "ORDERMANAGER_API_RATE": "10000",
            "ORDERMANAGER_LOG_LEVEL": "ERROR",
            "ORDERMANAGER_CANCEL_STALE_ORDER_TIMEOUT": "0",
            "ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true",
            "ORDERMANAGER_MAX_OPEN_ORDERS": str(CONFIG.max_open_orders),
            "ORDERMANAGER_MAX_EXPOSURE": str(CONFIG.max_exposure),
            "ORDERMANAGER_MAX_POSITION_SIZE": str(CONFIG.max_position_size),
        }
    )


def container_of(where: dict[str, Any]) -> tuple[Container, Venue, TimedExchange]:
    """The service's parts, with this exchange and its market."""
    clock = SystemClock()
    config = SimulatorConfig(
        latency=timedelta(0),
        balances={"USDT": Decimal(100_000_000)},
        max_open_orders=CONFIG.max_open_orders,
    )
    exchange = TimedExchange(instruments=instruments(), config=config)
    exchange.restore(AccountState(**json.loads(Path(where["exchange"]).read_text("utf-8"))))
    container = Container(
        settings=providers.Object(settings(where["store"])), url=providers.Object("")
    )
    venue = Venue(exchange, clock)
    container.feed.override(providers.Object(Market(clock)))
    container.exchange.override(providers.Object(exchange))
    container.simulated.override(providers.Object(venue))
    return container, venue, exchange


def signal_body(number: int) -> bytes:
    """A signal that buys at the market where nothing is open."""
    return json.dumps(
        {
            "signal_id": f"11111111-1111-4111-8111-{number:012d}",
            "strategy_id": "restarted",
            "asset": ACTING,
            "signal_type": "buy",
            "amount": 1010,
            "confidence": 0.95,
            "timestamp": datetime.now(UTC).isoformat(),
            "market_data_snapshot": {"price": 49995.0, "spread": 0.02, "volume_24h": 1000},
        }
    ).encode()


async def until_ready(service: Service) -> None:
    """Return once signals are taken; raise what keeps it from that."""
    while not service.health.is_ready:
        if service.error is not None:
            raise service.error
        await asyncio.sleep(LOOK_S)


async def restart(where: dict[str, Any], born: dict[str, float]) -> None:
    """Measure; print."""
    container, venue, exchange = container_of(where)
    service = container.service()
    app = create_app(service, api_key=KEY, service_name="bench", rate=10_000.0)
    before = resident()
    gc.collect()
    began = spent()
    await service.open()
    await until_ready(service)
    ready, of_the_exchange = spent(), exchange.cpu
    desk = container.desk()
    _, verdict = await desk.hand_in(signal_body(where["number"]), LONGEST_S)
    if verdict.verdict not in (Verdict.ORDERED, Verdict.PARKED):
        raise AssertionError(f"not ordered: {verdict}")
    async with asyncio.timeout(LONGEST_S):
        await venue.acted.wait()
    acted = spent()
    kept = resident()
    figures = {
        "born": {"cpu": born["cpu"], "wall": born["wall"] - where["spawned"]},
        "ready": {name: ready[name] - began[name] for name in ready},
        "acted": {name: acted[name] - began[name] for name in acted},
        "exchange_cpu": of_the_exchange,
        "mib": kept,
        "mib_before": before,
        "orders": len(exchange.open_orders),
    }
    print(json.dumps(figures), flush=True)
    if where.get("port"):
        await serve(app, where["port"])
    await service.close()


async def serve(app: Any, port: int) -> None:
    """Answer requests until the input ends; the service is open already."""
    config = uvicorn.Config(
        app, http=Impatient, port=port, log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await serving


def main() -> None:
    born = spent()
    look_for_cycles_rarely()
    where = json.loads(sys.argv[1])
    configure_logging("ERROR")
    if where.get("alone"):
        print(json.dumps({"cpu": born["cpu"], "wall": born["wall"] - where["spawned"]}))
        return
    asyncio.run(restart(where, born))


if __name__ == "__main__":
    main()
