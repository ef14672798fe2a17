"""Bugs planted in the shell and the store: things leave too early, twice, or too late."""

from typing import Any

import attrs

from order_adapters.stores.memory import journal as memory_journal
from order_domain.book import Book
from order_domain.model.enums import Trading
from order_domain.model.rows import Mark, SignalRow
from order_domain.model.steps import Acknowledge, Reply, SendCancel, SendCreate
from order_domain.ports.journal import Flushed, FlushOutcome, StoreUnavailable
from order_service.runtime.backoff import Backoff
from order_service.runtime.committer import Committer, Entry
from order_service.runtime.executors import Executors
from order_service.runtime.inbox import Inbox
from order_service.runtime.outcome import End, EndReason
from order_service.runtime.relay import Relay, cursor_name
from order_service.runtime.release import Release
from order_service.runtime.runtime import Runtime
from order_service.runtime.trading_state import TradingStates
from order_service.runtime.workers import Workers
from tests.simulation.broker import NodePublisher
from tests.simulation.patches import Bug, Patches


def _early(*kinds: type) -> Any:
    """Let effects of these kinds leave when they are decided, not when they are durable."""

    def plant(patches: Patches) -> None:
        right_add, right_let_go = Committer.add, Release._let_go

        def add(self: Committer, entry: Entry) -> None:
            right_add(self, entry)
            for effect in entry.step.effects:
                if isinstance(effect, kinds):
                    right_let_go(self._committed, effect, is_read=True)  # type: ignore[arg-type]

        def let_go(self: Release, effect: Any, *, is_read: bool) -> None:
            if not isinstance(effect, kinds):
                right_let_go(self, effect, is_read=is_read)

        patches.attribute(Committer, "add", add)
        patches.attribute(Release, "_let_go", let_go)

    return plant


def _early_without_rows(patches: Patches) -> None:
    """Let the effects of a step without rows leave at once: there is nothing of it to commit."""
    right_add, right_let_go = Committer.add, Release._let_go

    def add(self: Committer, entry: Entry) -> None:
        if not entry.step.changes:
            for effect in entry.step.effects:
                right_let_go(self._committed, effect, is_read=True)  # type: ignore[arg-type]
            entry.step.effects.clear()
        right_add(self, entry)

    patches.attribute(Committer, "add", add)


def _unknown_commit_failed(patches: Patches) -> None:
    """The store did not answer: the rows are taken for not written, and dropped."""
    right = Committer._shielded

    async def once(self: Committer, flight: Any) -> Flushed:
        try:
            return await right(self, flight)
        except StoreUnavailable:
            flight.changes.clear()
            raise

    patches.attribute(Committer, "_shielded", once)


def _unknown_commit_succeeded(patches: Patches) -> None:
    right = Committer._shielded

    async def once(self: Committer, flight: Any) -> Flushed:
        try:
            return await right(self, flight)
        except StoreUnavailable:
            head = attrs.evolve(self.head, flush_no=flight.number)
            return Flushed(FlushOutcome.COMMITTED, head)

    patches.attribute(Committer, "_shielded", once)


def _unknown_commit_renumbered(patches: Patches) -> None:
    """The flush is run again as another one: it may be written twice."""

    def flush(self: Any, flush_no: int, changes: Any) -> FlushOutcome:
        return right(self, max(flush_no, self._database.head.flush_no + 1), changes)

    right = memory_journal.MemoryJournal._flush
    patches.attribute(memory_journal.MemoryJournal, "_flush", flush)


def _no_epoch(patches: Patches) -> None:
    right = memory_journal.MemoryJournal._flush

    def flush(self: Any, flush_no: int, changes: Any) -> FlushOutcome:
        self._epoch = self._database.head.epoch
        return right(self, flush_no, changes)

    patches.attribute(memory_journal.MemoryJournal, "_flush", flush)


