"""Databases: a file of SQLite, and a database on a PostgreSQL server."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks.restart.filling import COPIED, TEMPLATES, Dialect, copying
from order_adapters.codec.tables import TABLE_OF
from order_adapters.stores.postgres.migrator import migrate
from order_adapters.stores.postgres.place import Place
from order_adapters.stores.sqlite import head as heads
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry

SERVER: Final = os.environ.get("TEST_POSTGRES_DSN", "postgresql://postgres@127.0.0.1:5432/postgres")
NUMBERED: Final = tuple(TABLE_OF[row_type].name for row_type in (LedgerEntry, Event))


class InSqlite:
    """Times are text: their whole seconds are moved."""

    series = (
        "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {copies})"
        " SELECT n FROM s)"
    )
    hex4 = "printf('%04x', n)"
    hex8 = "printf('%08x', n)"
    variant = "printf('%04x', 32768 + n)"
    has_checksums = True

    def later(self, column: str) -> str:
        return (
            f"(strftime('%Y-%m-%dT%H:%M:%S', {column}, (5 * n) || ' seconds')"
            f" || substr({column}, 20))"
        )

    def text(self, column: str) -> str:
        return column

    def document(self, text: str) -> str:
        return text


class InPostgres:
    """Times are times, documents are no text."""

    series = "generate_series(1, {copies}) AS s(n)"
    hex4 = "lpad(to_hex(n), 4, '0')"
    hex8 = "lpad(to_hex(n), 8, '0')"
    variant = "to_hex(32768 + n)"
    has_checksums = False

    def later(self, column: str) -> str:
        return f"({column} + make_interval(secs => 5 * n))"

    def text(self, column: str) -> str:
        return f"{column}::text"

    def document(self, text: str) -> str:
        return f"({text})::json"


def _copies_of_all(dialect: Dialect, copies: int, last: Sequence[int]) -> list[str]:
    numbers = dict(zip(NUMBERED, last, strict=True))
    return [copying(row_type, dialect, copies, numbers) for row_type in COPIED]


class SqliteFile:
    """A store in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.sqlite"
        self.url = f"sqlite:///{self.path}"

    async def create(self) -> None:
        """A file makes itself."""

    async def drop(self) -> None:
        """The folder goes with all in it."""

    async def copy(self, copies: int) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            run = connection.execute
            # the store turns its log on again when it opens the file
            run("PRAGMA journal_mode = OFF")
            run("PRAGMA synchronous = OFF")
            run("PRAGMA cache_size = -500000")
            indexes = run(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
            ).fetchall()
            run("BEGIN IMMEDIATE")
            for name, _ in indexes:
                run(f"DROP INDEX {name}")
            last = [run(f"SELECT max(number) FROM {name}").fetchone()[0] for name in NUMBERED]
            for statement in _copies_of_all(InSqlite(), copies, last):
                run(statement)
            for _, sql in indexes:
                run(sql)
            head = heads.read(connection)
            head.event_no += TEMPLATES * copies
            heads.write(connection, head)
            run("COMMIT")

    async def settle(self) -> None:
        """Bring the log into the file. Nobody runs ANALYZE on a file of ours."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class PostgresDatabase:
    """A store in a database of its own, for as long as it is measured."""

    def __init__(self, _: Path, name: str) -> None:
        self._name = f"om_bench_restart_{name}_{os.getpid()}"
        self.url = urlunsplit(urlsplit(SERVER)._replace(path=f"/{self._name}"))

    async def create(self) -> None:
        await _run(SERVER, [f"CREATE DATABASE {self._name}"])
        await migrate(Place.of(self.url))

    async def drop(self) -> None:
        await _run(SERVER, [f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)"])

    async def copy(self, copies: int) -> None:
        connection = await self._connected()
        try:
            await connection.execute("SET synchronous_commit = off")
            await connection.execute("SET maintenance_work_mem = '512MB'")
            indexes = await connection.fetch(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
                " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
            )
            last = [await connection.fetchval(f"SELECT max(number) FROM {n}") for n in NUMBERED]
            async with connection.transaction():
                for name, _ in indexes:
                    await connection.execute(f"DROP INDEX {name}")
                for statement in _copies_of_all(InPostgres(), copies, last):
                    await connection.execute(statement)
                for _, definition in indexes:
                    await connection.execute(definition)
                await connection.execute(
                    f"UPDATE head SET event_no = event_no + {TEMPLATES * copies}"
                )
        finally:
            await connection.close()

    async def settle(self) -> None:
        """What autovacuum does after a while."""
        connection = await self._connected()
        await connection.execute("VACUUM (ANALYZE)")
        await connection.close()

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        place = Place.of(self.url)
        return await asyncpg.connect(
            place.dsn, server_settings={"search_path": place.schema}, command_timeout=600
        )


async def _run(dsn: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
