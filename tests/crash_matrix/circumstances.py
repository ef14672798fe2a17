"""Circumstances: what goes on around a service, so that it comes to a point and the kill matters.

Everywhere signals come in and a person trades. Some points need more: a store that stalls or
refuses a row, a stream that falls, a request that is late or lost on its way.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.integration.service_process import KEY, SIGNALS
from tests.postgres_server import connected
from tests.rabbitmq_server import send

if TYPE_CHECKING:
    from tests.crash_matrix.world import World
    from tests.integration.live_service import LiveService

STALL_S: Final = 0.8
"""How long steps may take to pile up behind a store that stalls, each time."""
LOOKS: Final = 20
REPEATED: Final = 3
UNCOMMITTED: Final = re.compile(r"^order_manager_uncommitted_steps (\S+)$", re.MULTILINE)
BURST: Final = 20
Round = Callable[["World", "LiveService"], None]


def usual(world: "World", running: "LiveService") -> None:
    """Signals, and in every second round a person."""
    world.send_some()
    if world.random.random() < 0.5:
        world.ask_some(running)


def stop(world: "World", running: "LiveService") -> None:
    """Somebody stops the service while it has work."""
    usual(world, running)
    running.process.terminate()


def the_stream_falls(world: "World", running: "LiveService") -> None:
    """Openings wait for the reading that follows."""
    world.bybit.post("disconnect", socket="private")
    usual(world, running)


def the_store_stalls(world: "World", running: "LiveService") -> None:
    """Steps pile up behind a flush, among them repeats of the first ones."""
    asyncio.run(_stall(world, running, is_refused=False))


def the_store_refuses(world: "World", running: "LiveService") -> None:
    """The same, and one row among them is refused for its content."""
    asyncio.run(_stall(world, running, is_refused=True))


async def _stall(world: "World", running: "LiveService", *, is_refused: bool) -> None:
    """Hold the head row, as a slow store would, while signals come."""
    client = httpx.AsyncClient(
        base_url=running.http.base_url, headers={"X-API-Key": KEY}, timeout=5
    )
    async with client, connected(world.store) as connection:
        hold = connection.transaction()
        await hold.start()
        await connection.fetch("SELECT 1 FROM head FOR UPDATE")
        twice = [world.body() for _ in range(REPEATED)]
        behind = await _steps(client)
        by_hand = [asyncio.create_task(_hand_in(client, each)) for each in twice]
        behind = await _until_steps(behind + REPEATED, client)
        await send(world.rabbit, *twice)
        await _until_steps(behind + REPEATED, client)
        bodies = [world.body() for _ in range(BURST)]
        if is_refused:
            bodies.insert(world.random.randint(1, BURST), world.refused_body())
        await send(world.rabbit, *bodies)
        await _until_steps(behind + REPEATED + BURST, client)
        await hold.rollback()
        await asyncio.gather(*by_hand)


async def _until_steps(number: int, client: httpx.AsyncClient) -> int:
    """Wait, not for long, until so many steps are not durable; return how many are."""
    for _ in range(LOOKS):
        if (steps := await _steps(client)) >= number:
            break
        await asyncio.sleep(STALL_S / LOOKS)
    return steps


async def _steps(client: httpx.AsyncClient) -> int:
    with suppress(httpx.HTTPError):
        found = UNCOMMITTED.search((await client.get("/metrics")).text)
        if found is not None:
            return int(float(found[1]))
    return 0


async def _hand_in(client: httpx.AsyncClient, body: bytes) -> None:
    with suppress(httpx.HTTPError):
        await client.post(SIGNALS, content=body)


ROUNDS: Final[Mapping[str, Round]] = {
    "flush.in_flight": the_store_stalls,
    "rebuild.between_two_inputs": the_store_refuses,
    "parked.after_ack": the_stream_falls,
    "recon.after_query": the_stream_falls,
    "recon.before_commit": the_stream_falls,
    "shutdown.draining": stop,
}
"""By point: what is done again and again until the service is dead; elsewhere what is usual."""
QUIET_BEFORE: Final = frozenset({"flush.in_flight", "rebuild.between_two_inputs"})
"""Points to which a queue that is full at the start would lead too, but less surely."""


def on_the_way(world: "World", number: int) -> dict[str, Any] | None:
    """What befalls the request during which the service dies: late, lost, or nothing."""
    match world.random.randrange(3):
        case 0:
            return {"fault": "lose_request", "request": "create", "nth": number}
        case 1:
            by_ms = world.random.randint(1, int(world.profile.late_s * 1000))
            return {"fault": "delay_request", "request": "create", "count": number, "by_ms": by_ms}
    return None
