"""What the tests of outages send and take."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import aio_pika

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.intake import Letter, RabbitIntake
from order_adapters.messaging.rabbitmq.link import TROUBLE
from order_adapters.messaging.rabbitmq.publisher import NotPublished, RabbitPublisher
from order_domain.model.enums import EventKind
from order_domain.model.events import Event
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent
from tests.builders import NOW, an_order
from tests.rabbitmq_server import drain

PATIENCE = 60


async def _no_signals(_signal_ids: Sequence[str]) -> Sequence[SignalRow]:
    return ()


async def _no_delivery(_number: int) -> DeliveryRow | None:
    return None


@asynccontextmanager
async def publishing(config: RabbitConfig) -> AsyncIterator[RabbitPublisher]:
    """A publisher, connected."""
    publisher = RabbitPublisher(
        config, Random(1), signals_of=_no_signals, delivery_of=_no_delivery, is_dry=False
    )
    publisher.open()
    try:
        await until(lambda: publisher.is_up)
        yield publisher
    finally:
        await publisher.close()


@asynccontextmanager
async def taking(config: RabbitConfig) -> AsyncIterator[RabbitIntake]:
    """An intake, consuming."""
    intake = RabbitIntake(config, Random(1))
    intake.open()
    try:
        await until(lambda: intake.is_up)
        yield intake
    finally:
        await intake.close()


def a_fill(number: int) -> NumberedEvent:
    """An event of a kind that the neighbours read."""
    order = an_order()
    return NumberedEvent(
        number, Event(EventKind.ORDER_FILLED, NOW, order.client_order_id, number, order)
    )


async def confirmed(publisher: RabbitPublisher, event: NumberedEvent) -> int:
    """Publish one event again and again, as the relay does; return how often it failed."""
    failures = 0
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await publisher.publish(event)
            except NotPublished:
                failures += 1
                await asyncio.sleep(0.02)
            else:
                return failures


async def produced(config: RabbitConfig, bodies: Sequence[bytes], pause: float = 0) -> None:
    """Hand signals to the broker as a careful producer does: each again until it is confirmed."""
    left = list(bodies)
    async with asyncio.timeout(PATIENCE):
        while left:
            with suppress(*TROUBLE):
                await _produce(config, left, pause)
            await asyncio.sleep(0.05)


async def _produce(config: RabbitConfig, left: list[bytes], pause: float) -> None:
    async with asyncio.timeout(2):
        connection = await aio_pika.connect(config.url)
    try:
        channel = await connection.channel()
        while left:
            message = aio_pika.Message(left[0], delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            async with asyncio.timeout(2):
                await channel.default_exchange.publish(message, config.signals)
            del left[0]
            await asyncio.sleep(pause)
    finally:
        with suppress(*TROUBLE):
            async with asyncio.timeout(1):
                await connection.close()


async def take(intake: RabbitIntake, count: int) -> list[Letter]:
    """The next so many deliveries, none of them acknowledged."""
    found: list[Letter] = []
    async with asyncio.timeout(PATIENCE):
        async for letter in intake.letters():
            found.append(letter)
            if len(found) == count:
                break
    return found


async def ids_of(config: RabbitConfig) -> list[str]:
    """Ids of the events in the neighbours' queue, in order."""
    found: list[Any] = await drain(config, config.events)
    return [str(each.message_id) for each in found]


async def until(holds: Callable[[], bool]) -> None:
    """Look again and again; the end of the wait is a failure, never a measurement."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 -- nothing rings when a broker comes and goes
            await asyncio.sleep(0.02)
