"""Frames: what a socket says, read without trusting it, and questions asked one at a time."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from order_adapters.venues.bybit.quarantine import Raw
from order_adapters.venues.bybit.replies import parse_json

_NOTHING: Final[Raw] = {}


def read_object(frame: bytes) -> Raw:
    """Read a JSON object, its numbers exactly; an empty one for anything else. Raises nothing."""
    try:
        message = parse_json(frame)
    except ValueError:
        return _NOTHING
    return message if isinstance(message, dict) else _NOTHING


class Dialogue:
    """Authentication and subscriptions: the exchange's answers carry no id that can be relied on.

    So the next question waits for the answer to the one before.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._op = ""
        self._answer: asyncio.Future[Raw] | None = None

    async def ask(self, op: str, args: list[str] | list[str | int]) -> Raw:
        """Ask and wait. Raises what sending raises."""
        self._op = op
        answer: asyncio.Future[Raw] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._send(msgspec.json.encode({"req_id": op, "op": op, "args": args}))
        return await answer

    def hear(self, message: Raw) -> bool:
        """Take a message if it is the answer to what was asked."""
        answer = self._answer
        if answer is None or answer.done() or message.get("op") != self._op:
            return False
        answer.set_result(message)
        return True
