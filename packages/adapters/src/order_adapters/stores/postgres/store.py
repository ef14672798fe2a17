"""PostgresStore: journal, views and outbox over one schema of a database."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from order_adapters.stores.postgres.journal import PostgresJournal
from order_adapters.stores.postgres.limits import LIMITS, Limits
from order_adapters.stores.postgres.link import Connection, Link, Links
from order_adapters.stores.postgres.place import Place
from order_adapters.stores.postgres.readiness import check
from order_adapters.stores.postgres.row_ids import fill_some
from order_adapters.stores.postgres.views import PostgresOutbox, PostgresViews
from order_domain.ports.clock import Clock

READERS: Final = 3
SNAPSHOT_RETENTION: Final = timedelta(days=30)
_PRUNE: Final = """
DELETE FROM position_snapshots WHERE row_no IN (
    SELECT row_no FROM position_snapshots WHERE at < $1 LIMIT 1000
)
"""


class PostgresStore:
    """One process's access: a connection that writes and a few that read.

    Args:
        url: `postgresql://user@host:port/database?schema=order_manager`; a schema is one account.
        clock: Says which snapshots are old. The lease runs by the server's clock.

    Raises:
        InvalidValue: The URL names no schema of a database.
    """

    def __init__(self, url: str, clock: Clock, limits: Limits = LIMITS) -> None:
        self._place = Place.of(url)
        self._clock = clock
        self._writer = Link(self._place, limits)
        self._readers = Links(self._place, limits, READERS)
        self.journal = PostgresJournal(self._writer, self._readers)
        self.views = PostgresViews(self._readers)
        self.outbox = PostgresOutbox(self._readers)

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable, WrongSchema, NotDurable."""
        try:
            await self._writer.run(partial(check, place=self._place))
            while await self._writer.run(fill_some):
                pass
            await self._readers.open()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let what is running end, and disconnect. A lease that was not released runs out."""
        await self._readers.close()
        await self._writer.close()

    async def prune(self, before: datetime | None = None) -> int:
        """Delete position snapshots older than a moment (30 days, if not said); return how many."""
        moment = before or self._clock.now() - SNAPSHOT_RETENTION
        total = 0
        while deleted := await self._readers.run(partial(_prune_some, moment=moment)):
            total += deleted
        return total


async def _prune_some(connection: Connection, moment: datetime) -> int:
    """Delete so few at once that no flush waits long."""
    tag = await connection.execute(_PRUNE, moment)
    return int(tag.rpartition(" ")[2])
