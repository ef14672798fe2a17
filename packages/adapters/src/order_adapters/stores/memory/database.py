"""Database: the committed rows and the head row of one account, and how a flush is undone."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from order_adapters.codec.tables import TABLE_OF, TABLES, Table
from order_adapters.stores.memory.faults import StoreFaults
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.rows import Change, TradingStateRow
from order_domain.ports.journal import ChangeRefused, Head, StoreUnavailable

KEPT_FLUSHES: Final = 64
"""How many of the newest flushes a failover may lose."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_MISSING: Final = object()


@attrs.define(slots=True)
class _Undo:
    head: Head
    steps: list[Callable[[], object]]


class MemoryDatabase:
    """Shared by all who open the same store, as a database server is."""

    def __init__(self, faults: StoreFaults | None = None) -> None:
        self.faults = faults or StoreFaults()
        self.head = Head("", "", "", 0, _NEVER, 0, 0, 0)
        self.rows: dict[type, dict[Hashable, Any]] = {table.row_type: {} for table in TABLES}
        self.events: list[Event] = []
        self._unique: dict[tuple[str, Hashable], Change] = {}
        self._undo: deque[_Undo] = deque(maxlen=KEPT_FLUSHES)

    def check(self) -> None:
        """Raise StoreUnavailable while the store is made to stay away."""
        if self.faults.away:
            raise StoreUnavailable(reason="made to stay away")

    def write(self, changes: Iterable[Change], head: Head) -> None:
        """Write rows and head in one transaction.

        Raises ChangeRefused, and then nothing is changed.
        """
        undo = _Undo(self.head, [])
        self.head = attrs.evolve(head)
        try:
            for change in changes:
                self._write_row(change, undo.steps)
        except ChangeRefused:
            self._roll_back(undo)
            raise
        self._undo.append(undo)

    def fail_over(self, flushes: int) -> None:
        """Continue as a replica that lacks the last so many flushes. The lease stays as it is."""
        for _ in range(flushes):
            lost, now = self._undo.pop(), self.head
            self._roll_back(lost)
            self.head = attrs.evolve(now, flush_no=lost.head.flush_no, event_no=lost.head.event_no)

    def put_state(self, row: TradingStateRow) -> None:
        """Write a trading state of somebody who does not own the lease."""
        self._put(TABLE_OF[TradingStateRow], row, [])
        self.head = attrs.evolve(self.head, states_version=row.version)

    def booked(self, instrument_id: str, exec_id: str) -> LedgerEntry | None:
        """Find the ledger entry of an execution."""
        found = self._unique.get(("executions", (instrument_id, exec_id)))
        return found if isinstance(found, LedgerEntry) else None

    def _write_row(self, change: Change, undo: list[Callable[[], object]]) -> None:
        table = TABLE_OF[change.__class__]
        if self.faults.refuse is not None and (reason := self.faults.refuse(change)):
            raise ChangeRefused(table=table.name, reason=reason)
        if isinstance(change, Event):
            self._append_event(change, undo)
        elif isinstance(change, TradingStateRow):
            self._put_own_state(table, change, undo)
        elif table.is_append_only:
            self._append(table, change, undo)
        else:
            self._put(table, change, undo)

    def _append_event(self, event: Event, undo: list[Callable[[], object]]) -> None:
        if event.order is not None:
            self._claim("events", (event.subject, event.sequence), event, undo)
        self.events.append(event)
        undo.append(self._drop_event)
        self.head.event_no += 1

    def _drop_event(self) -> None:
        self.events.pop()

    def _put_own_state(
        self, table: Table, row: TradingStateRow, undo: list[Callable[[], object]]
    ) -> None:
        """Write the owner's state, but not over one that the owner has not seen."""
        self.head.states_version = max(self.head.states_version + 1, row.version)
        stored = self.rows[TradingStateRow].get(table.key_of(row))
        if stored is None or stored.version < row.version:
            self._put(table, row, undo)

    def _append(self, table: Table, row: Change, undo: list[Callable[[], object]]) -> None:
        for names in (table.key, *table.unique):
            self._claim(table.name, table.getter(names)(row), row, undo)
        self._put(table, row, undo)

    def _claim(
        self, table: str, key: Hashable, row: Change, undo: list[Callable[[], object]]
    ) -> None:
        claim = (table, key)
        if claim in self._unique:
            raise ChangeRefused(table=table, reason=f"there is one already: {key}")
        self._unique[claim] = row
        undo.append(lambda: self._unique.pop(claim))

    def _put(self, table: Table, row: Change, undo: list[Callable[[], object]]) -> None:
        rows, key = self.rows[table.row_type], table.key_of(row)
        before = rows.get(key, _MISSING)
        rows[key] = row
        undo.append(lambda: _restore(rows, key, before))

    def _roll_back(self, undo: _Undo) -> None:
        for step in reversed(undo.steps):
            step()
        self.head = undo.head


def _restore(rows: dict[Hashable, Any], key: Hashable, before: object) -> None:
    if before is _MISSING:
        del rows[key]
    else:
        rows[key] = before
