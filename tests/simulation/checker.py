"""Checker: what must hold at every moment of a run. What must hold at its end is in `verdict`."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.stores.memory import MemoryDatabase
from order_domain.engine.states import COMMITS_LOST
from order_domain.invariants import Findings, Pace
from order_domain.model.command import Command as CommandRow
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EventKind,
    OrderStatus,
    Side,
    Trading,
)
from order_domain.model.events import Event
from order_domain.model.identifiers import is_ours
from order_domain.model.order import Order
from order_domain.model.rows import Change, DeliveryRow, RequestRow, SignalRow, TradingStateRow
from order_domain.model.steps import Reply, SendAmend, SendCancel, SendCreate
from order_domain.ports.journal import ChangeRefused, Head
from order_domain.ports.outbox import NumberedEvent
from order_service.runtime.outcome import EndReason
from order_service.runtime.runtime import Runtime
from tests.simulation.broker import Letter
from tests.simulation.clocks import WorldClock
from tests.simulation.exchange import Command, Exchange
from tests.simulation.loop import Process
from tests.simulation.plan import Plan
from tests.simulation.store import MADE_TO
from tests.simulation.trace import Trace

FLOODED: Final = 10006
HALT_REACHES: Final = timedelta(seconds=1.7)
"""From the row of a halt to the last byte it cannot stop: unread for 1 s, and one flush."""


@attrs.frozen(slots=True)
class Violation:
    """Something that must never be."""

    code: str
    text: str


class Broken(AssertionError):
    """The run ends here."""


class Checker:
    """Told of everything by the world; raises nothing, remembers what was wrong."""

    def __init__(
        self, plan: Plan, clock: WorldClock, trace: Trace, database: MemoryDatabase
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._trace = trace
        self._database = database
        self._claims: dict[tuple[str, int], datetime] = {}
        self._commands: dict[tuple[str, CommandKind, int, int], datetime | None] = {}
        self._out: set[tuple[str, CommandKind]] = set()
        self._epoch = 0
        self._decided: set[int] = set()
        self._newest_delivery: dict[str, int] = {}
        self._requests: set[str] = set()
        self._ended: set[str] = set()
        self._attempts: set[tuple[object, ...]] = set()
        self._restricted: dict[tuple[str, str], tuple[Trading, datetime]] = {}
        self._paces: dict[str, Pace] = {}
        self._published: set[int] = set()
        self._of_subject: dict[str, list[int]] = {}
        self._read = 0
        self.commits = 0
        self.may_lose_commits = plan.loses_commits
        self.exchange: Exchange
        self.violations: list[Violation] = []
        self.told: Callable[[], None] = lambda: None

    def broken(self, code: str, text: str) -> None:
        """Remember a violation."""
        self._trace.note("checker", f"BROKEN {code}", text)
        self.violations.append(Violation(code, text))
        self.told()

    # -- the store

    def committed(self, process: Process, changes: Sequence[Change], head: Head) -> None:
        """A flush is durable."""
        self.commits += 1
        self._trace.note(process.name, "committed", f"{head.epoch}.{head.flush_no} {len(changes)}")
        # a flush that was late on its way may come when the account was given back; a new owner's
        # epoch refuses it
        if head.owner not in (process.name, ""):
            self.broken("V18", f"{process.name} commits while {head.owner} owns the account")
        self._taken_over(process, changes, head)
        for change in changes:
            if isinstance(change, Event):
                order = change.order
                if order is not None:
                    self._lives_on(order)
                if change.kind is EventKind.ORDER_SUBMITTED and order is not None:
                    assert order.request_ts is not None
                    self._claims[order.client_order_id, order.attempt] = order.request_ts
                    self._rate(process, order.request_ts)
                if change.kind is EventKind.ORDER_ADOPTED:
                    self._adopted(change.subject)
            elif isinstance(change, CommandRow):
                self._commanded(change)
            elif isinstance(change, SignalRow):
                self._in_turn(change)
                self._decided.add(change.delivery)
            elif isinstance(change, DeliveryRow):
                self._decided.add(change.number)
            elif isinstance(change, RequestRow):
                self._requests.add(change.request_id)
            elif isinstance(change, TradingStateRow):
                self.restricts(change)

    def _adopted(self, order_id: str) -> None:
        """V3: an order of ours that nobody claimed is no stranger's: the account is halted."""
        halts = self._database.rows[TradingStateRow]
        if is_ours(order_id) and ("account", COMMITS_LOST) not in halts:
            self.broken("V3", f"{order_id} was adopted, and the account goes on")

    def _commanded(self, row: CommandRow) -> None:
        key = (row.client_order_id, row.kind, row.number, row.attempt)
        self._commands[key] = row.request_ts
        if row.status is CommandStatus.SENT:
            self._out.add((row.client_order_id, row.kind))
        else:
            self._out.discard((row.client_order_id, row.kind))

    def _taken_over(self, process: Process, changes: Sequence[Change], head: Head) -> None:
        """8.4: the first rows of an epoch say that nothing counts as sent any more."""
        if not changes or head.epoch == self._epoch:
            return
        self._epoch = head.epoch
        told = {
            (each.client_order_id, each.kind) for each in changes if isinstance(each, CommandRow)
        }
        for order_id, kind in sorted(self._out - told):
            if not self.may_lose_commits:
                self.broken("RESUME", f"{process.name} leaves {kind.value} {order_id} as sent")

    def _in_turn(self, row: SignalRow) -> None:
        """Signals of one instrument get their first verdict in the order in which they came."""
        if row.delivery in self._decided or row.generation or self.may_lose_commits:
            return
        instrument, number = row.signal.instrument_id, row.delivery
        before = self._newest_delivery.get(instrument, 0)
        if number < before:
            self.broken("SEQUENCE", f"delivery {number} was decided after {before}")
        self._newest_delivery[instrument] = max(number, before)

    def _lives_on(self, order: Order) -> None:
        """V11: what was given up or taken for refused must not be found alive."""
        order_id = order.client_order_id
        if order.is_terminal:
            self._ended.add(order_id)
        elif order_id in self._ended and not self.may_lose_commits:
            self.broken("V11", f"{order_id} had ended and is {order.status}")

    def restricts(self, row: TradingStateRow) -> None:
        """A trading state is in the store from now on."""
        key, now = (row.scope, row.cause), self._clock.now()
        stored = self._database.rows[TradingStateRow].get(key, row)
        known = self._restricted.get(key)
        if known is None or known[0] is not stored.state:
            self._restricted[key] = (stored.state, now)

    # -- bytes leave

    def sent(self, process: Process, command: Command) -> None:
        """The runtime has handed a command to the transport: its bytes may leave now."""
        order, head = command.order, self._database.head
        order_id, now = order.client_order_id, self._clock.now()
        if isinstance(command, SendCreate):
            number, attempt, kind = 0, order.attempt, CommandKind.CREATE
            committed = self._claims.get((order_id, attempt))
            stamp = order.request_ts
            self._in_sequence(order)
        else:
            is_cancel = isinstance(command, SendCancel)
            kind = CommandKind.CANCEL if is_cancel else CommandKind.AMEND
            number, attempt, stamp = command.number, command.attempt, command.request_ts
            committed = self._commands.get((order_id, kind, number, attempt))
        self._trace.note(process.name, f"sends {kind.value}", f"{order_id} {number}.{attempt}")
        if committed is None:
            self.broken(
                "V3", f"{kind.value} {order_id} {attempt} left before its claim was committed"
            )
        elif committed != stamp:
            self.broken("V19", f"{order_id} {attempt}: stamped {stamp}, claimed {committed}")
        key = (order_id, kind, number, attempt, stamp)
        if key in self._attempts:
            self.broken("V19", f"{kind.value} {order_id} {attempt} was sent twice")
        self._attempts.add(key)
        if head.owner != process.name:
            self.broken("V18", f"{process.name} sends while {head.owner} owns the account")
        elif now >= head.expires_at:
            self.broken("V18", f"{process.name} sends after its lease ended at {head.expires_at}")

    def _in_sequence(self, order: Order) -> None:
        """A replacement waits for what it replaces, a child for the answer to the one before."""
        rows, terms = self._database.rows[Order], order.terms
        for replaced in terms.replaces:
            stored = rows.get(replaced)
            if stored is not None and not stored.is_terminal and not self.may_lose_commits:
                self.broken("SEQUENCE", f"{order.client_order_id} left before {replaced} ended")
        before = rows.get(terms.follows)
        waits = (OrderStatus.INTENT, OrderStatus.SUBMITTING, OrderStatus.UNKNOWN)
        if before is not None and before.status in waits:
            self.broken("SEQUENCE", f"{order.client_order_id} left before {terms.follows}")

    def _rate(self, process: Process, claimed_at: datetime) -> None:
        """Count by the time of the claim: on the wire a hiccup may press two seconds into one."""
        pace = self._paces.get(process.name)
        if pace is None:
            pace = self._paces[process.name] = Pace(self._plan.config.max_orders_per_second)
        findings = Findings()
        pace.take(findings, claimed_at, process.name)
        for each in findings.broken:
            self.broken(each.code, f"{each.subject}: {each.actual} creates within a second")

    def arrived(self, command: Command, *, is_known: bool, answer: object, size: Decimal) -> None:
        """The exchange has read a command; the position was of this size before."""
        outcome = getattr(answer, "outcome", None)
        self._trace.note("exchange", "answers", f"{command.order.client_order_id} {outcome}")
        if getattr(answer, "code", 0) == FLOODED:
            self._trace.fault("exchange", "exchange.flooded", command.order.client_order_id)
        if not isinstance(command, SendCreate):
            if isinstance(command, SendAmend) and outcome is AnswerOutcome.ACCEPTED:
                order, quantity = command.order, command.quantity
                wanted = order.quantity if quantity is None else quantity
                self._within_limit(order, wanted - order.cum_quantity, size)
            return
        if outcome is AnswerOutcome.EXISTS and not self.may_lose_commits:
            text = f"{command.order.client_order_id} {command.order.attempt} arrived again"
            self.broken("V2", f"{text}: without the exchange's memory it were doubled")
        if outcome is AnswerOutcome.ACCEPTED:
            self._born(command.order)
            self._within_limit(command.order, command.order.quantity, size)

    def _born(self, order: Order) -> None:
        terms, now, config = order.terms, self._clock.now(), self._plan.config
        slack = config.recv_window + config.clock_skew
        if now > terms.valid_until + slack:
            self.broken(
                "V5", f"{terms.client_order_id} is born at {now}, valid until {terms.valid_until}"
            )
        if terms.reduce_only or self.may_lose_commits:
            return
        scopes = ("account", f"strategy:{terms.strategy_id}", f"symbol:{terms.instrument_id}")
        for (scope, cause), (state, since) in self._restricted.items():
            late = now - since > HALT_REACHES + slack
            if scope in scopes and state is not Trading.ACTIVE and late:
                self.broken(
                    "V6", f"{terms.client_order_id} is born, {state} by {cause} since {since}"
                )

    def _within_limit(self, order: Order, quantity: Decimal, size: Decimal) -> None:
        """What the position may come to: as it was, all that is open on this side, and this."""
        terms = order.terms
        if self._plan.has_strangers or self.may_lose_commits or terms.reduce_only:
            return
        leaves = [
            each.quantity - each.cum
            for each in self.exchange.core.records.open.values()
            if each.market.id == terms.instrument_id
            and each.side is terms.side
            and not each.reduce_only
            and each.client_order_id != terms.client_order_id
        ]
        sign = 1 if terms.side is Side.BUY else -1
        reach = abs(size + sign * (sum(leaves) + quantity))
        limit = self._plan.config.position_limit(terms.instrument_id.partition(":")[2])
        if reach > max(limit, abs(size)):
            self.broken(
                "V21", f"{terms.client_order_id} lets the position reach {reach} of {limit}"
            )

    # -- the broker

    def acknowledged(self, process: Process, delivery: int, letter: Letter) -> None:
        """The broker has forgotten a message."""
        self._trace.note(process.name, "acknowledged", f"{letter.number} as {delivery}")
        if delivery not in self._decided:
            self.broken("V24", f"message {letter.number} was acknowledged before its commit")

    def published(self, process: Process, event: NumberedEvent) -> None:
        """The broker has taken an event."""
        number = event.number
        self._trace.note(process.name, "published", number)
        if self.may_lose_commits:
            return
        events = self._database.events
        if number > len(events) or events[number - 1] is not event.event:
            self.broken("V13", f"event {number} was published and is not committed")
            return
        for at in range(self._read, len(events)):
            self._of_subject.setdefault(events[at].subject, []).append(at + 1)
        self._read = len(events)
        line = self._of_subject[event.event.subject]
        place = bisect_left(line, number)
        if place and line[place - 1] not in self._published:
            self.broken("V14", f"event {number} was published before {line[place - 1]}")
        self._published.add(number)

    @property
    def unpublished(self) -> int:
        """How many committed events the broker never took."""
        return len(self._database.events) - len(self._published)

    # -- processes and people

    def replied(self, process: Process, reply: Reply) -> None:
        """A person was answered."""
        self._trace.note(process.name, "replied", f"{reply.request_id} {reply.code}")
        if reply.code == "OK" and reply.request_id not in self._requests:
            self.broken("V31", f"{reply.request_id} was answered before its commit")
        if reply.code == "STEP_FAILED":
            self.broken("ENGINE", f"{reply.request_id}: {dict(reply.result)}")

    def judge(self, process: Process, runtime: Runtime) -> None:
        """Look at a runtime that has ended: how it ended, and whether it ever broke."""
        ended = runtime.ended
        if runtime.metrics.rebuilds:
            cause = runtime._parts.rebuild.cause
            if not isinstance(cause, ChangeRefused) or cause.details["reason"] != MADE_TO:
                self.broken("ENGINE", f"{process.name} rebuilt: {cause!r}")
        if ended is None or ended.reason in (EndReason.STOPPED, EndReason.LEASE_LOST):
            return
        if ended.reason is EndReason.COMMITS_LOST and self.may_lose_commits:
            return
        self.broken("WORKER", f"{process.name} {ended.reason.value} {ended.worker} {ended.error!r}")

    def died(self, process: Process, why: str) -> None:
        """A process has left by itself."""
        self._trace.note(process.name, "died", why)
