"""Events on a real broker: confirmed, persistent, and routed to who can read them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import attrs
import pytest
from aiormq.channel import Channel

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.publisher import NotPublished, RabbitPublisher
from order_adapters.messaging.rabbitmq.together import Confirmer, Confirms
from order_domain.model.enums import EventKind, Verdict
from order_domain.model.events import Event
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent
from tests.builders import NOW, an_order
from tests.rabbitmq_server import a_broker, channel_to, drain, settings_of


async def no_signals(_signal_ids: Sequence[str]) -> Sequence[SignalRow]:
    return ()


async def the_delivery(number: int) -> DeliveryRow | None:
    return DeliveryRow(
        number, NOW, Verdict.INVALID, "MALFORMED", "", "asset", "4 to 20", "x", '{"asset":"x"}'
    )


@asynccontextmanager
async def publishing(config: RabbitConfig, **changes: Any) -> AsyncIterator[RabbitPublisher]:
    values: dict[str, Any] = {
        "signals_of": no_signals,
        "delivery_of": the_delivery,
        "is_dry": False,
    }
    publisher = RabbitPublisher(config, Random(1), **values | changes)
    publisher.open()
    try:
        yield publisher
    finally:
        await publisher.close()


def an_event(kind: EventKind, number: int = 1) -> NumberedEvent:
    order = an_order()
    return NumberedEvent(number, Event(kind, NOW, order.client_order_id, number, order))


async def test_what_neighbours_parse_lies_in_their_queue_persistent_and_with_its_id(
    rabbit: RabbitConfig,
) -> None:
    kinds = (EventKind.ORDER_FILLED, EventKind.ORDER_CANCELLED, EventKind.ORDER_REJECTED)
    async with publishing(rabbit) as publisher:
        for number, kind in enumerate(kinds, 1):
            await publisher.publish(an_event(kind, number))
        found = await drain(rabbit, rabbit.events)
    bodies = [json.loads(message.body) for message in found]

    assert [body["event_type"] for body in bodies] == ["filled", "cancelled", "rejected"]
    assert [message.message_id for message in found] == [body["event_id"] for body in bodies]
    assert all(message.delivery_mode == 2 for message in found)
    assert all(message.content_type == "application/json" for message in found)


async def test_a_cancellation_by_the_client_is_the_fate_of_the_events_and_of_nobody_else(
    rabbit: RabbitConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def given_up(*_: object) -> None:
        raise asyncio.CancelledError

    async with publishing(rabbit) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_FILLED))
        with monkeypatch.context() as patched:
            patched.setattr(Confirms, "all", given_up)
            with pytest.raises(NotPublished, match="CancelledError"):
                await publisher.publish(an_event(EventKind.ORDER_FILLED, 2))
        with monkeypatch.context() as patched:
            patched.setattr(Confirmer, "publish", given_up)
            with pytest.raises(NotPublished, match="CancelledError"):
                await publisher.publish(an_event(EventKind.ORDER_FILLED, 2))
        await publisher.publish(an_event(EventKind.ORDER_FILLED, 2))


async def test_a_client_that_cancels_while_its_channel_is_given_up_ends_nobody(
    rabbit: RabbitConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    async def given_up(*_: object) -> None:
        raise asyncio.CancelledError

    hasty = attrs.evolve(rabbit, answer_within=timedelta(seconds=1))
    async with publishing(hasty) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_FILLED))
        with monkeypatch.context() as patched:
            patched.setattr(Confirms, "all", silent)
            patched.setattr(Confirms, "settle", lambda *_: None)
            patched.setattr(Channel, "close", given_up)
            with pytest.raises(NotPublished, match="no confirm in time"):
                await publisher.publish(an_event(EventKind.ORDER_FILLED, 2))


async def test_a_publisher_that_is_cancelled_itself_is(
    rabbit: RabbitConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    async with publishing(rabbit) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_FILLED))
        monkeypatch.setattr(Confirms, "all", silent)
        task = asyncio.create_task(publisher.publish(an_event(EventKind.ORDER_FILLED, 2)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_events_no_neighbour_parses_go_to_the_exchange_alone(rabbit: RabbitConfig) -> None:
    async with publishing(rabbit) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_FILLED))
        async with channel_to(rabbit) as channel:
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind(rabbit.exchange, "live.#")
            await publisher.publish(an_event(EventKind.ORDER_WORKING, 2))
            seen = await queue.get(no_ack=True)
        found = await drain(rabbit, rabbit.events)

    assert seen.routing_key == "live.order_working"
    assert len(found) == 1


async def test_a_dry_run_is_never_told_to_the_neighbours(rabbit: RabbitConfig) -> None:
    async with publishing(rabbit, is_dry=True) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_FILLED))
        found = await drain(rabbit, rabbit.events)

    assert found == []


@pytest.mark.parametrize(("told", "count"), [(True, 1), (False, 0)])
async def test_partial_fills_are_told_if_set(told: bool, count: int) -> None:
    async with a_broker(partial_fills=told) as config, publishing(config) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_PARTIALLY_FILLED))
        found = await drain(config, config.events)

    assert len(found) == count


async def test_an_event_that_reaches_no_queue_of_a_neighbour_is_an_error(
    rabbit: RabbitConfig,
) -> None:
    async with publishing(rabbit) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_FILLED))
        async with channel_to(rabbit) as channel:
            await channel.queue_delete(rabbit.events)
        with pytest.raises(NotPublished):
            await publisher.publish(an_event(EventKind.ORDER_FILLED, 2))


async def test_a_refused_signal_lies_in_the_dead_letter_queue_as_it_came_with_its_reason(
    rabbit: RabbitConfig,
) -> None:
    event = Event(EventKind.SIGNAL_INVALID, NOW, "delivery:7", 1, code="MALFORMED")
    async with publishing(rabbit) as publisher:
        await publisher.publish(NumberedEvent(1, event))
        (dead,) = await drain(rabbit, rabbit.dead)

    assert dead.body == b'{"asset":"x"}'
    assert dead.headers["x-reason-code"] == "MALFORMED"
    assert dead.headers["x-reason-field"] == "asset"
    assert dead.headers["x-delivery"] == "7"


async def test_the_same_event_published_again_has_the_same_id(rabbit: RabbitConfig) -> None:
    async with publishing(rabbit) as publisher:
        for _ in range(2):
            await publisher.publish(an_event(EventKind.ORDER_FILLED))
        first, second = await drain(rabbit, rabbit.events)

    assert first.message_id == second.message_id
    assert first.body == second.body


async def test_a_closed_channel_is_opened_again_for_the_next_event(rabbit: RabbitConfig) -> None:
    async with publishing(rabbit) as publisher:
        await publisher.publish(an_event(EventKind.ORDER_FILLED))
        assert publisher._confirmer is not None
        await publisher._confirmer.channel.close()
        async with asyncio.timeout(20):
            while True:
                try:
                    await publisher.publish(an_event(EventKind.ORDER_FILLED, 2))
                except NotPublished:
                    await asyncio.sleep(0.02)
                else:
                    break
        found = await drain(rabbit, rabbit.events)

    assert [json.loads(message.body)["sequence"] for message in found] == [1, 2]


async def test_without_a_broker_an_event_is_not_published_and_says_why() -> None:
    config = settings_of(port=1, answer_within=timedelta(milliseconds=300))
    async with publishing(config) as publisher:
        with pytest.raises(NotPublished, match=r"Connect|refused"):
            await publisher.publish(an_event(EventKind.ORDER_FILLED))
