"""Parts: every worker of one runtime, wired to each other."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from order_domain.config import EngineConfig
from order_domain.model.rows import Change
from order_domain.ports.clock import Clock
from order_domain.ports.intake import SignalSource
from order_domain.ports.journal import Head, Journal
from order_domain.ports.outbox import Outbox
from order_domain.ports.venue import Rates, Venue
from order_domain.ports.views import Views
from order_service.runtime.acknowledger import Acknowledger
from order_service.runtime.auditor import Auditor
from order_service.runtime.committer import Committer
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.crash import crash_point
from order_service.runtime.engine_loop import EngineLoop
from order_service.runtime.executors import Executors
from order_service.runtime.housekeeping import Prune
from order_service.runtime.inbox import Inbox
from order_service.runtime.lease import Lease
from order_service.runtime.metrics import Metrics
from order_service.runtime.publishers import Publisher
from order_service.runtime.pulse import Pulse
from order_service.runtime.queries import LOOK_UPS, UNLIMITED, Queries
from order_service.runtime.reads import Reads
from order_service.runtime.rebuild import Rebuild
from order_service.runtime.relay import Relay
from order_service.runtime.release import Release, Replies
from order_service.runtime.spans import Spans
from order_service.runtime.stepper import EngineFactory, Stepper
from order_service.runtime.syncing import Syncs
from order_service.runtime.ticker import Ticker
from order_service.runtime.trading_state import TradingStates
from order_service.runtime.validation import Validator
from order_service.runtime.watchdog import Watchdog

SLOW_FLUSH_PART: Final = 4
"""A flush that takes this part of recv_window is slow (protocol 5.4)."""


@attrs.frozen(slots=True, kw_only=True)
class Ports:
    """What a runtime stands on.

    Attributes:
        publishers: By name; each gets a relay of its own, whose cursor is stored under that name.
        views: For the auditor and for validating positions; without it neither is done.
        prune: Deletes rows whose retention is over; None where nothing is kept for a time.
        spans: Told of what is answered, committed and published; None where nobody traces.
        rates: What the limits of the exchange leave; None where it has none.
    """

    journal: Journal
    outbox: Outbox
    venue: Venue
    source: SignalSource
    publishers: Mapping[str, Publisher]
    clock: Clock
    views: Views | None = None
    prune: Prune | None = None
    spans: Spans | None = None
    rates: Callable[[], Rates] | None = None


class Parts:
    """The workers of one runtime. Who calls whom is told here and nowhere else."""

    def __init__(
        self,
        config: RuntimeConfig,
        engine_config: EngineConfig,
        factory: EngineFactory,
        ports: Ports,
    ) -> None:
        self._config, self._ports = config, ports
        self._account, self._retention = engine_config.account, engine_config.retention
        self.metrics, self.pulse, self.replies = Metrics(), Pulse(), Replies()
        self.syncs = Syncs()
        self.lease = Lease(config.ttl)
        self.inbox = Inbox(self.wake)
        self.ticker = Ticker(ports.clock, self.wake)
        self.states = TradingStates(ports.journal, ports.clock, self.metrics, self.inbox.answer)
        self._wire_outlets(engine_config.recv_window)
        self._wire_committer()
        self._wire_engine(factory, engine_config.recv_window)
        self.watchdog = Watchdog(ports.clock, self.metrics, self.committer, self.relays)
        self.validator = self._a_validator(engine_config.position_validation_interval)
        self.auditor = self._an_auditor(engine_config)

    def _wire_outlets(self, recv_window: timedelta) -> None:
        """Where commands, queries and acknowledgements go."""
        clock, metrics, answer = self._ports.clock, self.metrics, self.inbox.answer
        look_ups = UNLIMITED if self._config.lockstep else LOOK_UPS
        self.queries = Queries(
            self._ports.venue, clock, metrics, self.pulse, self.syncs, answer, look_ups=look_ups
        )
        self.executors = Executors(
            self._ports.venue,
            clock,
            self.lease,
            self.states,
            metrics,
            self.pulse,
            recv_window=recv_window,
            answer=answer,
            spans=self._ports.spans,
        )
        self.acknowledger = Acknowledger(self._ports.source, metrics, self.pulse)

    def _wire_committer(self) -> None:
        """What is committed, and what that lets go."""
        clock, metrics = self._ports.clock, self.metrics
        self.relays: list[Relay] = []
        release = Release(
            self.lease,
            self.states,
            self.executors,
            self.acknowledger,
            self.replies,
            self.syncs,
            self.relays,
            ask=self.queries.ask if self._config.lockstep else None,
            spans=self._ports.spans,
        )
        self.committer = Committer(
            self._ports.journal,
            clock,
            self.lease,
            metrics,
            committed=release,
            unheard=release.tell,
            changed=self.wake,
        )
        carry, outbox, spans = self.committer.carry, self._ports.outbox, self._ports.spans
        self.relays.extend(
            Relay(name, outbox, publisher, clock, metrics, self.pulse, carry, spans=spans)
            for name, publisher in self._ports.publishers.items()
        )

    def _wire_engine(self, factory: EngineFactory, recv_window: timedelta) -> None:
        """What steps the engine, and makes a new one."""
        clock, metrics, lockstep = self._ports.clock, self.metrics, self._config.lockstep
        self.stepper = Stepper(
            factory,
            clock,
            self.states,
            metrics,
            add=self.committer.add,
            ask=None if lockstep else self.queries.ask,
        )
        self.reads = Reads(self._ports.journal, clock, metrics, self.wake)
        self.rebuild = Rebuild(
            clock,
            self.committer,
            self.reads,
            self.stepper,
            metrics,
            acquire=self.acquire,
            load=self.load,
            reply=self.replies.settle,
        )
        self.loop = EngineLoop(
            self.stepper,
            self.inbox,
            self.reads,
            self.committer,
            self.rebuild,
            self.ticker,
            metrics,
            slow_flush=recv_window / SLOW_FLUSH_PART,
            lockstep=lockstep,
        )

    def _a_validator(self, interval: timedelta) -> Validator | None:
        ports = self._ports
        if ports.views is None:
            return None
        return Validator(ports.views, ports.clock, self.metrics, interval, self.inbox.request)

    def _an_auditor(self, engine_config: EngineConfig) -> Auditor | None:
        ports = self._ports
        if ports.views is None:
            return None
        return Auditor(
            engine_config,
            ports.journal,
            ports.views,
            ports.outbox,
            ports.clock,
            self.metrics,
            self._config.audit_interval,
            self.inbox.request,
        )

    def wake(self) -> None:
        """Something the loop may have to act on has happened."""
        self.loop.wake()
        self.pulse.beat()

    async def acquire(self) -> Head:
        """Take the lease. Raises LeaseHeld, WrongMode, StoreUnavailable."""
        head = await self._ports.journal.acquire(
            account=self._account,
            owner=self._config.owner,
            url=self._config.url,
            ttl=self._config.ttl,
        )
        crash_point("lease.after_acquire")
        return head

    async def load(self) -> Sequence[Change]:
        """Read the rows of a book. Raises StoreUnavailable."""
        return await self._ports.journal.load(self._ports.clock.now() - self._retention)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to do before time moves or somebody brings something."""
        busy = (
            self.loop,
            self.committer,
            self.executors,
            self.queries,
            self.acknowledger,
            self.states,
        )
        return all(part.is_idle for part in busy) and all(relay.is_idle for relay in self.relays)

    @property
    def is_drained(self) -> bool:
        """Whether nothing would be left behind: no input, step, command, acknowledgement or event.

        In lockstep an answer comes only when the driver moves time, so it is not waited for.
        """
        in_flight = 0 if self._config.lockstep else self.executors.in_flight
        if not self.is_idle or in_flight or self.committer.tail:
            return False
        return all(relay.is_done for relay in self.relays)

    @property
    def next_due(self) -> datetime | None:
        """When time must move next for us: a Tick, or a retry of something that failed."""
        moments = [
            self.loop.next_tick,
            self.committer.retry_at,
            self.reads.retry_at,
            self.states.retry_at,
            self.rebuild.retry_at,
            *(relay.retry_at for relay in self.relays),
        ]
        return min((moment for moment in moments if moment is not None), default=None)
