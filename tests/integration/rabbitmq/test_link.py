"""A link outlives whatever ends the use of a connection, and says what it was."""

import asyncio
from random import Random

import pytest
from aio_pika.abc import AbstractConnection

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.link import Link


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (KeyError("a defect"), "defect: KeyError: 'a defect'"),
        (asyncio.CancelledError(), "the client gave the connection up"),
        (OSError("gone"), "OSError: gone"),
    ],
    ids=["a defect", "a cancellation that nobody asked for", "a network"],
)
async def test_what_ends_one_connection_does_not_end_the_link(
    rabbit: RabbitConfig, end: BaseException, reason: str
) -> None:
    reasons: list[str] = []

    async def use(_: AbstractConnection) -> None:
        reasons.append(link.reason)
        if len(reasons) == 1:
            raise end
        link.up()
        await asyncio.Event().wait()

    link = Link(rabbit, "test", use, Random(1))
    link.open()
    async with asyncio.timeout(20):
        await link.until_up()
    await link.close()

    assert reasons == ["not connected yet", reason]
    assert not link.is_up


async def test_a_link_closes_even_where_a_cancellation_is_swallowed(rabbit: RabbitConfig) -> None:
    swallowed = 0

    async def use(_: AbstractConnection) -> None:
        nonlocal swallowed
        link.up()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
        await asyncio.Event().wait()

    link = Link(rabbit, "test", use, Random(1))
    link.open()
    async with asyncio.timeout(20):
        await link.until_up()
        await link.close()

    assert swallowed == 1
    assert not link.is_up


async def test_a_link_closes_where_a_cancellation_became_another_error(
    rabbit: RabbitConfig,
) -> None:
    uses = 0

    async def use(_: AbstractConnection) -> None:
        nonlocal uses
        uses += 1
        link.up()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("made of a cancellation") from None

    link = Link(rabbit, "test", use, Random(1))
    link.open()
    async with asyncio.timeout(20):
        await link.until_up()
        await link.close()

    assert uses == 1


async def test_a_goodbye_that_fails_does_not_end_the_link(rabbit: RabbitConfig) -> None:
    used: list[AbstractConnection] = []

    async def use(connection: AbstractConnection) -> None:
        used.append(connection)
        if len(used) == 1:
            goodbye = connection.close

            async def fails(*_: object) -> None:
                await goodbye()
                raise KeyError("a defect")

            connection.close = fails  # type: ignore[method-assign]
            raise OSError("gone")
        link.up()
        await asyncio.Event().wait()

    link = Link(rabbit, "test", use, Random(1))
    link.open()
    async with asyncio.timeout(20):
        await link.until_up()
        await link.close()

    assert len(used) == 2
