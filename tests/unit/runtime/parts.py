"""What tests of single parts of the runtime start from: steps made by hand, time moved by hand."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import attrs

from order_adapters.clock import VirtualClock
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.journal import MemoryJournal
from order_domain.model.enums import EventKind, Verdict
from order_domain.model.events import Event
from order_domain.model.inputs import Tick
from order_domain.model.rows import Change, Mark
from order_domain.model.steps import Acknowledge, Effect, Step
from order_domain.ports.journal import Head
from order_service.runtime.committer import Committer, Entry
from order_service.runtime.lease import Lease
from order_service.runtime.metrics import Metrics
from tests.builders import NOW

TTL = timedelta(seconds=10)
ACCOUNT = "dry:default"


async def turns(count: int = 40) -> None:
    """Let everybody run who can run without time moving."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(
    clock: VirtualClock, holds: Callable[[], bool], within: timedelta = timedelta(seconds=60)
) -> None:
    """Move time from one sleeper to the next until something holds."""
    limit = clock.now() + within
    await turns()
    while not holds():
        deadline = clock.next_deadline
        assert deadline is not None, "nothing will ever happen again"
        assert deadline <= limit, f"not within {within}"
        clock.advance_to(deadline)
        await turns()


async def pass_time(clock: VirtualClock, duration: timedelta) -> None:
    """Move time on, stopping at every sleeper."""
    end = clock.now() + duration
    await turns()
    while (deadline := clock.next_deadline) is not None and deadline <= end:
        clock.advance_to(deadline)
        await turns()
    clock.advance_to(end)
    await turns()


def a_step(
    number: int, changes: Sequence[Change] | None = None, effects: Sequence[Effect] = ()
) -> Step:
    """A step that writes one mark and has no effects, unless told otherwise."""
    rows = [Mark(f"mark-{number}", NOW, number)] if changes is None else list(changes)
    return Step(number, rows, list(effects), [])


def an_ack(number: int) -> Acknowledge:
    return Acknowledge(number, Verdict.ORDERED)


def an_event(number: int) -> Event:
    return Event(EventKind.ALARM, NOW, "account", number)


@attrs.define
class Desk:
    """A committer over a store in memory, and what it has let go."""

    clock: VirtualClock
    database: MemoryDatabase
    journal: MemoryJournal
    lease: Lease
    metrics: Metrics
    committer: Committer
    released: list[Entry]
    heads: list[Head]
    unheard: list[Entry]

    async def begin(self) -> None:
        began_at = self.clock.monotonic()
        head = await self.journal.acquire(account=ACCOUNT, owner="me", url="", ttl=TTL)
        self.committer.begin(head, began_at)

    def add(self, step: Step, message: Any = None) -> None:
        self.committer.add(Entry(message or Tick(), step, self.clock.monotonic()))

    @property
    def numbers(self) -> list[int]:
        return [entry.step.number for entry in self.released]


def a_desk(changed: Callable[[], None] = lambda: None) -> Desk:
    clock, database, lease, metrics = VirtualClock(NOW), MemoryDatabase(), Lease(TTL), Metrics()
    journal = MemoryJournal(database, clock)
    released: list[Entry] = []
    heads: list[Head] = []

    def take(entries: Sequence[Entry], head: Head) -> None:
        released.extend(entries)
        heads.append(head)

    unheard: list[Entry] = []
    committer = Committer(
        journal, clock, lease, metrics, committed=take, unheard=unheard.extend, changed=changed
    )
    return Desk(clock, database, journal, lease, metrics, committer, released, heads, unheard)
