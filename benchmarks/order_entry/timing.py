"""Timing of one client: orders one after another, then many in flight. Standard library alone."""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable

WARM_UP = 40
IN_FLIGHT = 32
Send = Callable[[str], Awaitable[None]]


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


async def run(send: Send, orders: int, in_flight: int) -> dict[str, float]:
    """Send so many orders, so many at a time; microseconds."""
    names = iter([f"b{time.time_ns():x}{number}" for number in range(orders)])
    taken: list[float] = []

    async def work() -> None:
        for name in names:
            began = time.perf_counter()
            await send(name)
            taken.append((time.perf_counter() - began) * 1e6)

    gc.collect()
    cpu = time.process_time()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    cpu = (time.process_time() - cpu) * 1e6
    return {
        "p50": percentile(taken, 0.5),
        "p99": percentile(taken, 0.99),
        "cpu": cpu / orders,
    }


async def measure(send: Send) -> None:
    """Print what was measured as a JSON object. `send` raises unless the order was taken."""
    orders = int(sys.argv[2])
    await run(send, WARM_UP, 1)
    await run(send, WARM_UP, IN_FLIGHT)
    alone = await run(send, orders, 1)
    together = await run(send, orders, IN_FLIGHT)
    print(json.dumps({"alone": alone, "together": together}), flush=True)


def place() -> dict[str, str]:
    """Where the exchange is, and who trades."""
    found: dict[str, str] = json.loads(sys.argv[3])
    return found