def _lease_stolen(patches: Patches) -> None:
    right = memory_journal.MemoryJournal.acquire

    async def acquire(self: Any, **asked: Any) -> Any:
        head = self._database.head
        self._database.head = attrs.evolve(head, expires_at=self._clock.now())
        return await right(self, **asked)

    patches.attribute(memory_journal.MemoryJournal, "acquire", acquire)


def _restamped(patches: Patches) -> None:
    right = Executors._attempt

    async def attempt(self: Executors, command: Any) -> None:
        now = self._clock.now() + self.offset
        if isinstance(command, SendCreate):
            command.order.request_ts = now
        else:
            command.request_ts = now
        await right(self, command)

    patches.attribute(Executors, "_attempt", attempt)


def _new_id(patches: Patches) -> None:
    right = Executors._attempt

    async def attempt(self: Executors, command: Any) -> None:
        order = command.order
        if isinstance(command, SendCreate) and order.attempt > 1:
            name = f"{order.client_order_id[:-1]}{order.attempt % 10}"
            terms = attrs.evolve(order.terms, client_order_id=name)
            command = SendCreate(attrs.evolve(order, terms=terms))
        await right(self, command)

    patches.attribute(Executors, "_attempt", attempt)


def _sent_again(patches: Patches) -> None:
    """A transport that sends once more when no answer came."""
    right = Executors._attempt

    async def attempt(self: Executors, command: Any) -> None:
        unanswered = self._metrics.unanswered
        await right(self, command)
        if self._metrics.unanswered > unanswered:
            self._unsent += 1
            await right(self, command)

    patches.attribute(Executors, "_attempt", attempt)


def _window_ignored(patches: Patches) -> None:
    def obstacle(self: Executors, command: Any, kind: Any, request_ts: Any) -> str:
        return self._states.forbids(command.order, kind)

    patches.attribute(Executors, "_obstacle", obstacle)


def _cursor_first(patches: Patches) -> None:
    """The cursor moves when events are read, not when they are safe."""

    async def publish(self: Relay) -> None:
        events = await self._outbox.events_after(self.cursor, 200)
        self.cursor = events[-1].number
        self._carry(Mark(cursor_name(self.name), self._clock.now(), self.cursor))
        for event in events:
            await self._publisher.publish(event)  # type: ignore[union-attr]

    patches.attribute(Relay, "_publish_some", publish)


def _event_skipped(patches: Patches) -> None:
    """An event that the broker does not take is left out."""
    right = Relay._publish

    async def publish(self: Relay, publisher: Any, event: Any, before: Any) -> None:
        try:
            await right(self, publisher, event, before)
        except Exception:  # noqa: BLE001 -- this is the bug
            self._note((event,))

    patches.attribute(Relay, "_publish", publish)


def _lanes_ignored(patches: Patches) -> None:
    right = Relay._publish

    async def publish(self: Relay, publisher: Any, event: Any, before: Any) -> None:
        await right(self, publisher, event, None)

    patches.attribute(Relay, "_publish", publish)


def _halt_unread(patches: Patches) -> None:
    patches.attribute(TradingStates, "forbids", lambda _self, _order, _kind: "")
    patches.attribute(TradingStates, "_take", lambda _self, _row: None)
    patches.attribute(TradingStates, "confirm", lambda _self, _version, _changes, _read_at: True)


def _signals_swapped(patches: Patches) -> None:
    """Of two signals that wait the later one is decided first, as with several consumers."""
    right = Inbox.take_delivery

    def take(self: Inbox) -> Any:
        waiting = self._deliveries._items
        if len(waiting) > 1:
            waiting[0], waiting[1] = waiting[1], waiting[0]
        return right(self)

    patches.attribute(Inbox, "take_delivery", take)


def _not_mandatory(patches: Patches) -> None:
    patches.attribute(NodePublisher, "mandatory", False)


def _halt_ignored(patches: Patches) -> None:
    """Neither who decides nor who sends obeys; each alone would be covered by the other."""
    patches.attribute(Book, "trading", lambda _book, _strategy, _instrument: (Trading.ACTIVE, ""))
    patches.attribute(TradingStates, "forbids", lambda _self, _order, _kind: "")


