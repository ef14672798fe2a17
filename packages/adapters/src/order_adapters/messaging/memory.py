"""Signals and events inside one process: what a broker does for both, without the broker."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Final

from order_adapters.passing import passing
from order_domain.model.enums import Verdict
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.steps import Acknowledge
from order_domain.ports.outbox import NumberedEvent

Delivery = SignalDelivered | DeliveryInvalid
PREFETCH: Final = 64
WAITING: Final = 10_000


class MemorySignalSource:
    """A queue of deliveries; each stays until it is acknowledged, whoever has already seen it.

    Attributes:
        dead_letters: Deliveries acknowledged as invalid, oldest first.
    """

    def __init__(self, *, prefetch: int = PREFETCH, waiting: int = WAITING) -> None:
        """Bound both sides.

        Args:
            prefetch: How many deliveries may be out without acknowledgement.
            waiting: How many may wait, those that are out included, before `put` waits itself.
        """
        self._prefetch = prefetch
        self._capacity = waiting
        self._kept: dict[int, Delivery] = {}
        self._out: dict[int, None] = {}
        self._changed = asyncio.Condition()
        self._finished = False
        self._reader = 0
        self.dead_letters: list[Delivery] = []

    async def put(self, delivery: Delivery) -> None:
        """Send a delivery; waits while the queue is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._kept) < self._capacity)
            self._kept[delivery.number] = delivery
            self._changed.notify_all()

    async def finish(self) -> None:
        """Say that nothing more comes: `deliveries` ends once all are acknowledged."""
        async with self._changed:
            self._finished = True
            self._changed.notify_all()

    async def deliveries(self) -> AsyncIterator[Delivery]:
        """Yield deliveries in order, beginning with all that were never acknowledged.

        There is one reader: a new one takes the place of the one before, whose iteration ends.
        """
        self._reader += 1
        reader = self._reader
        self._out.clear()
        while True:
            async with self._changed:
                self._changed.notify_all()
                await self._changed.wait_for(lambda: self._may_go_on(reader))
                number = self._next_number()
                if reader != self._reader or number is None:
                    return
                self._out[number] = None
            yield self._kept[number]

    async def acknowledge(self, effect: Acknowledge) -> None:
        """Forget a delivery; for good, so that saying it twice changes nothing."""
        async with self._changed:
            delivery = self._kept.pop(effect.number, None)
            self._out.pop(effect.number, None)
            if delivery is not None and effect.verdict is Verdict.INVALID:
                self.dead_letters.append(delivery)
            self._changed.notify_all()

    @property
    def unacknowledged(self) -> Sequence[Delivery]:
        """What would come again to a new reader."""
        return tuple(self._kept.values())

    def _may_go_on(self, reader: int) -> bool:
        if reader != self._reader or (self._finished and not self._kept):
            return True
        return len(self._out) < self._prefetch and self._next_number() is not None

    def _next_number(self) -> int | None:
        # what is out was taken from the front, so only as many as are out are looked at in vain
        return next((number for number in self._kept if number not in self._out), None)


class PublisherDown(ConnectionError):
    """The publisher was told to be away."""


class MemoryPublisher:
    """Takes events and keeps the newest; the outbox has all of them.

    Attributes:
        away: While true, every event is refused with PublisherDown.
        published: What was taken, in order, repetitions included.
    """

    def __init__(self, *, kept: int = WAITING) -> None:
        self.away = False
        self.published: deque[NumberedEvent] = deque(maxlen=kept)

    async def publish(self, event: NumberedEvent) -> None:
        """Take one event."""
        if self.away:
            raise PublisherDown(f"event {event.number} is not taken")
        passing("outbox.after_publish")
        self.published.append(event)
