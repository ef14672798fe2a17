"""Flush: the changes of some steps, written as one transaction that begins at the head row."""

from collections.abc import Sequence
from datetime import timedelta

import attrs

from order_adapters.codec.grouping import by_table
from order_adapters.stores.postgres import head as heads
from order_adapters.stores.postgres.link import Connection
from order_adapters.stores.postgres.statements import STATEMENTS
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
        await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        events = [change for change in self.changes if isinstance(change, Event)]
        head = await heads.advance(connection, self.epoch, self.number, self.ttl, len(events))
        if head is None:
            head = await heads.read(connection)
            await connection.execute("ROLLBACK")
            return Flushed(self._fate(head), head)
        try:
            await self._write(connection, head, events)
        except ChangeRefused:
            await connection.execute("ROLLBACK")
            raise
        await commit(connection)
        return Flushed(FlushOutcome.COMMITTED, head)

    async def _write(self, connection: Connection, head: Head, events: Sequence[Event]) -> None:
        groups = by_table(self.changes)
        if events:
            first = head.event_no - len(events) + 1
            groups[Event] = list(map(NumberedEvent, range(first, head.event_no + 1), events))
        if TradingStateRow in groups:
            head.states_version = await self._raise_states_version(connection)
        for row_type, statements in STATEMENTS.items():
            if rows := groups.get(row_type):
                await statements.write(connection, rows)

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
