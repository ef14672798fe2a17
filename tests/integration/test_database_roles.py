"""The roles that the page gives out: with the one the service trades, and neither may do more."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from tests.docs.pages import ROOT, blocks
from tests.integration.live_service import LiveService, local_bybit
from tests.integration.service_process import a_body
from tests.postgres_server import PostgresServer, connected

PAGE = ROOT / "docs/how-to/database-roles.md"
(STATEMENTS,) = [each.text for each in blocks(PAGE) if "CREATE ROLE" in each.text]
ROLES = ("service", "reader")


@pytest.fixture
async def urls(postgres: PostgresServer, emptied_postgres: str) -> AsyncIterator[dict[str, str]]:
    """The same database, as each role of the page; roles are the server's, so named anew."""
    names = {role: f"om_test_{uuid4().hex[:12]}_{role}" for role in ROLES}
    statements = STATEMENTS
    for role, name in names.items():
        statements = re.sub(rf"\border_manager_{role}\b", name, statements)
    async with connected(emptied_postgres) as owner:
        await owner.execute(statements)
        place = urlsplit(emptied_postgres)
        at = place.netloc.rpartition("@")[2]
        yield {
            role: urlunsplit(place._replace(netloc=f"{name}@{at}")) for role, name in names.items()
        }
        for name in names.values():
            await owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


async def test_k9_the_service_trades_with_the_role_of_the_page(
    tmp_path: Path, urls: dict[str, str]
) -> None:
    often = {"ORDERMANAGER_POSITION_SNAPSHOT_INTERVAL": "1"}
    with (
        local_bybit(tmp_path) as bybit,
        LiveService(tmp_path, bybit, urls["service"], **often) as service,
    ):
        service.ready()
        order = service.filled(service.send(a_body(1)).json()["order_ids"][0])
        service.http.post("/api/v1/halt", json={}, headers={"Idempotency-Key": "h"})
        while not service.get("/snapshots")["snapshots"]:
            pass
        assert service.stop() == 0

    assert order["status"] == "filled"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET subject = 'x'",
        "DELETE FROM events",
        "UPDATE executions SET number = 0",
        "DELETE FROM executions",
        "DELETE FROM orders",
        "TRUNCATE position_snapshots",
        "DROP TABLE marks",
        "ALTER TABLE orders ADD COLUMN more text",
        "CREATE TABLE order_manager.mine (x int)",
        "INSERT INTO schema_migrations SELECT * FROM schema_migrations",
    ],
)
async def test_k9_the_role_of_the_service_rewrites_no_history_and_no_schema(
    urls: dict[str, str], statement: str
) -> None:
    async with connected(urls["service"]) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize("statement", ["DELETE FROM marks", "UPDATE head SET epoch = 0"])
async def test_k9_the_role_of_the_reader_only_reads(urls: dict[str, str], statement: str) -> None:
    async with connected(urls["reader"]) as connection:
        assert await connection.fetchval("SELECT count(*) FROM events") == 0
        with pytest.raises(
            (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)
        ):
            await connection.execute(statement)
