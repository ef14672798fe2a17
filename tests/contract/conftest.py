"""Every adapter of a port runs the same suite: a new one is one more parameter here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from order_adapters.registry import Store
from tests.contract.backends import Backend, MemoryBackend, PostgresBackend, SqliteBackend
from tests.postgres_server import PostgresServer


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def backend(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer
) -> AsyncIterator[Backend]:
    made: Backend
    if request.param == "postgres":
        made = PostgresBackend(await postgres.emptied())
    else:
        made = MemoryBackend() if request.param == "memory" else SqliteBackend(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def store(backend: Backend) -> Store:
    """A store whose lease was just taken."""
    return await backend.owned()
