"""SqliteStore: journal, views and outbox over one file."""

import sqlite3
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from order_adapters.codec.rows import time_text
from order_adapters.stores.sqlite import audit, creation
from order_adapters.stores.sqlite.audit import Damage
from order_adapters.stores.sqlite.journal import WAIT, SqliteJournal
from order_adapters.stores.sqlite.lock import FileLock
from order_adapters.stores.sqlite.transaction import transaction
from order_adapters.stores.sqlite.views import SqliteOutbox, SqliteViews
from order_adapters.stores.sqlite.worker import Worker
from order_domain.ports.clock import Clock

SNAPSHOT_RETENTION: Final = timedelta(days=30)
_PRUNED_AT_ONCE: Final = 1_000


class SqliteStore:
    """One process's access to the file. Any number may read; one at a time owns the journal.

    Args:
        path: The file, made if there is none; `<path>.lock` beside it is locked by the owner.
        wait: How long `acquire` waits for a command that is about to end.
    """

    def __init__(self, path: str, clock: Clock, *, wait: timedelta = WAIT) -> None:
        self._path = path
        self._clock = clock
        self._writer = Worker(path, "store-writer")
        self._reader = Worker(path, "store-reader")
        self._lock = FileLock(f"{path}.lock")
        self.journal = SqliteJournal(self._writer, self._reader, self._lock, clock, wait)
        self.views = SqliteViews(self._reader)
        self.outbox = SqliteOutbox(self._reader)

    async def open(self) -> None:
        """Open the file. Raises StoreUnavailable, WrongSchema."""
        await self._writer.open()
        try:
            await self._writer.run(partial(creation.prepare, path=self._path))
            await self._reader.open()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End what is running and give the file back, the lock too."""
        await self._reader.close()
        await self._writer.close()
        self._lock.free()

    async def damage(self) -> list[Damage]:
        """Find rows that are not what was written: changed by hand, missing, damaged."""
        return await self._reader.run(audit.damage)

    async def prune(self, before: datetime | None = None) -> int:
        """Delete position snapshots older than a moment (30 days, if not said); return how many."""
        moment = time_text(before or self._clock.now() - SNAPSHOT_RETENTION)
        total = 0
        while deleted := await self._writer.run(partial(_prune_some, moment=moment)):
            total += deleted
        return total


def _prune_some(connection: sqlite3.Connection, moment: str) -> int:
    """Delete so few at once that no flush waits long."""
    with transaction(connection):
        return connection.execute(
            "DELETE FROM position_snapshots WHERE row_no IN"
            " (SELECT row_no FROM position_snapshots WHERE at < ? LIMIT ?)",
            (moment, _PRUNED_AT_ONCE),
        ).rowcount
