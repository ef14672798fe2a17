"""The service as its neighbours see it: a real process, real HTTP, a real file."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.service_process import KEY, ServiceProcess, a_body, verify


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("service")) as process:
        yield process.ready()


def test_the_first_line_and_health_say_what_was_chosen(service: ServiceProcess) -> None:
    chosen = {
        "store": "sqlite:///orders.sqlite",
        "bus": "in-process",
        "venue": "simulated",
        "account": "dry:default",
        "mode": "dry-run",
    }
    health = service.http.get("/health").json()

    assert service.log[0]["event"] == "service.starting"
    assert chosen.items() <= service.log[0].items()
    assert chosen.items() <= health.items()


def test_health_has_the_keys_that_dashboards_read(service: ServiceProcess) -> None:
    answer = service.http.get("/health")
    body = answer.json()

    assert answer.status_code == 200
    assert (body["status"], body["service"]) == ("healthy", "order-manager")
    assert (body["database_connected"], body["queue_connected"]) == (True, True)


@pytest.mark.parametrize("path", ["/health", "/live", "/ready"])
def test_health_needs_no_key(service: ServiceProcess, path: str) -> None:
    assert httpx.get(f"{service.http.base_url}{path}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": KEY + "x"},
        {"X-API-Key": "schlüssel".encode()},
        {"X-API-Key": b"\xff\xfe"},
        {"Authorization": KEY},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["orders", "orders/x", "positions", "positions/BTCUSDT"])
def test_without_the_right_key_nothing_is_read(
    service: ServiceProcess, path: str, headers: dict[str, Any]
) -> None:
    answer = httpx.get(f"{service.http.base_url}/api/v1/{path}", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:order-manager:unauthorized"


def test_a_key_in_the_address_is_no_key(service: ServiceProcess) -> None:
    address = f"{service.http.base_url}/api/v1/orders?api_key={KEY}"

    assert httpx.get(address).status_code == 401


def test_without_the_right_key_no_signal_is_taken(service: ServiceProcess) -> None:
    address = f"{service.http.base_url}/api/v1/signals"

    assert httpx.post(address, json=a_body(999)).status_code == 401


def test_a_signal_becomes_an_order_and_a_position(service: ServiceProcess) -> None:
    answer = service.send(a_body(1, trace_id="trace-of-the-model"))
    body = answer.json()

    assert answer.status_code == 202
    assert (body["verdict"], body["code"]) == ("ordered", "OK")
    (order_id,) = body["order_ids"]
    order = service.filled(order_id)
    assert order["client_order_id"] == order_id
    assert order["order_id"] not in ("", order_id)
    assert (order["asset"], order["side"], order["order_type"]) == ("BTCUSDT", "Buy", "Market")
    assert (order["state"], order["is_dry_run"]) == ("FILLED", True)
    assert order["trace_id"] == "trace-of-the-model"
    assert order["filled_quantity"] == order["quantity"]
    assert order["created_at"].endswith("Z")
    assert service.get(f"/orders/{order['order_id']}") == order
    position = service.get("/positions/BTCUSDT")
    assert position["asset"] == "BTCUSDT"
    assert position["mode"] == "one-way"
    assert service.get("/positions", asset="BTCUSDT")["positions"] == [position]


def test_the_same_signal_again_does_nothing_new(service: ServiceProcess) -> None:
    body = a_body(2)
    first, again = service.send(body).json(), service.send(body).json()

    assert again["verdict"] == "duplicate"
    assert again["order_ids"] == first["order_ids"]
    assert service.get("/orders", signal_id=body["signal_id"])["total"] == 1


def test_the_same_id_with_another_body_is_a_conflict(service: ServiceProcess) -> None:
    body = a_body(3)
    service.send(body)
    answer = service.send(body | {"amount": 1001})

    assert answer.status_code == 409
    assert answer.json()["code"] == "ID_CONFLICT"


def test_a_denied_signal_is_answered_with_its_reason(service: ServiceProcess) -> None:
    body = service.send(a_body(4, amount=1)).json()

    assert body["verdict"] == "denied"
    assert body["code"] in ("QUANTITY_BELOW_MIN", "NOTIONAL_BELOW_MIN")
    (order_id,) = body["order_ids"]
    order = service.get(f"/orders/{order_id}")
    assert (order["status"], order["state"]) == ("rejected", "DENIED")
    assert order["rejection_reason"] == body["code"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"nonsense", "body"),
        (b"[1]", "body"),
        (b"\xff\xfe", "body"),
        (b'{"amount": 1, "amount": 2}', "body"),
        (json.dumps(a_body(5, amount=-5)).encode(), "amount"),
        (json.dumps(a_body(5, signal_id="7")).encode(), "signal_id"),
        (json.dumps(a_body(5)).replace("1000,", "NaN,").encode(), "body"),
    ],
    ids=["text", "array", "bytes", "twice", "negative", "id", "NaN"],
)
def test_an_invalid_body_names_field_rule_and_value(
    service: ServiceProcess, body: bytes, field: str
) -> None:
    answer = service.send(body)
    told = answer.json()

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["code"] == "BODY_INVALID"
    (reason,) = told["errors"]
    assert reason.keys() == {"field", "rule", "value"}
    assert field in (reason["field"], "body")


def test_a_body_beyond_64_kib_is_not_read(service: ServiceProcess) -> None:
    answer = service.send(b" " * (64 * 1024 + 1))

    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:order-manager:too_large"


def test_both_paging_styles_show_the_same(service: ServiceProcess) -> None:
    for number in (11, 12, 13):
        service.send(a_body(number, amount=1))
    by_offset = service.get("/orders", limit=2, offset=2, sort_order="asc")
    by_page = service.get("/orders", page_size=2, page=2, sort_order="asc")

    assert by_offset["orders"] == by_page["orders"]
    assert len(by_page["orders"]) == 2 or by_page["total"] < 4
    assert by_page["pagination"]["page"] == 2
    assert by_page["pagination"]["total_items"] == by_offset["total"]
    assert by_offset["offset"] == 2


def test_orders_are_filtered(service: ServiceProcess) -> None:
    service.send(a_body(21, asset="ETHUSDT", amount=0.5))
    everything = service.get("/orders", limit=100)["orders"]
    filters: list[tuple[dict[str, str], Any]] = [
        ({"asset": "ETHUSDT"}, lambda order: order["asset"] == "ETHUSDT"),
        ({"status": "rejected"}, lambda order: order["status"] == "rejected"),
        ({"status": "FILLED"}, lambda order: order["state"] == "FILLED"),
        ({"side": "sell"}, lambda order: order["side"] == "Sell"),
        ({"strategy_id": "nobody"}, lambda _: False),
        ({"date_to": "2020-01-01T00:00:00Z"}, lambda _: False),
    ]

    for parameters, keeps in filters:
        found = service.get("/orders", limit=100, **parameters)["orders"]
        assert found == [order for order in everything if keeps(order)], parameters


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": 5, "page": 1},
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"page": 0},
        {"status": "sleeping"},
        {"side": "up"},
        {"sort_by": "password"},
        {"date_from": "yesterday"},
        {"date_from": "2026-01-01T00:00:00"},
    ],
    ids=str,
)
def test_a_parameter_that_cannot_be_is_refused(
    service: ServiceProcess, parameters: dict[str, Any]
) -> None:
    answer = service.http.get("/api/v1/orders", params=parameters)

    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:order-manager:bad_request"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/orders/nobody", 404),
        ("GET", "/api/v1/positions/NOBODY", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/api/v1/orders", 405),
    ],
)
def test_every_error_is_a_problem_with_its_trace(
    service: ServiceProcess, method: str, path: str, status: int
) -> None:
    answer = service.http.request(method, path, headers={"X-Trace-Id": "trace-77"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-trace-id"] == answer.json()["trace_id"] == "trace-77"
    assert answer.json()["status"] == status


def test_a_trace_id_that_does_not_belong_in_a_log_is_replaced(service: ServiceProcess) -> None:
    answer = service.http.get("/health", headers={"X-Trace-Id": 'evil" \t{x}'})

    assert answer.headers["x-trace-id"].isalnum()


def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    body = a_body(1)
    with ServiceProcess(tmp_path) as service:
        service.ready()
        first = service.send(body).json()
        service.send(b"nonsense")
        service.kill()
    with ServiceProcess(tmp_path) as service:
        service.ready()
        order = service.filled(first["order_ids"][0])
        again = service.send(body).json()

        assert again["verdict"] == "duplicate"
        assert again["delivery"] == 3
        assert again["order_ids"] == first["order_ids"] == [order["client_order_id"]]
        assert service.get("/orders")["total"] == 1
        assert service.get("/positions/BTCUSDT")["size"] == order["filled_quantity"]
        assert service.stop() == 0
    assert verify(tmp_path) == 0


def test_a_second_service_on_the_same_store_refuses_and_names_the_first(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path) as first:
        first.ready()
        with ServiceProcess(tmp_path) as second:
            ended = second.until("service.ended")
            second.read_rest()

            assert "LEASE_HELD" in ended["error"]
            assert str(first.http.base_url).rstrip("/") in ended["error"]
            assert second.process.returncode == 1
        assert first.http.get("/ready").status_code == 200


def test_sigterm_ends_in_good_order(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path) as service:
        service.ready().send(a_body(1))

        assert service.stop() == 0
        assert {"service.stopped"} <= {line["event"] for line in service.log}
    assert verify(tmp_path) == 0


def test_the_trace_id_of_a_signal_leads_through_the_log_from_its_intake_to_its_fill(
    tmp_path: Path,
) -> None:
    with ServiceProcess(tmp_path) as service:
        told = service.ready().send(a_body(1, trace_id="trace-of-the-model")).json()
        service.filled(told["order_ids"][0])
        service.send(a_body(2, trace_id="of-another"))
        service.stop()
    lines = [each for each in service.log if each.get("trace_id") == "trace-of-the-model"]
    kinds = [each["kind"] for each in lines if each["event"] == "event.published"]
    verdicts = [each["verdict"] for each in lines if each["event"] == "signal.decided"]

    assert lines[0]["event"] == "signal.taken"
    assert {each["signal_id"] for each in lines} == {a_body(1)["signal_id"]}
    assert verdicts[-1] == "ordered"  # the first may have been that it waits for a quote
    assert kinds[0] == "order_created"
    assert kinds[-1] == "order_filled"


def test_no_log_line_holds_the_key(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, ORDERMANAGER_LOG_LEVEL="DEBUG") as service:
        service.ready().send(a_body(1))
        service.send(a_body(2, strategy_id=KEY))
        service.stop()

        assert len(service.log) > 10
        assert KEY not in json.dumps(service.log)


def test_without_a_key_the_dry_run_makes_one_that_only_its_user_can_read(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, ORDERMANAGER_API_KEY="") as service:
        service.ready()
        file = tmp_path / "orders.sqlite.key"
        key = file.read_text()

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert service.http.get("/api/v1/orders").status_code == 401
        answer = service.http.get("/api/v1/orders", headers={"X-API-Key": key})
        assert answer.status_code == 200
        assert service.log[0]["key_source"] == "orders.sqlite.key"


def served(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A service that does not come up."""
    clean = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("ORDERMANAGER", "BYBIT", "POSTGRES", "RABBITMQ"))
    }
    return subprocess.run(
        [sys.executable, "-m", "order_cli", "serve", *arguments],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_any_setting_it_refuses_and_names_the_two_ways(tmp_path: Path) -> None:
    ended = served(tmp_path)

    assert ended.returncode == 5
    assert "serve --dry-run" in ended.stderr
    assert "env.example" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ORDERMANAGER_ENABLE_DRY_RUN": "false"}, "RABBITMQ_USER: chooses the bus"),
        ({"ORDERMANAGER_BUS": "in-process"}, "BYBIT_API_KEY: is needed to trade on Bybit"),
        (
            {"ORDERMANAGER_BUS": "in-process", "BYBIT_API_KEY": "k"},
            "BYBIT_API_SECRET: is needed to trade on Bybit",
        ),
        ({"BYBIT_ENVIRONMENT": "custom"}, "custom needs BYBIT_REST_URL and BYBIT_STREAM_URL"),
    ],
)
def test_a_live_service_says_what_it_lacks(
    tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    ended = served(tmp_path, **environment)

    assert ended.returncode == 5
    assert told in ended.stderr


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ORDERMANAGER_PROT": "1"}, "did you mean ORDERMANAGER_PORT?"),
        ({"ORDERMANAGER_STORE_URL": "file:x"}, "store: must be one of memory, sqlite"),
        ({"ORDERMANAGER_DRY_RUN_SYMBOLS": "NOPEUSDT"}, "ORDERMANAGER_DRY_RUN_SYMBOLS: must be"),
    ],
)
def test_what_this_version_does_not_have_is_said(
    tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    ended = served(tmp_path, "--dry-run", "--port", "0", **environment)

    assert ended.returncode != 0
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path) as service:
        port = str(service.http.base_url.port)
        ended = served(tmp_path, "--dry-run", "--port", port)

        assert ended.returncode != 0
        assert "in use" in ended.stderr
        assert "Traceback" not in ended.stderr
