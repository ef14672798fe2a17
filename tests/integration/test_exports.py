"""Exports of a running service: JSON lines, for whoever may read, never whole when they are not."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final, get_args

import httpx
import pytest

from order_adapters.clock import SystemClock
from order_adapters.stores.sqlite.store import SqliteStore
from order_service.exporting import Kind
from order_service.http.exports import MOST_AT_ONCE
from order_service.http.keys import Scope, make_key
from tests.integration.live_service import until
from tests.integration.service_process import ServiceProcess
from tests.row_builders import a_delivery_row

ROWS: Final = 20_000
"""More bytes than sockets hold, so that an export waits for whoever reads it."""


async def filled(path: Path) -> None:
    store = SqliteStore(str(path), SystemClock())
    await store.open()
    ttl = timedelta(seconds=10)
    await store.journal.acquire(account="dry:default", owner="test", url="", ttl=ttl)
    rows = [a_delivery_row(number, body="x" * 1000) for number in range(1, ROWS + 1)]
    await store.journal.flush(1, rows)
    await store.journal.release()
    await store.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("exports")
    (folder / "keys.jsonl").write_text("")
    asyncio.run(filled(folder / "orders.sqlite"))
    settings = {"ORDERMANAGER_API_KEYS_FILE": "keys.jsonl", "ORDERMANAGER_API_RATE": "1000"}
    with ServiceProcess(folder, **settings) as running:
        running.ready()
        yield running


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_is_json_lines(service: ServiceProcess, kind: str) -> None:
    answer = service.http.get(f"/api/v1/export/{kind}")
    rows = [json.loads(line) for line in answer.content.splitlines()]

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jsonl"
    assert len(rows) == (ROWS if kind == "signals" else 0)


def test_there_is_no_export_of_anything_else(service: ServiceProcess) -> None:
    assert service.http.get("/api/v1/export/secrets").status_code == 400


def let_in(service: ServiceProcess, scope: Scope) -> dict[str, str]:
    """A key that is good now."""
    key, line = make_key("reader", [scope], None)
    (service.folder / "keys.jsonl").write_text(line)
    headers = {"X-API-Key": key}
    for _ in range(3000):
        if service.http.get("/api/v1/export/orders", headers=headers).status_code in (200, 403):
            return headers
    raise AssertionError("the key was never taken")


def test_it_takes_the_right_to_read_and_no_more(service: ServiceProcess) -> None:
    reads = service.http.get("/api/v1/export/orders", headers=let_in(service, Scope.READ))
    trades = service.http.get("/api/v1/export/orders", headers=let_in(service, Scope.TRADE))

    assert (reads.status_code, trades.status_code) == (200, 403)


def test_an_export_whose_key_is_taken_away_breaks_off(service: ServiceProcess) -> None:
    headers = let_in(service, Scope.READ)
    with service.http.stream("GET", "/api/v1/export/signals", headers=headers) as answer:
        assert answer.status_code == 200
        chunks = answer.iter_raw()
        next(chunks)
        (service.folder / "keys.jsonl").write_text("")
        until(lambda: service.http.get("/api/v1/orders", headers=headers).status_code == 401)
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in chunks:
                pass


def test_trading_goes_on_beside_exports_and_one_too_many_is_refused(
    service: ServiceProcess,
) -> None:
    path = "/api/v1/export/signals"
    with (
        service.http.stream("GET", path) as first,
        service.http.stream("GET", path) as second,
    ):
        refused = service.http.get(path)
        ready = service.http.get("/ready")
        lines = [sum(chunk.count(b"\n") for chunk in each.iter_raw()) for each in (first, second)]

    assert MOST_AT_ONCE == 2
    assert refused.status_code == 429
    assert ready.status_code == 200
    assert lines == [ROWS, ROWS]
    assert service.http.get(path).status_code == 200
