"""Trading rules are read again at the interval, and their changes reach the engine as facts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import attrs
import pytest

from order_adapters.clock import VirtualClock
from order_adapters.simulator import SimulatedExchange
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.model.inputs import StreamState
from order_domain.ports.venue import Fact
from order_service.refreshing import RefreshedVenue
from tests.builders import NOW, D, a_quote, an_instrument

MINUTE = timedelta(minutes=1)
TURNS = 5


class World:
    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.exchange = SimulatedExchange(instruments=[an_instrument()])
        self.inner = SimulatedVenue(self.exchange, self.clock, drives=False)
        self.venue = RefreshedVenue(self.inner, self.clock, MINUTE)

    async def begin(self) -> AsyncIterator[Fact]:
        await self.venue.open()
        facts = aiter(self.venue.facts())
        assert await anext(facts) == StreamState(healthy=True)
        return facts


@pytest.fixture
def world() -> World:
    return World()


async def test_rules_that_changed_come_after_the_interval(world: World) -> None:
    facts = await world.begin()
    stricter = attrs.evolve(an_instrument(), min_notional=D(50))
    world.exchange.set_instrument(stricter)
    coming = asyncio.ensure_future(anext(facts))
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert not coming.done()
    world.clock.advance_to(NOW + MINUTE)

    assert await coming == stricter


async def test_facts_come_as_before(world: World) -> None:
    facts = await world.begin()
    quote = a_quote()
    world.inner.feed(quote)

    assert await anext(facts) == quote


async def test_they_come_again_at_every_interval(world: World) -> None:
    facts = await world.begin()
    for number in (1, 2, 3):
        coming = asyncio.ensure_future(anext(facts))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        world.clock.advance_to(NOW + number * MINUTE)
        assert await coming == an_instrument()


async def test_the_end_of_the_facts_is_the_end(world: World) -> None:
    facts = await world.begin()
    await world.venue.close()

    assert [fact async for fact in facts] == []
