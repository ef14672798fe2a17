"""What every store is to a contract test: opened at will, and what may befall it."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from order_adapters.clock import VirtualClock
from order_adapters.registry import Store
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.store import MemoryStore
from order_adapters.stores.postgres import PostgresStore
from order_adapters.stores.sqlite.store import SqliteStore
from tests.builders import NOW, seconds
from tests.postgres_server import connected

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

    async def end_the_lease(self) -> None:
        """Let others take over though the owner never gave the lease back."""
        ...

    async def age_the_lease(self, age: timedelta) -> None:
        """Let this much of the owner's time pass."""
        ...

    async def lose_flushes(self, number: int) -> None:
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

    async def end_the_lease(self) -> None:
        self.clock.advance_to(self.clock.now() + TTL)

    async def age_the_lease(self, age: timedelta) -> None:
        self.clock.advance_to(self.clock.now() + age)

    async def lose_flushes(self, number: int) -> None:
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

    async def end_the_lease(self) -> None:
        # only somebody who removes the lock file gets past an owner that lives
        self.path.with_name(f"{self.path.name}.lock").unlink()
        self.clock.advance_to(self.clock.now() + TTL)

    async def age_the_lease(self, age: timedelta) -> None:
        self.clock.advance_to(self.clock.now() + age)

    async def lose_flushes(self, number: int) -> None:
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute("UPDATE head SET flush_no = flush_no - ?", (number,))
        connection.close()

    async def close(self) -> None:
        for store in self._opened:
            await store.close()


class PostgresBackend:
    """The lease runs by the server's clock, so its time is moved there."""

    def __init__(self, url: str) -> None:
        self.clock = VirtualClock(NOW)
        self.url = url
        self._opened: list[PostgresStore] = []

    async def another(self) -> PostgresStore:
        store = PostgresStore(self.url, self.clock)
        await store.open()
        self._opened.append(store)
        return store

    async def owned(self, owner: str = "owner") -> PostgresStore:
        store = await self.another()
        await store.journal.acquire(account=ACCOUNT, owner=owner, url="http://one", ttl=TTL)
        return store

    async def end_the_lease(self) -> None:
        await self.age_the_lease(TTL)

    async def age_the_lease(self, age: timedelta) -> None:
        await self._execute("UPDATE head SET expires_at = expires_at - $1::interval", age)

    async def lose_flushes(self, number: int) -> None:
        await self._execute("UPDATE head SET flush_no = flush_no - $1", number)

    async def close(self) -> None:
        for store in self._opened:
            await store.close()

    async def _execute(self, sql: str, value: object) -> None:
        async with connected(self.url) as connection:
            await connection.execute(sql, value)
