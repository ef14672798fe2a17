"""GatewaySource: our orders as the ws-gateway service relays them through RabbitMQ.

The gateway relays what its own connections to the exchange hear: at least once, mostly twice, and
without a replay of what it missed. So an order is trusted to be told only while the subscription is
active and the queue is being read, and both are looked at all the time.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, Final, Protocol

import attrs
import httpx
import msgspec
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.link import TROUBLE, Link
from order_adapters.messaging.rabbitmq.topology import known_queue
from order_domain.errors import InvalidValue

log: Final = logging.getLogger(__name__)
QUEUE: Final = "ws-gateway.order"
ARGUMENTS: Final[dict[str, int | str]] = {
    "x-message-ttl": 86_400_000,
    "x-max-length": 100_000,
    "x-overflow": "drop-head",
}
"""As the gateway declares its queue; anything else would be an error for it or for us."""
LARGEST: Final = 64 * 1024


RESUBSCRIBED_WITHIN: Final = timedelta(seconds=5)
"""After the gateway is there again: at the worst a request hangs, and then comes the pause."""


@attrs.frozen(slots=True, kw_only=True)
class GatewayConfig:
    """Where the gateway is, and how often it is looked at.

    Attributes:
        url: http://host:port.
        service: Our name as its subscriptions know it.
        check_every: Between two looks at the subscription; a lost one is made again at once.
        answer_within: For one answer of its API.

    Raises:
        InvalidValue: A lost subscription could stay lost for longer than it may.
    """

    url: str
    api_key: str = attrs.field(repr=False)
    service: str = "order-manager"
    queue: str = QUEUE
    check_every: timedelta = timedelta(seconds=2)
    answer_within: timedelta = timedelta(seconds=2)

    def __attrs_post_init__(self) -> None:
        if self.check_every + self.answer_within > RESUBSCRIBED_WITHIN:
            rule = f"at most {(RESUBSCRIBED_WITHIN - self.answer_within).total_seconds():g} s"
            raise InvalidValue(field="check_every", rule=rule, value=self.check_every)


class Sink(Protocol):
    """Where orders go, and whether they can be trusted to be all."""

    def order(self, record: Mapping[str, Any]) -> bool:
        """Take one record of the exchange; False when it has no room."""
        ...

    def up(self) -> None:
        """Everything is told from here on."""
        ...

    def down(self, reason: str) -> None:
        """It is not."""
        ...

    def failed(self, error: BaseException) -> None:
        """A defect of the source: nothing comes any more."""
        ...


class GatewaySource:
    """One subscription and one consumer.

    Attributes:
        taken, refused: Messages that were orders, and those that could not be read.
    """

    def __init__(
        self, config: GatewayConfig, broker: RabbitConfig, sink: Sink, random: Random
    ) -> None:
        self._config = config
        self._broker = broker
        self._sink = sink
        self._link = Link(broker, "gateway", self._consume, random)
        self._task: asyncio.Task[None] | None = None
        self._subscription = ""
        self._reads = False
        self.taken = 0
        self.refused = 0

    def open(self) -> None:
        """Begin to subscribe and to read."""
        if self._task is None:
            self._link.open()
            self._task = asyncio.create_task(self._keep_subscribed(), name="gateway subscription")
            self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop reading. The subscription stays: whoever owns the account next needs it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._link.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._sink.failed(error)

    # -- the subscription

    async def _keep_subscribed(self) -> None:
        async with httpx.AsyncClient(
            base_url=self._config.url,
            headers={"X-API-Key": self._config.api_key},
            timeout=self._config.answer_within.total_seconds(),
        ) as http:
            while True:
                reason = await self._subscribe(http)
                if reason:
                    self._subscription = ""
                self._tell(reason)
                await asyncio.sleep(self._config.check_every.total_seconds())

    async def _subscribe(self, http: httpx.AsyncClient) -> str:
        """Ask for our orders; asking again changes nothing. Return why it failed, or nothing."""
        form = {
            "channel_type": "order",
            "symbol": "*",  # its table wants one, though the topic has none
            "requesting_service": self._config.service,
        }
        try:
            answer = await http.post("/api/v1/subscriptions", json=form)
            if answer.status_code not in (200, 201):
                return f"the gateway answered {answer.status_code}"
            row = msgspec.json.decode(answer.content)
            if not isinstance(row, dict) or row.get("is_active") is not True:
                return "the gateway's subscription is not active"
            if reason := await self._ail(http):
                return reason
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            return f"the gateway does not answer: {type(error).__name__}"
        name = f"{row.get('id')} {row.get('created_at')}"
        if self._subscription and name != self._subscription:
            # it forgot us and was asked anew: what happened between was told to nobody
            self._sink.down("the gateway's subscription was made anew")
        self._subscription = name
        return ""

    async def _ail(self, http: httpx.AsyncClient) -> str:
        """What ails it by its own word: without the exchange or the broker it hears or tells none.

        Raises:
            httpx.HTTPError, msgspec.DecodeError: It does not say.
        """
        health = msgspec.json.decode((await http.get("/health")).content)
        if not isinstance(health, dict):
            return "the gateway does not say how it is"
        if health.get("websocket_connected") is False:
            return "the gateway is not connected to the exchange"
        if health.get("queue_connected") is False:
            return "the gateway is not connected to the broker"
        return ""

    def _tell(self, reason: str) -> None:
        if reason:
            self._sink.down(reason)
        elif not self._reads:
            self._sink.down(self._link.reason or "the gateway's queue is not read")
        elif self._subscription:
            self._sink.up()

    # -- the queue

    async def _consume(self, connection: AbstractConnection) -> None:
        seconds = self._broker.answer_within.total_seconds()
        async with asyncio.timeout(seconds):
            await self._declare(connection)
            channel = await connection.channel(publisher_confirms=False)
            await channel.set_qos(prefetch_count=self._broker.prefetch)
            queue = await known_queue(channel, self._config.queue)
            await queue.consume(self._arrived, exclusive=True)
        self._reads = True
        self._link.up()
        self._tell("")
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._broker.check_every.total_seconds()):
                        await channel.closed()
                    raise AMQPError("the channel was closed")
                async with asyncio.timeout(seconds):
                    async with connection.channel(publisher_confirms=False) as other:
                        found = await known_queue(other, self._config.queue)
                if not found.declaration_result.consumer_count:
                    raise AMQPError("the broker no longer knows our consumer")
        finally:
            self._reads = False
            self._sink.down("the gateway's queue is not read")

    async def _declare(self, connection: AbstractConnection) -> None:
        async with connection.channel(publisher_confirms=False) as channel:
            try:
                await channel.declare_queue(self._config.queue, passive=True)
            except ChannelNotFoundEntity:
                pass
            else:
                return
        async with connection.channel(publisher_confirms=False) as channel:
            await channel.declare_queue(self._config.queue, durable=True, arguments={**ARGUMENTS})

    async def _arrived(self, message: AbstractIncomingMessage) -> None:
        record = read_order(message.body)
        if record is None:
            self.refused += 1
            log.error(
                "a message of the gateway was put aside: no order of %d bytes", message.body_size
            )
        elif self._sink.order(record):
            self.taken += 1
        with suppress(*TROUBLE):
            await message.ack()


def read_order(body: bytes) -> Mapping[str, Any] | None:
    """The exchange's record in an envelope; None if it is no envelope of an order."""
    if len(body) > LARGEST:
        return None
    try:
        envelope = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(envelope, dict) or envelope.get("event_type") != "order":
        return None
    payload = envelope.get("payload")
    return payload if isinstance(payload, dict) and "orderId" in payload else None
