"""The head row: who owns the store, and how far it has come."""

import sqlite3
from datetime import datetime
from typing import Final

import attrs

from order_adapters.codec.rows import Cells, time_text
from order_adapters.stores.sqlite.statements import checksum
from order_domain.ports.journal import Head

NAMES: Final = tuple(field.name for field in attrs.fields(Head))
COLUMNS: Final = ", ".join(NAMES)
_BEFORE_THE_FIRST: Final = Head("", "", "", 0, datetime.fromisoformat("0001-01-01T00:00Z"), 0, 0, 0)
_ADVANCE: Final = f"""
UPDATE head SET flush_no = :flush_no, expires_at = :expires_at, event_no = event_no + :events
WHERE epoch = :epoch AND flush_no = :flush_no - 1
RETURNING {COLUMNS}
"""


def create(connection: sqlite3.Connection) -> None:
    """Write the first one: no account, no owner."""
    cells = _cells(_BEFORE_THE_FIRST)
    marks = ", ".join("?" * (len(cells) + 1))
    connection.execute(
        f"INSERT INTO head (id, {COLUMNS}, checksum) VALUES (1, {marks})", (*cells, checksum(cells))
    )


def read(connection: sqlite3.Connection) -> Head:
    """Read it."""
    return _head(*connection.execute(f"SELECT {COLUMNS} FROM head").fetchone())


def advance(
    connection: sqlite3.Connection, epoch: int, flush_no: int, expires_at: datetime, events: int
) -> Head | None:
    """Begin a flush (protocol 2.3). None: the epoch is another's, or it is not the next flush."""
    found = connection.execute(
        _ADVANCE,
        {
            "epoch": epoch,
            "flush_no": flush_no,
            "expires_at": time_text(expires_at),
            "events": events,
        },
    ).fetchall()
    return _head(*found[0]) if found else None


def write(connection: sqlite3.Connection, head: Head) -> None:
    """Write all of it, with its checksum."""
    cells = _cells(head)
    values = ", ".join(f"{name} = ?" for name in NAMES)
    connection.execute(f"UPDATE head SET {values}, checksum = ?", (*cells, checksum(cells)))


def _cells(head: Head) -> Cells:
    return tuple(
        time_text(value) if isinstance(value, datetime) else value for value in attrs.astuple(head)
    )


def _head(account: str, owner: str, url: str, epoch: int, expires_at: str, *numbers: int) -> Head:
    return Head(account, owner, url, epoch, datetime.fromisoformat(expires_at), *numbers)
