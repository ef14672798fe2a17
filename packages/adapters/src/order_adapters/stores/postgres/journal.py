"""Journal of the PostgreSQL store: the head row is the lease, its record and its fence."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import attrs

from order_adapters.stores.postgres import head as heads
from order_adapters.stores.postgres import selection
from order_adapters.stores.postgres.flush import Flush, commit
from order_adapters.stores.postgres.link import Connection, Link, Links
from order_adapters.stores.postgres.statements import STATEMENTS
from order_domain.model.rows import Change, TradingStateRow
from order_domain.model.steps import Need
from order_domain.ports.journal import (
    ChangeRefused,
    Flushed,
    Head,
    LeaseHeld,
    StateChanged,
    WrongMode,
)

_NO_EPOCH: Final = -1


class PostgresJournal:
    """Writes through one connection, reads through others."""

    def __init__(self, writer: Link, readers: Links) -> None:
        self._writer = writer
        self._readers = readers
        self._epoch = _NO_EPOCH
        self._ttl = timedelta(0)

    async def acquire(self, *, account: str, owner: str, url: str, ttl: timedelta) -> Head:
        """Take the next epoch once the lease of the last one has run out, or if it is ours.

        If the answer is lost the lease may be ours without our knowing; then it runs out first.
        """
        take_over = partial(
            heads.take_over, owned=(account, owner, url), ttl=ttl, epoch=self._epoch
        )
        head = await self._writer.run(take_over)
        if head is None:
            found = await self._writer.run(heads.read)
            if found.account not in ("", account):
                raise WrongMode(account=account, found=found.account)
            raise LeaseHeld(
                account=account, owner=found.owner, url=found.url, expires_at=found.expires_at
            )
        self._epoch, self._ttl = head.epoch, ttl
        return head

    async def load(self, since: datetime) -> Sequence[Change]:
        """Read what a book needs, as of one moment."""
        return await self._readers.run(partial(selection.rows_of_a_book, since=since))

    async def flush(self, flush_no: int, changes: Sequence[Change]) -> Flushed:
        """Write the changes as one flush. A cancelled caller does not stop it."""
        return await self._writer.run(Flush(self._epoch, flush_no, self._ttl, changes).run)

    async def read(self, need: Need) -> Sequence[Change]:
        """Read the rows a step asked for."""
        return await self._readers.run(partial(selection.rows_needed, need=need))

    async def set_trading_state(self, row: TradingStateRow, *, replaces: int | None = None) -> Head:
        """Write a trading state as the newest version; it waits for no lease and no flush."""
        return await self._readers.run(partial(_put_state, row=row, replaces=replaces))

    async def trading_states(self) -> tuple[int, Sequence[TradingStateRow]]:
        """Read the version and all trading states."""
        return await self._readers.run(_states)

    async def look(self) -> Head:
        """Read the head row; it waits for no flush."""
        return await self._readers.run(heads.read)

    async def release(self) -> None:
        """Let the lease end now, if it is still ours."""
        epoch, self._epoch = self._epoch, _NO_EPOCH
        if epoch != _NO_EPOCH:
            await self._writer.run(partial(heads.end, epoch=epoch))


async def _put_state(connection: Connection, row: TradingStateRow, replaces: int | None) -> Head:
    await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    rise = "UPDATE states_version SET version = version + 1 RETURNING version"
    version = int(await connection.fetchval(rise))
    try:
        if replaces is not None:
            await _expect(connection, row, replaces)
        newest = [attrs.evolve(row, version=version)]
        await STATEMENTS[TradingStateRow].write(connection, newest)
    except (ChangeRefused, StateChanged):
        await connection.execute("ROLLBACK")
        raise
    head = await heads.read(connection)
    await commit(connection)
    return head


async def _expect(connection: Connection, row: TradingStateRow, version: int) -> None:
    """Look at the row behind the lock of the version, which everybody takes who changes one."""
    query = "SELECT version FROM trading_states WHERE scope = $1 AND cause = $2"
    found = int(await connection.fetchval(query, row.scope, row.cause) or 0)
    if found != version:
        raise StateChanged(expected=version, found=found)


async def _states(connection: Connection) -> tuple[int, Sequence[TradingStateRow]]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        version = int(await connection.fetchval("SELECT version FROM states_version"))
        return version, await STATEMENTS[TradingStateRow].rows(connection, "ORDER BY row_no")
