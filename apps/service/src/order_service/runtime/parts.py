"""Parts: every worker of one runtime, wired to each other."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from order_domain.config import EngineConfig
from order_domain.model.rows import Change
from order_domain.model.steps import Query
from order_domain.ports.clock import Clock
from order_domain.ports.intake import SignalSource
from order_domain.ports.journal import Head, Journal
from order_domain.ports.outbox import EventPublisher, Outbox
from order_domain.ports.venue import Venue
from order_service.runtime.acknowledger import Acknowledger
from order_service.runtime.committer import Committer
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.crash import crash_point
from order_service.runtime.engine_loop import EngineLoop
from order_service.runtime.executors import Executors
from order_service.runtime.inbox import Inbox
from order_service.runtime.lease import Lease
from order_service.runtime.metrics import Metrics
from order_service.runtime.pulse import Pulse
from order_service.runtime.queries import LOOK_UPS, UNLIMITED, Queries
from order_service.runtime.reads import Reads
from order_service.runtime.rebuild import Rebuild
from order_service.runtime.relay import Relay
from order_service.runtime.release import Release, Replies
from order_service.runtime.stepper import EngineFactory, Stepper
from order_service.runtime.ticker import Ticker
from order_service.runtime.trading_state import TradingStates


@attrs.frozen(slots=True, kw_only=True)
class Ports:
    """What a runtime stands on.

    Attributes:
        publishers: By name; each gets a relay of its own, whose cursor is stored under that name.
    """

    journal: Journal
    outbox: Outbox
    venue: Venue
    source: SignalSource
    publishers: Mapping[str, EventPublisher]
    clock: Clock


class Parts:
    """The workers of one runtime. Who calls whom is told here and nowhere else."""

    def __init__(
        self,
        config: RuntimeConfig,
        engine_config: EngineConfig,
        factory: EngineFactory,
        ports: Ports,
    ) -> None:
        clock, journal, metrics = ports.clock, ports.journal, Metrics()
        self._config, self._ports = config, ports
        self._account, self._retention = engine_config.account, engine_config.retention
        at_once = None if config.lockstep else self._ask
        with_effects = self._ask if config.lockstep else None
        self.metrics, self.pulse, self.replies = metrics, Pulse(), Replies()
        self.lease = Lease(config.ttl)
        self.inbox = Inbox(self.wake)
        answer = self.inbox.answer
        self.ticker = Ticker(clock, self.wake)
        self.states = TradingStates(journal, clock, metrics, answer)
        self.queries = Queries(
            ports.venue,
            clock,
            metrics,
            self.pulse,
            answer,
            look_ups=UNLIMITED if config.lockstep else LOOK_UPS,
        )
        self.executors = Executors(
            ports.venue,
            clock,
            self.lease,
            self.states,
            metrics,
            self.pulse,
            recv_window=engine_config.recv_window,
            answer=answer,
        )
        self.acknowledger = Acknowledger(ports.source, metrics, self.pulse)
        self.relays: list[Relay] = []
        release = Release(
            self.lease,
            self.states,
            self.executors,
            self.acknowledger,
            self.replies,
            self.relays,
            ask=with_effects,
        )
        self.committer = Committer(
            journal, clock, self.lease, metrics, committed=release, changed=self.wake
        )
        self.relays.extend(
            Relay(name, ports.outbox, publisher, clock, metrics, self.pulse, self.committer.carry)
            for name, publisher in ports.publishers.items()
        )
        self.stepper = Stepper(
            factory, clock, self.states, metrics, add=self.committer.add, ask=at_once
        )
        self.reads = Reads(journal, clock, metrics, self.wake)
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
            slow_flush=engine_config.recv_window / 4,
            lockstep=config.lockstep,
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

    def _ask(self, query: Query) -> None:
        self.queries.ask(query)
