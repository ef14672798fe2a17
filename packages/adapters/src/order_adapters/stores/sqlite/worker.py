"""Worker: one connection in one thread of its own, so that no statement holds up the loop."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

from order_domain.ports.journal import StoreUnavailable

T = TypeVar("T")
_Call: TypeAlias = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]
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
    """Runs calls one after the other, each to its end, also when its caller is cancelled.

    An executor of the library does the same and costs twice as much at every call.
    """

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable."""
        self._thread = threading.Thread(
            target=_work, args=(self._calls,), name=self._name, daemon=True
        )
        self._thread.start()
        try:
            self._connection = await self._submit(lambda: connect(self._path))
        except BaseException:
            self._calls.put(None)
            self._thread = None
            raise

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Run a call in the thread. Raises StoreUnavailable for any trouble with the file."""
        connection = self._connection
        if connection is None:
            raise StoreUnavailable(store=self._path, reason="it is not open")
        return await self._submit(lambda: call(connection))

    async def close(self) -> None:
        """Let the running call end, and disconnect."""
        thread, connection = self._thread, self._connection
        self._thread = self._connection = None
        if thread is not None and connection is not None:
            await self._submit(connection.close)
            self._calls.put(None)
            thread.join()

    async def _submit(self, call: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put((loop, future, call))
        try:
            return await future
        except sqlite3.Error as error:
            raise StoreUnavailable(store=self._path, reason=str(error)) from error


def _work(calls: "SimpleQueue[_Call | None]") -> None:
    while (given := calls.get()) is not None:
        loop, future, call = given
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # noqa: BLE001 -- the caller's, whatever it is
            error = raised
        with suppress(RuntimeError):  # a loop that was closed hears of nothing
            loop.call_soon_threadsafe(_settle, future, result, error)
        del given, future, call, result, error  # or they would live until the next call


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():  # its caller was cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


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
