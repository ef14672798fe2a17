"""Journal of the SQLite store: the file lock is the lease, the head row its record and fence."""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import attrs

from order_adapters.stores.sqlite import head as heads
from order_adapters.stores.sqlite import selection
from order_adapters.stores.sqlite.flush import Flush
from order_adapters.stores.sqlite.lock import FileLock
from order_adapters.stores.sqlite.statements import STATEMENTS
from order_adapters.stores.sqlite.transaction import snapshot, transaction
from order_adapters.stores.sqlite.worker import Worker
from order_domain.model.rows import Change, TradingStateRow
from order_domain.model.steps import Need
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Flushed, Head, LeaseHeld, StateChanged, WrongMode

WAIT: Final = timedelta(seconds=5)
_ASK_AGAIN_S: Final = 0.05
_NO_EPOCH: Final = -1


class SqliteJournal:
    """Writes through one connection, reads through another."""

    def __init__(
        self, writer: Worker, reader: Worker, lock: FileLock, clock: Clock, wait: timedelta
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self._clock = clock
        self._wait = wait
        self._epoch = _NO_EPOCH
        self._ttl = timedelta(0)

    async def acquire(self, *, account: str, owner: str, url: str, ttl: timedelta) -> Head:
        """Take the file lock and a new epoch.

        Whoever gets the lock takes over at once, for its last holder has ended. A holder with a url
        is a service and is named in LeaseHeld; one without is a command that ends soon, so it is
        waited for, in real time.
        """
        await self._take_lock(account)
        expires_at = self._clock.now() + ttl
        owned = Head(account, owner, url, 0, expires_at, 0, 0, 0)
        try:
            head = await self._writer.run(partial(_take_over, owned))
        except WrongMode:
            self._lock.free()
            raise
        self._epoch, self._ttl = head.epoch, ttl
        return head

    async def load(self, since: datetime) -> Sequence[Change]:
        """Read what a book needs, as of one moment."""
        return await self._reader.run(partial(selection.rows_of_a_book, since=since))

    async def flush(self, flush_no: int, changes: Sequence[Change]) -> Flushed:
        """Write the changes as one flush. A cancelled caller does not stop it."""
        flush = Flush(self._epoch, flush_no, self._clock.now() + self._ttl, changes)
        return await self._writer.run(flush.run)

    async def read(self, need: Need) -> Sequence[Change]:
        """Read the rows a step asked for."""
        return await self._reader.run(partial(selection.rows_needed, need=need))

    async def set_trading_state(self, row: TradingStateRow, *, replaces: int | None = None) -> Head:
        """Write a trading state as the newest version; it waits for no lease."""
        return await self._writer.run(partial(_put_state, row=row, replaces=replaces))

    async def trading_states(self) -> tuple[int, Sequence[TradingStateRow]]:
        """Read the version and all trading states."""
        return await self._reader.run(_states)

    async def look(self) -> Head:
        """Read the head row."""
        return await self._reader.run(heads.read)

    async def release(self) -> None:
        """Record that the lease has ended, and give the lock back."""
        epoch, self._epoch = self._epoch, _NO_EPOCH
        if epoch != _NO_EPOCH:
            await self._writer.run(partial(_end, epoch=epoch, now=self._clock.now()))
        self._lock.free()

    async def _take_lock(self, account: str) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait / timedelta(seconds=1)
        while not self._lock.take():
            head = await self._reader.run(heads.read)
            is_service = bool(head.url) and head.expires_at > self._clock.now()
            if is_service or loop.time() >= until:
                raise LeaseHeld(
                    account=account, owner=head.owner, url=head.url, expires_at=head.expires_at
                )
            await asyncio.sleep(_ASK_AGAIN_S)


def _take_over(owned: Head, connection: sqlite3.Connection) -> Head:
    with transaction(connection):
        found = heads.read(connection)
        if found.account not in ("", owned.account):
            raise WrongMode(account=owned.account, found=found.account)
        head = attrs.evolve(
            owned,
            epoch=found.epoch + 1,
            flush_no=found.flush_no,
            event_no=found.event_no,
            states_version=found.states_version,
        )
        heads.write(connection, head)
    return head


def _put_state(connection: sqlite3.Connection, row: TradingStateRow, replaces: int | None) -> Head:
    statements = STATEMENTS[TradingStateRow]
    with transaction(connection):
        if replaces is not None:
            known = statements.rows(
                connection, "WHERE scope = ? AND cause = ?", (row.scope, row.cause)
            )
            found = known[0].version if known else 0
            if found != replaces:
                raise StateChanged(expected=replaces, found=found)
        head = heads.read(connection)
        head.states_version += 1
        (cells,) = statements.sealed([attrs.evolve(row, version=head.states_version)])
        connection.execute(statements.write, cells)
        heads.write(connection, head)
    return head


def _states(connection: sqlite3.Connection) -> tuple[int, Sequence[TradingStateRow]]:
    with snapshot(connection):
        version = heads.read(connection).states_version
        return version, STATEMENTS[TradingStateRow].rows(connection)


def _end(connection: sqlite3.Connection, epoch: int, now: datetime) -> None:
    with transaction(connection):
        head = heads.read(connection)
        if head.epoch == epoch:
            heads.write(connection, attrs.evolve(head, owner="", url="", expires_at=now))
