"""A broker killed, frozen, starved, cut off and black-holed under our consumer and publisher."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import attrs
import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.publisher import NotPublished
from tests.faults.servers import PrivateRabbit
from tests.integration.tcp_line import Line
from tests.outages.letters import (
    a_fill,
    confirmed,
    ids_of,
    produced,
    publishing,
    take,
    taking,
    until,
)
from tests.rabbitmq_server import a_broker

SECOND = timedelta(seconds=1)


@pytest.fixture
async def rabbit(private_rabbit: PrivateRabbit) -> AsyncIterator[RabbitConfig]:
    place = {"host": "127.0.0.1", "port": private_rabbit.port, "user": "guest", "vhost": "/"}
    short = {"password": "guest", "answer_within": SECOND, "heartbeat": SECOND}
    async with a_broker(**place, **short) as config:
        yield config


@contextmanager
def line_to(rabbit: RabbitConfig) -> Iterator[Line]:
    """A line to the broker that the test can cut."""
    line = Line(f"amqp://127.0.0.1:{rabbit.port}", rabbit.port)
    line.start()
    try:
        yield line
    finally:
        line.cut()


def by(line: Line, rabbit: RabbitConfig) -> RabbitConfig:
    return attrs.evolve(rabbit, port=line.port)


def in_order_once(ids: list[str]) -> list[str]:
    """Without what came again."""
    return list(dict.fromkeys(ids))


async def test_a_broker_killed_under_a_publisher_has_every_confirmed_event_and_in_order(
    private_rabbit: PrivateRabbit, rabbit: RabbitConfig
) -> None:
    failures = 0
    async with publishing(rabbit) as publisher:
        for number in range(1, 101):
            failures += await confirmed(publisher, a_fill(number))
        waits = asyncio.create_task(asyncio.to_thread(_kill_and_start, private_rabbit))
        for number in range(101, 301):
            failures += await confirmed(publisher, a_fill(number))
        await waits
        sent = await ids_of(rabbit)
        for number in range(1, 301):  # undisturbed: which ids these events have
            await confirmed(publisher, a_fill(number))
        expected = await ids_of(rabbit)

    assert failures > 0
    assert in_order_once(sent) == expected
    assert len(expected) == 300


async def test_what_was_not_acknowledged_when_the_broker_was_killed_comes_again_and_said_so(
    private_rabbit: PrivateRabbit, rabbit: RabbitConfig
) -> None:
    async with taking(rabbit) as intake:
        await produced(rabbit, [b"%d" % number for number in range(20)])
        first = await take(intake, 20)
        for letter in first[:10]:
            await letter.acknowledge()
        await asyncio.to_thread(_kill_and_start, private_rabbit)
        await until(lambda: intake.is_up)
        await produced(rabbit, [b"after"])
        again = []
        while not again or again[-1].body != b"after":
            again += await take(intake, 1)

    assert [letter.body for letter in first] == [b"%d" % number for number in range(20)]
    assert all(letter.is_dead for letter in first)
    # a broker that dies may also bring what it was told to forget: the inbox sees through that
    late = [letter.body for letter in again[-11:]]
    assert late == [*(b"%d" % number for number in range(10, 20)), b"after"]
    assert all(letter.redelivered for letter in again[:-1])


async def test_a_frozen_broker_is_left_and_found_again_by_itself(
    private_rabbit: PrivateRabbit, rabbit: RabbitConfig
) -> None:
    async with taking(rabbit) as intake, publishing(rabbit) as publisher:
        await produced(rabbit, [b"1", b"2"])
        held = await take(intake, 2)
        private_rabbit.pause()
        try:
            with pytest.raises(NotPublished):
                await publisher.publish(a_fill(1))
            await until(lambda: not intake.is_up)
        finally:
            private_rabbit.resume()
        await until(lambda: intake.is_up)
        again = await take(intake, 2)
        await confirmed(publisher, a_fill(1))
        ids = await ids_of(rabbit)

    assert all(letter.is_dead for letter in held)
    assert [letter.body for letter in again] == [b"1", b"2"]
    assert len(in_order_once(ids)) == 1


async def test_under_the_memory_alarm_no_confirm_comes_and_the_same_id_is_published_again(
    private_rabbit: PrivateRabbit, rabbit: RabbitConfig
) -> None:
    async with publishing(rabbit) as publisher, taking(rabbit) as intake:
        await produced(rabbit, [b"1"])
        await asyncio.to_thread(private_rabbit.starve)
        try:
            with pytest.raises(NotPublished):
                await publisher.publish(a_fill(1))
            (letter,) = await take(intake, 1)  # a consumer is not blocked
            await letter.acknowledge()
        finally:
            await asyncio.to_thread(private_rabbit.feed)
        await confirmed(publisher, a_fill(1))
        await confirmed(publisher, a_fill(2))
        ids = await ids_of(rabbit)

    assert len(in_order_once(ids)) == 2
    assert ids[-1] != ids[0]


async def test_lines_that_break_while_events_are_published_lose_none_and_keep_their_order(
    rabbit: RabbitConfig,
) -> None:
    failures = 0
    with line_to(rabbit) as line:
        async with publishing(by(line, rabbit)) as publisher:
            for number in range(1, 201):
                if number % 20 == 0:
                    line.drop()
                failures += await confirmed(publisher, a_fill(number))
        sent = await ids_of(rabbit)
        async with publishing(by(line, rabbit)) as publisher:
            for number in range(1, 201):
                await confirmed(publisher, a_fill(number))
        expected = await ids_of(rabbit)

    assert failures > 0
    assert in_order_once(sent) == expected


async def test_a_line_that_carries_nothing_any_more_is_found_out_by_both_ends(
    rabbit: RabbitConfig,
) -> None:
    with line_to(rabbit) as line:
        async with (
            taking(by(line, rabbit)) as intake,
            publishing(by(line, rabbit)) as publisher,
        ):
            await produced(rabbit, [b"1"])
            (held,) = await take(intake, 1)
            line.swallow()
            with pytest.raises(NotPublished):
                await publisher.publish(a_fill(1))
            await until(lambda: not intake.is_up)
            line.carry_on()
            (again,) = await take(intake, 1)
            await confirmed(publisher, a_fill(1))
            ids = await ids_of(rabbit)

    assert held.is_dead
    assert (again.body, again.redelivered) == (b"1", True)
    assert len(in_order_once(ids)) == 1


async def test_a_second_consumer_stands_by_until_the_broker_has_lost_the_first(
    rabbit: RabbitConfig,
) -> None:
    with line_to(rabbit) as line:
        async with taking(by(line, rabbit)) as first:
            await produced(rabbit, [b"1"])
            await take(first, 1)
            async with asyncio.TaskGroup() as group:
                second = group.create_task(_taken_by_another(rabbit))
                await asyncio.sleep(0.5)
                assert not second.done()
                line.swallow()  # the first one is frozen; its heartbeats end
            letter = second.result()
            line.carry_on()

    assert letter == (b"1", True)


async def _taken_by_another(rabbit: RabbitConfig) -> tuple[bytes, bool]:
    async with taking(rabbit) as intake:
        (letter,) = await take(intake, 1)
        await letter.acknowledge()
        return letter.body, letter.redelivered


def _kill_and_start(server: PrivateRabbit) -> None:
    server.kill()
    server.start()
