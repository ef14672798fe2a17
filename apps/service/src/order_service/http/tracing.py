"""Tracing: one id per request, in every log line and answer.

It is taken from X-Trace-Id, or from a W3C traceparent, or made.
"""

import time
from typing import Final
from uuid import uuid4

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from order_domain.model.trace import Trace

HEADER: Final = "X-Trace-Id"
PARENT: Final = "traceparent"
TRACE: Final = "trace"
"""Name in a connection's state of what came along with it."""
log = structlog.get_logger(__name__)


def trace(app: ASGIApp) -> ASGIApp:
    """Wrap an application."""

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        given = Trace.of(_header(scope, HEADER), _header(scope, PARENT))
        trace_id = given.id or uuid4().hex
        scope.setdefault("state", {}).update({"trace_id": trace_id, TRACE: given})
        began, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableScopeHeaders.from_message(message)[HEADER] = trace_id
            await send(message)

        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            await app(scope, receive, answer)
            log.debug(
                "http.request",
                method=scope.get("method"),
                path=scope["path"],
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
            )

    return traced


def _header(scope: Scope, name: str) -> str:
    wanted = name.lower().encode()
    value = next((value for name, value in scope["headers"] if name == wanted), b"")
    return value.decode("latin-1")
