"""Creation: a new file gets its tables and its first head row; another kind of file is refused."""

import sqlite3
import time

from order_adapters.stores.sqlite import head as heads
from order_adapters.stores.sqlite.schema import SCHEMA_VERSION, UPGRADES, statements
from order_adapters.stores.sqlite.transaction import transaction
from order_adapters.stores.sqlite.worker import BUSY_MS
from order_domain.model.identifiers import order_row_id
from order_domain.ports.journal import WrongSchema


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Make the file a store, if it is not one yet. Raises WrongSchema, and then it is as it was."""
    is_store = _is_store(connection, path)
    use_wal(connection)
    if is_store:
        return
    with transaction(connection):
        if _is_store(connection, path):  # another process was faster
            return
        for statement in statements():
            connection.execute(statement)
        heads.create(connection)


def use_wal(connection: sqlite3.Connection) -> None:
    """Turn WAL on: readers do not wait for the writer, nor it for them.

    While another process does the same to a new file SQLite may answer "busy" without waiting: it
    did so to one in a hundred, of six at once.
    """
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _is_store(connection: sqlite3.Connection, path: str) -> bool:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    if not names:
        return False
    found = _version(connection) if "schema_version" in names else None
    while found in UPGRADES:
        found = _upgraded(connection)
    if found != SCHEMA_VERSION:
        raise WrongSchema(store=path, found=found, expected=SCHEMA_VERSION)
    return True


def _upgraded(connection: sqlite3.Connection) -> int:
    """Take one step up, unless another process was faster; return the version there is then."""
    connection.create_function("order_row_id", 1, order_row_id, deterministic=True)
    with transaction(connection):
        for statement in UPGRADES.get(_version(connection), ()):
            connection.execute(statement)
        return _version(connection)


def _version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    return int(found or 0)
