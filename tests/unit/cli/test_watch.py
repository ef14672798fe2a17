"""Watching a service: what the stream sends is read as it was meant."""

from collections.abc import AsyncIterator
from typing import Any

from order_cli.watch import streamed
from order_service.http.events import messages


async def test_a_sign_of_life_between_two_events_is_a_comment_and_no_event() -> None:
    async def followed() -> AsyncIterator[dict[str, Any] | None]:
        for event in ({"number": 1, "kind": "order_created"}, None, {"number": 2, "kind": "é\n"}):
            yield event

    sent = [each.encode().decode() async for each in messages(followed())]

    assert sent[1] == ": still here\r\n\r\n"
    assert [each["number"] for each in streamed("".join(sent).splitlines())] == [1, 2]


def test_an_empty_message_of_another_server_is_no_event_either() -> None:
    assert list(streamed([": still here", "data: ", "", 'data:{"number":3}', ""])) == [
        {"number": 3}
    ]
