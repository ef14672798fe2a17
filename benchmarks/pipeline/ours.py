"""Our service as `order-manager serve` makes it: by settings, through the container, HTTP left out.

The rate budget is set aside: the engine's by a setting, the venue's by never waiting for a turn.
"""

import asyncio
import gc
import json
import socket
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dependency_injector import providers

from benchmarks.pipeline.place import (
    KEY,
    SECRET,
    SYMBOLS,
    Timings,
    host_and_port,
    number_in,
    summary,
    told,
)
from benchmarks.pipeline.sampling import Sampling
from order_domain.model.enums import EventKind
from order_domain.ports.outbox import NumberedEvent
from order_service.container import Container
from order_service.event_loop import event_loop_of
from order_service.heap import look_for_cycles_rarely
from order_service.logging import configure_logging
from order_service.service import Service
from order_service.settings import Settings

DONE = struct.Struct("!qq")


def settings_of(where: dict[str, Any]) -> Settings:
    host, port = host_and_port(where["amqp"])
    return Settings.from_environment(
        {
            "ORDERMANAGER_STORE_URL": where["store"],
            "ORDERMANAGER_BUS": "rabbitmq",
            "ORDERMANAGER_SIGNAL_QUEUE": where["signals"],
            "ORDERMANAGER_EVENT_QUEUE": where["events"],
            "ORDERMANAGER_EVENT_EXCHANGE": where["exchange"],
            "ORDERMANAGER_DEAD_LETTER_QUEUE": where["dead"],
            "ORDERMANAGER_MAX_ORDERS_PER_SECOND": "1000",
            "ORDERMANAGER_MAX_POSITION_SIZE": "1000000",
            "ORDERMANAGER_MAX_EXPOSURE": "1000000000",
            "ORDERMANAGER_MAX_OPEN_ORDERS": "500",
            "ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true",
            "BYBIT_API_KEY": KEY,
            "BYBIT_API_SECRET": SECRET,
            "BYBIT_ENVIRONMENT": "custom",
            "BYBIT_REST_URL": f"http://127.0.0.1:{where['stub']}",
            "BYBIT_STREAM_URL": f"ws://127.0.0.1:{where['stub']}",
            "BYBIT_SYMBOLS": ",".join(SYMBOLS),
            "BYBIT_TRADE_BY_SOCKET": "true",
            "RABBITMQ_HOST": host,
            "RABBITMQ_PORT": str(port),
            "RABBITMQ_USER": "guest",
            "RABBITMQ_PASSWORD": "guest",
        }
    )


async def no_wait(*_: object, **__: object) -> str:
    return ""


class Watch:
    """Notes when deliveries come, orders leave and fills are confirmed; tells the load of these."""

    def __init__(self, container: Container, where: dict[str, Any]) -> None:
        self.timings = Timings()
        self._left: dict[bytes, int] = {}
        self._mouth = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._mouth.connect(where["heard_at"])
        self._watch_intake(container)
        self._watch_publisher(container)
        self._watch_venue(container)

    def _watch_intake(self, container: Container) -> None:
        intake = container.intake()
        arrived, came = intake._arrived, self.timings.came  # noqa: SLF001
        put = arrived.put_nowait

        def put_nowait(letter: Any) -> None:
            came[number_in(letter.body)] = time.monotonic_ns()
            put(letter)

        arrived.put_nowait = put_nowait

    def _watch_venue(self, container: Container) -> None:
        make = container.venue

        def a_venue() -> Any:
            venue = venue_of()
            venue._client.turn = no_wait  # noqa: SLF001
            link, left = venue._trade.link, self._left  # noqa: SLF001
            send = link.send

            def timed(frame: bytes) -> None:
                send(frame)
                at = frame.find(b'"orderLinkId":"')
                if at > 0:
                    left[frame[at + 15 : frame.index(b'"', at + 15)]] = time.monotonic_ns()

            link.send = timed
            return venue

        venue_of = make.providers["bybit"]
        container.venue.override(providers.Factory(a_venue))

    def _watch_publisher(self, container: Container) -> None:
        publisher = container.publisher()
        publish = publisher.publish_each

        async def timed(events: Sequence[NumberedEvent]) -> Sequence[Exception | None]:
            fates = await publish(events)
            for event, fate in zip(events, fates, strict=True):
                if fate is None:
                    self._confirmed(event)
            return fates

        publisher.publish_each = timed

    def _confirmed(self, numbered: NumberedEvent) -> None:
        event = numbered.event
        if event.kind is EventKind.ORDER_FILLED and event.order is not None:
            now = time.monotonic_ns()
            number = number_in(event.order.terms.signal_id.encode())
            left = self._left.pop(event.order.client_order_id.encode(), None)
            if left is not None:
                self.timings.left[number] = left
            self._mouth.send(DONE.pack(number, now))


async def until_ready(service: Service) -> None:
    while not service.health.is_ready:
        if service.error is not None:
            raise service.error
        await asyncio.sleep(0.02)


async def main() -> None:
    look_for_cycles_rarely()
    where = told()
    configure_logging("INFO")
    container = Container(settings=providers.Object(settings_of(where)), url=providers.Object(""))
    watch = Watch(container, where)
    service = container.service()
    await service.open()
    await until_ready(service)
    gc.collect()
    sampling = Sampling() if where.get("profile") else None
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.startswith("begin") and sampling is not None:
            sampling.begin()
        if line.startswith("end"):
            if sampling is not None:
                sampling.end()
            first, last = map(int, line.split()[1:])
            print(json.dumps(summary(watch.timings.told(range(first, last + 1)))), flush=True)
    if sampling is not None:
        sampling.write(Path(where["profile"]))
    print(json.dumps(service.metrics), file=sys.stderr, flush=True)
    await service.close()


if __name__ == "__main__":
    # as the service chooses
    if event_loop_of(Settings.from_environment({})) == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
