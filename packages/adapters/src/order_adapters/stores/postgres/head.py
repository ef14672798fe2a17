"""The head row: who owns the account, and how far it has come. The server's clock is its clock."""

from datetime import timedelta
from typing import Any, Final

from order_adapters.stores.postgres.link import Connection
from order_domain.ports.journal import Head

# Read in the same statement, without a lock: whoever halts never waits for a flush.
_COLUMNS: Final = """
account, owner, url, epoch, expires_at, flush_no, event_no, (SELECT version FROM states_version)
"""
ADVANCE: Final = f"""
UPDATE head
SET flush_no = $2, expires_at = clock_timestamp() + $3::interval, event_no = event_no + $4
WHERE epoch = $1 AND flush_no = $2 - 1
RETURNING {_COLUMNS}
"""
_TAKE_OVER: Final = f"""
UPDATE head
SET account = $1, owner = $2, url = $3, epoch = epoch + 1,
    expires_at = clock_timestamp() + $4::interval
WHERE account IN ('', $1) AND (expires_at <= clock_timestamp() OR epoch = $5)
RETURNING {_COLUMNS}
"""
_END: Final = """
UPDATE head SET owner = '', url = '', expires_at = clock_timestamp() WHERE epoch = $1
"""


async def read(connection: Connection) -> Head:
    """Read it."""
    return head_of(await connection.fetchrow(f"SELECT {_COLUMNS} FROM head"))


async def advance(
    connection: Connection, epoch: int, flush_no: int, ttl: timedelta, events: int
) -> Head | None:
    """Begin a flush (protocol 2.3). None: the epoch is another's, or it is not the next flush."""
    found = await connection.fetchrow(ADVANCE, epoch, flush_no, ttl, events)
    return None if found is None else head_of(found)


async def take_over(
    connection: Connection, owned: tuple[str, str, str], ttl: timedelta, epoch: int
) -> Head | None:
    """Take the next epoch for this account, owner and url (protocol 2.4).

    None: the account is another, or its lease runs and is not that of `epoch`.
    """
    found = await connection.fetchrow(_TAKE_OVER, *owned, ttl, epoch)
    return None if found is None else head_of(found)


async def end(connection: Connection, epoch: int) -> None:
    """Let the lease of an epoch end now, if it still runs."""
    await connection.execute(_END, epoch)


def head_of(record: Any) -> Head:
    """The row as those statements give it."""
    return Head(*record)
