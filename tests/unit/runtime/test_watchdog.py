"""The watchdog tells what stands still, and that it moves again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import attrs
import pytest

from order_adapters.messaging.memory import MemoryPublisher
from order_adapters.stores.memory.views import MemoryOutbox
from order_service.runtime.pulse import Pulse
from order_service.runtime.relay import Relay
from order_service.runtime.watchdog import Watchdog
from tests.builders import seconds
from tests.unit.runtime.parts import Desk, a_desk, a_step, an_event, pass_time, turns


@attrs.define
class Yard:
    desk: Desk
    publisher: MemoryPublisher
    relay: Relay
    dog: Watchdog

    async def event(self) -> None:
        """Commit one event; the relay may publish it."""
        self.desk.add(a_step(1, [an_event(1)]))
        await turns()
        self.relay.advance(self.desk.database.head.event_no)
        await turns()


@asynccontextmanager
async def a_yard() -> AsyncIterator[Yard]:
    desk, publisher = a_desk(), MemoryPublisher()
    outbox = MemoryOutbox(desk.database)
    relay = Relay("bus", outbox, publisher, desk.clock, desk.metrics, Pulse(), desk.committer.carry)
    dog = Watchdog(desk.clock, desk.metrics, desk.committer, [relay])
    await desk.begin()
    tasks = [asyncio.create_task(each.run()) for each in (desk.committer, relay, dog)]
    try:
        await turns()
        yield Yard(desk, publisher, relay, dog)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_while_everything_moves_there_is_no_alarm() -> None:
    async with a_yard() as yard:
        await yard.event()
        await pass_time(yard.desk.clock, timedelta(minutes=2))

        assert yard.dog.alarms == {}
        assert yard.desk.metrics.alarms == 0


async def test_a_commit_that_takes_more_than_5_s_is_told_until_it_lands() -> None:
    async with a_yard() as yard:
        yard.desk.database.faults.delay = seconds(9)
        yard.desk.add(a_step(1))
        await pass_time(yard.desk.clock, seconds(5))
        assert yard.dog.alarms == {}
        await pass_time(yard.desk.clock, seconds(2))
        assert list(yard.dog.alarms) == ["committer"]
        await pass_time(yard.desk.clock, seconds(4))

        assert yard.dog.alarms == {}
        assert yard.desk.metrics.alarms == 1


async def test_a_relay_that_publishes_nothing_for_30_s_is_told_with_its_failure() -> None:
    async with a_yard() as yard:
        yard.publisher.away = True
        await yard.event()
        await pass_time(yard.desk.clock, seconds(30))
        assert yard.dog.alarms == {}
        await pass_time(yard.desk.clock, seconds(2))
        assert "PublisherDown" in yard.dog.alarms["relay:bus"]
        yard.publisher.away = False
        await pass_time(yard.desk.clock, seconds(3))

        assert yard.dog.alarms == {}


@pytest.mark.parametrize(("late", "is_told"), [(0.4, False), (0.6, True)])
async def test_a_loop_that_runs_late_is_told(late: float, is_told: bool) -> None:
    async with a_yard() as yard:
        await pass_time(yard.desk.clock, seconds(0.5))
        yard.desk.clock.advance_to(yard.desk.clock.now() + seconds(0.5 + late))
        await turns()

        assert ("loop" in yard.dog.alarms) is is_told
        await pass_time(yard.desk.clock, seconds(3))
        assert yard.dog.alarms == {}
