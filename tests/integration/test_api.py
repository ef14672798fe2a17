"""The REST API of a running service: commands, reads, states, sync, events, keys."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from order_service.http.keys import Scope, make_key
from tests.integration.service_process import KEY, ServiceProcess, a_body

EACH: dict[Scope, str] = {}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One dry run for all of these tests; each looks only at what it made itself."""
    folder = tmp_path_factory.mktemp("api")
    lines = []
    for scope in Scope:
        EACH[scope], line = make_key(f"only_{scope.value}", [scope], None)
        lines.append(line)
    (folder / "keys.jsonl").write_text("\n".join(lines))
    with ServiceProcess(folder, ORDERMANAGER_API_KEYS_FILE="keys.jsonl") as running:
        running.ready()
        yield running


def post(
    service: ServiceProcess, path: str, body: Any = None, *, key: str = KEY, once: str | None = None
) -> httpx.Response:
    headers = {"X-API-Key": key, "Idempotency-Key": once or str(uuid4())}
    return service.http.post(f"/api/v1{path}", json=body or {}, headers=headers)


def bought(service: ServiceProcess, **changes: Any) -> dict[str, Any]:
    body = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"} | changes
    answer = post(service, "/orders?wait=10", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_order_is_placed_followed_and_told_with_its_decision(service: ServiceProcess) -> None:
    told = bought(service)
    (order,) = told["orders"]

    assert told["code"] == "OK"
    assert order["status"] == "FILLED"
    assert order["filled_quantity"] == "0.01"
    assert {"MAX_EXPOSURE", "PRICE_COLLAR"} <= {each["code"] for each in told["decision"]}


def test_the_same_key_with_the_same_body_does_nothing_new(service: ServiceProcess) -> None:
    body, once = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"}, str(uuid4())
    first, second = (post(service, "/orders", body, once=once).json() for _ in range(2))

    assert first["result"] == second["result"]


def test_the_same_key_with_another_body_is_a_conflict(service: ServiceProcess) -> None:
    once = str(uuid4())
    post(service, "/orders", {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"}, once=once)
    body = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.02"}
    answer = post(service, "/orders", body, once=once)

    assert answer.status_code == 409
    assert answer.json()["code"] == "REQUEST_CONFLICT"


def test_a_denied_order_is_a_problem_with_its_code_its_decision_and_its_row(
    service: ServiceProcess,
) -> None:
    body = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01", "price": "1"}
    answer = post(service, "/orders", body)
    problem = answer.json()
    (order,) = problem["outcome"]["orders"]

    assert answer.status_code == 422
    assert problem["code"] == "PRICE_COLLAR"
    assert order["status"] == "DENIED"
    assert service.get("/denials")["denials"]["PRICE_COLLAR"] >= 1


def test_an_order_is_amended_and_cancelled_by_any_of_its_ids(service: ServiceProcess) -> None:
    bought(service)
    price = service.get("/positions/BTCUSDT")["current_price"]
    resting = str(round(float(price) * 0.97))
    (order,) = bought(service, price=resting)["orders"]
    lower = str(round(float(price) * 0.965))
    amended = post(service, f"/orders/{order['venue_order_id']}/amend", {"price": lower})
    cancelled = post(service, f"/orders/{order['client_order_id']}/cancel?wait=10").json()
    again = post(service, f"/orders/{order['client_order_id']}/cancel")

    assert order["status"] == "WORKING"
    assert amended.json()["code"] == "OK"
    assert [each["status"] for each in cancelled["orders"]] == ["CANCELLED"]
    assert (again.status_code, again.json()["code"]) == (409, "ORDER_CLOSED")


def test_a_listing_asked_again_in_the_same_words_shows_what_has_changed_since(
    service: ServiceProcess,
) -> None:
    price = service.get("/positions/BTCUSDT")["current_price"]
    (order,) = bought(service, price=str(round(float(price) * 0.97)))["orders"]

    def listed() -> Any:
        found = service.get("/orders", strategy_id="MANUAL", limit=1)["orders"][0]
        return found["client_order_id"], found["status"], found["sequence"]

    first, same = listed(), listed()
    post(service, f"/orders/{order['client_order_id']}/cancel?wait=10")
    after, alone = listed(), service.get(f"/orders/{order['client_order_id']}")

    assert first == same == (order["client_order_id"], "pending", first[2])
    assert after == (order["client_order_id"], "cancelled", alone["sequence"])
    assert after[2] > first[2]


def test_a_listing_asked_in_words_that_mean_nothing_is_refused_every_time(
    service: ServiceProcess,
) -> None:
    answers = [service.http.get("/api/v1/orders?limit=20&side=hold") for _ in range(3)]

    assert [each.status_code for each in answers] == [400, 400, 400]


def test_what_is_not_there_is_not_found(service: ServiceProcess) -> None:
    for path in ("/orders/nope/cancel", "/signals/nope/retry"):
        assert post(service, path).status_code == 404
    for path in ("/orders/nope/events", "/orders/nope/explanation", "/signals/nope", "/nope"):
        assert service.http.get(f"/api/v1{path}").status_code == 404


def test_a_position_is_closed_in_part_and_whole_and_flatten_leaves_nothing(
    service: ServiceProcess,
) -> None:
    bought(service, quantity="0.04")
    before = float(service.get("/positions/BTCUSDT")["size"])
    half = post(service, "/positions/BTCUSDT/close?wait=10", {"part": "0.5"})
    middle = float(service.get("/positions/BTCUSDT")["size"])
    post(service, "/flatten")
    for _ in range(20_000):
        if service.get("/positions/BTCUSDT")["size"] == "0":
            break
    closed = post(service, "/positions/BTCUSDT/close")

    assert half.status_code == 200
    assert 0 < middle < before
    assert service.get("/positions/BTCUSDT")["size"] == "0"
    assert closed.json()["code"] == "NOTHING_TO_CLOSE"


def test_a_halt_holds_from_its_answer_until_it_is_resumed(service: ServiceProcess) -> None:
    halted = post(service, "/halt", {"reason": "a test"}).json()
    refused = post(service, "/orders", {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"})
    (cause,) = [each for each in halted["states"] if each["scope"] == "account"]
    stale = post(service, "/resume", {"version": cause["version"] - 1})
    resumed = post(service, "/resume", {"version": cause["version"]}).json()

    assert halted["account"] == "HALTED"
    assert cause["actor"] == "key:default"
    assert refused.json()["code"] == "TRADING_STATE"
    assert (stale.status_code, stale.json()["code"]) == (409, "STATE_CHANGED")
    assert resumed["account"] == "ACTIVE"


def test_of_many_who_lift_the_same_version_at_once_one_does(service: ServiceProcess) -> None:
    (cause,) = [
        each
        for each in post(service, "/halt", {"reason": "a race"}).json()["states"]
        if each["scope"] == "account"
    ]

    def lift(_: int) -> int:
        return post(service, "/resume", {"version": cause["version"]}).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(lift, range(10)))

    assert statuses == [200] + 9 * [409]


@pytest.mark.parametrize("query", ["states=WORKING,MOON", "states=", "states=filled&status=filled"])
def test_states_that_are_none_of_ours_are_refused(service: ServiceProcess, query: str) -> None:
    assert service.http.get(f"/api/v1/orders?{query}").status_code == 400


def test_one_symbol_may_be_restricted_alone(service: ServiceProcess) -> None:
    post(service, "/trading-state", {"state": "REDUCE_ONLY", "scope": "symbol:ETHUSDT"})
    refused = post(service, "/orders", {"asset": "ETHUSDT", "side": "buy", "quantity": "0.1"})
    post(service, "/resume", {"scope": "symbol:ETHUSDT"})

    assert refused.json()["code"] == "TRADING_STATE"
    assert service.get("/trading-state")["account"] == "ACTIVE"


@pytest.mark.parametrize("scope", ["orders", "positions", "active", "all"])
def test_the_account_is_read_on_demand_by_query_or_body(
    service: ServiceProcess, scope: str
) -> None:
    by_query = post(service, f"/sync?scope={scope}")
    by_body = post(service, "/sync", {"scope": scope})

    assert by_query.json()["status"] == by_body.json()["status"] == "completed"
    assert by_query.json()["repairs"] == []


def test_a_signal_its_order_its_events_and_its_executions_tell_one_story(
    service: ServiceProcess,
) -> None:
    body = a_body(501, trace_id="trace-501")
    told = service.send(body).json()
    order_id = told["order_ids"][0]
    service.filled(order_id)
    events = service.get(f"/orders/{order_id}/events")["events"]
    executions = service.get(f"/orders/{order_id}/executions")["executions"]
    story = service.get(f"/orders/{order_id}/explanation")
    (generation,) = service.get(f"/signals/{body['signal_id']}")["generations"]

    assert [each["sequence"] for each in events] == list(range(1, len(events) + 1))
    assert events[-1]["kind"] == "order_filled"
    assert story["events"] == events
    assert story["executions"] == executions
    assert story["decision"] == generation["decision"]
    assert generation["order_ids"] == [order_id]
    assert executions[0]["exec_id"] in [
        each["exec_id"] for each in service.get("/executions", limit=5)["executions"]
    ]
    assert body["signal_id"] in [each["signal_id"] for each in service.get("/signals")["signals"]]


def test_what_a_signal_would_come_to_is_told_and_nothing_is_kept_of_it(
    service: ServiceProcess,
) -> None:
    body, old = a_body(510), a_body(511, timestamp="2020-01-01T00:00:00Z")
    told = post(service, "/signals/decide", body).json()
    expired = post(service, "/signals/decide", old).json()
    before = service.http.get(f"/api/v1/signals/{body['signal_id']}").status_code
    done = service.send(body).json()
    again = post(service, "/signals/decide", body).json()
    wrong = post(service, "/signals/decide", a_body(512, amount="much"))

    assert (told["verdict"], told["code"]) == ("ordered", "OK")
    assert {"MAX_EXPOSURE", "SPREAD"} & {each["code"] for each in told["decision"]}
    assert [each["client_order_id"] for each in told["orders"]] == done["order_ids"]
    assert expired["verdict"] == "expired"
    assert before == 404
    assert again["verdict"] == "duplicate"
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "amount")


def test_exposure_stands_beside_its_limit_and_balances_have_their_age(
    service: ServiceProcess,
) -> None:
    bought(service)
    exposure = service.get("/exposure")
    position = service.get("/positions/BTCUSDT")
    (balance,) = service.get("/balances")["balances"]

    assert exposure["max_exposure"] == "50000"
    assert float(exposure["positions"]) > 0
    assert exposure["without_price"] == []
    assert position["unrealized_pnl"] is not None
    assert balance["as_of"].endswith("Z")


def test_events_are_read_by_page_and_followed_live_from_any_number(
    service: ServiceProcess,
) -> None:
    bought(service)
    page = service.get("/events", after=0, limit=3)
    seen: list[dict[str, Any]] = []
    with service.http.stream(
        "GET", "/api/v1/events/stream", headers={"Last-Event-ID": str(page["last"])}
    ) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                seen.append(json.loads(line.removeprefix("data: ")))
            if len(seen) == 1:
                bought(service)
            if any(each["kind"] == "order_filled" and each["number"] > 10 for each in seen):
                break

    assert [each["number"] for each in page["events"]] == [1, 2, 3]
    assert [each["number"] for each in seen] == list(range(4, 4 + len(seen)))


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/orders", Scope.READ),
        ("GET", "/events", Scope.READ),
        ("POST", "/signals/decide", Scope.READ),
        ("POST", "/orders", Scope.TRADE),
        ("POST", "/orders/x/amend", Scope.TRADE),
        ("POST", "/orders/x/cancel", Scope.CANCEL),
        ("POST", "/orders/cancel-all", Scope.CANCEL),
        ("POST", "/positions/BTCUSDT/close", Scope.TRADE),
        ("POST", "/signals", Scope.TRADE),
        ("POST", "/signals/x/retry", Scope.TRADE),
        ("POST", "/halt", Scope.HALT),
        ("POST", "/flatten", Scope.HALT),
        ("POST", "/resume", Scope.ADMIN),
        ("POST", "/trading-state", Scope.ADMIN),
        ("POST", "/sync", Scope.ADMIN),
    ],
)
def test_a_route_lets_in_the_keys_of_its_scope_alone(
    service: ServiceProcess, method: str, path: str, scope: Scope
) -> None:
    for each, key in EACH.items():
        # a body that no form takes: whoever is let in gets no further than that
        answer = service.http.request(
            method,
            f"/api/v1{path}",
            headers={"X-API-Key": key},
            content=b"[" if method == "POST" else None,
        )
        assert (answer.status_code == 403) is (each is not scope), (each, answer.text)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "kéy".encode("latin-1")},
        {"Authorization": f"Bearer {KEY}"},
    ],
)
def test_nobody_is_let_in_without_a_key_in_its_header(
    service: ServiceProcess, headers: dict[str, Any]
) -> None:
    with httpx.Client(base_url=service.http.base_url) as stranger:
        answer = stranger.get("/api/v1/orders", params={"api_key": KEY}, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:order-manager:unauthorized"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"asset": "BTCUSDT", "side": "buy"}, "quantity"),
        ({"asset": "BTCUSDT", "side": "hold", "quantity": "1"}, "side"),
        ({"asset": "btc", "side": "buy", "quantity": "1"}, "asset"),
        ({"asset": "BTCUSDT", "side": "buy", "quantity": 0.01}, "quantity"),
        ({"asset": "BTCUSDT", "side": "buy", "quantity": "NaN"}, "quantity"),
        ({"asset": "BTCUSDT", "side": "buy", "quantity": "1e400"}, "quantity"),
        ({"asset": "BTCUSDT", "side": "buy", "quantity": "0"}, "quantity"),
        ({"asset": "BTCUSDT", "side": "buy", "quantity": "1", "leverage": 100}, "leverage"),
    ],
)
def test_a_form_that_breaks_a_rule_names_the_field(
    service: ServiceProcess, body: dict[str, Any], field: str
) -> None:
    answer = post(service, "/orders", body)

    assert answer.status_code == 400
    assert field in json.dumps(answer.json()["errors"])


