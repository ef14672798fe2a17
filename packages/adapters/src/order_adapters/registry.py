"""Registry: the one place that says which adapter stands behind which name."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from order_domain.errors import InvalidValue
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Journal
from order_domain.ports.outbox import Outbox
from order_domain.ports.venue import Venue
from order_domain.ports.views import Views


class Store(Protocol):
    """A journal and what reads its rows, to be opened before use and closed after."""

    @property
    def journal(self) -> Journal:
        """The write side."""
        ...

    @property
    def views(self) -> Views:
        """The read side."""
        ...

    @property
    def outbox(self) -> Outbox:
        """The committed events."""
        ...

    async def prune(self) -> int:
        """Delete rows whose retention is over; return how many. Raises StoreUnavailable."""
        ...

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable, WrongSchema."""
        ...

    async def close(self) -> None:
        """Disconnect. A lease that was not released runs out."""
        ...


# An adapter is imported when it is chosen: what it needs is an extra that need not be installed.


def _memory_store(_url: str, clock: Clock) -> Store:
    from order_adapters.stores.memory.store import MemoryStore  # noqa: PLC0415 -- as above

    return MemoryStore(clock)


def _sqlite_store(url: str, clock: Clock) -> Store:
    from order_adapters.stores.sqlite.store import SqliteStore  # noqa: PLC0415 -- as above

    path = urlsplit(url).path.removeprefix("/")
    if not path:
        raise InvalidValue(field="store", rule="sqlite:///path", value=url)
    return SqliteStore(path, clock)


def _postgres_store(url: str, clock: Clock) -> Store:
    from order_adapters.stores.postgres import PostgresStore  # noqa: PLC0415 -- as above

    return PostgresStore(url, clock)


def _simulated_venue(exchange: Any, clock: Clock) -> Venue:
    from order_adapters.venues.simulated import SimulatedVenue  # noqa: PLC0415 -- as above

    return SimulatedVenue(exchange, clock)


def _bybit_venue(config: Any, clock: Clock) -> Venue:
    from order_adapters.venues.bybit.venue import BybitVenue  # noqa: PLC0415 -- as above

    return BybitVenue(config, clock)


STORES: Final[Mapping[str, Callable[[str, Clock], Store]]] = {
    "memory": _memory_store,
    "sqlite": _sqlite_store,
    "postgresql": _postgres_store,
    "postgres": _postgres_store,
}
"""By URL scheme: `memory:`, `sqlite:///relative/path`, `sqlite:////absolute/path`,
`postgresql://user@host:port/database?schema=name`."""

VENUES: Final[Mapping[str, Callable[[Any, Clock], Venue]]] = {
    "bybit": _bybit_venue,
    "simulated": _simulated_venue,
}
"""By name; each is made of what it stands on: a BybitConfig, a SimulatedExchange."""


def make_store(url: str, clock: Clock) -> Store:
    """Make the store that a URL names, not yet open. Raises InvalidValue for an unknown scheme."""
    scheme = urlsplit(url).scheme
    if scheme not in STORES:
        raise InvalidValue(field="store", rule=f"one of {', '.join(STORES)}", value=url)
    return STORES[scheme](url, clock)
