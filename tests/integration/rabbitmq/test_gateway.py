"""Orders as the ws-gateway relays them: its subscription, its queue, its envelope, its failures."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import aio_pika
import attrs
import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.gateway import ARGUMENTS, GatewayConfig, GatewaySource
from tests.rabbitmq_server import channel_to, waiting
from tests.ws_gateway import Api


@attrs.define
class Told:
    """What the source told, in order."""

    orders: list[Mapping[str, Any]] = attrs.field(factory=list)
    states: list[str] = attrs.field(factory=list)

    def order(self, record: Mapping[str, Any]) -> bool:
        self.orders.append(record)
        return True

    def up(self) -> None:
        self._state("")

    def down(self, reason: str) -> None:
        self._state(reason)

    def failed(self, error: BaseException) -> None:
        raise AssertionError(error)

    def _state(self, reason: str) -> None:
        if not self.states or self.states[-1] != reason:
            self.states.append(reason)

    @property
    def is_trusted(self) -> bool:
        return bool(self.states) and not self.states[-1]


@attrs.define
class Bench:
    gateway: Api
    told: Told
    source: GatewaySource
    rabbit: RabbitConfig
    queue: str

    async def relay(self, *bodies: bytes) -> None:
        """Publish as the gateway does."""
        async with channel_to(self.rabbit) as channel:
            for body in bodies:
                message = aio_pika.Message(body, delivery_mode=2)
                await channel.default_exchange.publish(message, self.queue)


@pytest.fixture
async def bench(rabbit: RabbitConfig) -> AsyncIterator[Bench]:
    async with a_bench(rabbit) as made:
        await until(lambda: made.told.is_trusted)
        yield made


@asynccontextmanager
async def a_bench(rabbit: RabbitConfig) -> AsyncIterator[Bench]:
    gateway, told = Api(), Told()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    queue = rabbit.signals.replace("signals", "gateway")
    often = timedelta(milliseconds=100)
    config = GatewayConfig(
        url=f"http://127.0.0.1:{port}", api_key="k", queue=queue, check_every=often
    )
    source = GatewaySource(config, rabbit, told, Random(1))
    source.open()
    try:
        yield Bench(gateway, told, source, rabbit, queue)
    finally:
        await source.close()
        server.close()
        async with channel_to(rabbit) as channel:
            await channel.queue_delete(queue)


def an_envelope(**payload: Any) -> bytes:
    record = {"orderId": "o1", "orderStatus": "New", "topic": "order"} | payload
    return json.dumps({"event_id": "e", "event_type": "order", "payload": record}).encode()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 -- nothing rings
            await asyncio.sleep(0.02)


async def test_it_subscribes_with_its_key_and_is_trusted_once_both_are_there(bench: Bench) -> None:
    key, form = bench.gateway.asked[0]

    assert key == "k"
    assert form == {
        "channel_type": "order",
        "symbol": "*",
        "requesting_service": "order-manager",
    }


async def test_what_is_relayed_is_told_as_the_exchange_wrote_it_duplicates_too(
    bench: Bench,
) -> None:
    await bench.relay(an_envelope(), an_envelope(), an_envelope(orderStatus="Filled"))
    await until(lambda: len(bench.told.orders) == 3)

    assert [each["orderStatus"] for each in bench.told.orders] == ["New", "New", "Filled"]


@pytest.mark.parametrize(
    "body",
    [b"no json", b"\xff", b"[]", b'{"event_type":"trade","payload":{}}', b"[" * 5000, b" " * 70000],
)
async def test_what_is_no_order_is_counted_and_stops_nothing(bench: Bench, body: bytes) -> None:
    await bench.relay(body, an_envelope())
    await until(lambda: len(bench.told.orders) == 1)

    assert bench.source.refused == 1
    assert await waiting(bench.rabbit, bench.queue) == 0


async def test_created_is_as_good_an_answer_as_ok(bench: Bench) -> None:
    bench.gateway.status = 500
    await until(lambda: not bench.told.is_trusted)
    bench.gateway.status = 201
    await until(lambda: bench.told.is_trusted)

    assert "the gateway answered 500" in bench.told.states


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("row", {"id": "s1", "is_active": False}, "subscription is not active"),
        ("health", {"websocket_connected": False}, "not connected to the exchange"),
        ("health", {"queue_connected": False}, "not connected to the broker"),
    ],
)
async def test_a_gateway_that_cannot_tell_everything_is_not_trusted(
    bench: Bench, part: str, value: dict[str, Any], reason: str
) -> None:
    setattr(bench.gateway, part, value)
    await until(lambda: not bench.told.is_trusted)

    assert reason in bench.told.states[-1]


async def test_a_subscription_made_anew_is_told_as_a_gap(bench: Bench) -> None:
    bench.gateway.row = bench.gateway.row | {"id": "s2"}
    await until(lambda: len(bench.told.states) >= 3 and bench.told.is_trusted)

    assert bench.told.states[-2:] == ["the gateway's subscription was made anew", ""]


async def test_a_queue_that_was_deleted_is_made_as_the_gateway_makes_it_and_read_again(
    bench: Bench,
) -> None:
    async with channel_to(bench.rabbit) as channel:
        await channel.queue_delete(bench.queue)
    await until(lambda: not bench.told.is_trusted)
    await until(lambda: bench.told.is_trusted)
    async with channel_to(bench.rabbit) as channel:
        # other arguments would be refused
        await channel.declare_queue(bench.queue, durable=True, arguments={**ARGUMENTS})
    await bench.relay(an_envelope())
    await until(lambda: len(bench.told.orders) == 1)
