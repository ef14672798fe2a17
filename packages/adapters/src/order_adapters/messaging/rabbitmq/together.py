"""Together: many messages in one write to the broker, each with a confirm of its own.

The client's own calls make tasks, futures and a write for every message. This speaks its language
one floor below: the same frames, the same numbering.
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

from order_adapters.messaging.rabbitmq.incoming import BODY, END, HEADER, METHOD, Content
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
    """What became of messages that left together."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._left = number
        self._all = channel.create_future()
        self.fates: list[Exception | None] = [NotConfirmed("not confirmed") for _ in range(number)]

    async def all(self) -> None:
        """Return when every message has its fate. Raises what ended the channel."""
        await self._all

    def settle(self, place: int, fate: Exception | None) -> None:
        """One message has its fate."""
        self.fates[place] = fate
        self._left -= 1
        if not self._left and not self._all.done():
            self._all.set_result(None)


class Confirmer:
    """Publishes on one channel, and takes what the broker says of what was published."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._waiting: dict[int, tuple[Confirms, int, str]] = {}
        self._returned = ""
        self._content = Content()

    async def publish(self, messages: Sequence[Outgoing]) -> Confirms:
        """Hand messages to the connection, in their order and in one write; none waits for another.

        Raises what the client raises on a channel that is closed; then none of them has left.
        """
        channel, number = self.channel, len(messages)
        confirms = Confirms(channel, number)
        # first: what cannot be written takes no number
        payload = b"".join([_frames(message, channel.number) for message in messages])
        async with channel.lock:
            first = channel.delivery_tag + 1
            for place, message in enumerate(messages):
                self._waiting[first + place] = confirms, place, message.message_id
            channel.delivery_tag += number
            try:
                await channel.write_queue.put(ChannelFrame(payload, should_close=False))
            except BaseException:
                # the broker has seen none of them, so their numbers are free
                channel.delivery_tag -= number
                for tag in range(first, first + number):
                    del self._waiting[tag]
                raise
        return confirms

    def take(self, kind: int, payload: bytes) -> bool:
        """Take a confirm, or a frame of a message that comes back."""
        if kind != METHOD:
            if not self._returned:
                return False
            if self._content.take(kind, payload):
                self._come_back(str(self._content.properties().message_id))
            return True
        method = payload[:4]
        if method in (_ACKED, _NACKED):
            (tag,), many = _TAG.unpack_from(payload, 4), payload[4 + _TAG.size] & 1
            refused = method == _NACKED
            if not many:
                self._settle(tag, refused=refused)
                return True
            for each in [each for each in self._waiting if each <= tag]:
                self._settle(each, refused=refused)
            return True
        if method == _RETURNED:
            length = payload[6]
            self._returned = payload[7 : 7 + length].decode(errors="replace") or "no reason"
            return True
        return False

    def _settle(self, tag: int, *, refused: bool) -> None:
        waiting = self._waiting.pop(tag, None)
        if waiting is not None:  # it came back before
            confirms, place, _ = waiting
            confirms.settle(place, NotConfirmed("the broker refused it") if refused else None)

    def _come_back(self, message_id: str) -> None:
        reason, self._returned = self._returned, ""
        for tag, (confirms, place, its_id) in self._waiting.items():
            if its_id == message_id:
                del self._waiting[tag]
                confirms.settle(place, NotConfirmed(f"it came back: {reason}"))
                return


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
            [_ACK.pack(METHOD, number, 13, *_BASIC_ACK, tag, 0, END) for tag in self._due]
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


_BASIC, _BASIC_ACK = 60, (60, 80)
_ACKED: Final = b"\x00\x3c\x00\x50"
_NACKED: Final = b"\x00\x3c\x00\x78"
_RETURNED: Final = b"\x00\x3c\x00\x32"
_TAG: Final = Struct("!Q")
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
    parts.append(_frame(HEADER, number, header))
    parts += [
        _frame(BODY, number, body[begin : begin + FRAME]) for begin in range(0, len(body), FRAME)
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
