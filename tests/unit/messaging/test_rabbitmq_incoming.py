"""What the broker says: taken in the moment it comes, or left to the client, byte for byte."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import pytest
from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from order_adapters.messaging.rabbitmq import incoming
from order_adapters.messaging.rabbitmq.incoming import Deliveries, FrameReader, cut
from order_adapters.messaging.rabbitmq.together import Confirmer, Confirms, Outgoing
from tests.builders import NOW

OURS, OTHER = 2, 3
PROPERTIES = commands.Basic.Properties
Seen = tuple[int, bool, Mapping[str, Any], bytes]


def marshal(each: Any, channel: int = OURS) -> bytes:
    return frame.marshal(each, channel)


def a_message(method: Any, body: bytes, *parts: bytes, channel: int = OURS, **said: Any) -> bytes:
    header = ContentHeader(body_size=len(body), properties=PROPERTIES(**said))
    bodies = [ContentBody(part) for part in (parts or ((body,) if body else ()))]
    return b"".join(marshal(each, channel) for each in (method, header, *bodies))


def a_delivery(tag: int, body: bytes, *parts: bytes, again: bool = False, **said: Any) -> bytes:
    deliver = commands.Basic.Deliver("ctag-ä", tag, again, "exchange", "key")
    return a_message(deliver, body, *parts, **said)


class World:
    """A reader whose channel OURS is taken, and what came of what it was fed."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.reader = FrameReader(asyncio.get_running_loop())
        self.reader.give(OURS, Deliveries(lambda *seen: self.seen.append(seen)))

    def feed(self, data: bytes, step: int = 0) -> None:
        for begin in range(0, len(data), step or len(data)):
            self.reader.feed_data(data[begin : begin + (step or len(data))])

    async def client(self) -> bytes:
        self.reader.feed_eof()
        return await self.reader.read()


@pytest.mark.parametrize("step", [0, 1, 2, 7, 8, 9, 64])
async def test_deliveries_are_taken_and_all_else_is_the_clients_however_bytes_are_cut(
    step: int,
) -> None:
    world = World()
    others = (
        marshal(commands.Basic.ConsumeOk("ctag-ä")),
        a_message(commands.Basic.GetOk(1, False, "e", "k", 0), b"got"),
        a_message(commands.Basic.Deliver("c", 9, False, "e", "k"), b"for another", channel=OTHER),
        marshal(Heartbeat(), 0),
        marshal(commands.Channel.Close(404, "gone", 0, 0)),
    )

    taken = (
        a_delivery(1, b"one"),
        a_delivery(2, b"onetwo", b"one", b"two", again=True, headers={"trace_id": "t-ä"}),
        a_delivery(3, b"", message_id="m"),
    )
    world.feed(
        b"".join(x for pair in zip(others, (*taken, b"", b""), strict=True) for x in pair), step
    )

    assert world.seen == [
        (1, False, {}, b"one"),
        (2, True, {"trace_id": "t-ä"}, b"onetwo"),
        (3, False, {}, b""),
    ]
    assert await world.client() == b"".join(others)


async def test_what_is_no_frame_is_the_clients_as_it_came() -> None:
    world = World()
    odd = bytearray(a_delivery(1, b"one"))
    odd[-1] = 0

    world.feed(a_delivery(7, b"before") + bytes(odd))
    world.feed(a_delivery(8, b"after"))

    begun = marshal(ContentBody(b"one"))
    assert [each[0] for each in world.seen] == [7]
    assert await world.client() == bytes(odd[-len(begun) :]) + a_delivery(8, b"after")


async def test_the_beginning_of_a_frame_that_does_not_end_is_the_clients() -> None:
    world = World()
    part = a_delivery(1, b"one")[:20]

    world.feed(b"AMQP\x00\x00\x09\x01")
    world.feed(part)

    assert await world.client() == b"AMQP\x00\x00\x09\x01" + part


async def test_a_client_whose_frames_are_all_taken_hears_that_the_broker_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    world.feed(a_delivery(1, b"one"))
    monkeypatch.setattr(incoming, "HEARD_S", 0.0)
    world.feed(a_delivery(2, b"two"))
    world.feed(b"\x01")  # of a frame that nobody has heard to its end

    assert await world.client() == marshal(Heartbeat(), 0) + b"\x01"


async def test_a_message_whose_parts_come_out_of_order_ends_the_connection() -> None:
    world = World()
    deliver = marshal(commands.Basic.Deliver("c", 1, False, "e", "k"))

    with pytest.raises(ValueError, match="in the middle of a message"):
        world.feed(deliver + b"\x05\x00\x02\x00\x00\x00\x01x\xce")


