"""EventLog: a publisher that also says in the log what it published, by the signal's trace id."""

from typing import Final

import structlog

from order_domain.model.enums import EventKind
from order_domain.ports.outbox import EventPublisher, NumberedEvent

log = structlog.get_logger(__name__)
_WARNINGS: Final = frozenset(
    {
        EventKind.ALARM,
        EventKind.LATE_FILL,
        EventKind.LOSS_WARNING,
        EventKind.ORDER_REVIVED,
        EventKind.ORDER_UNKNOWN,
        EventKind.POSITION_MISMATCH,
        EventKind.TRADING_STATE_CHANGED,
    }
)


class EventLog:
    """Wraps a publisher; a line follows once the event is safe there, again if it goes again."""

    def __init__(self, publisher: EventPublisher) -> None:
        self._publisher = publisher

    async def publish(self, event: NumberedEvent) -> None:
        """Publish one event, then log it."""
        await self._publisher.publish(event)
        say = log.warning if event.event.kind in _WARNINGS else log.info
        say("event.published", **_fields(event))


def _fields(numbered: NumberedEvent) -> dict[str, object]:
    event, order = numbered.event, numbered.event.order
    found: dict[str, object] = {
        "number": numbered.number,
        "kind": event.kind.value,
        "subject": event.subject,
    }
    if event.code:
        found["code"] = event.code
    if order is not None:
        found["status"] = order.status.value
        if order.terms.signal_id:
            found["signal_id"] = order.terms.signal_id
        if order.terms.trace_id:
            found["trace_id"] = order.terms.trace_id
    return found
