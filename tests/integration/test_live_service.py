"""The live service by settings alone: a local Bybit, PostgreSQL, and what a user sees of them."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.live_service import SECRET, LiveService, LocalBybit, local_bybit, until
from tests.integration.service_process import a_body


@pytest.fixture
def bybit(tmp_path: Path) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path) as server:
        yield server


@pytest.fixture
def store(emptied_postgres: str) -> str:
    return emptied_postgres


def size_at(bybit: LocalBybit) -> Decimal:
    return sum((Decimal(each["size"]) for each in bybit.state()["positions"]), Decimal(0))


def test_a_signal_trades_on_bybit_and_its_rows_lie_in_postgresql(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    with LiveService(tmp_path, bybit, store) as service:
        service.ready()
        told = service.send(a_body(1)).json()
        order = service.filled(told["order_ids"][0])
        until(lambda: service.position() == size_at(bybit) > 0)
        assert service.stop() == 0
    starting = next(each for each in service.log if each["event"] == "service.starting")

    assert order["is_dry_run"] is False
    assert order["client_order_id"].startswith("om1c-")
    assert starting["mode"] == "live"
    assert starting["venue"] == "bybit"
    assert starting["store"].startswith("postgresql://")


def test_prometheus_reads_what_the_limits_of_the_exchange_leave(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    with LiveService(tmp_path, bybit, store, BYBIT_TRADE_BY_SOCKET="false") as service:
        service.ready()
        service.filled(service.send(a_body(1)).json()["order_ids"][0])
        told = service.http.get("/metrics").text.splitlines()
        service.stop()
    values = dict(line.rsplit(" ", 1) for line in told if not line.startswith("#"))

    assert values['order_manager_rate_limit{limit="address"}'] == "480.0"
    assert values['order_manager_rate_limit{limit="/v5/order/create"}'] == "10.0"
    assert float(values['order_manager_rate_left{limit="/v5/order/create",priority="open"}']) <= 9
    assert values['order_manager_rate_waiting{priority="urgent"}'] == "0.0"
    assert values["order_manager_http_stopped_seconds"] == "0.0"


def test_a_killed_service_comes_back_to_the_same_books_and_trades_on(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    body = a_body(1)
    with LiveService(tmp_path, bybit, store) as service:
        service.ready()
        service.filled(service.send(body).json()["order_ids"][0])
        service.kill()
    with LiveService(tmp_path, bybit, store) as service:
        service.ready()
        again = service.send(body).json()
        service.filled(service.send(a_body(2)).json()["order_ids"][0])
        until(lambda: service.position() == size_at(bybit))
        service.stop()
    orders = bybit.state()["orders"]

    assert again["verdict"] == "duplicate"
    assert len(orders) == 2


def test_a_store_of_another_site_is_refused(tmp_path: Path, bybit: LocalBybit, store: str) -> None:
    with LiveService(tmp_path, bybit, store) as service:
        service.ready()
        service.stop()
    with LiveService(tmp_path, bybit, store, ORDERMANAGER_ENABLE_DRY_RUN="true") as service:
        service.until("service.ended")
        service.read_rest()

    assert service.process.returncode == 1
    assert any("WRONG_MODE" in str(each.get("error")) for each in service.log)


def test_a_secret_of_a_file_is_used_and_shows_nowhere(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    files = {"BYBIT_API_SECRET": "", "BYBIT_API_SECRET_FILE": str(file)}
    with LiveService(tmp_path, bybit, store, **files) as service:
        service.ready()
        service.stop()

    assert SECRET not in str(service.log)


def test_of_two_services_one_trades_and_the_other_takes_over_when_it_is_killed(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    body = a_body(1)
    with (
        LiveService(tmp_path, bybit, store) as first,
        LiveService(tmp_path, bybit, store) as second,
    ):
        first.ready()
        told = second.until("service.standing_by")
        refused = second.send(body).status_code
        waiting = second.http.get("/ready").status_code
        first.filled(first.send(body).json()["order_ids"][0])
        first.kill()
        second.ready()
        again = second.send(body).json()["verdict"]
        second.filled(second.send(a_body(2)).json()["order_ids"][0])
        until(lambda: second.position() == size_at(bybit))
        second.stop()

    assert str(first.http.base_url).rstrip("/") in told["owner"]
    assert (refused, waiting) == (503, 503)
    assert again == "duplicate"
    assert len(bybit.state()["orders"]) == 2
