"""The specification's targets, measured while the broker and the exchange's stream are cut once.

`make targets` runs it: it measures times, so it wants a machine that does little else.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aio_pika
import attrs
import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.venues.bybit.signing import Credentials
from order_domain.model.enums import EventKind
from order_domain.model.events import Event
from order_domain.model.rows import SignalRow
from order_service.stores import open_store, system_clock
from tests.integration.live_service import (
    KEY,
    SECRET,
    LiveService,
    LocalBybit,
    local_bybit,
    until,
)
from tests.integration.service_process import a_body
from tests.integration.tcp_line import Line
from tests.integration.test_live_broker import on
from tests.rabbitmq_server import channel_to
from tests.ws_gateway import WsGateway

RATE: Final = 50
SIGNALS: Final = 1000
BROKER_CUT_AT, STREAM_CUT_AT = 300, 600
SETTINGS: Final = {
    "ORDERMANAGER_MAX_ORDERS_PER_SECOND": "1000",
    "ORDERMANAGER_MAX_POSITION_SIZE": "100",
    "ORDERMANAGER_MAX_EXPOSURE": "10000000",
    "ORDERMANAGER_MAX_OPEN_ORDERS": "500",
    "ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true",
}


@attrs.define
class Seen:
    """Seconds since the epoch, by signal: handed to the broker, and its fill read from it."""

    sent: dict[str, float] = attrs.field(factory=dict)
    ages: list[float] = attrs.field(factory=list)
    filled: dict[str, float] = attrs.field(factory=dict)
    is_complete: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        """Note when a fill is there, and how old what it tells is then."""
        event, now = json.loads(message.body), time.time()
        self.ages.append(now - moment(event["timestamp"]))
        if event["event_type"] == "filled":
            self.filled[event["signal"]["signal_id"]] = now
        if len(self.filled) == SIGNALS:
            self.is_complete.set()


@pytest.fixture
def bybit(tmp_path: Path) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path, "--no-limits") as server:
        yield server


async def publish(rabbit: RabbitConfig, seen: Seen, broker: Line, stream: Line) -> None:
    """Send at the rate, whatever comes of it, and cut the lines on the way."""
    async with channel_to(rabbit) as channel:
        began_at = time.monotonic()
        for number in range(1, SIGNALS + 1):
            await asyncio.sleep(max(0.0, began_at + number / RATE - time.monotonic()))
            if number == BROKER_CUT_AT:
                broker.drop()
            if number == STREAM_CUT_AT:
                stream.drop()
            side = ("buy", "sell")[number % 2]
            body = a_body(number, amount=100, signal_type=side, strategy_id=f"s{number % 50}")
            seen.sent[body["signal_id"]] = time.time()
            message = aio_pika.Message(json.dumps(body).encode(), delivery_mode=2)
            await channel.default_exchange.publish(message, rabbit.signals)


async def read(rabbit: RabbitConfig, seen: Seen) -> None:
    """Read events until every signal's fill is there."""
    async with channel_to(rabbit) as channel:
        queue = await channel.get_queue(rabbit.events)
        await queue.consume(seen.take, no_ack=True)
        await seen.is_complete.wait()


async def flow(rabbit: RabbitConfig, broker: Line, stream: Line) -> Seen:
    seen = Seen()
    reading = asyncio.create_task(read(rabbit, seen))
    await publish(rabbit, seen, broker, stream)
    async with asyncio.timeout(30):
        await reading
    return seen


async def stored(url: str) -> tuple[dict[str, str], list[float]]:
    """Each signal's order, and for how many seconds the stream restricted the account each time."""
    store = open_store(url, system_clock())
    await store.open()
    orders = {row.signal.signal_id: row.order_ids[0] async for row in store.views.stream(SignalRow)}
    changes = [
        (event.at, dict(event.detail)["state"])
        async for event in store.views.stream(Event)
        if event.kind is EventKind.TRADING_STATE_CHANGED and event.code == "STREAM"
    ]
    await store.close()
    pairs = zip(changes[::2], changes[1::2], strict=True)
    assert all(state != "ACTIVE" for _, state in changes[::2])
    return orders, [(back - gone).total_seconds() for (gone, _), (back, _) in pairs]


