"""Committer: writes what the engine decided, in step order, one flush at a time."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import attrs

from order_domain.model.inputs import Input
from order_domain.model.rows import Change, Mark
from order_domain.model.steps import Step
from order_domain.ports.clock import Clock
from order_domain.ports.journal import (
    ChangeRefused,
    Flushed,
    FlushOutcome,
    Head,
    Journal,
    StoreUnavailable,
)
from order_service.runtime.backoff import Backoff
from order_service.runtime.crash import crash_point
from order_service.runtime.lease import Lease
from order_service.runtime.metrics import Metrics
from order_service.runtime.outcome import End, EndReason
from order_service.runtime.passes import after_commit, before_commit, during_commit

STEPS_PER_FLUSH: Final = 500
LONGEST_TAIL: Final = 1_000
OLDEST_TAIL_S: Final = 2.0


@attrs.define(slots=True)
class Entry:
    """One step of the tail.

    Attributes:
        message: The input it came from, kept for a rebuild; None for the step of a load.
        stepped_at: Monotonic seconds.
    """

    message: Input | None
    step: Step
    stepped_at: float


@attrs.define(slots=True)
class _Flight:
    """A flush under way; its content stays the same however often it has to be run."""

    number: int
    entries: list[Entry]
    changes: list[Change]
    carried: dict[str, Mark]
    began_at: float


class Committer:
    """Owns the tail: every step not yet known to be durable, with the input it came from."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        lease: Lease,
        metrics: Metrics,
        *,
        committed: Callable[[Sequence[Entry], Head], None],
        unheard: Callable[[Sequence[Entry]], None],
        changed: Callable[[], None],
    ) -> None:
        """Wire up.

        Args:
            committed: Called with the entries of each committed flush, in step order.
            unheard: Called with those of a flush that was committed although its answer said
                otherwise, once a new epoch has begun: what they send is the new engine's affair.
            changed: Called whenever the loop may have something new to do: durable, refused, store
                away or back.
        """
        self._journal = journal
        self._clock = clock
        self._lease = lease
        self._metrics = metrics
        self._committed = committed
        self._unheard = unheard
        self._changed = changed
        self._tail: deque[Entry] = deque()
        self._carried: dict[str, Mark] = {}
        self._wanted = False
        self._work = asyncio.Event()
        self._flight: _Flight | None = None
        self._running: asyncio.Task[Flushed] | None = None
        self._backoff = Backoff(clock)
        self._settled = asyncio.Event()
        self._paused = False
        self._head: Head | None = None
        self.store_away = False
        self.refused: ChangeRefused | None = None
        self.durable = 0

    # -- what the rest of the runtime asks for

    @property
    def head(self) -> Head:
        """The head row as this owner last saw it."""
        if self._head is None:
            raise RuntimeError("no lease was acquired")
        return self._head

    def begin(self, head: Head, began_at: float) -> None:
        """Start on a fresh epoch with an empty tail; `began_at` is when the acquisition began."""
        self._head = head
        self._lease.renew(began_at)
        self._tail.clear()
        self._flight = None
        self.refused = None
        self.durable = 0
        if self._carried:
            self._work.set()

    def add(self, entry: Entry) -> None:
        """Append a step to the tail."""
        self._tail.append(entry)
        self._work.set()
        if self._flight is not None:
            during_commit(len(self._tail) - len(self._flight.entries))

    def carry(self, mark: Mark) -> None:
        """Let a row that is not the engine's ride in the next flush; a newer one replaces it."""
        self._carried[mark.name] = mark

    def request_flush(self) -> None:
        """Flush even if there is nothing to write: it proves that the lease is still ours."""
        self._wanted = True
        self._work.set()

    @property
    def is_behind(self) -> bool:
        """Too much is not durable to take more signals (protocol 2.5)."""
        if self.store_away or len(self._tail) > LONGEST_TAIL:
            return True
        return (
            bool(self._tail) and self._clock.monotonic() - self._tail[0].stepped_at > OLDEST_TAIL_S
        )

    @property
    def flight_age(self) -> timedelta:
        """How long the flush under way has been tried; zero when there is none."""
        if self._flight is None:
            return timedelta(0)
        return timedelta(seconds=self._clock.monotonic() - self._flight.began_at)

    @property
    def tail(self) -> int:
        """How many steps are not known to be durable."""
        return len(self._tail)

    @property
    def is_idle(self) -> bool:
        """Nothing to write, or nothing to do before a retry is due."""
        if self._backoff.is_waiting or self.refused is not None:
            return True
        return not self._tail and not self._wanted and self._flight is None

    @property
    def is_waiting(self) -> bool:
        """Whether the store did not answer and a retry is not yet due."""
        return self._backoff.is_waiting

    @property
    def is_empty(self) -> bool:
        """Everything is written, the rows that ride along too."""
        return not self._tail and self._flight is None and not self._carried

    @property
    def retry_at(self) -> datetime | None:
        """When the same flush is run again, while the store is away."""
        return self._backoff.until

    def take_tail(self, head: Head) -> list[Input]:
        """Give up the tail for a rebuild: the inputs of steps not durable by the new head."""
        entries = list(self._tail)
        if self._flight is not None and head.flush_no >= self._flight.number:
            self._unheard(self._flight.entries)
            del entries[: len(self._flight.entries)]
        self._tail.clear()
        self._flight = None
        return [entry.message for entry in entries if entry.message is not None]

    # -- writing

    async def run(self) -> None:
        """Flush whenever there is something to flush. A refused change stops it until `begin`."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._is_due():
                try:
                    await self._flush()
                except ChangeRefused as refused:
                    self.refused = refused
                    self._changed()
            self._settled.set()

    async def settled(self) -> None:
        """Return when the tail is durable, or will never be because a change was refused."""
        while self._is_due():
            self._settled.clear()
            await self._settled.wait()

    def pause(self) -> None:
        """Leave the writing to whoever calls `flush_alone`."""
        self._paused = True

    def resume(self) -> None:
        """Write again whenever there is something to write."""
        self._paused = False
        self._work.set()

    async def flush_alone(self, entry: Entry) -> None:
        """Write one step at once, while paused. Raises ChangeRefused."""
        self._tail.append(entry)
        await self._flush()

    async def land(self) -> None:
        """Wait for a commit that was under way when this runtime was told to end."""
        if self._running is not None:
            await asyncio.wait({self._running})

    def _is_due(self) -> bool:
        if self._head is None or self._paused or self.refused is not None:
            return False
        return bool(self._tail) or self._wanted

    async def _flush(self) -> None:
        flight = self._depart()
        if flight is None:
            return
        flushed = await self._run_until_known(flight)
        self._flight = None
        self._head = flushed.head
        for name, mark in flight.carried.items():
            if self._carried.get(name) is mark:
                del self._carried[name]
        self._metrics.flushes += 1
        self._metrics.flushed_steps += len(flight.entries)
        self._metrics.largest_flush = max(self._metrics.largest_flush, len(flight.entries))
        after_commit(flight.entries)
        self._land(flight.entries)

    def _depart(self) -> _Flight | None:
        """Fix what the next flush holds. None: its steps say nothing, there is nothing to prove."""
        entries = list(islice(self._tail, STEPS_PER_FLUSH))
        if not self._wanted and not any(e.step.changes or e.step.effects for e in entries):
            self._land(entries)
            return None
        self._wanted = False
        changes: list[Change] = [change for entry in entries for change in entry.step.changes]
        carried = dict(self._carried)
        changes.extend(carried.values())
        self._flight = _Flight(
            self.head.flush_no + 1, entries, changes, carried, self._clock.monotonic()
        )
        before_commit(entries, carried)
        return self._flight

    def _land(self, entries: Sequence[Entry]) -> None:
        for _ in entries:
            self._tail.popleft()
        if entries:
            self.durable = entries[-1].step.number
        self._committed(entries, self.head)
        self._changed()

    async def _run_until_known(self, flight: _Flight) -> Flushed:
        """Run the same flush until the head row tells its fate. Raises ChangeRefused, End."""
        while True:
            began_at = self._clock.monotonic()
            try:
                flushed = await self._shielded(flight)
            except StoreUnavailable:
                self._set_away(away=True)
                await self._backoff.wait()
                continue
            self._backoff.reset()
            self._set_away(away=False)
            # "already" was written by an earlier run of it, perhaps by the very first
            began_at = flight.began_at if flushed.outcome is FlushOutcome.ALREADY else began_at
            self._judge(flushed.outcome)
            self._lease.renew(began_at)
            self._metrics.last_flush = timedelta(seconds=self._clock.monotonic() - began_at)
            return flushed

    async def _shielded(self, flight: _Flight) -> Flushed:
        # Cancelling a commit half-way leaves its fate unknown for nothing: it is always let finish.
        self._running = asyncio.create_task(self._journal.flush(flight.number, flight.changes))
        flushed = await asyncio.shield(self._running)
        crash_point("flush.answer_lost")
        return flushed

    def _judge(self, outcome: FlushOutcome) -> None:
        if outcome is FlushOutcome.LEASE_LOST:
            self._lease.give_up()
            raise End(EndReason.LEASE_LOST)
        if outcome is FlushOutcome.COMMITS_LOST:
            self._lease.give_up()
            raise End(EndReason.COMMITS_LOST)

    def _set_away(self, *, away: bool) -> None:
        if away is not self.store_away:
            self.store_away = away
            self._metrics.outages += away
            self._changed()
