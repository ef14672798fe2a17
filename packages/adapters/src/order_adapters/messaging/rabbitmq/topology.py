"""Topology: the queues and the exchange, declared as the neighbours declare them."""

from collections.abc import Sequence
from typing import Final

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity

from order_adapters.messaging.rabbitmq.config import RabbitConfig

LIVE: Final = "live"
DRY: Final = "dry"
NEIGHBOURS_READ: Final = ("filled", "cancelled", "rejected")
PARTIAL: Final = "partially_filled"


def bound_types(config: RabbitConfig) -> Sequence[str]:
    """Types of events that the neighbours' queue is bound to."""
    return (*NEIGHBOURS_READ, PARTIAL) if config.partial_fills else NEIGHBOURS_READ


async def queue_of(connection: AbstractConnection, name: str) -> None:
    """Make a durable queue if it is not there; whatever its owner gave it is left as it is.

    A passive question first: declaring a queue anew with other arguments would be an error, and
    the queue of a neighbour is not ours to change.
    """
    async with connection.channel(publisher_confirms=False) as channel:
        try:
            await channel.declare_queue(name, passive=True)
        except ChannelNotFoundEntity:
            pass
        else:
            return
    async with connection.channel(publisher_confirms=False) as channel:
        await channel.declare_queue(name, durable=True)


async def known_queue(channel: AbstractChannel, name: str) -> AbstractQueue:
    """The queue as it is; an error where there is none."""
    return await channel.declare_queue(name, passive=True)


async def declare(connection: AbstractConnection, config: RabbitConfig) -> None:
    """Make what events and dead letters need; where it is there already, nothing changes."""
    await queue_of(connection, config.events)
    await queue_of(connection, config.dead)
    async with connection.channel(publisher_confirms=False) as channel:
        exchange = await exchange_of(channel, config)
        queue = await known_queue(channel, config.events)
        for each in bound_types(config):
            await queue.bind(exchange, f"{LIVE}.{each}")


async def exchange_of(channel: AbstractChannel, config: RabbitConfig) -> AbstractExchange:
    """The exchange of events."""
    return await channel.declare_exchange(config.exchange, ExchangeType.TOPIC, durable=True)
