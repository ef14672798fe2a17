"""Messaging: deliveries come until they are acknowledged, and events are taken in order."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from order_adapters.messaging.memory import MemoryPublisher, MemorySignalSource, PublisherDown
from order_domain.model.enums import Verdict
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.steps import Acknowledge
from order_domain.ports.outbox import NumberedEvent
from tests.builders import a_signal, a_signal_id
from tests.row_builders import an_alarm

Deliveries = AsyncIterator[SignalDelivered | DeliveryInvalid]


@pytest.fixture
def source() -> MemorySignalSource:
    return MemorySignalSource(prefetch=3, waiting=5)


@pytest.fixture
def publisher() -> MemoryPublisher:
    return MemoryPublisher()


def a_delivery(number: int) -> SignalDelivered:
    return SignalDelivered(number, a_signal(signal_id=a_signal_id(number)))


async def put(source: MemorySignalSource, *numbers: int) -> None:
    for number in numbers:
        await source.put(a_delivery(number))


async def take(deliveries: Deliveries, count: int) -> list[int]:
    return [(await anext(deliveries)).number for _ in range(count)]


async def has_more(deliveries: Deliveries) -> bool:
    """Whether a delivery is there without anything else happening. Ends the iteration if not."""
    waiting = asyncio.ensure_future(anext(deliveries))
    for _ in range(5):
        await asyncio.sleep(0)
    is_there = waiting.done()
    waiting.cancel()
    return is_there


class TestSignalSource:
    async def test_deliveries_come_in_order(self, source: MemorySignalSource) -> None:
        await put(source, 1, 2, 3)

        assert await take(source.deliveries(), 3) == [1, 2, 3]

    async def test_a_reader_waits_for_the_next_delivery(self, source: MemorySignalSource) -> None:
        waiting = asyncio.create_task(take(source.deliveries(), 1))
        await asyncio.sleep(0)

        await put(source, 1)

        assert await waiting == [1]

    async def test_what_was_not_acknowledged_comes_again_in_order(
        self, source: MemorySignalSource
    ) -> None:
        await put(source, 1, 2, 3)
        await take(source.deliveries(), 3)
        await source.acknowledge(Acknowledge(2, Verdict.ORDERED))
        await put(source, 4)

        assert await take(source.deliveries(), 3) == [1, 3, 4]

    async def test_what_was_acknowledged_never_comes_again(
        self, source: MemorySignalSource
    ) -> None:
        await put(source, 1)
        await take(source.deliveries(), 1)
        await source.acknowledge(Acknowledge(1, Verdict.DENIED))
        await source.acknowledge(Acknowledge(1, Verdict.DENIED))

        assert source.unacknowledged == ()
        assert not await has_more(source.deliveries())

    async def test_no_more_are_out_than_the_prefetch(self, source: MemorySignalSource) -> None:
        await put(source, 1, 2, 3, 4)
        deliveries = source.deliveries()

        assert await take(deliveries, 3) == [1, 2, 3]
        assert not await has_more(deliveries)

    async def test_an_acknowledgement_lets_the_next_one_out(
        self, source: MemorySignalSource
    ) -> None:
        await put(source, 1, 2, 3, 4)
        deliveries = source.deliveries()
        await take(deliveries, 3)
        waiting = asyncio.create_task(take(deliveries, 1))
        await asyncio.sleep(0)

        await source.acknowledge(Acknowledge(2, Verdict.ORDERED))

        assert await waiting == [4]

    async def test_a_full_queue_makes_the_sender_wait(self, source: MemorySignalSource) -> None:
        await put(source, 1, 2, 3, 4, 5)
        sender = asyncio.create_task(put(source, 6))
        await asyncio.sleep(0)
        assert not sender.done()

        await source.acknowledge(Acknowledge(1, Verdict.ORDERED))

        await sender
        assert [delivery.number for delivery in source.unacknowledged] == [2, 3, 4, 5, 6]

    async def test_an_invalid_delivery_ends_as_a_dead_letter(
        self, source: MemorySignalSource
    ) -> None:
        invalid = DeliveryInvalid(1, "BODY_INVALID", "amount", "> 0", "-1", "{}")
        await source.put(invalid)
        await put(source, 2)
        await source.acknowledge(Acknowledge(1, Verdict.INVALID, "BODY_INVALID"))
        await source.acknowledge(Acknowledge(2, Verdict.ORDERED))

        assert source.dead_letters == [invalid]

    async def test_a_new_reader_ends_the_one_before(self, source: MemorySignalSource) -> None:
        await put(source, 1)
        first = source.deliveries()
        await take(first, 1)
        waiting = asyncio.ensure_future(anext(first, None))
        await asyncio.sleep(0)

        assert await take(source.deliveries(), 1) == [1]
        assert await waiting is None

    async def test_a_finished_source_ends_when_all_is_acknowledged(
        self, source: MemorySignalSource
    ) -> None:
        await put(source, 1)
        deliveries = source.deliveries()
        await take(deliveries, 1)
        await source.finish()
        ending = asyncio.ensure_future(anext(deliveries, None))
        await asyncio.sleep(0)
        assert not ending.done()

        await source.acknowledge(Acknowledge(1, Verdict.ORDERED))

        assert await ending is None


class TestEventPublisher:
    async def test_events_are_taken_in_order_and_repetitions_too(
        self, publisher: MemoryPublisher
    ) -> None:
        events = [NumberedEvent(number, an_alarm(number)) for number in (1, 2, 2)]
        for event in events:
            await publisher.publish(event)

        assert list(publisher.published) == events

    async def test_while_it_is_away_it_takes_nothing(self, publisher: MemoryPublisher) -> None:
        publisher.away = True
        with pytest.raises(PublisherDown):
            await publisher.publish(NumberedEvent(1, an_alarm()))
        publisher.away = False

        await publisher.publish(NumberedEvent(1, an_alarm()))

        assert [event.number for event in publisher.published] == [1]

    async def test_it_keeps_the_newest(self) -> None:
        publisher = MemoryPublisher(kept=2)
        for number in (1, 2, 3):
            await publisher.publish(NumberedEvent(number, an_alarm(number)))

        assert [event.number for event in publisher.published] == [2, 3]
