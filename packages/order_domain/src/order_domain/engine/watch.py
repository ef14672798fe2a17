"""Watch.

The volatile part of the engine. What is asked and not answered, what the plumbing said, when to
look again.

Nothing here is stored: after a restart it is made anew from the rows (protocol 1.3).
"""

from collections import deque
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import attrs

from order_domain.book import ExecutionKey
from order_domain.config import EngineConfig
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.reports import SweepResult

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = timedelta(0)
_SECOND = timedelta(seconds=1)


class Why(StrEnum):
    """Why an order is looked up."""

    UNANSWERED = "unanswered"
    LEDGER = "ledger"
    MISSING = "missing"
    SILENT = "silent"


@attrs.define(slots=True)
class Inquiry:
    """Look-ups of one order that go on until a fact settles it.

    Attributes:
        due: When the next look-up may start; None while one is on its way.
        tries: Look-ups started so far.
        absent_at: When the first complete look-up after the quarantine that found nothing was sent.
    """

    why: Why
    attempt: int
    due: datetime | None
    tries: int = 0
    absent_at: datetime | None = None


class Bucket:
    """Token bucket without a clock: the theoretical arrival time of the next command (GCRA).

    `burst` is one second of the rate. After a load it is empty, since nobody knows what the owner
    before us sent.
    """

    __slots__ = ("_burst", "_held", "_interval", "_next", "_own")

    def __init__(self, interval: timedelta) -> None:
        self._own = self._interval = interval
        self._burst = max(_ZERO, _SECOND - interval)
        self._next = LONG_AGO
        self._held = (LONG_AGO, LONG_AGO)

    def take(self, now: datetime) -> bool:
        """Take a token if there is one."""
        next_at = self._next
        if next_at <= now:
            self._next = now + self._interval
            return True
        if next_at - now > self._burst:
            return False
        self._next = next_at + self._interval
        return True

    def free_at(self) -> datetime:
        """When the next token can be taken."""
        return self._next - self._burst

    def bound(self, limit: int) -> None:
        """Refill no quicker than the exchange allows, nor than the setting does."""
        interval = max(self._own, _SECOND / limit)
        if interval != self._interval:
            self._interval = interval
            self._burst = max(_ZERO, _SECOND - interval)

    def hold(self, until: datetime) -> None:
        """Let no token be taken before a moment, unless it is released."""
        self._held = (self._next, max(self._next, until + self._burst))
        self._next = self._held[1]

    def release(self) -> None:
        """End a hold; nothing if none is on, or tokens were taken since it ended by itself."""
        before, held = self._held
        if self._next == held:
            self._next = before
        self._held = (LONG_AGO, LONG_AGO)

    def drain(self, until: datetime) -> None:
        """Let no token be taken before a moment (a rate-limit answer, a load)."""
        self._next = max(self._next, until + self._burst)


class Watch:
    """Volatile state of one engine.

    Attributes:
        early: What was booked before the first start took the account over.
        reading: The reading whose positions it will take over, if they were at rest.
    """

    __slots__ = (
        "acked",
        "barrier",
        "cancels",
        "clock_at",
        "clock_failures",
        "clock_offset",
        "creates",
        "early",
        "evict_at",
        "healthy_at",
        "inquiries",
        "intents_due",
        "keeps_ids",
        "losses_at",
        "open_steps",
        "parked_due",
        "poll_at",
        "reading",
        "resting",
        "stream_healthy",
        "sweep_at",
        "sweep_open",
        "sweep_wanted",
        "transport_up",
    )

    def __init__(self, config: EngineConfig) -> None:
        interval = timedelta(microseconds=int(1_000_000 / config.max_orders_per_second))
        self.creates = Bucket(interval)
        self.cancels = Bucket(interval)
        self.clock_offset = _ZERO
        self.clock_failures = 0
        self.clock_at = LONG_AGO
        self.transport_up = False
        self.stream_healthy = False
        self.healthy_at = LONG_AGO
        self.barrier = True
        self.inquiries: dict[ClientOrderId, Inquiry] = {}
        self.acked: deque[tuple[datetime, ClientOrderId]] = deque()
        self.resting: deque[tuple[datetime, ClientOrderId]] = deque()
        self.intents_due = False
        self.parked_due = False
        self.poll_at: datetime | None = None
        self.early: dict[ExecutionKey, Execution] = {}
        self.reading: SweepResult | None = None
        self.sweep_at: datetime | None = None
        self.sweep_open = False
        self.sweep_wanted = ""
        self.losses_at: datetime | None = None
        self.evict_at: datetime | None = None
        self.open_steps: deque[tuple[int, datetime]] = deque()
        self.keeps_ids = False

    def inquire(self, order_id: ClientOrderId, why: Why, attempt: int, due: datetime) -> None:
        """Start looking an order up, unless that already goes on.

        An unanswered create overrules other reasons.
        """
        known = self.inquiries.get(order_id)
        if known is None or (
            why is Why.UNANSWERED and (known.why is not why or known.attempt != attempt)
        ):
            self.inquiries[order_id] = Inquiry(why, attempt, due)
        elif known.due is not None and due < known.due:
            known.due = due

    def settle(self, order_id: ClientOrderId) -> None:
        """A fact arrived: nothing more to ask."""
        self.inquiries.pop(order_id, None)
