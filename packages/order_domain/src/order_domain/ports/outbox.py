"""Outbox: committed events in their order, for relays; and the publisher that takes them."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import attrs

from order_domain.model.events import Event
from order_domain.model.rows import SignalRow


@attrs.define(slots=True)
class NumberedEvent:
    """A committed event with the gapless number the journal gave it.

    Attributes:
        signal: The signal behind its order, where whoever brings the event has it at hand.
    """

    number: int
    event: Event
    signal: SignalRow | None = attrs.field(default=None, eq=False, repr=False)


class Outbox(Protocol):
    """Committed events. A relay's cursor is a Mark row that rides in the next flush."""

    async def events_after(self, number: int, limit: int) -> Sequence[NumberedEvent]:
        """Read the next events in number order."""
        ...


class EventPublisher(Protocol):
    """Where events go. Returns only when the event is safe there."""

    async def publish(self, event: NumberedEvent) -> None:
        """Publish one event, with a stable event id. May be called again for the same event.

        Events of different subjects are published at once, those of one subject in turn.
        """
        ...


@runtime_checkable
class GroupPublisher(Protocol):
    """Where events go many at a time, each with a fate of its own."""

    async def publish_each(self, events: Sequence[NumberedEvent]) -> Sequence[Exception | None]:
        """Publish events of different subjects; tell of each why it is not safe, None if it is.

        May be called again for the same events.
        """
        ...


@runtime_checkable
class BatchPublisher(Protocol):
    """Where events go many at a time, as rows of a table do."""

    async def publish_all(self, events: Sequence[NumberedEvent]) -> None:
        """Take events in number order, all or none. May be called again for the same events."""
        ...
