"""What whoever tells of our orders must keep: Bybit's own private stream, and a relay of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from order_adapters.simulator import Fault, FaultKind
from order_adapters.venues.bybit.relayed import RelayedStream
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.model.enums import Side, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.inputs import StreamState
from order_domain.model.reports import OrderReport
from tests.builders import BTC, D
from tests.integration import bybit_world
from tests.integration.bybit_world import World, a_world, settings
from tests.integration.relay import Relay


@asynccontextmanager
async def own() -> AsyncIterator[World]:
    async with a_world() as world:
        yield world


@asynccontextmanager
async def relayed() -> AsyncIterator[World]:
    async with a_world(opens=False) as world:
        config = settings(world.server, world.wire.port)

        def relay(sink: RelayedStream) -> Relay:
            return Relay(world.server.ws_url, config.credentials, 1, sink)

        await world.venue.close()
        world.venue = BybitVenue(config, world.clock, relay)
        reader = asyncio.create_task(bybit_world._read(world))
        try:
            await world.venue.open()
            await world.venue.instruments()
            await world.connected()
            yield world
        finally:
            await world.venue.close()
            await reader


SOURCES = {"bybit": own, "gateway": relayed}


@pytest.fixture(params=SOURCES)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with SOURCES[request.param]() as made:
        yield made


def statuses(world: World, name: str) -> list[Any]:
    return [each.status for each in world.of(OrderReport) if each.client_order_id == name]


async def test_the_source_says_that_it_is_trusted_before_it_tells_of_an_order(
    world: World,
) -> None:
    await world.venue.send(world.a_create("a"))
    await world.until(lambda: bool(world.of(OrderReport)))
    told = [each for each in world.facts if isinstance(each, StreamState | OrderReport)]

    assert isinstance(told[0], StreamState)
    assert told[0].healthy


async def test_an_order_is_told_from_its_beginning_to_its_cancel(world: World) -> None:
    create = world.a_create("a")
    await world.venue.send(create)
    await world.until(lambda: statuses(world, "a") == [VenueStatus.NEW])
    await world.venue.send(world.a_cancel(create.order))
    await world.until(lambda: len(statuses(world, "a")) == 2)

    assert statuses(world, "a") == [VenueStatus.NEW, VenueStatus.CANCELLED]


async def test_a_filled_order_is_told_with_its_cumulative_quantity(world: World) -> None:
    await world.venue.send(world.a_market("a"))
    await world.until(lambda: VenueStatus.FILLED in statuses(world, "a"))
    report = next(r for r in world.of(OrderReport) if r.status is VenueStatus.FILLED)

    assert (report.instrument_id, report.side, report.cum_quantity) == (BTC, Side.BUY, D("0.02"))


async def test_a_strangers_order_is_told_too(world: World) -> None:
    account = world.account
    account.exchange.admin.place(BTC, Side.SELL, D("0.01"), account.exchange_now(), price=D(54000))
    account.pump()
    await world.until(lambda: bool(world.of(OrderReport)))

    assert world.of(OrderReport)[0].side is Side.SELL


async def test_an_update_told_twice_is_the_same_twice(world: World) -> None:
    fault = Fault(kind=FaultKind.DUPLICATE_REPORT, report="order")
    world.account.exchange.inject(fault, world.exchange_now())
    await world.venue.send(world.a_create("a"))
    await world.until(lambda: len(statuses(world, "a")) >= 2)
    first, second = world.of(OrderReport)[:2]

    assert first == second


async def test_the_executions_of_an_order_are_there_to_be_read_once_it_is_told_filled(
    world: World,
) -> None:
    create = world.a_market("a")
    await world.venue.send(create)
    await world.until(lambda: VenueStatus.FILLED in statuses(world, "a"))
    found = await world.venue.look_up(world.a_look_up(create))
    told = {each.exec_id for each in world.of(Execution)}

    assert sum(each.quantity for each in found.executions) == D("0.02")
    # the relay has no channel for executions; where there is one, it tells of the same
    assert told <= {each.exec_id for each in found.executions}
    assert all(each.fee > 0 for each in found.executions)
