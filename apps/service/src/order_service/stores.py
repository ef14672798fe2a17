"""Stores: which store stands behind a URL, and where its file is."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from order_adapters.clock import SystemClock
from order_adapters.registry import Store, make_store
from order_domain.ports.clock import Clock

__all__ = ["MEMORY", "Store", "account_file", "file_of", "open_store", "system_clock"]

MEMORY: Final = "memory:"


def open_store(url: str, clock: Clock) -> Store:
    """Make the store of a URL, not yet open; empty is one in memory. Raises InvalidValue."""
    return make_store(url or MEMORY, clock)


def system_clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


def file_of(url: str) -> Path | None:
    """Return the file of a store that is one, else None."""
    parts = urlsplit(url)
    return Path(parts.path.removeprefix("/")) if parts.scheme == "sqlite" else None


def account_file(url: str) -> Path | None:
    """Where a dry run keeps the account of the simulated exchange: beside the store's file."""
    path = file_of(url)
    return None if path is None else path.with_name(f"{path.name}.venue")
