"""EventLog: a publisher that also says in the log what it published, by the signal's trace id."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from order_domain.model.enums import EventKind
from order_domain.ports.outbox import EventPublisher, GroupPublisher, NumberedEvent
from order_service.runtime.groups import PublishEach

log = structlog.get_logger(__name__)
_is_told: Final = logging.getLogger(__name__).isEnabledFor
"""Asked first: a line costs as much as a step of the engine."""
_LEVELS: Final[Mapping[EventKind, int]] = {
    **dict.fromkeys(
        (
            EventKind.ALARM,
            EventKind.LATE_FILL,
            EventKind.LOSS_WARNING,
            EventKind.ORDER_REVIVED,
            EventKind.ORDER_UNKNOWN,
            EventKind.POSITION_MISMATCH,
            EventKind.TRADING_STATE_CHANGED,
        ),
        logging.WARNING,
    ),
    **dict.fromkeys(
        (
            EventKind.ORDER_CREATED,
            EventKind.ORDER_DENIED,
            EventKind.ORDER_FILLED,
            EventKind.ORDER_CANCELLED,
            EventKind.ORDER_REJECTED,
            EventKind.ORDER_EXPIRED,
            EventKind.ORDER_ADOPTED,
            EventKind.SIGNAL_INVALID,
            EventKind.SIGNAL_CONFLICT,
            EventKind.SIGNAL_DENIED,
        ),
        logging.INFO,
    ),
}
"""What lies between the beginning and the end of an order is told at DEBUG."""


class EventLog:
    """Wraps a publisher; a line follows once the event is safe there, again if it goes again."""

    def __init__(self, publisher: EventPublisher | GroupPublisher) -> None:
        # asked once: of a protocol it is slow to tell
        if isinstance(publisher, GroupPublisher):
            self._publish: PublishEach = publisher.publish_each
        else:
            self._publish = partial(_one_by_one, publisher)

    async def publish_each(self, events: Sequence[NumberedEvent]) -> Sequence[Exception | None]:
        """Publish events of different subjects, then log those that are safe."""
        fates = await self._publish(events)
        for event, fate in zip(events, fates, strict=True):
            level = _LEVELS.get(event.event.kind, logging.DEBUG)
            if fate is None and _is_told(level):
                log.log(level, "event.published", **_fields(event))
        return fates


async def _one_by_one(
    publisher: EventPublisher, events: Sequence[NumberedEvent]
) -> Sequence[Exception | None]:
    return await asyncio.gather(*[_fate(publisher, event) for event in events])


async def _fate(publisher: EventPublisher, event: NumberedEvent) -> Exception | None:
    try:
        await publisher.publish(event)
    except Exception as error:  # noqa: BLE001 -- the relay raises it
        return error
    return None


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
