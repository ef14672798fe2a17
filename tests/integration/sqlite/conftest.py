"""One SQLite file, and the store that owns it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from order_adapters.clock import VirtualClock
from order_adapters.stores.sqlite import SqliteStore
from tests.builders import NOW, seconds
from tests.integration.sqlite.access import take


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(str(path), VirtualClock(NOW), wait=seconds(0))
    await store.open()
    await take(store)
    yield store
    await store.close()
