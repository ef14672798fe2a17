"""Mailbox: what is on its way, either way. Owns every delay and the order of messages."""

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush

import attrs

from order_adapters.simulator.config import SimulatorConfig
from order_adapters.simulator.fault_state import Faults, Plan
from order_adapters.simulator.faults import Fault
from order_adapters.simulator.randomness import Randomness
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import StreamState
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult, WalletReport
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep

Command = SendCreate | SendAmend | SendCancel
Request = Command | LookUp | Sweep
Report = OrderReport | Execution | WalletReport
Message = Answer | Report | LookupResult | SweepResult | StreamState

_LAST = 1 << 60
"""Added to the place of a wallet report: it closes its instant and shows all of it."""
_NOWHERE = InstrumentId("")


@attrs.define(slots=True)
class Sent:
    """A request on its way, or an action that is due by itself."""

    request: Request | Fault
    at: datetime
    plan: Plan


class Mailbox:
    """Two queues by time. With no latency, no jitter and no faults it is one list.

    Attributes:
        ahead: How far the exchange's clock is ahead now; reports are stamped by it.
    """

    def __init__(
        self,
        config: SimulatorConfig,
        faults: Faults | None,
        randomness: Randomness,
        wallet: Callable[[datetime], WalletReport],
    ) -> None:
        self.ahead = timedelta(0)
        self.instant = not config.latency and not config.jitter and faults is None
        self._half = config.latency / 2
        self._jitter = config.jitter
        self._faults = faults
        self._randomness = randomness
        self._wallet = wallet
        self._number = 0
        self._inbox: list[tuple[datetime, int, Sent]] = []
        self._outbox: list[tuple[datetime, int, Message]] = []
        self._stream_due: datetime | None = None
        self._wallet_due: datetime | None = None
        self._wallet_waiting: WalletReport | None = None
        self._ready: list[Message] = []
        self._ready_at: datetime | None = None
        self._wallet_at: datetime | None = None

    @property
    def next_due(self) -> datetime | None:
        """When something arrives next, at either end."""
        if self.instant:
            return self._ready_at
        if not self._inbox:
            return self._outbox[0][0] if self._outbox else None
        if not self._outbox or self._inbox[0][0] < self._outbox[0][0]:
            return self._inbox[0][0]
        return self._outbox[0][0]

    def arrival(self, sent: Sent) -> datetime:
        """Draw when a request sent now arrives."""
        return sent.at + self._delay() + sent.plan.request_delay

    def post(self, sent: Sent, due: datetime) -> None:
        """Put a request on its way."""
        self._number += 1
        heappush(self._inbox, (due, self._number, sent))

    def take(self, before: datetime, inclusive: bool) -> tuple[datetime, Sent] | None:
        """Return the next request that has arrived by then, with its time."""
        inbox = self._inbox
        if not inbox or inbox[0][0] > before or (inbox[0][0] == before and not inclusive):
            return None
        due, _, sent = heappop(inbox)
        return due, sent

    def answer(self, message: Message, at: datetime) -> None:
        """Send an answer that arrives at this time."""
        if self.instant:
            self._ready.append(message)
            self._ready_at = at
            return
        self._number += 1
        heappush(self._outbox, (at, self._number, message))

    def answer_due(self, sent: Sent, at: datetime) -> datetime:
        """Draw when the answer to a request served at this time arrives."""
        return at if self.instant else at + self._delay() + sent.plan.answer_delay

    def report(self, message: OrderReport | Execution, at: datetime) -> None:
        """Push a report of something that happened at this exchange time."""
        if self.instant:
            self._ready.append(message)
            self._ready_at = at
            return
        due = self._stream_arrival(at)
        kind = "order" if type(message) is OrderReport else "execution"
        for arrival in self._arrivals(kind, message.client_order_id, message.instrument_id, due):
            self._number += 1
            heappush(self._outbox, (arrival, self._number, message))

    def wallet_changed(self, at: datetime) -> None:
        """Push the wallet as it stands at this exchange time; one report an instant is enough."""
        if self.instant:
            self._wallet_at = self._ready_at = at
            return
        due = self._stream_arrival(at)
        waiting = self._wallet_waiting
        report = self._wallet(at)
        if waiting is not None and self._wallet_due == due:
            waiting.as_of, waiting.balances = report.as_of, report.balances
            return
        self._wallet_due, self._wallet_waiting = due, report
        for arrival in self._arrivals("wallet", "", _NOWHERE, due):
            self._number += 1
            heappush(self._outbox, (arrival, _LAST + self._number, report))

    def poll(self, now: datetime) -> list[Message]:
        """Return what has arrived by now, in order of arrival."""
        if self.instant:
            return self._drain()
        outbox = self._outbox
        arrived: list[Message] = []
        while outbox and outbox[0][0] <= now:
            message = heappop(outbox)[2]
            if message is self._wallet_waiting:
                self._wallet_waiting = None
            arrived.append(message)
        return arrived

    def _drain(self) -> list[Message]:
        arrived = self._ready
        if self._ready_at is None:
            return arrived
        self._ready = []
        self._ready_at = None
        if self._wallet_at is not None:
            arrived.append(self._wallet(self._wallet_at))
            self._wallet_at = None
        return arrived

    def _delay(self) -> timedelta:
        return self._half + self._randomness.up_to(self._jitter) if self._jitter else self._half

    def _stream_arrival(self, at: datetime) -> datetime:
        """One connection delivers in order: nothing arrives before what was pushed before it."""
        due = at - self.ahead + self._delay()
        if self._stream_due is not None and self._stream_due > due:
            return self._stream_due
        self._stream_due = due
        return due

    def _arrivals(
        self, kind: str, client_order_id: str, instrument: InstrumentId, due: datetime
    ) -> list[datetime]:
        if self._faults is None:
            return [due]
        return self._faults.deliveries(kind, client_order_id, instrument, due)
