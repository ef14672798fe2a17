"""Frames made by hand say what the client's own would."""

from datetime import datetime

import pytest
from pamqp import commands, frame
from pamqp.header import ContentHeader

from order_adapters.messaging.rabbitmq.together import FRAME, Outgoing, _frames
from tests.builders import NOW

CHANNEL = 3


def frames_of(data: bytes) -> list[object]:
    found = []
    while data:
        used, channel, each = frame.unmarshal(data)
        assert channel == CHANNEL
        found.append(each)
        data = data[used:]
    return found


@pytest.mark.parametrize("headers", [{}, {"trace_id": "t-7", "x-reason-rule": "ä" * 300}])
@pytest.mark.parametrize("size", [0, 1, FRAME, 2 * FRAME + 1])
def test_a_message_is_read_back_as_it_was(headers: dict[str, str], size: int) -> None:
    body = b"x" * size
    message = Outgoing(body, "events", "live.filled", True, "id-1", "filled", NOW, "om", headers)
    publish, header, *bodies = frames_of(_frames(message, CHANNEL))

    assert isinstance(publish, commands.Basic.Publish)
    assert (publish.exchange, publish.routing_key) == ("events", "live.filled")
    assert publish.mandatory
    assert isinstance(header, ContentHeader)
    assert header.body_size == size
    assert b"".join(each.value for each in bodies) == body  # type: ignore[attr-defined]
    assert properties_of(header) == {
        "content_type": "application/json",
        "delivery_mode": 2,
        "headers": headers or None,
        "message_id": "id-1",
        "message_type": "filled",
        "timestamp": datetime.fromtimestamp(int(NOW.timestamp()), NOW.tzinfo),
        "app_id": "om",
    }


def properties_of(header: ContentHeader) -> dict[str, object]:
    wanted = ("content_type", "delivery_mode", "headers", "message_id", "message_type")
    return {name: getattr(header.properties, name) for name in (*wanted, "timestamp", "app_id")}
