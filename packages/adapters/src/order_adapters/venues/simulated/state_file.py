"""StateFile: a simulated account in a SQLite file of its own, with commits of its own.

It knows nothing of the order store, so after a crash it may be ahead of it or behind it, as a real
exchange may.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from order_adapters.simulator import AccountState
from order_adapters.simulator.state import Row
from order_domain.errors import OrderManagerError

VERSION = 1
_DAY = timedelta(days=1)
_SCHEMA = """
CREATE TABLE account (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE wallets (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE positions (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE orders (
    name TEXT PRIMARY KEY, client_order_id TEXT NOT NULL, number INTEGER NOT NULL,
    updated_at TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE executions (
    name TEXT PRIMARY KEY, number INTEGER NOT NULL, executed_at TEXT NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
"""
_OPEN = ("New", "PartiallyFilled", "Untriggered")


class StateFileRefused(OrderManagerError):
    """The file is not one of ours, or of another version. Details: `path`, `reason`."""

    code = "STATE_FILE_REFUSED"


class StateFile:
    """Keeps one account. Every save is one transaction, on disk before it returns.

    Args:
        history: Closed orders and executions older than this stay on disk and are not brought back;
            their client order ids are.
    """

    def __init__(self, path: Path, *, history: timedelta = 7 * _DAY) -> None:
        self._path = path
        self._history = history
        # One caller at a time, which need not be one thread.
        self._connection = sqlite3.connect(
            path, timeout=5, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StateFileRefused(path=path, reason=str(error)) from error
        except StateFileRefused:
            self._connection.close()
            raise

    @property
    def saved_at(self) -> datetime | None:
        """When the account was last saved, by its own clock: market data is missing since then."""
        found = self._read("SELECT body FROM account WHERE name = 'saved_at'")
        return datetime.fromisoformat(json.loads(found[0])) if found else None

    def load(self) -> AccountState | None:
        """Return what was saved, None if nothing was."""
        ids = self._read("SELECT body FROM account WHERE name = 'ids'")
        saved_at = self.saved_at
        if not ids or saved_at is None:
            return None
        since = (saved_at - self._history).isoformat()
        return AccountState(
            ids=json.loads(ids[0]),
            wallets=self._rows("SELECT body FROM wallets ORDER BY name"),
            positions=self._rows("SELECT body FROM positions ORDER BY name"),
            orders=self._rows(
                "SELECT body FROM orders WHERE open OR updated_at >= ? ORDER BY number", since
            ),
            executions=self._rows(
                "SELECT body FROM executions WHERE executed_at >= ? ORDER BY number", since
            ),
        )

    def save(self, state: AccountState, now: datetime) -> None:
        """Replace the rows that changed."""
        with self._transaction():
            self._put("account", [("ids", state.ids), ("saved_at", now.isoformat())])
            self._put("wallets", [(row["coin"], row) for row in state.wallets])
            positions = [(f"{row['instrument_id']} {row['side']}", row) for row in state.positions]
            self._put("positions", positions)
            self._connection.executemany(
                "REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?)", map(_order, state.orders)
            )
            self._connection.executemany(
                "REPLACE INTO executions VALUES (?, ?, ?, ?)", map(_execution, state.executions)
            )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _prepare(self) -> None:
        run = self._connection.execute
        (version,) = run("PRAGMA user_version").fetchone()
        empty = run("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        if version != VERSION and not (version == 0 and empty):
            raise StateFileRefused(path=self._path, reason=f"not an account of version {VERSION}")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        if version == 0:
            with self._transaction():
                for statement in _SCHEMA.split(";"):
                    run(statement)
                run(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _put(self, table: str, rows: Iterable[tuple[str, object]]) -> None:
        self._connection.executemany(
            f"REPLACE INTO {table} VALUES (?, ?)",  # noqa: S608 -- a name of this module
            [(name, json.dumps(body)) for name, body in rows],
        )

    def _read(self, query: str, *values: str) -> list[str]:
        return [body for (body,) in self._connection.execute(query, values)]

    def _rows(self, query: str, *values: str) -> tuple[Row, ...]:
        return tuple(json.loads(body) for body in self._read(query, *values))


def _order(row: Row) -> tuple[object, ...]:
    return (
        row["venue_order_id"],
        row["client_order_id"],
        row["number"],
        row["updated_at"],
        row["status"] in _OPEN,
        json.dumps(row),
    )


def _execution(row: Row) -> tuple[object, ...]:
    return row["exec_id"], row["sequence"], row["executed_at"], json.dumps(row)
