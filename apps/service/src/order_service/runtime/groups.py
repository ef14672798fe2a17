"""Groups: events on their way to a publisher of many, at most one of each subject."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

from order_domain.ports.outbox import NumberedEvent

PublishEach = Callable[[Sequence[NumberedEvent]], Awaitable[Sequence[Exception | None]]]
"""`GroupPublisher.publish_each`, or what stands before it."""


class Groups:
    """Several groups may be on their way at once; no event waits for one of another subject.

    Args:
        landed: Called when a group has its fates.

    Attributes:
        failure: Why the first event that failed is not safe.
    """

    def __init__(self, publish: PublishEach, landed: Callable[[], None]) -> None:
        self._publish = publish
        self._landed = landed
        self._lanes: dict[str, deque[NumberedEvent]] = {}
        self._ready: dict[str, None] = {}
        self._flights: dict[asyncio.Task[Sequence[Exception | None]], list[NumberedEvent]] = {}
        self.failure: Exception | None = None

    def add(self, events: Iterable[NumberedEvent]) -> None:
        """Let events wait for their turn, in number order."""
        for event in events:
            subject = event.event.subject
            lane = self._lanes.get(subject)
            if lane is None:
                self._lanes[subject] = deque((event,))
                self._ready[subject] = None
            else:
                lane.append(event)

    def launch(self) -> bool:
        """Send off whatever may leave; False when nothing is on its way."""
        if self._ready:
            group = [self._lanes[subject][0] for subject in self._ready]
            self._ready.clear()
            flight = asyncio.ensure_future(self._publish(group))
            self._flights[flight] = group
            flight.add_done_callback(lambda _: self._landed())
        return bool(self._flights)

    def land(self) -> list[NumberedEvent]:
        """Take the fates that are there; return the events that are safe."""
        safe: list[NumberedEvent] = []
        for flight in [each for each in self._flights if each.done()]:
            group = self._flights.pop(flight)
            error = flight.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            fates = [error] * len(group) if error is not None else flight.result()
            for event, fate in zip(group, fates, strict=True):
                if fate is None:
                    safe.append(event)
                self._go_on(event.event.subject, fate)
        return safe

    async def close(self) -> None:
        """Wait for nothing any more."""
        for flight in self._flights:
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)

    def _go_on(self, subject: str, fate: Exception | None) -> None:
        self.failure = self.failure or fate
        lane = self._lanes[subject]
        lane.popleft()
        if fate is not None or not lane:
            del self._lanes[subject]
        else:
            self._ready[subject] = None
