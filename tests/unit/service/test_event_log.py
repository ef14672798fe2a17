"""What the log says of an event, and that it says it only once the event is safe."""

import logging
from typing import Any

import pytest

from order_adapters.messaging.memory import MemoryPublisher, PublisherDown
from order_domain.model.enums import EventKind
from order_domain.model.events import Event
from order_domain.model.identifiers import TraceId
from order_domain.ports.outbox import NumberedEvent
from order_service.event_log import EventLog
from tests.builders import NOW, an_order

SAID: list[tuple[int, dict[str, Any]]] = []


class Log:
    """Takes lines from a level on."""

    def __init__(self, level: int) -> None:
        self._level = level

    def is_told(self, level: int) -> bool:
        return level >= self._level

    def log(self, level: int, event: str, **fields: Any) -> None:
        SAID.append((level, {"event": event, **fields}))


def listen(monkeypatch: pytest.MonkeyPatch, level: int) -> None:
    log = Log(level)
    monkeypatch.setattr("order_service.event_log.log", log)
    monkeypatch.setattr("order_service.event_log._is_told", log.is_told)


@pytest.fixture
def publisher() -> MemoryPublisher:
    SAID.clear()
    return MemoryPublisher()


def an_event(kind: EventKind) -> NumberedEvent:
    order = an_order(trace_id=TraceId("trace-1"))
    return NumberedEvent(7, Event(kind, NOW, order.client_order_id, 1, order=order))


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (EventKind.ORDER_CREATED, logging.INFO),
        (EventKind.ORDER_FILLED, logging.INFO),
        (EventKind.ORDER_WORKING, logging.DEBUG),
        (EventKind.ORDER_UNKNOWN, logging.WARNING),
        (EventKind.POSITION_MISMATCH, logging.WARNING),
    ],
)
async def test_a_line_has_the_weight_of_its_event_and_the_trace_of_its_signal(
    kind: EventKind, level: int, publisher: MemoryPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(monkeypatch, logging.DEBUG)
    event = an_event(kind)
    assert await EventLog(publisher).publish_each([event]) == [None]
    ((told, line),) = SAID

    assert told == level
    assert (line["event"], line["number"], line["kind"]) == ("event.published", 7, kind.value)
    assert (line["trace_id"], line["status"]) == ("trace-1", "WORKING")
    assert list(publisher.published) == [event]


async def test_what_is_too_light_for_the_log_is_published_all_the_same(
    publisher: MemoryPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(monkeypatch, logging.INFO)
    await EventLog(publisher).publish_each([an_event(EventKind.ORDER_WORKING)])

    assert SAID == []
    assert len(publisher.published) == 1


async def test_nothing_is_said_of_an_event_that_is_not_safe(
    publisher: MemoryPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(monkeypatch, logging.DEBUG)
    publisher.away = True
    (fate,) = await EventLog(publisher).publish_each([an_event(EventKind.ORDER_FILLED)])

    assert isinstance(fate, PublisherDown)
    assert SAID == []
