"""Exports: every committed row of a kind as JSON lines, beside the trading that goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from litestar import Controller, Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath
from litestar.response import Stream

from order_service.exporting import Kind, exported
from order_service.http.auth import still_let_in
from order_service.http.problems import Refused
from order_service.http.routes import PROBLEMS, read
from order_service.plain import Row, line
from order_service.service import Service

MEDIA_TYPE: Final = "application/jsonl"
MOST_AT_ONCE: Final = 2
ROWS_AT_ONCE: Final = 50
"""Rows that are written before everybody else has a turn."""
_LINES: Final = ResponseSpec(
    str, description="One object a line.", media_type=MEDIA_TYPE, generate_examples=False
)


class ExportController(Controller):
    """All that is stored, in the bytes of `order-manager export`."""

    path = "/export"

    @read("/{kind:str}", responses={**PROBLEMS, 200: _LINES}, media_type=MEDIA_TYPE)
    async def export(
        self,
        request: Request[Any, Any, Any],
        kind: FromPath[Kind],
        service: NamedDependency[Service],
    ) -> Stream:
        """Every row of a kind, one JSON object a line. An answer that breaks off is not all."""
        let_in = still_let_in(request)
        chunks = _exports(request.app.state).chunks(
            exported(kind, service.views, service.outbox),
            lambda: not service.is_closing and let_in(),
        )
        # what cannot even begin is a problem like any other
        first = await anext(chunks, b"")
        return Stream(
            _after(first, chunks), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"}
        )


class BrokenOff(Exception):
    """The service ends, or the key does not hold any more: the answer must not look whole."""


class Exports:
    """How many run, and what they write."""

    def __init__(self) -> None:
        self.open = 0

    async def chunks(
        self, found: AsyncIterator[Row], may_go_on: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield some lines at a time. Raises BrokenOff.

        Args:
            may_go_on: Asked before every chunk.
        """
        if self.open >= MOST_AT_ONCE:
            raise Refused(429, "Too many exports run.")
        self.open += 1
        try:
            lines: list[str] = []
            async for row in found:
                lines.append(f"{line(row)}\n")
                if len(lines) == ROWS_AT_ONCE:
                    if not may_go_on():
                        raise BrokenOff
                    yield "".join(lines).encode()
                    lines = []
                    await asyncio.sleep(0)
            yield "".join(lines).encode()
        finally:
            self.open -= 1


def _exports(state: State) -> Exports:
    exports: Exports = state.setdefault("exports", Exports())
    return exports


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
