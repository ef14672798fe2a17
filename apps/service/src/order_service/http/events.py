"""Events: committed ones, by page, and live by SSE or WebSocket, resumed after any number."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Request, WebSocket, websocket
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import send_websocket_stream
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from order_service import rows
from order_service.http.auth import still_let_in
from order_service.http.problems import Refused
from order_service.http.routes import read
from order_service.service import Service

PAGE: Final = 200
POLL_SECONDS: Final = 0.25
QUIET_SECONDS: Final = 15.0
"""After so long without an event a comment is sent, so that nobody takes the stream for dead."""
MOST_STREAMS: Final = 50
After = Annotated[
    int | None,
    QueryParameter(ge=0, le=2**62, description="Number of the last event that was seen."),
]
LastEventId = Annotated[int | None, HeaderParameter(name="Last-Event-ID", ge=0, le=2**62)]
_STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventController(Controller):
    """What was committed, in the fields of `export events`."""

    path = "/events"

    @read()
    async def page(
        self,
        service: NamedDependency[Service],
        after: After = None,
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """The events after a number, oldest first; without one the newest."""
        start = await service.last_event() - limit if after is None else after
        found = await service.outbox.events_after(max(0, start), limit)
        return {
            "events": [rows.event_row(each) for each in found],
            "last": found[-1].number if found else max(0, start),
        }

    @read("/stream")
    async def stream(
        self,
        request: Request[Any, Any, Any],
        service: NamedDependency[Service],
        after: After = None,
        last_event_id: LastEventId = None,
    ) -> ServerSentEvent:
        """Live events by SSE; the id of each is its number, so that a browser resumes by itself."""
        streams = _streams(request.app.state)
        start = last_event_id if last_event_id is not None else after
        if start is None:
            start = await service.last_event()
        return ServerSentEvent(
            messages(streams.following(service, start, still_let_in(request))),
            headers=dict(_STREAM_HEADERS),
        )

    @websocket("/socket")
    async def socket(
        self,
        socket: WebSocket[Any, Any, Any],
        service: NamedDependency[Service],
        after: After = None,
    ) -> None:
        """Live events by WebSocket, one JSON object a message; `{}` when nothing has come."""
        streams = _streams(socket.app.state)
        await socket.accept()
        start = await service.last_event() if after is None else after
        events = streams.following(service, start, still_let_in(socket))
        # what a follower says is thrown away: there is nothing to be told
        await send_websocket_stream(
            socket, _texts(events), listen_for_disconnect=True, warn_on_data_discard=False
        )


class Streams:
    """How many follow, and what they are told."""

    def __init__(self) -> None:
        self.open = 0

    async def following(
        self, service: Service, after: int, is_let_in: Callable[[], bool]
    ) -> AsyncIterator[dict[str, Any] | None]:
        """Yield events until the service or the key ends; None when nothing has come for a while.

        Args:
            is_let_in: Whether the key of the follower still holds; asked at every look.
        """
        self.open += 1
        quiet = 0.0
        try:
            while not service.is_closing and is_let_in():
                found = await service.outbox.events_after(after, PAGE)
                for each in found:
                    yield {**rows.event_row(each)}
                    after = each.number
                quiet = 0.0 if found else quiet + POLL_SECONDS
                if quiet >= QUIET_SECONDS:
                    yield None
                    quiet = 0.0
                if not found:
                    await asyncio.sleep(POLL_SECONDS)
        finally:
            self.open -= 1


def _streams(state: State) -> Streams:
    """The streams of the application, if there is room for one more."""
    streams: Streams = state.setdefault("streams", Streams())
    if streams.open >= MOST_STREAMS:
        raise Refused(429, "Too many streams are open.")
    return streams


async def _texts(events: AsyncIterator[dict[str, Any] | None]) -> AsyncGenerator[str, None]:
    async for event in events:
        yield "{}" if event is None else msgspec.json.encode(event).decode()


async def messages(
    events: AsyncIterator[dict[str, Any] | None],
) -> AsyncIterator[ServerSentEventMessage]:
    """Yield what is sent: events, and a comment where there was none for a while."""
    async for event in events:
        if event is None:
            yield ServerSentEventMessage(comment="still here", data=None)
            continue
        yield ServerSentEventMessage(
            data=msgspec.json.encode(event).decode(), event=str(event["kind"]), id=event["number"]
        )
