"""What every store is to a contract test: opened at will, and what may befall it."""

import sqlite3
from pathlib import Path
from typing import Protocol

from order_adapters.clock import VirtualClock
from order_adapters.registry import Store
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.store import MemoryStore
from order_adapters.stores.sqlite.store import SqliteStore
from tests.builders import NOW, seconds

TTL = seconds(10)
ACCOUNT = "dry:default"


class Backend(Protocol):
    """One store, seen from outside.

    Attributes:
        clock: The clock of every process that opens it.
    """

    clock: VirtualClock

    async def another(self) -> Store:
        """Open the store as one more process does."""
        ...

    async def owned(self, owner: str = "owner") -> Store:
        """Open the store and take its lease."""
        ...

    def end_the_lease(self) -> None:
        """Let others take over though the owner never gave the lease back."""
        ...

    def lose_flushes(self, number: int) -> None:
        """Come back as a store that lacks the newest flushes."""
        ...

    async def close(self) -> None:
        """Close all that were opened."""
        ...


class MemoryBackend:
    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.database = MemoryDatabase()

    async def another(self) -> MemoryStore:
        return MemoryStore(self.clock, self.database)

    async def owned(self, owner: str = "owner") -> MemoryStore:
        store = await self.another()
        await store.journal.acquire(account=ACCOUNT, owner=owner, url="http://one", ttl=TTL)
        return store

    def end_the_lease(self) -> None:
        self.clock.advance_to(self.clock.now() + TTL)

    def lose_flushes(self, number: int) -> None:
        self.database.fail_over(number)

    async def close(self) -> None:
        return None


class SqliteBackend:
    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(NOW)
        self.path = folder / "store.db"
        self._opened: list[SqliteStore] = []

    async def another(self) -> SqliteStore:
        store = SqliteStore(str(self.path), self.clock, wait=seconds(0))
        await store.open()
        self._opened.append(store)
        return store

    async def owned(self, owner: str = "owner") -> SqliteStore:
        store = await self.another()
        await store.journal.acquire(account=ACCOUNT, owner=owner, url="http://one", ttl=TTL)
        return store

    def end_the_lease(self) -> None:
        # only somebody who removes the lock file gets past an owner that lives
        self.path.with_name(f"{self.path.name}.lock").unlink()
        self.clock.advance_to(self.clock.now() + TTL)

    def lose_flushes(self, number: int) -> None:
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute("UPDATE head SET flush_no = flush_no - ?", (number,))
        connection.close()

    async def close(self) -> None:
        for store in self._opened:
            await store.close()
