"""Tracing: one id per request, in every log line and answer.

It is taken from X-Trace-Id, or from a W3C traceparent, or made.
"""

import logging
import time
from typing import Final
from uuid import uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from order_domain.model.trace import Trace

HEADER: Final = "X-Trace-Id"
TRACE: Final = "trace"
"""Name in a connection's state of what came along with it."""
_NAME: Final = HEADER.lower().encode()
_PARENT: Final = b"traceparent"
log = structlog.get_logger(__name__)
_is_told: Final = logging.getLogger(__name__).isEnabledFor
"""Asked first: every line of a log goes through its whole chain before its level counts."""


def trace(app: ASGIApp) -> ASGIApp:
    """Wrap an application."""

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        given = Trace.of(_header(scope, _NAME), _header(scope, _PARENT))
        trace_id = given.id or uuid4().hex
        scope.setdefault("state", {}).update({"trace_id": trace_id, TRACE: given})
        began, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_NAME, trace_id.encode())]
            await send(message)

        bound = structlog.contextvars.bind_contextvars(trace_id=trace_id)
        try:
            await app(scope, receive, answer)
            if _is_told(logging.DEBUG):
                log.debug(
                    "http.request",
                    method=scope.get("method"),
                    path=scope["path"],
                    status=status,
                    milliseconds=round((time.perf_counter() - began) * 1000, 1),
                )
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    return traced


def _header(scope: Scope, wanted: bytes) -> str:
    value = next((value for name, value in scope["headers"] if name == wanted), b"")
    return value.decode("latin-1")