def placed(bybit: LocalBybit) -> dict[str, float]:
    """When each order came to the exchange, by client order id."""
    return {each["client_order_id"]: moment(each["created_at"]) for each in bybit.state()["orders"]}


def moment(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def told(name: str, values: list[float]) -> float:
    ranked = sorted(values)
    middle, late = ranked[len(ranked) // 2], ranked[len(ranked) * 99 // 100]
    sys.stdout.write(
        f"{name}: p50 {middle:.3f} s, p99 {late:.3f} s, longest {ranked[-1]:.3f} s" + "\n"
    )
    return ranked[-1]


@pytest.mark.timeout(180)
async def test_the_targets_hold_under_a_cut_of_the_broker_and_of_the_stream(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig
) -> None:
    broker, stream = Line(f"amqp://{rabbit.host}:{rabbit.port}", 5672), Line(bybit.url, 80)
    broker.start()
    stream.start()
    through = on(rabbit) | {
        "RABBITMQ_HOST": "127.0.0.1",
        "RABBITMQ_PORT": str(broker.port),
        "BYBIT_STREAM_URL": stream.url.replace("http", "ws"),
    }
    with LiveService(tmp_path, bybit, emptied_postgres, **through, **SETTINGS) as service:
        service.ready()
        seen = await flow(rabbit, broker, stream)
        began_at = time.monotonic()
        answer = await asyncio.to_thread(
            service.http.post, "/api/v1/sync", params={"scope": "orders"}
        )
        sync = time.monotonic() - began_at
        assert service.stop() == 0
    at = placed(bybit)
    orders, away = await stored(emptied_postgres)

    assert answer.status_code == 200, answer.text
    assert len(at) == SIGNALS
    to_order = [at[order_id] - seen.sent[signal_id] for signal_id, order_id in orders.items()]
    to_event = [filled - seen.sent[signal_id] for signal_id, filled in seen.filled.items()]
    longest = told("signal to order", to_order)
    event = told("event, from what it tells", seen.ages)
    told("signal to the event of its fill", to_event)
    sys.stdout.write(
        f"stream away: {', '.join(f'{each:.3f} s' for each in away)}; sync: {sync:.3f} s" + "\n"
    )
    assert longest <= 2
    assert event <= 1
    assert max(away) <= 5
    assert sync <= 30


LIVES: Final = 5


async def test_after_a_restart_of_the_gateway_it_is_asked_again_within_the_target(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig
) -> None:
    queue = rabbit.signals.replace("signals", "gateway")
    sockets = bybit.url.replace("http", "ws")
    asked, trusted = [], []
    with (
        WsGateway(rabbit, queue, sockets, Credentials(KEY, SECRET)) as gateway,
        LiveService(tmp_path, bybit, emptied_postgres, **on(rabbit), **gateway.settings) as service,
    ):
        service.ready()
        for _ in range(LIVES):
            gateway.stop()
            until(lambda: is_restricted(service))
            gateway.start()
            back_at = time.monotonic()
            until(lambda: gateway.is_asked)
            asked.append(time.monotonic() - back_at)
            until(lambda: not is_restricted(service))
            trusted.append(time.monotonic() - back_at)
        service.stop()
    async with channel_to(rabbit) as channel:
        await channel.queue_delete(queue)

    assert told("the gateway is back, until it is asked again", asked) <= 5
    told("the gateway is back, until orders are opened again", trusted)


def is_restricted(service: LiveService) -> bool:
    states = service.get("/trading-state")["states"]
    return any(each["cause"] == "STREAM" and each["state"] != "ACTIVE" for each in states)
