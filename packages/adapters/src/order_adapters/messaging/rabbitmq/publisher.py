"""RabbitPublisher: events to the exchange, dead letters to their queue, each confirmed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import AMQPError
from pamqp.commands import Basic

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.link import TROUBLE, Link
from order_adapters.messaging.rabbitmq.topology import (
    DRY,
    LIVE,
    bound_types,
    declare,
    exchange_of,
)
from order_adapters.messaging.rabbitmq.wire import Sent, dead_letter, type_of, write_event
from order_adapters.passing import passing
from order_domain.errors import OrderManagerError
from order_domain.model.enums import EventKind
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent

_DEAD: Final = (EventKind.SIGNAL_INVALID, EventKind.SIGNAL_CONFLICT)


class NotPublished(OrderManagerError):
    """The broker did not confirm an event; the same event is published again. Details: `reason`."""

    code = "NOT_PUBLISHED"


class RabbitPublisher:
    """Publishes one event at a time per caller; returns when the broker has it on disk.

    Args:
        signal_of: Reads a signal's newest row: events of fills tell the neighbours of it.
        delivery_of: Reads a refused delivery by its number.
        is_dry: Events of a dry run go out under keys of their own, which no neighbour is bound to.
    """

    def __init__(
        self,
        config: RabbitConfig,
        random: Random,
        *,
        signal_of: Callable[[str], Awaitable[SignalRow | None]],
        delivery_of: Callable[[int], Awaitable[DeliveryRow | None]],
        is_dry: bool,
    ) -> None:
        self._config = config
        self._signal_of = signal_of
        self._delivery_of = delivery_of
        self._mode = DRY if is_dry else LIVE
        self._bound = frozenset(f"{LIVE}.{each}" for each in bound_types(config))
        self._link = Link(config, "events", self._serve, random)
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    @property
    def is_up(self) -> bool:
        """Whether events can be published."""
        return self._link.is_up

    @property
    def reason(self) -> str:
        """Why they cannot."""
        return self._link.reason

    def open(self) -> None:
        """Begin to connect."""
        self._link.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()

    async def publish(self, event: NumberedEvent) -> None:
        """Publish one event and wait for its confirm. Raises NotPublished: its fate is open."""
        if event.event.kind in _DEAD:
            await self._bury(event)
            return
        order = event.event.order
        signal = None
        if order is not None and order.terms.signal_id:
            signal = await self._signal_of(order.terms.signal_id)
        key = f"{self._mode}.{type_of(event.event)}"
        sent = write_event(event, signal, is_dry=self._mode == DRY)
        await self._send(sent, key, mandatory=key in self._bound)

    async def _bury(self, event: NumberedEvent) -> None:
        number = int(event.event.subject.rpartition(":")[2])
        row = await self._delivery_of(number)
        if row is None:
            raise NotPublished(reason=f"delivery {number} has no row")
        await self._send(dead_letter(event, row), self._config.dead, mandatory=True, dead=True)

    async def _send(self, sent: Sent, key: str, *, mandatory: bool, dead: bool = False) -> None:
        channel, exchange = await self._ready()
        target = channel.default_exchange if dead else exchange
        message = Message(
            sent.body,
            message_id=sent.message_id,
            timestamp=sent.at,
            type=sent.type,
            app_id=self._config.name,
            content_type="application/json",
            headers=dict(sent.headers),
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        try:
            async with asyncio.timeout(self._config.answer_within.total_seconds()):
                confirm = asyncio.ensure_future(target.publish(message, key, mandatory=mandatory))
                await asyncio.sleep(0)
                passing("outbox.after_publish")
                answer = await confirm
        except TimeoutError:
            # It may still be taken later: whatever follows must not overtake it on this channel.
            await self._give_up(channel)
            raise NotPublished(reason="no confirm in time") from None
        except TROUBLE as error:
            raise NotPublished(reason=f"{type(error).__name__}: {error}"[:300]) from error
        if not isinstance(answer, Basic.Ack):
            raise NotPublished(reason=f"answered with {type(answer).__name__}")

    async def _ready(self) -> tuple[AbstractChannel, AbstractExchange]:
        try:
            async with asyncio.timeout(self._config.answer_within.total_seconds()):
                await self._link.until_up()
        except TimeoutError:
            raise NotPublished(reason=self._link.reason) from None
        if self._channel is None or self._exchange is None:
            raise NotPublished(reason="the channel was closed")
        return self._channel, self._exchange

    async def _give_up(self, channel: AbstractChannel) -> None:
        with suppress(*TROUBLE):
            async with asyncio.timeout(1.0):
                await channel.close()

    async def _serve(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(self._config.answer_within.total_seconds()):
            await declare(connection, self._config)
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            self._exchange = await exchange_of(channel, self._config)
            self._channel = channel
        self._link.up()
        try:
            await channel.closed()
        finally:
            self._channel = self._exchange = None
        raise AMQPError("the channel was closed")