def _parked_lost(patches: Patches) -> None:
    right = memory_journal.rows_of_a_book

    def rows(database: Any, since: Any) -> Any:
        return [
            row
            for row in right(database, since)
            if not isinstance(row, SignalRow) or row.decided_at is not None
        ]

    patches.attribute(memory_journal, "rows_of_a_book", rows)


def _intake_before_sweep(patches: Patches) -> None:
    right = Workers._load

    async def load(self: Workers) -> Any:
        self._parts.queries.has_swept.set()
        rows = await right(self)
        return [row for row in rows if type(row).__name__ != "Order" or row.is_terminal]

    patches.attribute(Workers, "_load", load)


def _given_back_early(patches: Patches) -> None:
    """A stop gives the lease back while commands are still on their way out."""
    right = Runtime.stop

    async def stop(self: Runtime) -> Any:
        await self._ports.journal.release()
        return await right(self)

    patches.attribute(Runtime, "stop", stop)


def _no_retry(patches: Patches) -> None:
    """The first outage of the store ends the writing for good."""

    async def wait(self: Backoff) -> None:
        raise End(EndReason.WORKER_DIED)

    patches.attribute(Backoff, "wait", wait)


def _facts_dropped(patches: Patches) -> None:
    """While too much is not durable, what the exchange says is dropped."""
    right = Workers.take_fact

    async def take(self: Workers, fact: Any) -> None:
        behind = self._parts.committer.tail > 0
        if not (behind and type(fact).__name__ == "StreamState"):
            await right(self, fact)

    patches.attribute(Workers, "take_fact", take)


RUNTIME_BUGS = {
    "early-commands": Bug("commands leave before their commit", _early(SendCreate, SendCancel)),
    "early-acks": Bug("deliveries are acknowledged before their commit", _early(Acknowledge)),
    "early-replies": Bug("people are answered before the commit", _early(Reply)),
    "early-empty": Bug(
        "what a step without rows says does not wait for the steps before it", _early_without_rows
    ),
    "commit-failed": Bug("an unknown commit is taken for a refusal", _unknown_commit_failed),
    "commit-succeeded": Bug("an unknown commit is taken for done", _unknown_commit_succeeded),
    "commit-twice": Bug(
        "an unknown commit is run again under a new number", _unknown_commit_renumbered
    ),
    "no-epoch": Bug("a flush is not fenced by the epoch", _no_epoch),
    "lease-stolen": Bug("the account is taken over while its lease runs", _lease_stolen),
    "restamped": Bug("the request time is made anew when bytes leave", _restamped),
    "new-id": Bug("every attempt has an id of its own", _new_id),
    "sent-again": Bug("the transport sends again without an answer", _sent_again),
    "window-ignored": Bug("neither lease nor request window is looked at", _window_ignored),
    "cursor-first": Bug("the cursor moves before the events are safe", _cursor_first),
    "event-skipped": Bug("an event the broker does not take is left out", _event_skipped),
    "lanes-ignored": Bug("events of one order are published at once", _lanes_ignored),
    "not-mandatory": Bug("an event that no queue takes counts as published", _not_mandatory),
    "signals-swapped": Bug("signals are not decided in the order they came", _signals_swapped),
    "halt-ignored": Bug("a state is known and not obeyed", _halt_ignored),
    "halt-unread": Bug("states of others are not read", _halt_unread),
    "parked-lost": Bug("parked signals are not loaded", _parked_lost),
    "orders-lost": Bug(
        "live orders are not loaded, and intake does not wait", _intake_before_sweep
    ),
    "given-back-early": Bug("a stop gives the lease back first", _given_back_early),
    "no-retry": Bug("an outage of the store ends the service", _no_retry),
    "stream-unheard": Bug("states of the stream are dropped when busy", _facts_dropped),
}
