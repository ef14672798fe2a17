"""Spans: who is told of a signal's way through the runtime, for traces; mostly nobody."""

from collections.abc import Sequence
from typing import Protocol

from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.reports import Answer
from order_domain.model.rows import Change
from order_domain.model.steps import Acknowledge, SendAmend, SendCancel, SendCreate
from order_domain.ports.outbox import NumberedEvent


class Spans(Protocol):
    """Told after the fact; never blocks, never fails."""

    def received(self, delivery: SignalDelivered | DeliveryInvalid, parent: str) -> None:
        """A delivery came in, below a caller's `traceparent` if there is one."""
        ...

    def decided(self, effect: Acknowledge) -> None:
        """The verdict on a delivery is committed."""
        ...

    def answered(
        self, command: SendCreate | SendAmend | SendCancel, answer: Answer, seconds: float
    ) -> None:
        """An attempt has its answer, so many seconds after it began."""
        ...

    def committed(self, changes: Sequence[Change]) -> None:
        """Rows are durable."""
        ...

    def published(self, relay: str, event: NumberedEvent, seconds: float) -> None:
        """A publisher has an event, so many seconds after it was begun."""
        ...