def test_only_a_connection_of_the_link_gives_frames_away() -> None:
    with pytest.raises(TypeError, match="frames may be taken"):
        cut(object())  # type: ignore[arg-type]


class Channel:
    """As much of the client's channel as a confirmer needs."""

    def __init__(self) -> None:
        self.delivery_tag = 0
        self.number = OURS
        self.write_queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=10)

    @property
    def lock(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()


class Broker:
    """A confirmer, fed as a connection feeds it."""

    def __init__(self) -> None:
        self.channel: Any = Channel()
        self.confirmer = Confirmer(self.channel)
        self.reader = FrameReader(asyncio.get_running_loop())
        self.reader.give(OURS, self.confirmer)

    async def publish(self, *ids: str) -> Confirms:
        return await self.confirmer.publish(
            [Outgoing(b"{}", "e", "k", True, each, "t", NOW, "om", {}) for each in ids]
        )

    def says(self, *frames: Any) -> None:
        for each in frames:
            self.reader.feed_data(each if isinstance(each, bytes) else marshal(each))

    def gives_back(self, message_id: str, body: bytes = b"{}") -> None:
        back = commands.Basic.Return(312, "NO_ROUTE", "e", "k")
        self.says(a_message(back, body, message_id=message_id))


def words(confirms: Confirms) -> list[str]:
    return ["" if fate is None else str(fate) for fate in confirms.fates]


async def test_each_message_has_the_fate_that_the_broker_tells() -> None:
    broker = Broker()
    confirms = await broker.publish("a", "b", "c")

    broker.says(commands.Basic.Ack(2, False), commands.Basic.Nack(1, False, True))
    assert words(confirms) == ["the broker refused it", "", "not confirmed"]
    broker.says(commands.Basic.Ack(3, False))
    await confirms.all()

    assert words(confirms) == ["the broker refused it", "", ""]


async def test_one_confirm_may_be_of_all_up_to_it_over_several_groups() -> None:
    broker = Broker()
    first, second = await broker.publish("a", "b"), await broker.publish("c", "d")

    broker.says(commands.Basic.Ack(3, True))
    await first.all()
    assert (words(first), words(second)) == (["", ""], ["", "not confirmed"])
    broker.says(commands.Basic.Nack(4, True, True))
    await second.all()

    assert words(second) == ["", "the broker refused it"]


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_a_message_that_comes_back_is_not_confirmed_although_its_confirm_follows(
    body: bytes,
) -> None:
    broker = Broker()
    confirms = await broker.publish("a", "b")

    broker.gives_back("b", body)
    broker.says(commands.Basic.Ack(2, True))
    await confirms.all()

    assert words(confirms) == ["", "it came back: NO_ROUTE"]


async def test_what_is_said_of_nothing_that_waits_changes_nothing() -> None:
    broker = Broker()
    confirms = await broker.publish("a")

    broker.gives_back("z")
    broker.says(commands.Basic.Ack(9, False), commands.Basic.Ack(1, False))
    broker.says(commands.Basic.Ack(1, False), commands.Basic.Nack(1, True, True))
    await confirms.all()

    assert words(confirms) == [""]


async def test_everything_else_on_the_channel_is_the_clients() -> None:
    broker = Broker()
    others = marshal(commands.Basic.QosOk()) + a_message(
        commands.Basic.GetOk(1, False, "e", "k", 0), b"got"
    )

    broker.says(others, commands.Basic.Ack(1, False))
    broker.reader.feed_eof()

    assert await broker.reader.read() == others


async def test_messages_that_could_not_be_handed_over_leave_their_numbers_free() -> None:
    broker = Broker()
    broker.channel.write_queue = asyncio.Queue(maxsize=1)
    first = await broker.publish("a")
    waiting = asyncio.create_task(broker.publish("b"))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    broker.channel.write_queue.get_nowait()
    second = await broker.publish("c")
    broker.says(commands.Basic.Ack(2, True))

    assert (words(first), words(second)) == ([""], [""])


async def test_a_message_that_cannot_be_written_takes_no_number() -> None:
    broker = Broker()
    first = await broker.publish("a")

    with pytest.raises(ValueError, match="range"):
        await broker.publish("b", "x" * 300)
    second = await broker.publish("c")
    broker.says(commands.Basic.Ack(2, True))

    assert (words(first), words(second)) == ([""], [""])
