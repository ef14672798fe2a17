"""A runtime that is told of its orders by a relay alone: executions come by REST."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from order_adapters.venues.bybit.relayed import RelayedStream
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.model.enums import OrderStatus, Side
from tests.builders import D
from tests.integration.bybit_world import a_world, settings
from tests.integration.relay import Relay
from tests.integration.test_bybit_runtime import Desk


@asynccontextmanager
async def relayed(times: int) -> AsyncIterator[tuple[Desk, Relay]]:
    made: list[Relay] = []
    async with a_world(opens=False) as world:
        config = settings(world.server, world.wire.port)

        def relay(sink: RelayedStream) -> Relay:
            made.append(Relay(world.server.ws_url, config.credentials, times, sink))
            return made[0]

        await world.venue.close()
        world.venue = BybitVenue(config, world.clock, relay)
        desk = Desk(world)
        await desk.runtime.start()
        await desk.until(lambda: world.venue.health.stream)
        try:
            yield desk, made[0]
        finally:
            await desk.runtime.stop()
            await world.venue.close()


@pytest.mark.parametrize("times", [1, 2])
async def test_each_fill_is_booked_once_however_often_its_order_is_relayed(times: int) -> None:
    async with relayed(times) as (desk, relay):
        await desk.signal(1)
        await desk.until(lambda: any(o.status is OrderStatus.FILLED for o in desk.orders))
        await desk.signal(2, side=Side.SELL, amount=D(500))
        await desk.until(lambda: len(desk.ledger) == 2 and desk.position == desk.at_exchange)
        booked = {entry.execution.exec_id for entry in desk.ledger}
        states = {order.status for order in desk.orders}

    assert relay.passed >= 2 * times
    assert len(booked) == 2
    assert states == {OrderStatus.FILLED}
    assert desk.position > 0


async def test_a_relay_that_falls_silent_without_a_word_costs_no_fill() -> None:
    async with relayed(1) as (desk, relay):
        relay.times = 0
        await desk.signal(1)
        await desk.until(lambda: any(o.status is OrderStatus.FILLED for o in desk.orders))
        await desk.until(lambda: desk.position == desk.at_exchange)

    assert relay.passed == 0
    assert len(desk.ledger) == 1
    assert desk.position > 0
