"""RabbitPublisher: events to the exchange, dead letters to their queue, each confirmed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Final

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError
from aiormq.channel import Channel

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.incoming import cut
from order_adapters.messaging.rabbitmq.link import TROUBLE, Link, is_cancelled
from order_adapters.messaging.rabbitmq.together import Confirmer, Outgoing, channel_below
from order_adapters.messaging.rabbitmq.topology import (
    DRY,
    LIVE,
    bound_types,
    declare,
    exchange_of,
)
from order_adapters.messaging.rabbitmq.wire import Sent, SignalWords, dead_letter, write_event
from order_adapters.passing import passing
from order_domain.errors import OrderManagerError
from order_domain.model.enums import EventKind
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent

SIGNALS_KEPT: Final = 4_096
"""Signals whose orders have events to come, so that each is read once."""
_DEAD: Final = (EventKind.SIGNAL_INVALID, EventKind.SIGNAL_CONFLICT)


class NotPublished(OrderManagerError):
    """The broker did not confirm an event; the same event is published again. Details: `reason`."""

    code = "NOT_PUBLISHED"


class RabbitPublisher:
    """Publishes events, many at once; tells of each whether the broker has it on disk.

    Args:
        signals_of: Reads the newest rows of signals: events of fills tell the neighbours of them.
        delivery_of: Reads a refused delivery by its number.
        is_dry: Events of a dry run go out under keys of their own, which no neighbour is bound to.
    """

    def __init__(
        self,
        config: RabbitConfig,
        random: Random,
        *,
        signals_of: Callable[[Sequence[str]], Awaitable[Sequence[SignalRow]]],
        delivery_of: Callable[[int], Awaitable[DeliveryRow | None]],
        is_dry: bool,
    ) -> None:
        self._config = config
        self._signals_of = signals_of
        self._signals: dict[str, SignalWords] = {}
        self._delivery_of = delivery_of
        self._mode = DRY if is_dry else LIVE
        self._bound = frozenset(f"{LIVE}.{each}" for each in bound_types(config))
        self._link = Link(config, "events", self._serve, random)
        self._confirmer: Confirmer | None = None

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
        (fate,) = await self.publish_each((event,))
        if fate is not None:
            raise fate

    async def publish_each(self, events: Sequence[NumberedEvent]) -> Sequence[Exception | None]:
        """Publish events of different subjects and wait for their confirms.

        Whatever keeps one from being written or confirmed is its own fate, and that stays open.
        """
        signals = await self._signals_behind(events)
        fates: list[Exception | None] = [None] * len(events)
        places: list[int] = []
        messages: list[Outgoing] = []
        for place, event in enumerate(events):
            try:
                message = await self._message(event, signals)
            except Exception as error:  # noqa: BLE001 -- what one event cannot say holds no other up
                fates[place] = error
            else:
                places.append(place)
                messages.append(message)
        if messages:
            for place, fate in zip(places, await self._send(messages), strict=True):
                fates[place] = fate
        return fates

    async def _signals_behind(self, events: Sequence[NumberedEvent]) -> Mapping[str, SignalWords]:
        """The signals of these events' orders. What a signal says never changes, so it is kept."""
        known = self._signals
        while len(known) > SIGNALS_KEPT:
            del known[next(iter(known))]
        found: dict[str, SignalWords] = {}
        missing: dict[str, None] = {}
        for each in events:
            order = each.event.order
            if order is None or not order.terms.signal_id:
                continue
            signal_id = order.terms.signal_id
            words = known.get(signal_id)
            if words is None and each.signal is not None:
                words = SignalWords.of(each.signal.signal)
            if words is None:
                missing[signal_id] = None
            else:
                found[signal_id] = words
        if missing:
            rows = await self._signals_of(list(missing))
            found |= {row.signal.signal_id: SignalWords.of(row.signal) for row in rows}
        known |= found
        return found

    async def _message(self, event: NumberedEvent, signals: Mapping[str, SignalWords]) -> Outgoing:
        if event.event.kind in _DEAD:
            number = int(event.event.subject.rpartition(":")[2])
            row = await self._delivery_of(number)
            if row is None:
                raise NotPublished(reason=f"delivery {number} has no row")
            return self._outgoing(dead_letter(event, row), "", self._config.dead, mandatory=True)
        order = event.event.order
        signal = None if order is None else signals.get(order.terms.signal_id)
        sent = write_event(event, signal, is_dry=self._mode == DRY)
        key = f"{self._mode}.{sent.type}"
        return self._outgoing(sent, self._config.exchange, key, mandatory=key in self._bound)

    def _outgoing(self, sent: Sent, exchange: str, key: str, *, mandatory: bool) -> Outgoing:
        name = self._config.name
        return Outgoing(
            sent.body,
            exchange,
            key,
            mandatory,
            sent.message_id,
            sent.type,
            sent.at,
            name,
            sent.headers,
        )

    async def _send(self, messages: Sequence[Outgoing]) -> Sequence[Exception | None]:
        """Write them and wait until each has its fate, or the broker has been silent too long."""
        try:
            confirmer = await self._ready()
            confirms = await confirmer.publish(messages)
        except NotPublished as error:
            return [error] * len(messages)
        except (*TROUBLE, asyncio.CancelledError) as error:
            failed = _not_published(error)
            return [failed] * len(messages)
        try:
            async with asyncio.timeout(self._config.answer_within.total_seconds()):
                await asyncio.sleep(0)
                passing("outbox.after_publish")
                await confirms.all()
        except TimeoutError:
            # They may still be taken later: whatever follows must not overtake them here.
            await self._give_up(confirmer.channel)
            return [fate and NotPublished(reason="no confirm in time") for fate in confirms.fates]
        except (*TROUBLE, asyncio.CancelledError) as error:
            failed = _not_published(error)
            return [fate and failed for fate in confirms.fates]
        return [fate and _not_published(fate) for fate in confirms.fates]

    async def _ready(self) -> Confirmer:
        if not self._link.is_up:
            try:
                async with asyncio.timeout(self._config.answer_within.total_seconds()):
                    await self._link.until_up()
            except TimeoutError:
                raise NotPublished(reason=self._link.reason) from None
        if self._confirmer is None:
            raise NotPublished(reason="the channel was closed")
        return self._confirmer

    async def _give_up(self, channel: Channel) -> None:
        with suppress(*TROUBLE):
            try:
                async with asyncio.timeout(1.0):
                    await channel.close()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise

    async def _serve(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(self._config.answer_within.total_seconds()):
            await declare(connection, self._config)
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            await exchange_of(channel, self._config)
            below = await channel_below(channel)
            confirmer = Confirmer(below)
            cut(connection).give(below.number, confirmer)
            self._confirmer = confirmer
        self._link.up()
        try:
            await channel.closed()
        finally:
            self._confirmer = None
        raise AMQPError("the channel was closed")


def _not_published(error: BaseException) -> NotPublished:
    """What went wrong, as the fate of an event. Raises a cancellation that is meant for us."""
    if isinstance(error, asyncio.CancelledError) and is_cancelled():
        raise error
    return NotPublished(reason=f"{type(error).__name__}: {error}"[:300])
