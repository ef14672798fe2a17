"""Transactions: all or nothing, whatever happens in between."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write: takes the write lock at once, so that what is read inside stays true."""
    yield from _block(connection, "BEGIN IMMEDIATE")


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read several tables as of one moment."""
    yield from _block(connection, "BEGIN")


def _block(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # a full disk has ended it already
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
