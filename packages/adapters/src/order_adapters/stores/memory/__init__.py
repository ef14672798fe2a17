"""A store in memory: for tests, simulation, backtests and a throw-away dry run."""

from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.faults import StoreFaults
from order_adapters.stores.memory.store import MemoryStore

__all__ = ["MemoryDatabase", "MemoryStore", "StoreFaults"]
