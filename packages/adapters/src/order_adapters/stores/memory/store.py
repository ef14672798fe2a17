"""MemoryStore: journal, views and outbox over one database in memory."""

from datetime import datetime, timedelta
from typing import Final

from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.journal import MemoryJournal
from order_adapters.stores.memory.views import MemoryOutbox, MemoryViews
from order_domain.model.position import PositionSnapshot
from order_domain.ports.clock import Clock

SNAPSHOT_RETENTION: Final = timedelta(days=30)


class MemoryStore:
    """One process's access. Two stores over one database are two processes at one server.

    Args:
        clock: Says when a lease has run out.
        database: What a crash of its users leaves standing; its own if none is given.
    """

    def __init__(self, clock: Clock, database: MemoryDatabase | None = None) -> None:
        self.database = database or MemoryDatabase()
        self._clock = clock
        self.journal = MemoryJournal(self.database, clock)
        self.views = MemoryViews(self.database)
        self.outbox = MemoryOutbox(self.database)

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def close(self) -> None:
        """Nothing is to be closed: the database stays, a lease that was not released too."""

    async def prune(self, before: datetime | None = None) -> int:
        """Delete position snapshots older than a moment (30 days, if not said); return how many."""
        moment = before or self._clock.now() - SNAPSHOT_RETENTION
        rows = self.database.rows[PositionSnapshot]
        old = [key for key, row in rows.items() if row.at < moment]
        for key in old:
            del rows[key]
        return len(old)
