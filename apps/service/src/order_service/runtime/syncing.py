"""Syncing: what a reading of the account repaired, for whoever asked for one."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import attrs

from order_domain.errors import InvalidValue, OrderManagerError
from order_domain.model.enums import EventKind
from order_domain.model.events import Event
from order_domain.model.reports import SweepResult
from order_domain.model.rows import Change, Mark
from order_service.runtime.committer import Entry

ORDERS, POSITIONS, ALL = "orders", "positions", "all"
SCOPES: Final = (ORDERS, POSITIONS, ALL)
_BOOKING: Final = (EventKind.EXECUTION_BOOKED, EventKind.LATE_FILL)
_MISMATCH: Final = "mismatch:"


class SyncRunning(OrderManagerError):
    """Somebody else's reading of the account has not ended. Details: `scope`."""

    code = "SYNC_RUNNING"


@attrs.frozen(slots=True)
class Repair:
    """One thing that was not as the exchange has it, and now is.

    Attributes:
        subject: The order's client order id, or what else the event is about.
        code: Why, as in the event; may be empty.
    """

    kind: EventKind
    subject: str
    code: str


@attrs.frozen(slots=True, kw_only=True)
class SyncResult:
    """A committed reading of the account. It always reads everything; the scope cuts what is told.

    Attributes:
        began_at, ended_at: The exchange's times of its first request and last answer, UTC.
        is_complete: Every part answered; if not, the engine tries again by itself within 1 s.
        open_orders: How many the exchange showed.
        repairs: Each of them is an event too, under the same subject.
        mismatches: Positions whose ledger and exchange differ, as `instrument:position side`.
    """

    scope: str
    began_at: datetime
    ended_at: datetime
    is_complete: bool
    open_orders: int
    repairs: tuple[Repair, ...]
    mismatches: tuple[str, ...]


@attrs.define(slots=True)
class _Waiter:
    scope: str
    after: int
    future: asyncio.Future[SyncResult]


class Syncs:
    """Follows sweeps from their first request to their commit; one person waits at a time.

    Attributes:
        last: The newest committed reading; None before the first.
        repaired: Repairs of all readings.
    """

    def __init__(self) -> None:
        self._begun = 0
        self._answered: deque[tuple[int, SweepResult]] = deque()
        self._waiter: _Waiter | None = None
        self.last: SyncResult | None = None
        self.repaired = 0

    def began(self) -> int:
        """Note that a sweep leaves; return its number."""
        self._begun += 1
        return self._begun

    def answered(self, number: int, result: SweepResult) -> None:
        """Note what a sweep came back with, before the engine has seen it."""
        self._answered.append((number, result))

    def expect(self, scope: str) -> asyncio.Future[SyncResult]:
        """Return the future of a reading that begins after this call.

        Raises InvalidValue, SyncRunning.
        """
        if scope not in SCOPES:
            raise InvalidValue(field="scope", rule=f"one of {', '.join(SCOPES)}", value=scope)
        if self._waiter is not None and not self._waiter.future.done():
            raise SyncRunning(scope=self._waiter.scope)
        future: asyncio.Future[SyncResult] = asyncio.get_running_loop().create_future()
        self._waiter = _Waiter(scope, self._begun, future)
        return future

    def committed(self, entries: Iterable[Entry]) -> None:
        """Take the sweeps among committed steps."""
        if not self._answered:
            return
        for entry in entries:
            if isinstance(entry.message, SweepResult):
                self._take(entry.message, entry.step.changes)

    def fail(self, error: Exception) -> None:
        """No reading will be committed any more."""
        if self._waiter is not None and not self._waiter.future.done():
            self._waiter.future.set_exception(error)

    def _take(self, result: SweepResult, changes: Sequence[Change]) -> None:
        number = 0
        while self._answered and not number:
            at, answer = self._answered.popleft()
            number = at if answer is result else 0
        self.last = _told(result, changes, ALL)
        self.repaired += len(self.last.repairs)
        waiter = self._waiter
        if waiter is not None and number > waiter.after and not waiter.future.done():
            waiter.future.set_result(_told(result, changes, waiter.scope))


def _told(result: SweepResult, changes: Sequence[Change], scope: str) -> SyncResult:
    repairs = [
        Repair(change.kind, change.subject, change.code)
        for change in changes
        if isinstance(change, Event) and _is_repair(change, scope)
    ]
    differing = [
        change.name.removeprefix(_MISMATCH)
        for change in changes
        if isinstance(change, Mark) and change.name.startswith(_MISMATCH) and change.number
    ]
    return SyncResult(
        scope=scope,
        began_at=result.began_at,
        ended_at=result.ended_at,
        is_complete=result.complete,
        open_orders=len(result.orders),
        repairs=tuple(repairs),
        mismatches=() if scope == ORDERS else tuple(differing),
    )


def _is_repair(event: Event, scope: str) -> bool:
    of_an_order = event.order is not None
    books = event.kind in _BOOKING or event.ledger is not None
    if scope == ORDERS:
        return of_an_order
    return books if scope == POSITIONS else of_an_order or books
