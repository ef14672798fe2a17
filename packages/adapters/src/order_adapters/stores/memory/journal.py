"""Journal of the store in memory: one owner's connection to the database, with its epoch."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.selection import rows_needed, rows_of_a_book
from order_domain.model.rows import Change, TradingStateRow
from order_domain.model.steps import Need
from order_domain.ports.clock import Clock
from order_domain.ports.journal import (
    Flushed,
    FlushOutcome,
    Head,
    LeaseHeld,
    StateChanged,
    StoreUnavailable,
    WrongMode,
)


class MemoryJournal:
    """Writes the database under a lease. Every call is one transaction, for nothing in it waits."""

    def __init__(self, database: MemoryDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._epoch = 0
        self._ttl = timedelta(0)

    async def acquire(self, *, account: str, owner: str, url: str, ttl: timedelta) -> Head:
        """Take the lease with a new epoch; an owner may take over from itself at any time."""
        self._database.check()
        head, now = self._database.head, self._clock.now()
        if head.account not in ("", account):
            raise WrongMode(account=account, found=head.account)
        if head.expires_at > now and head.owner != owner:
            raise LeaseHeld(
                account=account, owner=head.owner, url=head.url, expires_at=head.expires_at
            )
        self._epoch, self._ttl = head.epoch + 1, ttl
        self._database.head = attrs.evolve(
            head, account=account, owner=owner, url=url, epoch=self._epoch, expires_at=now + ttl
        )
        return attrs.evolve(self._database.head)

    async def load(self, since: datetime) -> Sequence[Change]:
        """Read what a book needs."""
        self._database.check()
        return rows_of_a_book(self._database, since)

    async def flush(self, flush_no: int, changes: Sequence[Change]) -> Flushed:
        """Write the changes as one flush."""
        faults = self._database.faults
        if faults.delay:
            await self._clock.sleep_until(self._clock.now() + faults.delay)
        self._database.check()
        if faults.fail_flushes:
            faults.fail_flushes -= 1
            raise StoreUnavailable(reason="made to fail before its commit")
        outcome = self._flush(flush_no, changes)
        if faults.lose_answers:
            faults.lose_answers -= 1
            raise StoreUnavailable(reason="the answer was made to get lost")
        return Flushed(outcome, attrs.evolve(self._database.head))

    def _flush(self, flush_no: int, changes: Sequence[Change]) -> FlushOutcome:
        head = self._database.head
        if not self._epoch or head.epoch != self._epoch:
            return FlushOutcome.LEASE_LOST
        if head.flush_no >= flush_no:
            return FlushOutcome.ALREADY
        if head.flush_no < flush_no - 1:
            return FlushOutcome.COMMITS_LOST
        expires_at = self._clock.now() + self._ttl
        self._database.write(changes, attrs.evolve(head, flush_no=flush_no, expires_at=expires_at))
        return FlushOutcome.COMMITTED

    async def read(self, need: Need) -> Sequence[Change]:
        """Read the rows a step asked for."""
        self._database.check()
        return rows_needed(self._database, need)

    async def set_trading_state(self, row: TradingStateRow, *, replaces: int | None = None) -> Head:
        """Write a trading state without the lease, as the newest version."""
        self._database.check()
        if replaces is not None:
            known = self._database.rows[TradingStateRow].get((row.scope, row.cause))
            found = known.version if isinstance(known, TradingStateRow) else 0
            if found != replaces:
                raise StateChanged(expected=replaces, found=found)
        version = self._database.head.states_version + 1
        self._database.put_state(attrs.evolve(row, version=version))
        return attrs.evolve(self._database.head)

    async def trading_states(self) -> tuple[int, Sequence[TradingStateRow]]:
        """Read the version and all trading states."""
        self._database.check()
        rows = self._database.rows[TradingStateRow]
        return self._database.head.states_version, list(rows.values())

    async def look(self) -> Head:
        """Read the head row."""
        self._database.check()
        return attrs.evolve(self._database.head)

    async def release(self) -> None:
        """Let the lease end now, if it is still ours."""
        self._database.check()
        head = self._database.head
        if self._epoch and head.epoch == self._epoch:
            now = self._clock.now()
            self._database.head = attrs.evolve(head, owner="", url="", expires_at=now)
        self._epoch = 0
