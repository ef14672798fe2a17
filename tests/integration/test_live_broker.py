"""The whole live pipeline: RabbitMQ in, PostgreSQL in the middle, a local Bybit, events out."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.dead_letters import DeadLetters
from tests.integration.live_service import LiveService, LocalBybit, local_bybit
from tests.integration.service_process import a_body
from tests.neighbours import Linker, ModelService
from tests.postgres_server import connected
from tests.rabbitmq_server import channel_to, drain, send, waiting
from tests.shared_tables import TABLES


@pytest.fixture
def bybit(tmp_path: Path) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path) as server:
        yield server


def on(rabbit: RabbitConfig) -> dict[str, str]:
    return {
        "ORDERMANAGER_BUS": "rabbitmq",
        "RABBITMQ_HOST": rabbit.host,
        "RABBITMQ_PORT": str(rabbit.port),
        "RABBITMQ_USER": rabbit.user,
        "RABBITMQ_PASSWORD": rabbit.password,
        "ORDERMANAGER_SIGNAL_QUEUE": rabbit.signals,
        "ORDERMANAGER_EVENT_QUEUE": rabbit.events,
        "ORDERMANAGER_EVENT_EXCHANGE": rabbit.exchange,
        "ORDERMANAGER_DEAD_LETTER_QUEUE": rabbit.dead,
    }


def encoded(number: int, **changes: Any) -> bytes:
    return json.dumps(a_body(number, **changes)).encode()


async def collect(rabbit: RabbitConfig, count: int) -> list[dict[str, Any]]:
    """Take events until there are so many fills."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(40):
        while sum(each["event_type"] == "filled" for each in found) < count:
            found += [json.loads(each.body) for each in await drain(rabbit, rabbit.events)]
            await asyncio.sleep(0.05)
    return found


def ended(service: LiveService) -> list[dict[str, Any]]:
    """Orders that will not change any more."""
    orders = service.get("/orders", limit=100)["orders"]
    return [each for each in orders if each["status"] in ("filled", "rejected", "cancelled")]


async def test_signals_of_the_broker_become_orders_and_their_fills_reach_every_neighbour(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig
) -> None:
    own = {"ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true"}
    with LiveService(tmp_path, bybit, emptied_postgres, **on(rabbit), **own) as service:
        service.ready()
        for n in range(1, 6):
            # each of its own strategy: a new signal cancels what its strategy has not sent yet
            await send(rabbit, encoded(n, trace_id=f"trace-{n}", strategy_id=f"s{n}"))
        events = await collect(rabbit, 5)
        held = service.position()
        service.stop()
    model, linker = ModelService(), Linker()
    fills = [fill for each in events if (fill := model.read(json.dumps(each).encode()))]
    for each in events:
        linker.read(json.dumps(each).encode())
    at_exchange = sum(Decimal(each["size"]) for each in bybit.state()["positions"])

    assert {fill.signal_id for fill in fills} == {a_body(n)["signal_id"] for n in range(1, 6)}
    assert {fill.strategy_id for fill in fills} == {f"s{n}" for n in range(1, 6)}
    assert {fill.signal_price for fill in fills} == {61200}
    assert {fill.volume_24h for fill in fills} == {1000}
    assert linker.position == held == at_exchange
    assert {each["trace_id"] for each in events} == {f"trace-{n}" for n in range(1, 6)}
    assert await waiting(rabbit, rabbit.signals) == 0


async def test_what_is_no_signal_ends_in_the_dead_letter_queue_with_its_reason(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig
) -> None:
    wrong = (b"not json", encoded(1, amount=-5), encoded(2, signal_id="test-001"))
    with LiveService(tmp_path, bybit, emptied_postgres, **on(rabbit)) as service:
        service.ready()
        await send(rabbit, *wrong, encoded(3))
        await collect(rabbit, 1)
        service.stop()
    dead = await drain(rabbit, rabbit.dead)

    assert [letter.body for letter in dead] == list(wrong)
    assert [letter.headers["x-reason-field"] for letter in dead] == ["body", "amount", "signal_id"]
    assert await waiting(rabbit, rabbit.signals) == 0


async def test_a_dead_letter_replayed_twice_gives_one_order(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig
) -> None:
    letters, body = DeadLetters(rabbit), encoded(1)
    async with channel_to(rabbit) as channel:
        await channel.declare_queue(rabbit.dead, durable=True)
    with LiveService(tmp_path, bybit, emptied_postgres, **on(rabbit)) as service:
        service.ready()
        for _ in range(2):
            async with channel_to(rabbit) as channel:
                await channel.default_exchange.publish(aio_pika.Message(body), rabbit.dead)
            await letters.replay(lambda _: True)
        await collect(rabbit, 1)
        async with asyncio.timeout(40):
            while await waiting(rabbit, rabbit.signals):  # noqa: ASYNC110 -- nothing rings
                await asyncio.sleep(0.05)
        service.stop()

    assert len(bybit.state()["orders"]) == 1
    assert await letters.look() == []


async def test_a_killed_service_loses_no_signal_and_orders_none_twice(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig
) -> None:
    bodies = [encoded(n) for n in range(1, 31)]
    with LiveService(tmp_path, bybit, emptied_postgres, **on(rabbit)) as service:
        service.ready()
        await send(rabbit, *bodies)
        await collect(rabbit, 3)
        service.kill()
    with LiveService(tmp_path, bybit, emptied_postgres, **on(rabbit)) as service:
        service.ready()
        await send(rabbit, *bodies)  # and the producer repeats itself
        async with asyncio.timeout(40):
            while len(ended(service)) < 30 or await waiting(rabbit, rabbit.signals):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        orders = ended(service)
        held = service.position()
        assert service.stop() == 0
    made = bybit.state()["orders"]
    at_exchange = sum(Decimal(each["size"]) for each in bybit.state()["positions"])

    assert len({each["signal_id"] for each in orders}) == len(orders) == 30
    # a signal cancels what the one before it has not sent yet: that never reached the exchange
    sent = {each["client_order_id"] for each in orders if each["filled_quantity"] != "0"}
    assert {each["client_order_id"] for each in made} == sent
    assert held == at_exchange
    assert await waiting(rabbit, rabbit.signals) == 0


async def test_the_neighbours_tables_show_what_was_traded(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig
) -> None:
    async with connected(emptied_postgres) as connection:
        await connection.execute("DROP SCHEMA IF EXISTS shown CASCADE; CREATE SCHEMA shown")
        for table in TABLES:
            await connection.execute(table.format(schema="shown"))
    own = {"ORDERMANAGER_SHARED_SCHEMA": "shown", "ORDERMANAGER_POSITION_SNAPSHOT_INTERVAL": "1"}
    with LiveService(tmp_path, bybit, emptied_postgres, **on(rabbit), **own) as service:
        service.ready()
        await send(rabbit, encoded(1))
        await collect(rabbit, 1)
        held = service.position()
        async with connected(emptied_postgres) as connection, asyncio.timeout(40):
            count = "SELECT count(*) FROM shown.position_snapshots"
            while not await connection.fetchval(count):  # noqa: ASYNC110 -- nothing rings
                await asyncio.sleep(0.1)
            (order,) = await connection.fetch("SELECT * FROM shown.orders")
            (position,) = await connection.fetch("SELECT * FROM shown.positions")
            related = await connection.fetchval(
                "SELECT count(*) FROM shown.signal_order_relationships"
            )
            await connection.execute("DROP SCHEMA shown CASCADE")
        service.stop()

    assert (order["status"], order["side"]) == ("filled", "Buy")
    assert position["size"] == held
    assert related == 1
