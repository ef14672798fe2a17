"""Inbox: the one order in which inputs reach the engine.

Facts before people, people before new signals.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from order_domain.model.inputs import DeliveryInvalid, Input, SignalDelivered

T = TypeVar("T")
Delivery = SignalDelivered | DeliveryInvalid


class Lane(Generic[T]):
    """First in, first out, and bounded: a producer waits for room."""

    __slots__ = ("_capacity", "_items", "_room")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: T) -> None:
        """Append, once there is room."""
        while len(self._items) >= self._capacity:
            self._room.clear()
            await self._room.wait()
        self._items.append(item)

    def push(self, item: T) -> None:
        """Append without waiting, whatever the bound says."""
        self._items.append(item)

    def take(self) -> T | None:
        """Remove and return the oldest, None when there is none."""
        if not self._items:
            return None
        self._room.set()
        return self._items.popleft()


class Inbox:
    """Four lanes, each in order of arrival; a later one is read when those before are empty.

    Answers come first: each ends the wait of a command, and there are never more of them than
    commands on their way, so their lane needs no bound. Then what the exchange pushes, then people,
    then deliveries.
    """

    def __init__(
        self,
        wake: Callable[[], None],
        *,
        facts: int = 10_000,
        requests: int = 1_000,
        deliveries: int = 1_000,
    ) -> None:
        self._wake = wake
        self._answers: deque[Input] = deque()
        self._facts: Lane[Input] = Lane(facts)
        self._requests: Lane[Input] = Lane(requests)
        self._deliveries: Lane[Delivery] = Lane(deliveries)

    def answer(self, message: Input) -> None:
        """Put what one of our own calls came back with."""
        self._answers.append(message)
        self._wake()

    async def fact(self, message: Input) -> None:
        """Put what the exchange pushed; waits while the engine is too far behind."""
        await self._facts.put(message)
        self._wake()

    async def request(self, message: Input) -> None:
        """Put what a person asks for."""
        await self._requests.put(message)
        self._wake()

    async def deliver(self, message: Delivery) -> None:
        """Put a signal, or what came in its place; waits while too many wait."""
        await self._deliveries.put(message)
        self._wake()

    def take_fact(self) -> Input | None:
        """Take the next answer or fact."""
        return self._answers.popleft() if self._answers else self._facts.take()

    def take_request(self) -> Input | None:
        """Take the next request of a person."""
        return self._requests.take()

    def take_delivery(self) -> Delivery | None:
        """Take the next delivery."""
        return self._deliveries.take()

    @property
    def has_facts(self) -> bool:
        """Whether anything but deliveries waits."""
        return bool(self._answers) or len(self._facts) > 0 or len(self._requests) > 0

    @property
    def deliveries(self) -> int:
        """How many deliveries wait."""
        return len(self._deliveries)
