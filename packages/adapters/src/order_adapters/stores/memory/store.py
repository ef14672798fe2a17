"""MemoryStore: journal, views and outbox over one database in memory."""

from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.journal import MemoryJournal
from order_adapters.stores.memory.views import MemoryOutbox, MemoryViews
from order_domain.ports.clock import Clock


class MemoryStore:
    """One process's access. Two stores over one database are two processes at one server.

    Args:
        clock: Says when a lease has run out.
        database: What a crash of its users leaves standing; its own if none is given.
    """

    def __init__(self, clock: Clock, database: MemoryDatabase | None = None) -> None:
        self.database = database or MemoryDatabase()
        self.journal = MemoryJournal(self.database, clock)
        self.views = MemoryViews(self.database)
        self.outbox = MemoryOutbox(self.database)

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def close(self) -> None:
        """Nothing is to be closed: the database stays, a lease that was not released too."""
