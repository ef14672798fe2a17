"""Worker: one connection in one thread of its own, so that no statement holds up the loop."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from order_domain.ports.journal import StoreUnavailable

T = TypeVar("T")
BUSY_MS: Final = 5_000
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    # a whole flush fits, and no flush in normal times has to copy the log into the file
    "PRAGMA cache_size = -32000",
    "PRAGMA wal_autocheckpoint = 8000",
)


class Worker:
    """Runs calls one after the other, each to its end, also when its caller is cancelled."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name
        self._executor: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        try:
            self._connection = await self._submit(self._executor, lambda: connect(self._path))
        except BaseException:
            self._executor.shutdown(wait=False)
            self._executor = None
            raise

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Run a call in the thread. Raises StoreUnavailable for any trouble with the file."""
        executor, connection = self._executor, self._connection
        if executor is None or connection is None:
            raise StoreUnavailable(store=self._path, reason="it is not open")
        return await self._submit(executor, lambda: call(connection))

    async def close(self) -> None:
        """Let the running call end, and disconnect."""
        executor, connection = self._executor, self._connection
        self._executor = self._connection = None
        if executor is not None and connection is not None:
            await self._submit(executor, connection.close)
            executor.shutdown()

    async def _submit(self, executor: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(executor, self._guarded, call))

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except sqlite3.Error as error:
            raise StoreUnavailable(store=self._path, reason=str(error)) from error


def connect(path: str) -> sqlite3.Connection:
    """Open the file as every process must: commits on the disk, waiting for other writers."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection
