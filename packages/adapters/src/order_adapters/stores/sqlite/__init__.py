"""A store in one SQLite file, for one machine: durable at every commit, open to any SQLite tool."""

from order_adapters.stores.sqlite.audit import Damage
from order_adapters.stores.sqlite.store import SqliteStore

__all__ = ["Damage", "SqliteStore"]
