"""Reads: inputs that wait for rows the book no longer holds, and the query that fetches them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain

import attrs

from order_domain.errors import BrokenInvariant
from order_domain.model.inputs import DeliveryInvalid, Input, SignalDelivered
from order_domain.model.rows import Change
from order_domain.model.steps import Need
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Journal, StoreUnavailable
from order_service.runtime.backoff import Backoff
from order_service.runtime.metrics import Metrics


@attrs.define(slots=True)
class Waiting:
    """An input that waits.

    `need` grows with every question; `rows` are those of the read that covered it.
    """

    message: Input
    need: Need
    rows: Sequence[Change] | None = None
    is_covered: bool = False

    @property
    def is_delivery(self) -> bool:
        """Whether later deliveries must not overtake it."""
        return isinstance(self.message, (SignalDelivered, DeliveryInvalid))


class Reads:
    """One read on its way at most.

    Rows fit the book only while nothing they show is evicted from it between the query and the
    step, so the loop reports nothing durable to the engine while `holds_rows` is true, and steps
    all inputs of a read without a pause.
    """

    def __init__(
        self, journal: Journal, clock: Clock, metrics: Metrics, wake: Callable[[], None]
    ) -> None:
        self._journal = journal
        self._wake = wake
        self._metrics = metrics
        self._waiting: list[Waiting] = []
        self._work = asyncio.Event()
        self._backoff = Backoff(clock)
        self._reading = False
        self.is_ready = False

    def add(self, message: Input, need: Need) -> None:
        """Let an input wait, behind all that wait already."""
        self._waiting.append(Waiting(message, need))
        self._work.set()

    @property
    def holds_rows(self) -> bool:
        """Whether a query is on its way or its rows are not yet used."""
        return self._reading or self.is_ready

    @property
    def has_delivery(self) -> bool:
        """Whether a delivery waits, which those after it must not overtake."""
        return any(waiting.is_delivery for waiting in self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, or nothing can be done before a retry is due."""
        return self._backoff.is_waiting or not self._waiting

    @property
    def is_waiting(self) -> bool:
        """Whether the store did not answer and a retry is not yet due."""
        return self._backoff.is_waiting

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    @property
    def retry_at(self) -> datetime | None:
        """When the store is asked again after it did not answer."""
        return self._backoff.until

    def take(self) -> list[Waiting]:
        """Give all that wait, in order, those of the finished read with their rows."""
        taken, self._waiting, self.is_ready = self._waiting, [], False
        return taken

    def put_back(self, waiting: Waiting, need: Need | None) -> None:
        """Let an input wait again: for more rows, or (no need) behind a delivery that does."""
        if need is not None:
            merged = merge((waiting.need, need))
            if waiting.is_covered and merged == waiting.need:
                raise BrokenInvariant(
                    input=type(waiting.message).__name__, asks_again_for=str(need)
                )
            waiting.need = merged
        waiting.rows, waiting.is_covered = None, False
        self._waiting.append(waiting)
        self._work.set()

    def drop(self) -> list[Input]:
        """Forget everything for a rebuild; give back the inputs, which have not been stepped."""
        return [waiting.message for waiting in self.take()]

    async def run(self) -> None:
        """Read whenever something waits and the rows of the last read have been used."""
        while True:
            await self._work.wait()
            self._work.clear()
            if not self._waiting or self.is_ready:
                continue
            covered = list(self._waiting)
            self._reading = True
            rows = await self.fetch(merge(waiting.need for waiting in covered))
            self._reading = False
            for waiting in covered:
                waiting.rows, waiting.is_covered = rows, True
            self.is_ready = bool(self._waiting)
            self._wake()

    async def fetch(self, need: Need) -> Sequence[Change]:
        """Read rows, however long the store stays away."""
        while True:
            try:
                rows = await self._journal.read(need)
            except StoreUnavailable:
                await self._backoff.wait()
                continue
            self._backoff.reset()
            self._metrics.reads += 1
            return rows


def merge(needs: Iterable[Need]) -> Need:
    """Ask for all keys at once, each of them once, in the order in which they were asked for."""
    asked = list(needs)
    return Need(
        signals=_once(need.signals for need in asked),
        orders=_once(need.orders for need in asked),
        venue_orders=_once(need.venue_orders for need in asked),
        executions=tuple(dict.fromkeys(chain.from_iterable(need.executions for need in asked))),
        requests=_once(need.requests for need in asked),
    )


def _once(keys: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(keys)))
