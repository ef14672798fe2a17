"""Link: one connection that does one thing after the other, each to its end or cut off."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import asyncpg

from order_adapters.stores.postgres.limits import Limits
from order_adapters.stores.postgres.place import Place
from order_domain.ports.journal import ChangeRefused, StoreUnavailable

T = TypeVar("T")
if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # generic for the type checker only
Call = Callable[[Connection], Awaitable[T]]
_TROUBLE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # used after the server said goodbye and before it closed
    OSError,
    TimeoutError,
)


async def connect(place: Place, limits: Limits, **settings: str) -> Connection:
    """Open a connection whose unqualified names are those of our schema.

    Raises StoreUnavailable.
    """
    try:
        return await asyncpg.connect(
            place.dsn,
            timeout=limits.connect,
            max_cached_statement_lifetime=0,
            server_settings={
                "application_name": "order-manager",
                "jit": "off",
                "search_path": place.schema,
                "timezone": "UTC",
                **settings,
            },
        )
    except _TROUBLE as error:
        raise unavailable(place, error) from error


def unavailable(place: Place, error: BaseException) -> StoreUnavailable:
    """Say trouble with the server in the words of the port."""
    return StoreUnavailable(store=place.shown, reason=str(error) or type(error).__name__)


class Link:
    """Runs calls in turn, also those whose caller has gone away.

    A call that fails or takes too long costs the connection: it is cut, not closed, for closing
    waits for a server that may be silent. The next call gets a new one.
    """

    def __init__(self, place: Place, limits: Limits) -> None:
        self._place = place
        self._limits = limits
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._is_closed = False
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def waiting(self) -> int:
        """How many calls are running or wait for their turn."""
        return len(self._running)

    async def open(self) -> None:
        """Connect now. Raises StoreUnavailable."""
        async with self._turn:
            await self._connected()

    async def run(self, call: Call[T]) -> T:
        """Run a call with the connection.

        Raises StoreUnavailable for any trouble with the server: whether the call was done is
        unknown.
        """
        task = asyncio.create_task(self._run(call))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Let what is running end, and disconnect."""
        self._is_closed = True
        if self._running:
            await asyncio.wait(self._running)
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=self._limits.connect)
            except _TROUBLE:  # then it is gone as well
                connection.terminate()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that went away does not hear of it

    async def _run(self, call: Call[T]) -> T:
        async with self._turn:
            connection = await self._connected()
            loop = asyncio.get_running_loop()
            watchdog = loop.call_later(self._limits.call, connection.terminate)
            try:
                return await call(connection)
            except ChangeRefused:
                raise  # rolled back: the connection is as good as before
            except BaseException as error:
                connection.terminate()
                self._connection = None
                if isinstance(error, _TROUBLE):
                    raise unavailable(self._place, error) from error
                raise
            finally:
                watchdog.cancel()

    async def _connected(self) -> Connection:
        if self._is_closed:
            raise StoreUnavailable(store=self._place.shown, reason="it was closed")
        if self._connection is None or self._connection.is_closed():
            settings = self._limits.settings()
            self._connection = await connect(self._place, self._limits, **settings)
        return self._connection


class Links:
    """Some connections for reading: whoever asks gets the least busy one."""

    def __init__(self, place: Place, limits: Limits, number: int) -> None:
        self._links = [Link(place, limits) for _ in range(number)]

    async def open(self) -> None:
        """Connect the first; the others do when they are needed. Raises StoreUnavailable."""
        await self._links[0].open()

    async def run(self, call: Call[T]) -> T:
        """Run a call. Raises StoreUnavailable."""
        return await min(self._links, key=_busy).run(call)

    async def close(self) -> None:
        """Let what is running end, and disconnect."""
        for link in self._links:
            await link.close()


def _busy(link: Link) -> int:
    return link.waiting
