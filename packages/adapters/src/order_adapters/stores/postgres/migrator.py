"""Migrator: numbered SQL files, each applied once, in order, in a transaction of its own.

Any number may migrate at once: an advisory lock lets one do it while the others wait. A file that
was changed after it was applied is refused by its checksum.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Final

import asyncpg
import attrs

from order_adapters.stores.postgres.limits import LIMITS
from order_adapters.stores.postgres.link import Connection, connect, unavailable
from order_adapters.stores.postgres.place import DEFAULT_SCHEMA, Place
from order_domain.ports.journal import WrongSchema

_UP: Final = ".up.sql"
_LOCK: Final = "SELECT pg_advisory_lock(hashtextextended('order-manager migrations ' || $1, 0))"
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


@attrs.frozen(slots=True)
class Migration:
    """One numbered pair of files: the way up and the way down."""

    number: int
    name: str
    up: str
    down: str

    @property
    def checksum(self) -> str:
        """Of both files: a change of either is found."""
        return sha256(f"{self.up}\0{self.down}".encode()).hexdigest()


@attrs.frozen(slots=True)
class Standing:
    """A migration and when it was applied; None: not yet."""

    migration: Migration
    applied_at: datetime | None


@cache
def packaged() -> tuple[Migration, ...]:
    """The migrations this program brings, by number."""
    folder = resources.files(__package__).joinpath("migrations")
    texts = {
        file.name: file.read_text("utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
    found = []
    for name in sorted(name.removesuffix(_UP) for name in texts if name.endswith(_UP)):
        number, _, _ = name.partition("_")
        found.append(Migration(int(number), name, texts[f"{name}{_UP}"], texts[f"{name}.down.sql"]))
    return tuple(found)


async def migrate(place: Place) -> Sequence[str]:
    """Apply what is missing; return the names. Raises StoreUnavailable, WrongSchema."""
    done = []
    async with _alone(place) as connection:
        for standing in await standings(connection, place):
            if standing.applied_at is None:
                await _apply(connection, standing.migration)
                done.append(standing.migration.name)
    return done


async def status(place: Place) -> Sequence[Standing]:
    """Say which migrations are applied. Raises StoreUnavailable, WrongSchema."""
    async with _connected(place) as connection:
        return await standings(connection, place)


async def rollback(place: Place, number: int = 1) -> Sequence[str]:
    """Take back the newest migrations, with the rows they hold; return the names.

    Raises StoreUnavailable, WrongSchema.
    """
    done = []
    async with _alone(place) as connection:
        applied = [each for each in await standings(connection, place) if each.applied_at]
        for standing in applied[::-1][:number]:
            migration = standing.migration
            async with connection.transaction():
                await connection.execute(migration.down)
                forget = "DELETE FROM schema_migrations WHERE number = $1"
                await connection.execute(forget, migration.number)
            done.append(migration.name)
    return done


def export(schema: str = DEFAULT_SCHEMA) -> str:
    """Write all migrations as one script, for whoever applies them with tools of their own."""
    parts = [f'CREATE SCHEMA IF NOT EXISTS "{schema}";\nSET search_path TO "{schema}";', _TABLE]
    for each in packaged():
        record = f"({each.number}, '{each.name}', '{each.checksum}')"
        parts.append(
            f"BEGIN;\n{each.up}\n"
            f"INSERT INTO schema_migrations (number, name, sha256) VALUES {record};\nCOMMIT;"
        )
    return "\n".join(f"{part.strip().removesuffix(';')};\n" for part in parts)


async def standings(connection: Connection, place: Place) -> Sequence[Standing]:
    """Compare what is applied with what this program brings. Raises WrongSchema."""
    known = {migration.number: migration for migration in packaged()}
    applied: dict[int, datetime] = {}
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is not None:
        query = "SELECT number, name, sha256, applied_at FROM schema_migrations ORDER BY number"
        for number, name, checksum, applied_at in await connection.fetch(query):
            migration = known.get(number)
            if migration is None or migration.checksum != checksum:
                expected = migration.name if migration else f"nothing after {max(known)}"
                found = f"{name} ({checksum[:12]})"
                raise WrongSchema(store=place.shown, found=found, expected=expected)
            applied[number] = applied_at
    return [Standing(migration, applied.get(number)) for number, migration in known.items()]


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.up)
        await connection.execute(
            "INSERT INTO schema_migrations (number, name, sha256) VALUES ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )


@asynccontextmanager
async def _alone(place: Place) -> AsyncIterator[Connection]:
    """Connect and let nobody else migrate meanwhile."""
    async with _connected(place) as connection:
        await connection.execute(_LOCK, place.schema)
        await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{place.schema}"')
        await connection.execute(_TABLE)
        yield connection


@asynccontextmanager
async def _connected(place: Place) -> AsyncIterator[Connection]:
    connection = await connect(place, LIMITS)
    try:
        yield connection
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
    ) as error:
        raise unavailable(place, error) from error
    finally:
        connection.terminate()
