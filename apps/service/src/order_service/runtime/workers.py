"""Workers: the coroutines of one runtime, from taking the account over to giving it back."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from order_domain.model.inputs import ClockOffset, TransportState
from order_domain.model.quote import Quote
from order_domain.model.rows import Change, Mark
from order_domain.ports.journal import StoreUnavailable
from order_domain.ports.venue import Fact
from order_service.runtime.backoff import Backoff
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.crash import crash_point
from order_service.runtime.housekeeping import keep_house
from order_service.runtime.lease import keep_alive
from order_service.runtime.outcome import End, EndReason
from order_service.runtime.parts import Parts, Ports
from order_service.runtime.relay import cursor_name
from order_service.runtime.supervisor import Worker


class Workers:
    """What runs, and how it begins (8.4): load, resume, instruments, states, sweep, intake."""

    passing = frozenset({"begin", "intake"})

    def __init__(self, config: RuntimeConfig, parts: Parts, ports: Ports) -> None:
        self._config = config
        self._parts = parts
        self._ports = ports
        self._loaded = asyncio.Event()
        self._backoff = Backoff(ports.clock)
        self._is_beginning = True
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether the beginning is over, or waits for the exchange."""
        return not self._is_beginning or self._backoff.is_waiting

    def all(self) -> dict[str, Worker]:
        """Make the coroutine of every worker."""
        parts, loaded = self._parts, self._loaded
        workers: dict[str, Worker] = {
            "committer": parts.committer.run(),
            "begin": self._begin(),
            "engine": _after(loaded, parts.loop.run),
            "reads": parts.reads.run(),
            "executors": parts.executors.run(),
            "queries": parts.queries.run(),
            "acknowledger": parts.acknowledger.run(),
            "states": parts.states.watch(),
            "facts": _after(loaded, self._take_facts),
            "intake": _after(self.ready, self._take_deliveries),
            "stop": _after(self.stopping, self._stop),
        }
        for relay in parts.relays:
            workers[cursor_name(relay.name)] = _after(loaded, relay.run)
        if not self._config.lockstep:
            clock = self._ports.clock
            workers["heartbeat"] = keep_alive(parts.lease, clock, parts.committer.request_flush)
            workers["ticker"] = parts.ticker.run()
            workers["poller"] = parts.states.poll()
            workers["watchdog"] = parts.watchdog.run()
            if parts.validator is not None:
                workers["validator"] = _after(self.ready, parts.validator.run)
            if parts.auditor is not None:
                workers["auditor"] = _after(self.ready, parts.auditor.run)
            if self._ports.prune is not None:
                workers["housekeeper"] = keep_house(clock, parts.metrics, self._ports.prune)
        return workers

    async def _begin(self) -> None:
        parts = self._parts
        rows = await self._load()
        parts.committer.add(parts.stepper.load(rows, parts.committer.head.states_version))
        cursors = {row.name: row.number for row in rows if isinstance(row, Mark)}
        for relay in parts.relays:
            relay.begin(cursors.get(cursor_name(relay.name), 0))
            relay.advance(parts.committer.head.event_no)
        await self._ports.venue.open()
        for instrument in await self._ports.venue.instruments():
            parts.inbox.answer(instrument)
        parts.loop.tell_transport(up=True)
        self._loaded.set()
        self._is_beginning = False
        parts.wake()
        await parts.queries.has_swept.wait()
        parts.loop.takes_deliveries = True
        self.ready.set()
        parts.wake()

    async def _load(self) -> Sequence[Change]:
        while True:
            try:
                return await self._parts.load()
            except StoreUnavailable:
                await self._backoff.wait()

    async def _take_facts(self) -> None:
        async for fact in self._ports.venue.facts():
            await self.take_fact(fact)

    async def take_fact(self, fact: Fact | ClockOffset) -> None:
        """Give the engine what the exchange said; quotes are conflated on the way."""
        if isinstance(fact, Quote):
            if self._parts.stepper.quotes.put(fact):
                self._parts.wake()
            return
        if isinstance(fact, TransportState):
            self._parts.loop.tell_transport(up=fact.up)
            return
        crash_point("report.received")
        if isinstance(fact, ClockOffset):
            self._parts.executors.offset = fact.offset
        await self._parts.inbox.fact(fact)

    async def _take_deliveries(self) -> None:
        async for delivery in self._ports.source.deliveries():
            crash_point("signal.received")
            await self._parts.inbox.deliver(delivery)

    async def _stop(self) -> None:
        """End in good order, or without it when that takes too long."""
        self._parts.loop.takes_deliveries = False
        crash_point("shutdown.draining")
        clock = self._ports.clock
        drain = asyncio.create_task(self._drain())
        limit = asyncio.create_task(clock.sleep_until(clock.now() + self._config.drain))
        try:
            await asyncio.wait({drain, limit}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            drain.cancel()
            limit.cancel()
            await asyncio.gather(drain, limit, return_exceptions=True)
        raise End(EndReason.STOPPED)

    async def _drain(self) -> None:
        parts = self._parts
        await parts.pulse.until(lambda: parts.is_drained)
        parts.committer.request_flush()
        await parts.pulse.until(lambda: parts.committer.is_empty)


async def _after(event: asyncio.Event, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await event.wait()
    await run()
