"""Relay: carries committed events to a publisher, in order per subject, at least once."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import structlog

from order_domain.model.rows import Mark
from order_domain.ports.clock import Clock
from order_domain.ports.outbox import EventPublisher, GroupPublisher, NumberedEvent, Outbox
from order_service.runtime.backoff import Backoff
from order_service.runtime.crash import crash_point
from order_service.runtime.groups import Groups, PublishEach
from order_service.runtime.metrics import Metrics
from order_service.runtime.publishers import Publisher, takes_batches, takes_groups, takes_one
from order_service.runtime.pulse import Pulse
from order_service.runtime.spans import Spans

log = structlog.get_logger(__name__)
BATCH: Final = 200
"""Events read, and on their way to the publisher, at once."""
FRESH: Final = 1_000
"""Events of the newest flushes that are kept for a relay that is about to publish them."""


def cursor_name(name: str) -> str:
    """Name of the mark that holds a relay's cursor."""
    return f"relay:{name}"


class Relay:
    """One publisher's reader of the outbox.

    What it is told of a flush that was just committed it does not read again; whatever else is not
    out, of before a start or from a time when it was behind, it reads.

    The cursor is the number up to which every event is safe at the publisher. It is stored a little
    later than that, with the next flush, and therefore only by whoever owns the account; after a
    crash the events in between go out again with the same ids.

    Events of different subjects are on their way together. One waits until the one before it of the
    same subject is safe, so that no failure can put an order's events out of order.
    """

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
        pulse: Pulse,
        carry: Callable[[Mark], None],
        *,
        spans: Spans | None = None,
    ) -> None:
        self.name = name
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._pulse = pulse
        self._carry = carry
        self._spans = spans
        self._committed = 0
        self._ahead: set[int] = set()
        self._fresh: deque[NumberedEvent] = deque(maxlen=FRESH)
        self._more = asyncio.Event()
        self._backoff = Backoff(clock)
        self.cursor = 0
        self.failure: Exception | None = None

    def begin(self, cursor: int) -> None:
        """Set where the last owner stopped."""
        self.cursor = cursor
        self._ahead.clear()
        self._fresh.clear()

    def advance(self, event_no: int, fresh: Sequence[NumberedEvent] = ()) -> None:
        """Events up to this number are committed; the last of them may be given."""
        if event_no > self._committed:
            self._committed = event_no
            if fresh and self._fresh and self._fresh[-1].number + 1 != fresh[0].number:
                self._fresh.clear()
            self._fresh.extend(fresh)
            self._more.set()

    @property
    def is_idle(self) -> bool:
        """Whether all committed events are out, or nothing can be done before a retry is due."""
        return self._backoff.is_waiting or self.cursor >= self._committed

    @property
    def behind(self) -> int:
        """How many committed events are not out."""
        return max(0, self._committed - self.cursor)

    @property
    def is_done(self) -> bool:
        """Whether all committed events are out."""
        return self.cursor >= self._committed

    @property
    def retry_at(self) -> datetime | None:
        """When the publisher is tried again after it failed."""
        return self._backoff.until

    async def run(self) -> None:
        """Publish what is committed.

        A publisher or store that fails is tried again, with the same event.
        """
        while True:
            await self._more.wait()
            self._more.clear()
            while self.cursor < self._committed:
                try:
                    await self._publish_some()
                except Exception as failure:  # noqa: BLE001 -- trading goes on without neighbours
                    if str(failure) != str(self.failure):
                        log.warning(
                            "relay.failed",
                            relay=self.name,
                            cursor=self.cursor,
                            error=str(failure)[:300],
                        )
                    self.failure = failure
                    self._metrics.relay_failures += 1
                    self._pulse.beat()
                    await self._backoff.wait()
                else:
                    self._went_well()

    def _went_well(self) -> None:
        self.failure = None
        self._backoff.reset()

    async def _publish_some(self) -> None:
        events = self._told() or await self._outbox.events_after(self.cursor, BATCH)
        crash_point("outbox.after_read")
        if not events:
            raise LookupError(f"the outbox has no event after {self.cursor}")
        if takes_batches(self._publisher):
            await self._publisher.publish_all(events)
            crash_point("outbox.after_confirm")
            self._note(events)
        elif takes_groups(self._publisher):
            await self._publish_in_groups(self._publisher, events)
        elif takes_one(self._publisher):
            await self._publish_at_once(self._publisher, events)

    def _told(self, after: int | None = None) -> Sequence[NumberedEvent]:
        """The events after a number, if this relay was told of the next one; else none."""
        fresh, after = self._fresh, self.cursor if after is None else after
        while fresh and fresh[0].number <= self.cursor:
            fresh.popleft()
        begin = after + 1 - fresh[0].number if fresh else -1
        return list(islice(fresh, begin, begin + BATCH)) if begin >= 0 else ()

    async def _publish_in_groups(
        self, publisher: GroupPublisher, events: Sequence[NumberedEvent]
    ) -> None:
        """Publish the first event of every subject that has none on its way, again and again.

        What is told meanwhile joins in. What fails holds its subject up, and is raised at the end.
        """
        groups = Groups(self._publish_of(publisher), self._more.set)
        try:
            last = events[-1].number
            groups.add(event for event in events if event.number not in self._ahead)
            while groups.launch():
                await self._more.wait()
                self._more.clear()
                safe = groups.land()
                if safe:
                    crash_point("outbox.after_confirm")
                    self._note(safe)
                    if groups.failure is None:
                        self._went_well()
                if groups.failure is None and (told := self._told(last)):
                    last = told[-1].number
                    groups.add(told)
        finally:
            await groups.close()
        if groups.failure is not None:
            raise groups.failure

    def _publish_of(self, publisher: GroupPublisher) -> PublishEach:
        """The publisher's call, traced if anything is."""
        spans = self._spans
        if spans is None:
            return publisher.publish_each

        async def traced(events: Sequence[NumberedEvent]) -> Sequence[Exception | None]:
            began_at = self._clock.monotonic()
            fates = await publisher.publish_each(events)
            took = self._clock.monotonic() - began_at
            for each, fate in zip(events, fates, strict=True):
                if fate is None:
                    spans.published(self.name, each, took)
            return fates

        return traced

    async def _publish_at_once(
        self, publisher: EventPublisher, events: Sequence[NumberedEvent]
    ) -> None:
        """Publish those that are not safe yet; what fails holds only its own subject up."""
        lanes: dict[str, asyncio.Task[None]] = {}
        for event in events:
            if event.number not in self._ahead:
                before = lanes.get(event.event.subject)
                call = self._publish(publisher, event, before)
                lanes[event.event.subject] = asyncio.create_task(call)
        outcomes = await asyncio.gather(*lanes.values(), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _publish(
        self, publisher: EventPublisher, event: NumberedEvent, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await before
        began_at = 0.0 if self._spans is None else self._clock.monotonic()
        await publisher.publish(event)
        if self._spans is not None:
            self._spans.published(self.name, event, self._clock.monotonic() - began_at)
        crash_point("outbox.after_confirm")
        self._note((event,))

    def _note(self, events: Sequence[NumberedEvent]) -> None:
        """Events are safe; the cursor goes as far as there is none before it that is not."""
        self._metrics.published += len(events)
        self._ahead.update(event.number for event in events)
        self._pulse.beat()
        before = self.cursor
        while self.cursor + 1 in self._ahead:
            self.cursor += 1
            self._ahead.discard(self.cursor)
        if self.cursor != before:
            self._carry(Mark(cursor_name(self.name), self._clock.now(), self.cursor))
