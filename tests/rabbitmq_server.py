"""The broker tests run on: queues of their own names, gone after each test.

TEST_AMQP_URL names it. Where there is none, its tests are left out, said at the end of the run.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import aio_pika

from order_adapters.messaging.rabbitmq.config import RabbitConfig

BROKER = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")


def settings_of(**changes: Any) -> RabbitConfig:
    """Names that no other test has, and short waits."""
    place, tail = urlsplit(BROKER), uuid4().hex[:12]
    values: dict[str, Any] = {
        "host": place.hostname or "127.0.0.1",
        "port": place.port or 5672,
        "user": unquote(place.username or "guest"),
        "password": unquote(place.password or "guest"),
        "vhost": unquote(place.path[1:]) or "/",
        "signals": f"test.signals.{tail}",
        "exchange": f"test.events.{tail}",
        "events": f"test.order_events.{tail}",
        "dead": f"test.dead.{tail}",
        "first_wait": timedelta(milliseconds=50),
        "longest_wait": timedelta(milliseconds=200),
        "held_wait": timedelta(milliseconds=200),
        "check_every": timedelta(milliseconds=200),
    }
    return RabbitConfig(**values | changes)


@asynccontextmanager
async def a_broker(**changes: Any) -> AsyncIterator[RabbitConfig]:
    """Settings of a broker whose queues are gone afterwards."""
    config = settings_of(**changes)
    try:
        yield config
    finally:
        async with channel_to(config) as channel:
            for name in (config.signals, config.events, config.dead):
                await channel.queue_delete(name)
            await channel.exchange_delete(config.exchange)


@asynccontextmanager
async def channel_to(config: RabbitConfig) -> AsyncIterator[Any]:
    """A neighbour's channel."""
    connection = await aio_pika.connect(config.url)
    async with connection, connection.channel() as channel:
        yield channel


async def send(config: RabbitConfig, *bodies: bytes) -> None:
    """Publish signals as the model service does: persistent, nothing else."""
    async with channel_to(config) as channel:
        for body in bodies:
            message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, config.signals)


async def drain(config: RabbitConfig, queue: str) -> list[Any]:
    """Take everything that lies in a queue now."""
    found = []
    async with channel_to(config) as channel:
        source = await channel.get_queue(queue)
        while (message := await source.get(no_ack=True, fail=False)) is not None:
            found.append(message)
    return found


async def waiting(config: RabbitConfig, queue: str) -> int:
    """How many messages are ready in a queue."""
    async with channel_to(config) as channel:
        declared = await channel.declare_queue(queue, passive=True)
    return int(declared.declaration_result.message_count or 0)
