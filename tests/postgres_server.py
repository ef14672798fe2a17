"""The PostgreSQL server tests run on: one database a session, emptied before each test.

TEST_POSTGRES_DSN names a server on which databases may be made. Where there is none, its tests
fail: they are left out only by who leaves them out.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from order_adapters.codec.tables import TABLES
from order_adapters.stores.postgres.migrator import migrate
from order_adapters.stores.postgres.place import DEFAULT_SCHEMA, Place

DEFAULT_DSN = "postgresql://postgres@127.0.0.1:5432/postgres"
EMPTY = "; ".join(
    [
        *(f"DELETE FROM {table.name}" for table in TABLES),
        "UPDATE states_version SET version = 0",
        "UPDATE head SET account = '', owner = '', url = '', epoch = 0, flush_no = 0, event_no = 0",
        "UPDATE head SET expires_at = '0001-01-01T00:00:00Z'",
    ]
)


@asynccontextmanager
async def connected(url: str, schema: str = DEFAULT_SCHEMA) -> AsyncIterator[Any]:
    """A connection beside those of the store, as an administrator has one."""
    connection = await asyncpg.connect(url, server_settings={"search_path": schema})
    try:
        yield connection
    finally:
        await connection.close()


class PostgresServer:
    """Makes this session's database when it is first asked for."""

    def __init__(self) -> None:
        self.dsn = os.environ.get("TEST_POSTGRES_DSN", DEFAULT_DSN)
        self.name = f"om_test_{os.getpid()}"
        self._is_made = False

    @property
    def url(self) -> str:
        """The URL of the database, for a store."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{self.name}"))

    async def emptied(self) -> str:
        """The URL of a store without a row and without an owner."""
        await self.made()
        async with connected(self.url) as connection:
            await connection.execute(EMPTY)
        return self.url

    async def made(self) -> str:
        """The URL of the database, which has the schema of the store and perhaps others."""
        if not self._is_made:
            await self.execute(f"DROP DATABASE IF EXISTS {self.name}")
            await self.execute(f"CREATE DATABASE {self.name}")
            self._is_made = True
            await migrate(Place.of(self.url))
        return self.url

    async def execute(self, sql: str) -> None:
        """Run a statement as administrator of the server."""
        async with connected(self.dsn) as connection:
            await connection.execute(sql)

    def drop(self) -> None:
        """Leave nothing behind."""
        if self._is_made:
            drop = f"DROP DATABASE {self.name} WITH (FORCE)"
            in_a_thread(lambda: self.execute(drop))


def in_a_thread(call: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine whether or not this thread has a loop."""

    async def run() -> None:
        await call()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
