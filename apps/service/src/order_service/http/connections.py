"""Connections: whoever connects must ask soon and take all of his time together; only so many may.

Limits of one request stand elsewhere; these hold before there is one.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

ASK_SECONDS: Final = 10.0
"""How long a connection may bring bytes, or none, without bringing a request to its end."""
MOST: Final = 500
"""Connections at once; a further one is closed before it has asked."""
MOST_IN_A_MESSAGE: Final = 4096
"""Bytes of one message that a follower of events may send; nothing of it is read."""


class Impatient(H11Protocol):
    """HTTP/1.1 as the server library has it, with these two limits."""

    ask_seconds = ASK_SECONDS
    most = MOST
    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, if there is room."""
        super().connection_made(transport)
        self._set_alarm()
        if len(self.connections) > self.most:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes; while no request is being answered, the time runs on."""
        super().data_received(data)
        if self._is_answering:
            self._unset_alarm()
        elif self._alarm is None:
            self._set_alarm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._unset_alarm()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        """From here on it is another protocol's, which pings."""
        self._unset_alarm()
        super().handle_websocket_upgrade(event)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _set_alarm(self) -> None:
        self._alarm = self.loop.call_later(self.ask_seconds, self._ring)

    def _unset_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        if not self._is_answering:
            self.transport.abort()
