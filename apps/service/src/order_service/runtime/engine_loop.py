"""Engine loop: takes the next input in the inbox's order, steps it, and lets nothing hold it up."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from order_domain.driving import Ticks
from order_domain.model.inputs import DeliveryInvalid, Input, SignalDelivered, Tick, TransportState
from order_domain.model.rows import Change
from order_domain.model.steps import Need
from order_service.runtime.committer import Committer
from order_service.runtime.inbox import Inbox
from order_service.runtime.metrics import Metrics
from order_service.runtime.reads import Reads
from order_service.runtime.rebuild import Rebuild
from order_service.runtime.stepper import Stepper
from order_service.runtime.ticker import Ticker

BURST: Final = 100
"""Steps before the other tasks get their turn."""
READ_AHEAD: Final = 256
"""Deliveries whose rows one query fetches."""


class EngineLoop:
    """Facts, then what time brings, then people, then deliveries; waiting ones once rows are here.

    In lockstep a driver owns time: the loop works only between `open` and `close`, finishes every
    read before it goes on, and takes no breath within a burst, so that a run depends on nothing but
    its inputs.
    """

    def __init__(  # noqa: PLR0913 -- the parts it holds together
        self,
        stepper: Stepper,
        inbox: Inbox,
        reads: Reads,
        committer: Committer,
        rebuild: Rebuild,
        ticker: Ticker,
        metrics: Metrics,
        *,
        slow_flush: timedelta,
        lockstep: bool,
    ) -> None:
        self._stepper = stepper
        self._inbox = inbox
        self._reads = reads
        self._committer = committer
        self._rebuild = rebuild
        self._ticker = ticker
        self._metrics = metrics
        self._slow_flush = slow_flush
        self._lockstep = lockstep
        self._woken = asyncio.Event()
        self._gate = asyncio.Event()
        self._ticks = Ticks()
        self._noted = 0
        self._is_slow = False
        self._is_up = False
        self._failed: Input | None = None
        self._rebuilding = False
        self.takes_deliveries = False
        if not lockstep:
            self._gate.set()

    def wake(self) -> None:
        """Look whether there is something to do."""
        self._woken.set()

    def open(self) -> None:
        """Let the loop work (lockstep)."""
        self._gate.set()
        self._woken.set()

    def close(self) -> None:
        """Let the loop rest, whatever comes in (lockstep)."""
        self._gate.clear()

    @property
    def next_tick(self) -> datetime | None:
        """When the engine wants the next Tick, with a pause if the last one moved nothing."""
        return self._ticks.due_at(self._stepper.engine.next_deadline)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to step before time moves."""
        if self._rebuilding:
            return self._rebuild.is_waiting
        if self._must_rebuild() or self._inbox.has_facts:
            return False
        if not self._reads.is_idle or self._is_tick_due() or self._stepper.quotes.is_due:
            return False
        return not self._inbox.deliveries or not self._may_take_delivery()

    async def run(self) -> None:
        """Step whatever comes, rebuild when it must be."""
        while True:
            await self._woken.wait()
            await self._gate.wait()
            self._woken.clear()
            taken = 0
            while self._advance():
                taken += 1
                if not self._lockstep and taken % BURST == 0:
                    await asyncio.sleep(0)
            if self._must_rebuild():
                await self._start_anew()
            self._ticker.arm(self.next_tick)

    def _advance(self) -> bool:
        """Do one thing; False when there is nothing to do."""
        if self._must_rebuild():
            return False
        if self._reads.is_ready:
            self._step_waiting()
            return True
        if self._lockstep and not self._reads.is_empty:
            return False
        self._note_durable()
        message = self._next()
        if message is not None:
            self._take(message)
            return True
        if self._stepper.quotes.is_due:
            self._stepper.feed_quotes()
            self._ticks.stepped()
            return True
        return False

    def _next(self) -> Input | None:
        message = self._inbox.take_fact()
        if message is not None:
            self._metrics.facts += 1
            return message
        if self._is_tick_due():
            return Tick()
        message = self._inbox.take_request()
        if message is None and self._may_take_delivery():
            message = self._inbox.take_delivery()
            self._metrics.signals += message is not None
        return message

    def _take(self, message: Input) -> None:
        need = self._step(message)
        if isinstance(message, Tick):
            self._ticks.ticked(self._stepper.now())
        else:
            self._ticks.stepped()
        if need is None:
            return
        self._reads.add(message, need)
        if isinstance(message, SignalDelivered):
            self._read_ahead()

    def _step(self, message: Input, rows: Sequence[Change] | None = None) -> Need | None:
        """Step, and remember an input that broke the engine: it costs a rebuild, never the loop."""
        try:
            return self._stepper.step(message, rows)
        except Exception as error:  # noqa: BLE001 -- whatever failed, the cure is the same (2.6)
            self._failed = message
            self._rebuild.note(error)
            return None

    def _read_ahead(self) -> None:
        """Let the deliveries behind a waiting one wait with it: one query answers for all."""
        for _ in range(min(self._inbox.deliveries, READ_AHEAD)):
            delivery = self._inbox.take_delivery()
            if delivery is not None:
                self._metrics.signals += 1
                self._reads.add(delivery, _likely_need(delivery))

    def _step_waiting(self) -> None:
        """Step all that waited, those of the read with their rows, at once and in order."""
        behind = False
        waiting = self._reads.take()
        for place, one in enumerate(waiting):
            if one.is_delivery and behind:
                self._reads.put_back(one, None)
                continue
            need = self._step(one.message, one.rows)
            if self._failed is not None:
                for rest in waiting[place + 1 :]:
                    self._reads.put_back(rest, None)
                return
            if need is not None:
                self._reads.put_back(one, need)
                behind = behind or one.is_delivery
        self._ticks.stepped()

    def _note_durable(self) -> None:
        """Let the engine forget what is durable, unless rows are out that may be older than it."""
        durable = self._committer.durable
        self._tell_flush()
        if durable != self._noted and not self._reads.holds_rows:
            self._noted = durable
            self._stepper.engine.committed(durable)

    def tell_transport(self, *, up: bool) -> None:
        """Tell the engine whether commands can reach the exchange, and how quick commits are."""
        self._is_up = up
        flush = self._metrics.last_flush if self._is_slow else timedelta(0)
        self._inbox.answer(TransportState(up=up, flush=flush))

    def _tell_flush(self) -> None:
        """Tell the engine when commits become slow or quick: claims need quick ones (5.4)."""
        last = self._metrics.last_flush
        if (last >= self._slow_flush) is not self._is_slow:
            self._is_slow = not self._is_slow
            self.tell_transport(up=self._is_up)

    def _is_tick_due(self) -> bool:
        moment = self.next_tick
        return moment is not None and moment <= self._stepper.now()

    def _may_take_delivery(self) -> bool:
        return (
            self.takes_deliveries and not self._committer.is_behind and not self._reads.has_delivery
        )

    def _must_rebuild(self) -> bool:
        return self._failed is not None or self._committer.refused is not None

    async def _start_anew(self) -> None:
        failed = [self._failed] if self._failed is not None else []
        self._rebuilding = True
        await self._rebuild.run([*failed, *self._reads.drop()])
        self._rebuilding, self._failed, self._noted = False, None, 0
        self._woken.set()


def _likely_need(delivery: SignalDelivered | DeliveryInvalid) -> Need:
    if isinstance(delivery, SignalDelivered):
        return Need(signals=(delivery.signal.signal_id,))
    return Need()