def test_a_command_without_its_idempotency_key_is_refused(service: ServiceProcess) -> None:
    answer = service.http.post("/api/v1/flatten", json={})

    assert answer.status_code == 400


def test_prometheus_reads_counters_gauges_and_rows(service: ServiceProcess) -> None:
    bought(service)
    service.send(a_body(520))
    text = service.http.get("/metrics").text

    for name in (
        "order_manager_flushes_total",
        'order_manager_up{of="ready"} 1.0',
        'order_manager_open_orders{status="unknown"} 0.0',
        'order_manager_position_size{instrument="linear:BTCUSDT"',
        "order_manager_unpublished_events",
        'order_manager_verdicts_total{code="OK",verdict="ordered"}',
        'order_manager_decision_seconds_bucket{le="+Inf"}',
        'order_manager_submit_seconds_bucket{le="+Inf"}',
        "order_manager_account_read_age_seconds",
        "order_manager_repairs_total",
        'order_manager_unrealized_pnl{instrument="linear:BTCUSDT"',
        'order_manager_exposure{of="positions"}',
        "order_manager_exposure_used_ratio",
    ):
        assert name in text, name
    assert "order_manager_rate_left" not in text  # a simulated exchange has no such limits


def test_every_answer_carries_the_trace_id_that_was_asked_with(service: ServiceProcess) -> None:
    answer = service.http.get("/api/v1/orders", headers={"X-Trace-Id": "trace-9"})

    assert answer.headers["X-Trace-Id"] == "trace-9"


def test_a_body_above_the_limit_and_one_too_deep_are_refused(service: ServiceProcess) -> None:
    headers = {"Idempotency-Key": "deep"}
    large = service.http.post("/api/v1/orders", content=b"x" * 100_000, headers=headers)
    deep = service.http.post("/api/v1/orders", content=b"[" * 60_000, headers=headers)

    assert large.status_code == 413
    assert deep.status_code == 400


def test_the_keys_of_a_file_count_as_soon_as_it_changes(tmp_path: Path) -> None:
    key, line = make_key("late", [Scope.READ], None)
    file = tmp_path / "keys.jsonl"
    file.write_text("")
    with ServiceProcess(tmp_path, ORDERMANAGER_API_KEYS_FILE="keys.jsonl") as running:
        running.ready()

        def status() -> int:
            answer = running.http.get("/api/v1/orders", headers={"X-API-Key": key})
            return answer.status_code

        before = status()
        file.write_text(line)
        for _ in range(20_000):
            if status() == 200:
                break
        during = status()
        file.write_text("")
        for _ in range(20_000):
            if status() in (401, 429):
                break
        after = status()

    assert (before, during) == (401, 200)
    assert after in (401, 429)
