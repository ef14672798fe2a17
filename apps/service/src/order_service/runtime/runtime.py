"""Runtime: one account's engine at work between a store, an exchange and its neighbours."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from order_domain.config import EngineConfig
from order_domain.driving import has_open_ends
from order_domain.invariants import Broken
from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import DeliveryInvalid, Operator, RequestSweep, SignalDelivered
from order_domain.model.quote import Quote
from order_domain.model.steps import Reply
from order_domain.ports.venue import Rates
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.crash import crash_point
from order_service.runtime.leaving import leave
from order_service.runtime.metrics import Metrics
from order_service.runtime.outcome import Ended, EndReason, RuntimeEnded
from order_service.runtime.parts import Parts, Ports
from order_service.runtime.stepper import EngineFactory
from order_service.runtime.supervisor import supervise
from order_service.runtime.syncing import SyncResult, Syncs
from order_service.runtime.workers import Workers

BARRIER_LOOK_SECONDS: Final = 0.02


class Runtime:
    """Start it, ask it, stop it. It ends by itself when it may not go on, and says why.

    Args:
        engine: Makes an empty engine for `engine_config`.
        ports: Store, exchange, source of signals, publishers and clock.
    """

    def __init__(
        self,
        config: RuntimeConfig,
        engine_config: EngineConfig,
        engine: EngineFactory,
        ports: Ports,
    ) -> None:
        self.config = config
        self._ports = ports
        self._parts = Parts(config, engine_config, engine, ports)
        self._workers = Workers(config, self._parts, ports)
        self._main: asyncio.Task[Ended] | None = None
        self.ended: Ended | None = None

    @property
    def metrics(self) -> Metrics:
        """What has been counted since the start."""
        return self._parts.metrics

    @property
    def syncs(self) -> Syncs:
        """The readings of the account."""
        return self._parts.syncs

    async def past_barrier(self, limit: timedelta) -> None:
        """Return once the account has been read since the stream came up, or the limit is over."""
        ends_at = self._ports.clock.monotonic() + limit.total_seconds()
        while (  # noqa: ASYNC110 -- the engine rings no bell
            self.ended is None
            and self._parts.stepper.engine.is_behind_barrier
            and self._ports.clock.monotonic() < ends_at
        ):
            await asyncio.sleep(BARRIER_LOOK_SECONDS)

    async def heed_states(self) -> None:
        """Read the trading states now, instead of with the next poll."""
        await self._parts.states.read()

    @property
    def uncommitted(self) -> int:
        """Steps not known to be durable."""
        return self._parts.committer.tail

    @property
    def unpublished(self) -> int:
        """Committed events that the slowest relay has not published."""
        return max((relay.behind for relay in self._parts.relays), default=0)

    @property
    def rates(self) -> Rates | None:
        """What the limits of the exchange leave us now; None where it has none."""
        return None if self._ports.rates is None else self._ports.rates()

    @property
    def quotes(self) -> Mapping[InstrumentId, Quote]:
        """The newest quote of each instrument. Not the book: quotes are never committed."""
        return self._parts.stepper.quotes.newest

    @property
    def is_ready(self) -> bool:
        """Whether signals are taken now: reconciled, the store there, and not too far behind."""
        live = (
            self.ended is None
            and self._workers.ready.is_set()
            and not self._workers.stopping.is_set()
        )
        return live and not self._parts.committer.is_behind

    @property
    def is_lease_proven(self) -> bool:
        """Whether bytes may leave now."""
        return self._ports.clock.monotonic() < self._parts.lease.until

    async def start(self) -> None:
        """Take the account over and return once signals are taken.

        Raises:
            LeaseHeld: Another owner has the account.
            WrongMode: The store belongs to another mode or account.
            RuntimeEnded: It ended before it was ready.
        """
        if self._main is not None:
            raise RuntimeError("a runtime starts once; make a new one")
        began_at = self._ports.clock.monotonic()
        head = await self._parts.acquire()
        self._parts.committer.begin(head, began_at)
        self._main = asyncio.create_task(self._live(), name="runtime")
        ready = asyncio.create_task(self._workers.ready.wait())
        try:
            await asyncio.wait({self._main, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._main.done():
            raise _ended_early(await self._main)

    async def run(self) -> Ended:
        """Start, and return when the runtime has ended. Raises what `start` raises."""
        await self.start()
        return await self.wait()

    async def wait(self) -> Ended:
        """Return when the runtime has ended."""
        if self._main is None:
            raise RuntimeError("not started")
        return await asyncio.shield(self._main)

    async def stop(self) -> Ended:
        """Take no more signals, finish what was begun, publish, give the lease back.

        Limited by `drain`. One that was never started has nothing to finish.
        """
        if self._main is None:
            return Ended(EndReason.STOPPED)
        self._workers.stopping.set()
        self._parts.loop.open()
        return await self.wait()

    async def ask(self, request: Operator) -> Reply:
        """Let a person's request be decided; return the reply once it is committed.

        Raises RuntimeEnded.
        """
        if self._main is None or self.ended is not None:
            raise _ended_early(self.ended or Ended(EndReason.STOPPED))
        reply = self._parts.replies.expect(request.request_id)
        await self._parts.inbox.request(request)
        return await reply

    async def sync(self, scope: str, *, request_id: str, actor: str) -> SyncResult:
        """Read the account now, repair what differs; return what was done once it is committed.

        Args:
            scope: `orders`, `positions` or `all`: what is told; everything is read.

        Raises:
            SyncRunning: Another one has not ended.
            InvalidValue: The scope is none.
            RuntimeEnded: It ended before the reading was committed.
        """
        result = self._parts.syncs.expect(scope)
        try:
            await self.ask(RequestSweep(request_id=request_id, actor=actor, scope=scope))
            return await result
        finally:
            result.cancel()

    @property
    def alarms(self) -> Mapping[str, str]:
        """What does not move now though nothing has died, in words, by the name of the part."""
        return dict(self._parts.watchdog.alarms)

    @property
    def broken(self) -> Sequence[Broken]:
        """Invariants that do not hold, as far as the auditor has looked."""
        auditor = self._parts.auditor
        return () if auditor is None else auditor.known.all

    @property
    def last_sync(self) -> SyncResult | None:
        """The newest committed reading of the account, whoever asked for it."""
        return self._parts.syncs.last

    @property
    def is_idle(self) -> bool:
        """Whether inbox, committer, executors and relays have nothing to do before time moves."""
        return self.ended is not None or (self._workers.is_idle and self._parts.is_idle)

    async def idle(self) -> None:
        """Return once the runtime is idle, or has ended."""
        await self._parts.pulse.until(lambda: self.is_idle)

    async def settle(self) -> None:
        """Work off all that is here (lockstep). Raises RuntimeEnded."""
        self._parts.loop.open()
        await self.idle()
        self._parts.loop.close()
        if self.ended is not None:
            raise _ended_early(self.ended)

    @property
    def next_due(self) -> datetime | None:
        """When a driver must have moved time for the runtime: a Tick, or a retry."""
        return self._parts.next_due

    @property
    def has_open_ends(self) -> bool:
        """Whether time alone may still change an order or a signal."""
        return has_open_ends(self._parts.stepper.engine.book)

    async def deliver(self, message: SignalDelivered | DeliveryInvalid) -> None:
        """Bring a delivery past the source, to which its acknowledgement goes all the same."""
        crash_point("signal.received")
        await self._parts.inbox.deliver(message)

    async def _live(self) -> Ended:
        ended = Ended(EndReason.WORKER_DIED, "runtime")  # told if this task itself is cancelled
        try:
            ended = await supervise(self._workers.all(), self._workers.passing)
        finally:
            self._parts.lease.give_up()
            await self._parts.committer.land()
            await self._ports.venue.close()
            await leave(ended, self._ports.journal, self._ports.clock, self._parts.metrics)
            self.ended = ended
            self._parts.replies.fail(_ended_early(ended))
            self._parts.syncs.fail(_ended_early(ended))
            self._parts.pulse.beat()
        return ended


def _ended_early(ended: Ended) -> RuntimeEnded:
    return RuntimeEnded(reason=ended.reason.value, worker=ended.worker, error=ended.error)
