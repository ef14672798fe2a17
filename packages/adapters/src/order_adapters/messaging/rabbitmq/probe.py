"""Probe: one short look at the broker, which changes nothing there."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.dead_letters import BrokerAway
from order_adapters.messaging.rabbitmq.link import TROUBLE
from order_adapters.messaging.rabbitmq.topology import known_queue


async def look(config: RabbitConfig) -> Mapping[str, int | None]:
    """Tell how many messages wait in each of our queues; None for a queue that is not there.

    Raises:
        BrokerAway: It cannot be reached, lets us not in, or does not answer.
    """
    connection: AbstractConnection | None = None
    try:
        async with asyncio.timeout(config.answer_within.total_seconds()):
            connection = await aio_pika.connect(config.url)
            queues = (config.signals, config.events, config.dead)
            return {name: await _waiting(connection, name) for name in queues}
    except TROUBLE as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise BrokerAway(broker=config.shown, reason=reason) from error
    finally:
        if connection is not None:
            with suppress(*TROUBLE):
                await connection.close()


async def _waiting(connection: AbstractConnection, name: str) -> int | None:
    # a channel each: the broker closes the one on which a missing queue is asked for
    async with connection.channel(publisher_confirms=False) as channel:
        try:
            queue = await known_queue(channel, name)
        except ChannelNotFoundEntity:
            return None
        return queue.declaration_result.message_count or 0
