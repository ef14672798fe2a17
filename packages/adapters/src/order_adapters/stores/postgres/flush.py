"""Flush: the changes of some steps, written as one transaction that begins at the head row."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

import attrs

from order_adapters.codec.grouping import by_table
from order_adapters.stores.postgres import head as heads
from order_adapters.stores.postgres.link import Connection
from order_adapters.stores.postgres.statements import REFUSED, STATEMENTS
from order_domain.model.events import Event
from order_domain.model.rows import Change, TradingStateRow
from order_domain.ports.journal import (
    ChangeRefused,
    Flushed,
    FlushOutcome,
    Head,
    StoreUnavailable,
)
from order_domain.ports.outbox import NumberedEvent

_HEAD_PARAMETERS: Final = 4
Groups = Mapping[type, Sequence[Any]]


@attrs.frozen(slots=True)
class Flush:
    """One flush of one owner."""

    epoch: int
    number: int
    ttl: timedelta
    changes: Sequence[Change]

    async def run(self, connection: Connection) -> Flushed:
        """Write it, unless the head row says otherwise. Raises ChangeRefused.

        Under READ COMMITTED the head row's UPDATE waits for the fate of an earlier run of the same
        flush, and then sees it. Any other error leaves the transaction open: the link cuts it.
        """
        groups = by_table(self.changes)
        if TradingStateRow not in groups:  # they take a lock of their own
            try:
                return await self._run_at_once(connection, groups)
            except REFUSED:
                pass  # nothing was written; the other way tells which table refused
        return await self._run_by_table(connection, groups)

    async def _run_at_once(self, connection: Connection, groups: Groups) -> Flushed:
        """Write it as one statement: one round trip, and the server's transaction is the flush."""
        events = groups.get(Event, ())
        rows = dict(groups)
        if events:  # their numbers go on from the head row's
            rows[Event] = list(map(NumberedEvent, range(1, len(events) + 1), events))
        written = [row_type for row_type in STATEMENTS if rows.get(row_type)]
        record = await connection.fetchrow(
            _statement(tuple(written)),
            *(self.epoch, self.number, self.ttl, len(events)),
            *[STATEMENTS[row_type].text(rows[row_type]) for row_type in written],
        )
        if record is not None:
            return Flushed(FlushOutcome.COMMITTED, heads.head_of(record))
        head = await heads.read(connection)
        return Flushed(self._fate(head), head)

    async def _run_by_table(self, connection: Connection, groups: Groups) -> Flushed:
        await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        events = groups.get(Event, ())
        head = await heads.advance(connection, self.epoch, self.number, self.ttl, len(events))
        if head is None:
            head = await heads.read(connection)
            await connection.execute("ROLLBACK")
            return Flushed(self._fate(head), head)
        try:
            await self._write(connection, head, groups)
        except ChangeRefused:
            await connection.execute("ROLLBACK")
            raise
        await commit(connection)
        return Flushed(FlushOutcome.COMMITTED, head)

    async def _write(self, connection: Connection, head: Head, groups: Groups) -> None:
        rows = dict(groups)
        if events := groups.get(Event):
            first = head.event_no - len(events) + 1
            rows[Event] = list(map(NumberedEvent, range(first, head.event_no + 1), events))
        if TradingStateRow in groups:
            head.states_version = await self._raise_states_version(connection)
        for row_type, statements in STATEMENTS.items():
            if of_table := rows.get(row_type):
                await statements.write(connection, of_table)

    def _fate(self, head: Head) -> FlushOutcome:
        if head.epoch != self.epoch:
            return FlushOutcome.LEASE_LOST
        if head.flush_no >= self.number:
            return FlushOutcome.ALREADY
        return FlushOutcome.COMMITS_LOST

    async def _raise_states_version(self, connection: Connection) -> int:
        """Rise with every state; beyond the row's own version if somebody else took that one."""
        version = int(await connection.fetchval("SELECT version FROM states_version FOR UPDATE"))
        for change in self.changes:
            if isinstance(change, TradingStateRow):
                version = max(version + 1, change.version)
        await connection.execute("UPDATE states_version SET version = $1", version)
        return version


async def commit(connection: Connection) -> None:
    """Commit. Raises StoreUnavailable when the server rolled back instead."""
    tag = await connection.execute("COMMIT")
    if tag != "COMMIT":
        raise StoreUnavailable(reason=f"the server answered {tag} to COMMIT")


@cache
def _statement(row_types: tuple[type, ...]) -> str:
    """Write the statement that moves the head row on, and rows of these classes only with it.

    Parts of one statement see each other by what they return alone, so every INSERT asks for the
    head row's; the order in which the server then runs them matters to none of these tables.
    """
    parts = [f"advanced AS ({heads.ADVANCE})"]
    moved = " WHERE EXISTS (SELECT FROM advanced)"
    number = f"(SELECT event_no FROM advanced) - ${_HEAD_PARAMETERS} + {{}}"
    for parameter, row_type in enumerate(row_types, _HEAD_PARAMETERS + 1):
        statements = STATEMENTS[row_type]
        other = {"number": number} if row_type is Event else {}
        part = statements.part(parameter, moved, **other)
        parts.append(f"{statements.table.name}_written AS ({part})")
    return f"WITH {', '.join(parts)} SELECT * FROM advanced"
