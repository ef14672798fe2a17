"""Stores: which store stands behind a URL, and where its file is."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from order_adapters.clock import SystemClock
from order_adapters.registry import Store, make_store
from order_domain.ports.clock import Clock

__all__ = ["MEMORY", "Store", "account_file", "file_of", "is_shared", "open_store", "system_clock"]

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


def is_shared(url: str) -> bool:
    """Whether services on other machines reach the same rows, so that one may stand by."""
    return urlsplit(url).scheme in ("postgres", "postgresql")


def account_file(url: str) -> Path | None:
    """Where a dry run keeps the account of the simulated exchange; None with a store in memory.

    Beside the store's file. With a server it is a file of the working folder, named like the
    database: whoever takes the account over elsewhere would begin with another exchange.
    """
    path = file_of(url)
    if path is not None:
        return path.with_name(f"{path.name}.venue")
    parts = urlsplit(url)
    if not is_shared(url):
        return None
    name = "-".join(filter(None, (parts.path.strip("/"), parts.query.partition("schema=")[2])))
    return Path(f"{name}.venue")
