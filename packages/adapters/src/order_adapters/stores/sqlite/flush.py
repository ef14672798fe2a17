"""Flush: the changes of some steps, written as one transaction that begins at the head row."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from order_adapters.codec.grouping import by_table
from order_adapters.stores.sqlite import head as heads
from order_adapters.stores.sqlite.statements import STATEMENTS, Statements
from order_adapters.stores.sqlite.transaction import transaction
from order_domain.model.events import Event
from order_domain.model.rows import Change, TradingStateRow
from order_domain.ports.journal import ChangeRefused, Flushed, FlushOutcome, Head
from order_domain.ports.outbox import NumberedEvent

_NOT_WRITABLE = (
    ArithmeticError,  # an integer beyond 64 bits
    AttributeError,  # a plain string where an enum belongs
    TypeError,  # a value of an unknown type in a detail
    ValueError,  # a time without a zone, text that is not Unicode
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,  # a value of a type that no column takes
)
"""What the content of a row may raise on its way into the file."""


@attrs.frozen(slots=True)
class Flush:
    """One flush of one owner."""

    epoch: int
    number: int
    expires_at: datetime
    changes: Sequence[Change]

    def run(self, connection: sqlite3.Connection) -> Flushed:
        """Write it, unless the head row says otherwise. Raises ChangeRefused."""
        events = [change for change in self.changes if change.__class__ is Event]
        with transaction(connection):
            head = heads.advance(connection, self.epoch, self.number, self.expires_at, len(events))
            if head is None:
                head = heads.read(connection)
                return Flushed(self._fate(head), head)
            groups = by_table(self.changes)
            if events:
                first = head.event_no - len(events) + 1
                groups[Event] = list(map(NumberedEvent, range(first, head.event_no + 1), events))
            for row_type, statements in STATEMENTS.items():
                if rows := groups.get(row_type):
                    _write(connection, statements, rows)
            head.states_version = self._states_version(head)
            heads.write(connection, head)
        return Flushed(FlushOutcome.COMMITTED, head)

    def _fate(self, head: Head) -> FlushOutcome:
        if head.epoch != self.epoch:
            return FlushOutcome.LEASE_LOST
        if head.flush_no >= self.number:
            return FlushOutcome.ALREADY
        return FlushOutcome.COMMITS_LOST

    def _states_version(self, head: Head) -> int:
        """Rise with every state; beyond the row's own version if somebody else took that one."""
        version = head.states_version
        for change in self.changes:
            if isinstance(change, TradingStateRow):
                version = max(version + 1, change.version)
        return version


def _write(connection: sqlite3.Connection, statements: Statements, rows: Sequence[Any]) -> None:
    try:
        connection.executemany(statements.write, statements.sealed(rows))
    except _NOT_WRITABLE as error:
        raise ChangeRefused(table=statements.table.name, reason=str(error)) from error
