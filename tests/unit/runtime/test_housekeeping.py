"""Rows whose time is over are deleted by the hour, if the store is there."""

import asyncio

from order_adapters.clock import VirtualClock
from order_domain.ports.journal import StoreUnavailable
from order_service.runtime.housekeeping import INTERVAL, keep_house
from order_service.runtime.metrics import Metrics
from tests.builders import NOW
from tests.unit.runtime.parts import pass_time, turns


async def test_it_prunes_at_once_and_by_the_hour_and_leaves_a_store_that_is_away_alone() -> None:
    clock, metrics = VirtualClock(NOW), Metrics()
    calls: list[int] = []

    async def prune() -> int:
        calls.append(1)
        if len(calls) == 2:
            raise StoreUnavailable(reason="away")
        return 3

    task = asyncio.create_task(keep_house(clock, metrics, prune))
    await turns()
    assert metrics.pruned == 3
    await pass_time(clock, 2 * INTERVAL)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert len(calls) == 3
    assert (metrics.pruned, metrics.outages) == (6, 1)
