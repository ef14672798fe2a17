"""Together: many messages in one write to the broker, each with a confirm of its own.

The client's own calls make tasks, futures and a write for every message. This speaks its language
one floor below: the same frames, the same numbering, the same place where confirms arrive.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from struct import Struct
from typing import Final

import attrs
from aio_pika.abc import AbstractChannel
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp.commands import Basic
from pamqp.encode import field_table, timestamp
from pamqp.frame import marshal

from order_adapters.passing import is_watched

FRAME: Final = 100_000
"""Largest part of a body in one frame; brokers allow 131,072 bytes."""


class NotConfirmed(Exception):
    """The broker said no, or nothing before the channel ended."""


@attrs.frozen(slots=True)
class Outgoing:
    """One persistent message of JSON.

    Attributes:
        message_id: Of no other message that is on its way.
    """

    body: bytes
    exchange: str
    routing_key: str
    mandatory: bool
    message_id: str
    type: str
    at: datetime
    app: str
    headers: Mapping[str, str]


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
            channel.message_id_delivery_tag[message.message_id] = tag
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
        channel.message_id_delivery_tag.pop(message.message_id, None)


class Acknowledgements:
    """Lets the broker forget deliveries of one channel; those of one moment leave in one write."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._due: list[int] = []

    async def put(self, tag: int) -> None:
        """Acknowledge a delivery, soon; at once where somebody asked for the moment after it."""
        if is_watched():
            await self._channel.basic_ack(tag)
            return
        self._due.append(tag)
        if len(self._due) == 1:
            asyncio.get_running_loop().call_soon(self._send)

    async def finish(self) -> None:
        """Return when all have left, or nobody takes them. Raises what the client raises."""
        self._send()
        if self._channel.is_closed:
            return
        written = self._channel.create_future()
        await self._channel.write_queue.put(
            ChannelFrame(b"", should_close=False, drain_future=written)
        )
        await written

    def _send(self) -> None:
        if self._channel.is_closed:  # the broker brings them again
            self._due.clear()
            return
        number = self._channel.number
        payload = b"".join(
            [_ACK.pack(_METHOD, number, 13, *_BASIC_ACK, tag, 0, _END) for tag in self._due]
        )
        try:
            self._channel.write_queue.put_nowait(ChannelFrame(payload, should_close=False))
        except asyncio.QueueFull:
            asyncio.get_running_loop().call_soon(self._send)
        else:
            self._due.clear()


async def channel_below(channel: AbstractChannel) -> Channel:
    """The channel of the client below the client. Raises TypeError when it has become another."""
    below = await channel.get_underlay_channel()
    if not isinstance(below, Channel):
        raise TypeError(f"not the client's channel: {below!r}")
    return below


_METHOD, _HEADER, _BODY, _END = 1, 2, 3, 0xCE
_BASIC, _BASIC_ACK = 60, (60, 80)
_ACK: Final = Struct("!BHIHHQBB")
_FRAME: Final = Struct("!BHI")
_CONTENT: Final = Struct("!HHQH")
_JSON: Final = b"\x10application/json"
_PERSISTENT: Final = b"\x02"
_FLAGS: Final = 1 << 15 | 1 << 12 | 1 << 7 | 1 << 6 | 1 << 5 | 1 << 3
"""Content type, delivery mode, message id, timestamp, type, application id: in this order."""
_WITH_HEADERS: Final = 1 << 13


def _frames(message: Outgoing, number: int) -> bytes:
    """Write one message as the protocol has it: method, header, body."""
    body = message.body
    parts = [_method(message.exchange, message.routing_key, message.mandatory, number)]
    headers = field_table(dict(message.headers)) if message.headers else b""
    header = b"".join(
        (
            _CONTENT.pack(_BASIC, 0, len(body), _FLAGS | (_WITH_HEADERS if headers else 0)),
            _JSON,
            headers,
            _PERSISTENT,
            _short(message.message_id),
            timestamp(message.at),
            _short(message.type),
            _short(message.app),
        )
    )
    parts.append(_frame(_HEADER, number, header))
    parts += [
        _frame(_BODY, number, body[begin : begin + FRAME]) for begin in range(0, len(body), FRAME)
    ]
    return b"".join(parts)


def _frame(kind: int, number: int, payload: bytes) -> bytes:
    return b"%b%b\xce" % (_FRAME.pack(kind, number, len(payload)), payload)


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data


@lru_cache(maxsize=256)
def _method(exchange: str, routing_key: str, mandatory: bool, number: int) -> bytes:
    publish = Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=mandatory)
    frames: bytes = marshal(publish, number)
    return frames
