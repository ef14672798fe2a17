"""Tracing: one id per request, taken from X-Trace-Id or made, in every log line and answer."""

import re
import time
from typing import Final
from uuid import uuid4

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = "X-Trace-Id"
_SOUND: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
log = structlog.get_logger(__name__)


def trace(app: ASGIApp) -> ASGIApp:
    """Wrap an application."""

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        trace_id = _given(scope) or uuid4().hex
        scope.setdefault("state", {})["trace_id"] = trace_id
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


def _given(scope: Scope) -> str:
    """The id that came along, unless it holds what does not belong in a log."""
    wanted = HEADER.lower().encode()
    value = next((value for name, value in scope["headers"] if name == wanted), b"")
    text = value.decode("latin-1")
    return text if _SOUND.fullmatch(text) else ""
