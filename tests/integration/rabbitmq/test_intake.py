"""Signals of a real broker: taken once, in order, by one consumer, forgotten only when told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import aio_pika
import attrs
import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.intake import Letter, RabbitIntake
from order_domain.errors import InvalidValue
from order_domain.model.trace import Trace
from tests.rabbitmq_server import channel_to, drain, send, settings_of, waiting


@asynccontextmanager
async def taking(config: RabbitConfig) -> AsyncIterator[RabbitIntake]:
    intake = RabbitIntake(config, Random(1))
    intake.open()
    try:
        yield intake
    finally:
        await intake.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 -- nothing rings when a broker comes and goes
            await asyncio.sleep(0.02)


async def until_up(intake: RabbitIntake) -> None:
    await until(lambda: intake.is_up)


async def take(intake: RabbitIntake, count: int) -> list[Letter]:
    letters: list[Letter] = []
    async with asyncio.timeout(20):
        async for letter in intake.letters():
            letters.append(letter)
            if len(letters) == count:
                break
    return letters


async def test_letters_come_in_the_order_they_were_sent(rabbit: RabbitConfig) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        await send(rabbit, *(str(n).encode() for n in range(100)))
        letters = []
        for _ in range(4):
            letters += await take(intake, 25)
            for letter in letters[-25:]:
                await letter.acknowledge()

    assert [int(letter.body) for letter in letters] == list(range(100))


async def test_no_more_than_the_prefetch_is_out_at_once(rabbit: RabbitConfig) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        await send(rabbit, *(b"x" for _ in range(100)))
        await take(intake, rabbit.prefetch)
        left = await waiting(rabbit, rabbit.signals)

    assert left == 100 - rabbit.prefetch


async def test_what_was_not_acknowledged_comes_again_in_order_and_says_so(
    rabbit: RabbitConfig,
) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        await send(rabbit, b"1", b"2", b"3")
        first, *_ = await take(intake, 3)
        await first.acknowledge()
    async with taking(rabbit) as intake:
        again = await take(intake, 2)

    assert [letter.body for letter in again] == [b"2", b"3"]
    assert all(letter.redelivered for letter in again)


async def test_a_queue_that_a_neighbour_made_with_arguments_is_used_as_it_is(
    rabbit: RabbitConfig,
) -> None:
    async with channel_to(rabbit) as channel:
        await channel.declare_queue(rabbit.signals, durable=True, arguments={"x-max-length": 5000})
    async with taking(rabbit) as intake:
        await until_up(intake)
        await send(rabbit, b"1")
        letters = await take(intake, 1)

    assert letters[0].body == b"1"


async def test_a_neighbour_may_declare_the_queue_plainly_after_us(rabbit: RabbitConfig) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        async with channel_to(rabbit) as channel:
            declared = await channel.declare_queue(rabbit.signals, durable=True)

    assert declared.declaration_result.consumer_count == 1


async def test_a_second_consumer_waits_until_the_first_has_gone(rabbit: RabbitConfig) -> None:
    async with taking(rabbit) as first:
        await until_up(first)
        async with taking(rabbit) as second:
            await until(lambda: "exclusive" in second.reason.lower())
            held = second.is_up
            await first.close()
            await until_up(second)
            await send(rabbit, b"1")
            letters = await take(second, 1)

    assert held is False
    assert letters[0].body == b"1"


async def test_whoever_waits_for_a_held_queue_asks_again_as_often_however_long_it_has_waited(
    rabbit: RabbitConfig,
) -> None:
    never = timedelta(hours=1)
    patient = attrs.evolve(
        rabbit, first_wait=never, longest_wait=never, held_wait=timedelta(milliseconds=50)
    )
    async with taking(rabbit) as first:
        await until_up(first)
        async with taking(patient) as second:
            await until(lambda: "exclusive" in second.reason.lower())
            await first.close()
            await until_up(second)


async def test_a_queue_deleted_under_the_consumer_is_made_again(rabbit: RabbitConfig) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        async with channel_to(rabbit) as channel:
            await channel.queue_delete(rabbit.signals)
        await until(lambda: not intake.is_up)
        await until_up(intake)
        await send(rabbit, b"1")
        letters = await take(intake, 1)

    assert letters[0].body == b"1"


async def test_a_letter_of_a_closed_channel_is_dead_and_its_acknowledgement_is_no_error(
    rabbit: RabbitConfig,
) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        await send(rabbit, b"1")
        (letter,) = await take(intake, 1)
        await letter._channel.close()
        dead = letter.is_dead
        await letter.acknowledge()
        (again,) = await take(intake, 1)

    assert dead
    assert again.body == b"1"


async def test_the_trace_of_a_header_is_kept(rabbit: RabbitConfig) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        async with channel_to(rabbit) as channel:
            message = aio_pika.Message(b"1", headers={"trace_id": "t-1"})
            await channel.default_exchange.publish(message, rabbit.signals)
        (letter,) = await take(intake, 1)

    assert letter.trace == Trace("t-1")


async def test_the_callers_w3c_context_of_a_header_is_kept(rabbit: RabbitConfig) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with taking(rabbit) as intake:
        await until_up(intake)
        async with channel_to(rabbit) as channel:
            for headers in ({"traceparent": parent}, {"traceparent": "junk", "trace_id": 5}):
                message = aio_pika.Message(b"1", headers=headers)
                await channel.default_exchange.publish(message, rabbit.signals)
        good, bad = await take(intake, 2)

    assert good.trace == Trace(parent[3:35], parent)
    assert bad.trace == Trace()


async def test_without_a_broker_it_is_down_and_says_why() -> None:
    async with taking(settings_of(port=1)) as intake:
        await until(lambda: "not connected" not in intake.reason)

    assert not intake.is_up
    assert "Connect" in intake.reason or "refused" in intake.reason


@pytest.mark.parametrize("field", ["prefetch", "heartbeat", "answer_within", "events"])
def test_settings_that_cannot_work_are_refused(field: str) -> None:
    wrong = {"prefetch": 0, "heartbeat": timedelta(0), "answer_within": timedelta(0), "events": ""}
    with pytest.raises(InvalidValue):
        settings_of(**{field: wrong[field]})


async def test_what_lies_in_the_queue_is_left_alone_by_a_consumer_that_only_looked(
    rabbit: RabbitConfig,
) -> None:
    async with taking(rabbit) as intake:
        await until_up(intake)
        await send(rabbit, b"1", b"2")
        await take(intake, 2)
    left = await drain(rabbit, rabbit.signals)

    assert [message.body for message in left] == [b"1", b"2"]
