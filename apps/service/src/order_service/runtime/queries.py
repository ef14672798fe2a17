"""Queries: look-ups and sweeps.

They change nothing, so they need no commit; they never hold a command up.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from order_domain.model.reports import LookupResult, SweepResult
from order_domain.model.steps import LookUp, Query, Sweep
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Venue
from order_service.runtime.crash import crash_point
from order_service.runtime.metrics import Metrics
from order_service.runtime.pulse import Pulse
from order_service.runtime.syncing import Syncs

LOOK_UPS: Final = 4
UNLIMITED: Final = 1_000_000
"""In lockstep no look-up waits for another: a backtest has no such limit either."""
SWEEPS: Final = 1


class Queries:
    """At most `look_ups` look-ups and one sweep on their way; the others wait in order."""

    def __init__(
        self,
        venue: Venue,
        clock: Clock,
        metrics: Metrics,
        pulse: Pulse,
        syncs: Syncs,
        answer: Callable[[LookupResult | SweepResult], None],
        *,
        look_ups: int,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._metrics = metrics
        self._pulse = pulse
        self._syncs = syncs
        self._answer = answer
        self._queue: asyncio.Queue[Query] = asyncio.Queue()
        self._look_ups = asyncio.Semaphore(look_ups)
        self._sweeps = asyncio.Semaphore(SWEEPS)
        self._unbegun = 0
        self.has_swept = asyncio.Event()

    def ask(self, query: Query) -> None:
        """Take a query."""
        self._unbegun += 1
        self._queue.put_nowait(query)

    @property
    def is_idle(self) -> bool:
        """Whether every query was taken up: asked, or waiting for an earlier one's answer."""
        return not self._unbegun

    async def run(self) -> None:
        """Begin one task per query; all of them end with this one."""
        async with asyncio.TaskGroup() as calls:
            while True:
                query = await self._queue.get()
                calls.create_task(
                    self._look_up(query) if isinstance(query, LookUp) else self._sweep(query)
                )

    async def _look_up(self, query: LookUp) -> None:
        self._unbegun -= 1
        self._pulse.beat()
        async with self._look_ups:
            self._metrics.look_ups += 1
            sent_at = self._clock.now()
            try:
                result = await self._venue.look_up(query)
            except Exception:  # noqa: BLE001 -- a failed look-up proves nothing and says so
                result = LookupResult(
                    client_order_id=query.client_order_id,
                    attempt=query.attempt,
                    sent_at=sent_at,
                    complete=False,
                )
        crash_point("recon.after_query")
        self._answer(result)

    async def _sweep(self, query: Sweep) -> None:
        self._unbegun -= 1
        self._pulse.beat()
        async with self._sweeps:
            self._metrics.sweeps += 1
            number = self._syncs.began()
            began_at = self._clock.now()
            try:
                result = await self._venue.sweep(query)
            except Exception:  # noqa: BLE001 -- a failed sweep proves nothing and says so
                result = SweepResult(
                    began_at=began_at,
                    ended_at=self._clock.now(),
                    complete=False,
                    reason=query.reason,
                )
        crash_point("recon.after_query")
        self._syncs.answered(number, result)
        self._answer(result)
        if result.complete:
            self.has_swept.set()
