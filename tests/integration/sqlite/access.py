"""How an owner and a person get at the file."""

import sqlite3
from pathlib import Path
from typing import Any

from order_adapters.stores.sqlite import SqliteStore
from tests.builders import seconds

TTL = seconds(10)


async def take(store: SqliteStore, owner: str = "owner", url: str = "http://one") -> None:
    await store.journal.acquire(account="dry:a", owner=owner, url=url, ttl=TTL)


def query(path: Path, sql: str, *parameters: object) -> list[Any]:
    """Do as a person at the sqlite3 prompt would."""
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute(sql, parameters).fetchall()
    connection.close()
    return rows
