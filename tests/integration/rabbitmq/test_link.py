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
