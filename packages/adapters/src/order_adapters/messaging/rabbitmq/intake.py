"""RabbitIntake: signals of the model service, one consumer, acknowledged when durable."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from random import Random
from typing import Any, Final

import attrs
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from aiormq.abc import DeliveredMessage

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.incoming import Deliveries, cut
from order_adapters.messaging.rabbitmq.link import GOODBYE_S, TROUBLE, Link, is_cancelled
from order_adapters.messaging.rabbitmq.together import Acknowledgements, channel_below
from order_adapters.messaging.rabbitmq.topology import known_queue, queue_of
from order_domain.model.trace import Trace

TRACE_HEADER: Final = "trace_id"
PARENT_HEADER: Final = "traceparent"
_GONE: Final = "the broker no longer knows our consumer"


@attrs.define(slots=True, eq=False)
class Letter:
    """One delivery as the broker brought it.

    Attributes:
        body: Raw bytes.
        trace: Of the message's headers, where it has them.
        redelivered: The broker brought it before, to us or to another consumer.
    """

    body: bytes
    trace: Trace
    redelivered: bool
    _tag: int
    _channel: AbstractChannel
    _acknowledgements: Acknowledgements

    @property
    def is_dead(self) -> bool:
        """Whether its channel is gone: the broker will bring it again, so it must not be used."""
        return bool(self._channel.is_closed)

    async def acknowledge(self) -> None:
        """Let the broker forget it. On a dead channel nothing is said, and it comes again."""
        if self.is_dead:
            return
        with suppress(*TROUBLE):
            await self._acknowledgements.put(self._tag)


class RabbitIntake:
    """One exclusive consumer. While another process has the queue it waits, and says so."""

    def __init__(self, config: RabbitConfig, random: Random) -> None:
        self._config = config
        self._arrived: asyncio.Queue[Letter] = asyncio.Queue()
        self._acknowledgements: Acknowledgements | None = None
        self._link = Link(config, "signals", self._consume, random)

    @property
    def is_up(self) -> bool:
        """Whether signals are being consumed."""
        return self._link.is_up

    @property
    def reason(self) -> str:
        """Why they are not."""
        return self._link.reason

    def open(self) -> None:
        """Begin to consume."""
        self._link.open()

    async def close(self) -> None:
        """Stop consuming; what was not acknowledged goes back to the queue."""
        if self._acknowledgements is not None:
            # whatever the client makes of a channel that ends meanwhile: it comes again
            with suppress(Exception):
                try:
                    async with asyncio.timeout(GOODBYE_S):
                        await self._acknowledgements.finish()
                except asyncio.CancelledError:
                    if is_cancelled():
                        raise
        await self._link.close()
        while not self._arrived.empty():
            self._arrived.get_nowait()

    async def letters(self) -> AsyncIterator[Letter]:
        """Yield deliveries in the order they arrive; those of a dead channel are left out."""
        while True:
            letter = await self._arrived.get()
            if not letter.is_dead:
                yield letter

    async def _consume(self, connection: AbstractConnection) -> None:
        name, seconds = self._config.signals, self._config.answer_within.total_seconds()
        async with asyncio.timeout(seconds):
            await queue_of(connection, name)
            channel = await connection.channel(publisher_confirms=False)
            await channel.set_qos(prefetch_count=self._config.prefetch)
            await known_queue(channel, name)
            below = await channel_below(channel)
        acknowledgements = self._acknowledgements = Acknowledgements(below)

        def arrived(tag: int, redelivered: bool, headers: Mapping[str, Any], body: bytes) -> None:
            trace = Trace.of(headers.get(TRACE_HEADER), headers.get(PARENT_HEADER))
            letter = Letter(body, trace, redelivered, tag, channel, acknowledgements)
            self._arrived.put_nowait(letter)

        cut(connection).give(below.number, Deliveries(arrived))
        async with asyncio.timeout(seconds):
            consumer = await below.basic_consume(name, _not_taken, exclusive=True)
        self._link.up()
        await self._watch(connection, channel)
        with suppress(*TROUBLE):
            await below.basic_cancel(str(consumer.consumer_tag))

    async def _watch(self, connection: AbstractConnection, channel: AbstractChannel) -> None:
        """Return or raise when this consumer is of no use any more."""
        seconds = self._config.answer_within.total_seconds()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._config.check_every.total_seconds()):
                    await channel.closed()
                raise AMQPError("the channel was closed")
            async with asyncio.timeout(seconds):
                async with connection.channel(publisher_confirms=False) as other:
                    queue = await known_queue(other, self._config.signals)
            if not queue.declaration_result.consumer_count:
                raise AMQPError(_GONE)


async def _not_taken(message: DeliveredMessage) -> None:
    raise RuntimeError(f"a delivery that was not taken: {message.delivery_tag}")
