"""Acknowledger: tells the source what is durable, in order, without holding the commits up."""

import asyncio

from order_domain.model.enums import Verdict
from order_domain.model.steps import Acknowledge
from order_domain.ports.intake import SignalSource
from order_service.runtime.crash import crash_point
from order_service.runtime.metrics import Metrics
from order_service.runtime.pulse import Pulse


class Acknowledger:
    """A queue between commits and the source."""

    def __init__(self, source: SignalSource, metrics: Metrics, pulse: Pulse) -> None:
        self._source = source
        self._metrics = metrics
        self._pulse = pulse
        self._queue: asyncio.Queue[Acknowledge] = asyncio.Queue()
        self._open = 0

    def put(self, effect: Acknowledge) -> None:
        """Take a committed acknowledgement."""
        self._open += 1
        self._queue.put_nowait(effect)

    @property
    def is_idle(self) -> bool:
        """Whether the source knows of every verdict."""
        return not self._open

    async def run(self) -> None:
        """Acknowledge one after the other."""
        while True:
            effect = await self._queue.get()
            await self._source.acknowledge(effect)
            self._metrics.acknowledged += 1
            self._open -= 1
            self._pulse.beat()
            crash_point("signal.after_ack")
            if effect.verdict is Verdict.PARKED:
                crash_point("parked.after_ack")
