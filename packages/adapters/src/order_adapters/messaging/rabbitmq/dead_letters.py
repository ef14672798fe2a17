"""DeadLetters: what lies in the queue of refused signals, looked at, sent again, or thrown away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import aio_pika
import attrs
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.link import TROUBLE
from order_adapters.messaging.rabbitmq.topology import known_queue, queue_of
from order_domain.errors import OrderManagerError

MOST = 10_000
"""Letters that one look takes; more are said to be there."""


class BrokerAway(OrderManagerError):
    """The broker did not do what it was asked. Details: `broker`, `reason`."""

    code = "BROKER_AWAY"


@attrs.frozen(slots=True, kw_only=True)
class DeadLetter:
    """A refused signal as it came, and why.

    Attributes:
        id: Of the message; what `replay` and `drop` name it by.
        delivery: Number of the row that keeps it.
    """

    id: str
    delivery: str
    code: str
    field: str
    rule: str
    value: str
    signal_id: str
    refused_at: str
    body: bytes

    @classmethod
    def of(cls, message: AbstractIncomingMessage) -> "DeadLetter":
        """Read a message; one of another hand has an id and a body at least."""

        def header(name: str) -> str:
            value = message.headers.get(name)
            return "" if value is None else str(value)

        return cls(
            id=message.message_id or f"tag-{message.delivery_tag}",
            delivery=header("x-delivery"),
            code=header("x-reason-code"),
            field=header("x-reason-field"),
            rule=header("x-reason-rule"),
            value=header("x-reason-value"),
            signal_id=header("x-signal-id"),
            refused_at=header("x-refused-at"),
            body=message.body,
        )


class DeadLetters:
    """The queue, one connection a call. What a call does not take goes back in its old order."""

    def __init__(self, config: RabbitConfig) -> None:
        self._config = config

    async def look(self, limit: int = MOST) -> list[DeadLetter]:
        """Read the oldest letters; nothing is taken. Raises BrokerAway."""
        async with self._opened() as (_, queue):
            return [DeadLetter.of(message) async for message in _messages(queue, limit)]

    async def replay(self, wanted: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
        """Send letters to the signal queue again, then forget them; return them.

        Each is confirmed there before it is forgotten here: a crash between makes it come twice,
        and the same signal twice is decided once. Raises BrokerAway.
        """
        done = []
        async with self._opened() as (channel, queue):
            async for message in _messages(queue, MOST):
                letter = DeadLetter.of(message)
                if wanted(letter):
                    again = Message(letter.body, delivery_mode=DeliveryMode.PERSISTENT)
                    await channel.default_exchange.publish(again, self._config.signals)
                    await message.ack()
                    done.append(letter)
        return done

    async def drop(self, wanted: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
        """Forget letters for good; their rows stay in the store. Raises BrokerAway."""
        done = []
        async with self._opened() as (_, queue):
            async for message in _messages(queue, MOST):
                letter = DeadLetter.of(message)
                if wanted(letter):
                    await message.ack()
                    done.append(letter)
        return done

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[AbstractChannel, AbstractQueue]]:
        seconds = self._config.answer_within.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                connection = await aio_pika.connect(self._config.url)
            async with connection:
                async with asyncio.timeout(seconds):
                    await queue_of(connection, self._config.dead)
                    await queue_of(connection, self._config.signals)
                channel = await connection.channel(on_return_raises=True)
                async with channel:
                    yield channel, await known_queue(channel, self._config.dead)
        except TROUBLE as error:
            reason = f"{type(error).__name__}: {error}"[:300]
            raise BrokerAway(broker=self._config.shown, reason=reason) from error


def named(names: Collection[str]) -> Callable[[DeadLetter], bool]:
    """Choose letters by id or by delivery number."""
    return lambda letter: letter.id in names or letter.delivery in names


async def _messages(queue: AbstractQueue, limit: int) -> AsyncIterator[AbstractIncomingMessage]:
    # Held unacknowledged until the channel closes: the broker then puts them back in order.
    for _ in range(limit):
        message = await queue.get(no_ack=False, fail=False)
        if message is None:
            return
        yield message
