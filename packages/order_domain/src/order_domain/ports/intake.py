"""SignalSource: where deliveries come from and are acknowledged."""

from collections.abc import AsyncIterator
from typing import Protocol

from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.steps import Acknowledge


class SignalSource(Protocol):
    """Deliveries in order. What is not acknowledged comes again."""

    def deliveries(self) -> AsyncIterator[SignalDelivered | DeliveryInvalid]:
        """Yield deliveries, each with its number."""
        ...

    async def acknowledge(self, effect: Acknowledge) -> None:
        """The delivery is durable on our side; forget it."""
        ...
