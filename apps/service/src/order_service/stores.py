"""Stores: which store stands behind a URL."""

from pathlib import Path
from typing import Protocol

from order_adapters.stores.memory.store import MemoryStore
from order_domain.errors import InvalidValue
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Journal
from order_domain.ports.outbox import Outbox
from order_domain.ports.views import Views


class Store(Protocol):
    """One process's access to a store."""

    @property
    def journal(self) -> Journal: ...
    @property
    def views(self) -> Views: ...
    @property
    def outbox(self) -> Outbox: ...
    async def open(self) -> None: ...
    async def close(self) -> None: ...


def open_store(url: str, clock: Clock) -> Store:
    """Make the store of a URL; empty is one in memory. Raises InvalidValue for another scheme."""
    if not url:
        return MemoryStore(clock)
    raise InvalidValue(field="store", rule="sqlite:///PATH", value=url)


def file_of(url: str) -> Path | None:
    """Return the file of a store that is one, else None."""
    scheme, _, path = url.partition(":///")
    return Path(path) if scheme == "sqlite" else None
