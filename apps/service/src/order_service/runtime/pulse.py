"""Pulse: tells whoever waits for the runtime to become idle that something has moved."""

import asyncio
from collections.abc import Callable


class Pulse:
    """Every part beats when it has finished something."""

    __slots__ = ("_moved",)

    def __init__(self) -> None:
        self._moved = asyncio.Event()

    def beat(self) -> None:
        """Something has moved."""
        self._moved.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return when the condition holds; it is looked at after every beat."""
        while not holds():
            self._moved.clear()
            await self._moved.wait()
