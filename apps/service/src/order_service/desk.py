"""Desk: where signals are handed in over HTTP, and where their verdicts come back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from order_domain.errors import OrderManagerError
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.steps import Acknowledge

Delivery = SignalDelivered | DeliveryInvalid


class NotTaking(OrderManagerError):
    """Signals are not taken now; nothing was kept. Details: `reason`."""

    code = "NOT_TAKING"


class Undecided(OrderManagerError):
    """A signal was taken but its verdict did not come in time. Details: `number`.

    Sending it again is safe: a signal is decided once, whatever happens.
    """

    code = "UNDECIDED"


class Queue(Protocol):
    """A source of signals that one can also send to."""

    async def put(self, delivery: Delivery) -> None:
        """Send a delivery."""
        ...

    def deliveries(self) -> AsyncIterator[Delivery]:
        """Yield deliveries in order."""
        ...

    async def acknowledge(self, effect: Acknowledge) -> None:
        """Forget a delivery."""
        ...


class Desk:
    """A SignalSource over a queue that tells whoever handed a signal in what became of it.

    Args:
        read: Makes a delivery of a number and a raw body; never fails.
    """

    def __init__(self, queue: Queue, read: Callable[[int, bytes], Delivery]) -> None:
        self._queue = queue
        self._read = read
        self._last = 0
        self._is_open = False
        self._waiting: dict[int, asyncio.Future[Acknowledge]] = {}

    def open(self, last: int) -> None:
        """Take signals from now on, numbered on from the newest delivery in the store."""
        self._last, self._is_open = last, True

    def close(self) -> None:
        """Take nothing more, and tell whoever still waits."""
        self._is_open = False
        for number, future in self._waiting.items():
            if not future.done():
                future.set_exception(Undecided(number=number))

    async def hand_in(self, raw: bytes, seconds: float) -> tuple[Delivery, Acknowledge]:
        """Bring one body; return how it was read and its verdict, once that is committed.

        Raises:
            NotTaking: The desk is closed.
            Undecided: No verdict came in time.
        """
        if not self._is_open:
            raise NotTaking(reason="not ready")
        self._last += 1
        number, delivery = self._last, self._read(self._last, raw)
        future: asyncio.Future[Acknowledge] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._queue.put(delivery)
            async with asyncio.timeout(seconds):
                return delivery, await future
        except TimeoutError:
            raise Undecided(number=number) from None
        finally:
            del self._waiting[number]

    def deliveries(self) -> AsyncIterator[Delivery]:
        """Yield what was handed in, in order."""
        return self._queue.deliveries()

    async def acknowledge(self, effect: Acknowledge) -> None:
        """Tell the verdict to whoever waits for it."""
        await self._queue.acknowledge(effect)
        future = self._waiting.get(effect.number)
        if future is not None and not future.done():
            future.set_result(effect)
