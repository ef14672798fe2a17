"""Supervisor: runs the workers of a runtime as one; the first that ends ends them all."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from order_service.runtime.outcome import End, Ended, EndReason

Worker = Coroutine[Any, Any, None]


async def supervise(workers: Mapping[str, Worker], passing: frozenset[str] = frozenset()) -> Ended:
    """Run all workers until one of them ends, cancel the others, and tell why.

    Args:
        workers: By name. Each is expected to run for ever.
        passing: Names of those that may come to an end by themselves.
    """
    ended: list[Ended] = []
    whole = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as group:
            for name, worker in workers.items():
                watched = _watched(name, worker, ended, whole, may_end=name in passing)
                group.create_task(watched, name=name)
    except* _Over:
        pass  # the reason is in `ended`; raising it was only the way to cancel the others
    return ended[0]


class _Over(Exception):
    pass


async def _watched(
    name: str,
    worker: Worker,
    ended: list[Ended],
    whole: asyncio.Task[Any] | None,
    *,
    may_end: bool,
) -> None:
    try:
        await worker
    except asyncio.CancelledError as error:
        if ended or whole is None or whole.cancelling():
            raise  # all of them end
        # a task group takes no notice of one that was cancelled alone
        ended.append(Ended(EndReason.WORKER_DIED, name, error))
    except End as end:
        ended.append(Ended(end.reason, name, end.error))
    except Exception as error:  # noqa: BLE001 -- whatever it is, it ends the runtime and is told
        ended.append(Ended(EndReason.WORKER_DIED, name, error))
    else:
        if may_end:
            return
        ended.append(Ended(EndReason.WORKER_DIED, name))
    raise _Over
