"""The simulated loop: time jumps, a seed decides who runs, the dead never run again."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from tests.simulation.clocks import NodeClock, WorldClock
from tests.simulation.loop import NothingLeft, Process, SimulationLoop, context_of, run


def ran(main: Callable[[SimulationLoop], Coroutine[Any, Any, Any]], seed: int = 1) -> Any:
    return run(main, Random(seed))


async def takers(loop: SimulationLoop) -> list[int]:
    order: list[int] = []

    async def take(number: int) -> None:
        await asyncio.sleep(1)
        order.append(number)

    await asyncio.gather(*(take(number) for number in range(6)))
    return order


def test_a_day_passes_at_once() -> None:
    async def sleep(loop: SimulationLoop) -> float:
        await asyncio.sleep(86_400)
        return loop.time()

    assert ran(sleep) == 86_400


def test_one_seed_gives_one_order_and_seeds_differ() -> None:
    orders = [tuple(ran(takers, seed)) for seed in range(20)]

    assert orders == [tuple(ran(takers, seed)) for seed in range(20)]
    assert len(set(orders)) > 10
    assert all(sorted(order) == list(range(6)) for order in orders)


def test_who_waits_for_nothing_is_told() -> None:
    async def wait(loop: SimulationLoop) -> None:
        await loop.create_future()

    with pytest.raises(NothingLeft):
        ran(wait)


def test_a_crashed_process_runs_not_even_its_finally() -> None:
    lines: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(10)
            lines.append("went on")
        finally:
            lines.append("finally")

    async def main(loop: SimulationLoop) -> None:
        process = Process("a")
        loop.create_task(work(), context=context_of(process))
        await asyncio.sleep(1)
        loop.crash(process)
        await asyncio.sleep(100)

    ran(main)
    assert lines == []


def test_a_frozen_process_goes_on_where_it_was_and_its_time_has_passed() -> None:
    async def work(loop: SimulationLoop, woken: list[float]) -> None:
        await asyncio.sleep(2)
        woken.append(loop.time())

    async def main(loop: SimulationLoop) -> list[float]:
        process, woken = Process("a"), list[float]()
        task = loop.create_task(work(loop, woken), context=context_of(process))
        await asyncio.sleep(1)
        loop.freeze(process)
        await asyncio.sleep(20)
        assert woken == []
        loop.thaw(process)
        await task
        return woken

    assert ran(main) == [21.0]


def test_children_belong_to_the_process_of_their_parent() -> None:
    lines: list[str] = []

    async def child() -> None:
        await asyncio.sleep(5)
        lines.append("child")

    async def parent() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(child())

    async def main(loop: SimulationLoop) -> None:
        process = Process("a")
        loop.create_task(parent(), context=context_of(process))
        await asyncio.sleep(1)
        loop.crash(process)
        await asyncio.sleep(10)

    ran(main)
    assert lines == []


def test_a_node_s_clock_is_off_and_sleeps_by_its_own_time() -> None:
    async def main(loop: SimulationLoop) -> tuple[float, float]:
        world, node = WorldClock(loop), NodeClock(loop, offset=0.2, drift=1e-4)
        start = world.now()
        ahead = (node.now() - start).total_seconds()
        await node.sleep_until(start.replace(second=10))
        return ahead, loop.time()

    ahead, woken = ran(main)
    assert ahead == pytest.approx(0.2)
    assert woken == pytest.approx(9.799, abs=0.01)
