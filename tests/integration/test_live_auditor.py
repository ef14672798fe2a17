"""Rows of a running service, changed by SQL: the service finds it and opens nothing more."""

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from order_adapters.stores.postgres.place import Place
from tests.integration.live_service import LiveService, local_bybit, until
from tests.integration.service_process import ServiceProcess, a_body

OFTEN = {"ORDERMANAGER_AUDIT_INTERVAL": "1"}
CORRUPTIONS = {
    "a filled quantity": ("V8", "UPDATE orders SET cum_quantity = '0.5'"),
    "a lost event": ("V13", "DELETE FROM events WHERE number = 2"),
}


def broken(service: ServiceProcess) -> dict[str, int]:
    found: dict[str, int] = service.http.get("/health").json()["invariants_broken"]
    return found


def gauge(service: ServiceProcess) -> float:
    text = service.http.get("/metrics").text
    found = re.search(r"^order_manager_invariants_broken (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def audits(service: ServiceProcess) -> int:
    counts: dict[str, int] = service.http.get("/health").json()["counts"]
    return counts["audits"]


def test_a_healthy_service_is_audited_and_goes_on_trading(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, **OFTEN) as service:
        service.ready()
        for number in range(1, 4):
            service.filled(service.send(a_body(number)).json()["order_ids"][0])
            seen = audits(service)
            until(lambda seen=seen: audits(service) > seen)  # type: ignore[misc]
        states = service.get("/trading-state")["states"]
        shown, measured = broken(service), gauge(service)
        service.stop()

    assert (shown, measured) == ({}, 0)
    assert [row for row in states if row["cause"] == "AUDIT"] == []


@pytest.mark.parametrize(("code", "sql"), CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_a_corruption_by_sql_is_found_and_stops_new_orders(
    code: str, sql: str, tmp_path: Path
) -> None:
    with ServiceProcess(tmp_path, **OFTEN) as service:
        service.ready()
        service.filled(service.send(a_body(1)).json()["order_ids"][0])
        until(lambda: audits(service) > 0)
        store = sqlite3.connect(tmp_path / "orders.sqlite", isolation_level=None, timeout=10)
        assert store.execute(sql).rowcount > 0
        store.close()
        until(lambda: code in broken(service))
        until(lambda: service.send(a_body(2)).json().get("verdict") in ("denied", "duplicate"))
        denied: dict[str, Any] = service.send(a_body(3)).json()
        measured = gauge(service)
        service.stop()
    said = [str(each["event"]) for each in service.log]

    assert denied["verdict"] == "denied"
    assert denied["code"] == "TRADING_STATE"
    assert measured > 0
    assert any(f"invariant {code} is broken" in each for each in said)


def test_in_postgresql_too(tmp_path: Path, emptied_postgres: str) -> None:
    place = Place.of(emptied_postgres)

    async def corrupt() -> str:
        connection = await asyncpg.connect(place.dsn, server_settings={"search_path": place.schema})
        try:
            return str(await connection.execute("UPDATE orders SET cum_quantity = 0.5"))
        finally:
            await connection.close()

    with (
        local_bybit(tmp_path) as bybit,
        LiveService(tmp_path, bybit, emptied_postgres, **OFTEN) as service,
    ):
        service.ready()
        service.filled(service.send(a_body(1)).json()["order_ids"][0])
        until(lambda: audits(service) > 1)
        healthy = broken(service)
        assert asyncio.run(corrupt()) == "UPDATE 1"
        until(lambda: "V8" in broken(service))
        until(lambda: service.send(a_body(2)).json().get("verdict") in ("denied", "duplicate"))
        denied = service.send(a_body(3)).json()
        orders = len(bybit.state()["orders"])
        service.stop()

    assert healthy == {}
    assert (denied["verdict"], denied["code"]) == ("denied", "TRADING_STATE")
    assert orders <= 2
