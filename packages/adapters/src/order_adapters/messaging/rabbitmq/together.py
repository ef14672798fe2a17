"""Together: many messages in one write to the broker, each with a confirm of its own.

The client's own call makes tasks, futures and a write for every message. This speaks its language
one floor below: the same frames, the same numbering, the same place where confirms arrive.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import attrs
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.frame import marshal
from pamqp.header import ContentHeader

FRAME: Final = 100_000
"""Largest part of a body in one frame; brokers allow 131,072 bytes."""


class NotConfirmed(Exception):
    """The broker said no, or nothing before the channel ended."""


@attrs.frozen(slots=True)
class Outgoing:
    """One message. Its `properties` hold a message id that no other on its way has."""

    body: bytes
    exchange: str
    routing_key: str
    mandatory: bool
    properties: Basic.Properties


class Confirms:
    """What became of messages that left together; filled by the client's reader of the channel."""

    def __init__(self, channel: Channel, messages: Sequence[Outgoing]) -> None:
        self._channel = channel
        self._left = len(messages)
        self._all = channel.create_future()
        self.fates: list[Exception | None] = [NotConfirmed("not confirmed") for _ in messages]

    async def all(self) -> None:
        """Return when every message has its fate. Raises what ended the channel."""
        await self._all

    def settle(self, place: int, fate: Exception | None) -> None:
        """One message has its fate."""
        self.fates[place] = fate
        self._left -= 1
        if not self._left and not self._all.done():
            self._all.set_result(None)


class _Awaited:
    """Stands where the client looks for the future of a confirm."""

    __slots__ = ("_confirms", "_is_done", "_place", "_told")

    def __init__(self, confirms: Confirms, place: int) -> None:
        self._confirms = confirms
        self._place = place
        self._is_done = False

    def done(self) -> bool:
        return self._is_done

    def cancelled(self) -> bool:
        return False

    def set_result(self, answer: object) -> None:
        taken = isinstance(answer, Basic.Ack)
        self._settle(None if taken else NotConfirmed(f"answered with {type(answer).__name__}"))

    def set_exception(self, error: Exception) -> None:
        self._settle(error)

    def _settle(self, fate: Exception | None) -> None:
        self._is_done = True
        self._confirms.settle(self._place, fate)


async def publish_together(channel: Channel, messages: Sequence[Outgoing]) -> Confirms:
    """Hand messages to the connection, in their order and in one write; none waits for another.

    Raises what the client raises on a channel that is closed; then none of them has left.
    """
    confirms = Confirms(channel, messages)
    async with channel.lock:
        first = channel.delivery_tag + 1
        tags = range(first, first + len(messages))
        for place, (tag, message) in enumerate(zip(tags, messages, strict=True)):
            awaited = _Awaited(confirms, place)
            channel.confirmations[tag] = awaited  # type: ignore[assignment]  # as good as a future
            channel.message_id_delivery_tag[str(message.properties.message_id)] = tag
        channel.delivery_tag += len(messages)
        number = channel.number
        payload = b"".join([_frames(message, number) for message in messages])
        try:
            await channel.write_queue.put(ChannelFrame(payload, should_close=False))
        except BaseException:
            # the broker has seen none of them, so their numbers are free
            channel.delivery_tag -= len(messages)
            for tag in tags:
                channel.confirmations.pop(tag, None)
            forget(channel, messages)
            raise
    return confirms


def forget(channel: Channel, messages: Sequence[Outgoing]) -> None:
    """Let the client no longer look for these, should one of them be returned."""
    for message in messages:
        channel.message_id_delivery_tag.pop(str(message.properties.message_id), None)


def _frames(message: Outgoing, number: int) -> bytes:
    body = message.body
    header = ContentHeader(0, len(body), message.properties)
    parts = [
        _method(message.exchange, message.routing_key, message.mandatory, number),
        marshal(header, number),
    ]
    parts += [
        marshal(ContentBody(body[begin : begin + FRAME]), number)
        for begin in range(0, len(body), FRAME)
    ]
    return b"".join(parts)


@lru_cache(maxsize=256)
def _method(exchange: str, routing_key: str, mandatory: bool, number: int) -> bytes:
    publish = Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=mandatory)
    frames: bytes = marshal(publish, number)
    return frames
