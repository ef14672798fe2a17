"""Who may not get in, and what never gets out. A name begins with its row of the threat list."""

import gzip
import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from order_service.http.keys import Scope, make_key
from tests.integration.service_process import KEY, ServiceProcess, a_body

CANARIES = {
    "ORDERMANAGER_API_KEY": "canary-of-the-api-4d1",
    "BYBIT_API_KEY": "canary-of-the-exchange-key-77b",
    "BYBIT_API_SECRET": "canary-of-the-exchange-secret-0c9",
    "POSTGRES_USER": "somebody",
    "POSTGRES_PASSWORD": "canary-of-the-database-e15",
}
ORDER = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"}
AT_ONCE = 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("security")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[ServiceProcess]:
    (folder / "keys.jsonl").write_text("")
    settings = {
        "ORDERMANAGER_API_KEYS_FILE": "keys.jsonl",
        "ORDERMANAGER_LOG_LEVEL": "DEBUG",
    }
    with ServiceProcess(folder, **settings) as running:
        yield running.ready()


def operations(service: ServiceProcess) -> list[tuple[str, str]]:
    """Every method of every path that the document names, with something for each parameter."""
    document = service.http.get("/schema/openapi.json").json()
    return [
        (method, path.replace("{", "").replace("}", ""))
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "delete", "patch")
    ]


def test_k2_every_route_below_api_refuses_whoever_has_no_key(service: ServiceProcess) -> None:
    asked = [each for each in operations(service) if each[1].startswith("/api/")]
    with httpx.Client(base_url=service.http.base_url) as stranger:
        statuses = {each: stranger.request(*each).status_code for each in asked}

    assert len(asked) > 25
    assert set(statuses.values()) == {401}, statuses


def test_k2_a_listing_that_another_has_asked_for_is_not_shown_without_a_key_or_the_scope(
    folder: Path, service: ServiceProcess
) -> None:
    halter, line = make_key("only_halts", [Scope.HALT], None)
    (folder / "keys.jsonl").write_text(line)

    def asked(**headers: str) -> int:
        url = f"{str(service.http.base_url).rstrip('/')}/api/v1/orders?limit=7"
        return httpx.get(url, headers=headers).status_code

    for _ in range(20_000):  # the file of keys is read again within a second
        if asked(**{"X-API-Key": halter}) != 401:
            break

    assert asked(**{"X-API-Key": KEY}) == asked(**{"X-API-Key": KEY}) == 200
    assert asked() == 401
    assert asked(**{"X-API-Key": "wrong"}) == 401
    assert asked(**{"X-API-Key": halter}) == 403


def test_k2_only_these_are_open_to_whoever_has_no_key(service: ServiceProcess) -> None:
    document = {path for _, path in operations(service)}
    beside = {"/", "/metrics", "/page/page.js", "/schema", "/schema/docs", "/schema/openapi.json"}
    asked = sorted(document | beside | {"/static", "/docs", "/openapi.json", "/debug"})
    with httpx.Client(base_url=service.http.base_url) as stranger:
        opened = {path for path in asked if stranger.get(path).status_code == 200}

    assert opened & document == {"/health", "/live", "/ready"}
    assert opened - document <= beside


def test_k4_two_keys_are_good_while_one_replaces_the_other(
    folder: Path, service: ServiceProcess
) -> None:
    pairs = [make_key(name, [Scope.READ], None) for name in ("old", "new")]
    file = folder / "keys.jsonl"

    def statuses() -> list[int]:
        return [
            service.http.get("/api/v1/orders", headers={"X-API-Key": key}).status_code
            for key, _ in pairs
        ]

    def until(wanted: list[int]) -> list[int]:
        for _ in range(20_000):
            if statuses() == wanted:
                break
        return statuses()

    file.write_text("\n".join(line for _, line in pairs))
    both = until([200, 200])
    file.write_text(pairs[1][1])
    rotated = until([401, 200])

    assert both == [200, 200]
    assert rotated == [401, 200]


def test_k5_one_command_sent_a_hundred_times_at_once_is_carried_out_once(
    service: ServiceProcess,
) -> None:
    headers = {"Idempotency-Key": "all-at-once"}

    def placed() -> set[str]:
        orders = service.get("/orders", strategy_id="MANUAL", limit=100)["orders"]
        return {each["client_order_id"] for each in orders}

    def ask(_: int) -> httpx.Response:
        return service.http.post("/api/v1/orders", json=ORDER, headers=headers)

    before = placed()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(AT_ONCE)))
    told = {json.dumps(each.json()["result"]) for each in answers}
    (client_order_id,) = answers[0].json()["result"]["client_order_ids"]

    assert {each.status_code for each in answers} == {200}
    assert len(told) == 1
    assert placed() - before == {client_order_id}


def test_k5_the_same_key_is_known_after_a_restart(tmp_path: Path) -> None:
    headers = {"Idempotency-Key": "across-a-kill"}
    with ServiceProcess(tmp_path) as running:
        running.ready()
        first = running.http.post("/api/v1/orders", json=ORDER, headers=headers).json()
        running.kill()
    with ServiceProcess(tmp_path) as running:
        running.ready()
        again = running.http.post("/api/v1/orders", json=ORDER, headers=headers).json()
        other = running.http.post(
            "/api/v1/orders", json=ORDER | {"quantity": "0.02"}, headers=headers
        )

    assert again["result"] == first["result"]
    assert other.json()["code"] == "REQUEST_CONFLICT"


@pytest.mark.parametrize("start", ["GET /api/v1/orders?asset=", "GET /live HTTP/1.1\r\nX-Long: "])
def test_k6_a_line_or_a_header_without_end_is_refused(service: ServiceProcess, start: str) -> None:
    url = service.http.base_url
    with socket.create_connection((url.host, url.port or 0), 30) as stranger:
        try:
            stranger.sendall(start.encode() + b"x" * 200_000)
            said = stranger.recv(100)
        except (BrokenPipeError, ConnectionResetError):
            said = b""

    assert not said or said.startswith(b"HTTP/1.1 400")
    assert service.http.get("/live").status_code == 200


@pytest.mark.parametrize("depth", [17, 1_000, 30_000])
def test_k6_a_body_that_is_too_deep_is_refused(service: ServiceProcess, depth: int) -> None:
    body = b'{"a":' * depth + b"1" + b"}" * depth
    for path in ("/signals", "/orders"):
        answer = service.http.post(
            f"/api/v1{path}", content=body[:65_000], headers={"Idempotency-Key": "deep"}
        )
        assert answer.status_code in (400, 422), answer.text


def test_k7_a_header_names_no_address_and_guessing_slows_nobody_else(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, ORDERMANAGER_API_RATE="5") as running:
        running.ready()
        guesses = [
            running.http.get(
                "/api/v1/orders",
                headers={"X-API-Key": f"guess-{turn}", "X-Forwarded-For": f"10.0.0.{turn}"},
            ).status_code
            for turn in range(30)
        ]
        right = running.http.get("/api/v1/orders").status_code
        asked = [running.http.get("/api/v1/orders").status_code for _ in range(40)]

    assert set(guesses[:20]) == {401}
    assert guesses[-1] == 429
    assert right == 200
    assert 429 in asked


def test_k7_the_name_a_client_calls_the_service_by_decides_nothing(
    service: ServiceProcess,
) -> None:
    for path in ("/", "/api/v1/orders", "/nowhere", "/live/"):
        answer = service.http.get(path, headers={"Host": "evil.example"})
        assert "evil.example" not in answer.text + str(answer.headers), path


def bodies(service: ServiceProcess) -> dict[str, Any]:
    """What each command takes, by its path; references followed."""
    document = service.http.get("/schema/openapi.json").json()

    def plain(schema: Any) -> Any:
        if isinstance(schema, dict) and "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return plain(document["components"]["schemas"][name])
        if isinstance(schema, dict):
            return {key: plain(each) for key, each in schema.items()}
        return [plain(each) for each in schema] if isinstance(schema, list) else schema

    return {
        path: plain(form["requestBody"]["content"])
        for path, methods in document["paths"].items()
        for form in methods.values()
        if "requestBody" in form
    }


def test_k8_no_command_takes_a_field_it_does_not_know(service: ServiceProcess) -> None:
    # a signal may say more than we read: its sender is another program, and grows
    paths = {path.replace("{", "").replace("}", "") for path in bodies(service)}
    answers = {
        path: service.http.post(path, json={"no_such_field": 1}, headers={"Idempotency-Key": "k8"})
        for path in paths
        if "/signals" not in path
    }

    assert len(answers) > 8
    assert {each.status_code for each in answers.values()} == {400}
    assert [path for path, each in answers.items() if "no_such_field" not in each.text] == []


def test_k14_nobody_can_name_an_address_that_the_service_would_ask(
    service: ServiceProcess,
) -> None:
    text = json.dumps(service.http.get("/schema/openapi.json").json()["paths"]).lower()
    forms = json.dumps(bodies(service)).lower()
    word = r"(?:url|uri|host|callback|webhook|endpoint|proxy)"

    assert re.findall(rf'"((?:\w*_)?{word}(?:_\w*)?)"', text + forms) == []


def test_k17_a_packed_body_is_not_unpacked(service: ServiceProcess) -> None:
    packed = gzip.compress(json.dumps(a_body(901)).encode())
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    statuses = [
        service.http.post("/api/v1/signals", content=body, headers=headers).status_code
        for body in (packed, bomb)
    ]

    assert len(bomb) < 64 * 1024
    assert set(statuses) <= {400, 415, 422}


def test_k24_whoever_floods_is_slowed_and_nobody_else(tmp_path: Path) -> None:
    keys = [make_key(name, [Scope.READ, Scope.TRADE], None) for name in ("flood", "calm")]
    (tmp_path / "keys.jsonl").write_text("\n".join(line for _, line in keys))
    settings = {"ORDERMANAGER_API_KEYS_FILE": "keys.jsonl", "ORDERMANAGER_API_RATE": "5"}
    flooding, calm = ({"X-API-Key": key} for key, _ in keys)
    with ServiceProcess(tmp_path, **settings) as running:
        running.ready()
        with ThreadPoolExecutor(20) as pool:
            flood = [
                pool.submit(
                    running.http.post,
                    "/api/v1/signals",
                    json=a_body(number, strategy_id="flood"),
                    headers=flooding,
                )
                for number in range(1, 301)
            ]
            answered = [running.http.get("/api/v1/orders", headers=calm) for _ in range(10)]
            statuses = [each.result().status_code for each in flood]

    assert statuses.count(429) > 200
    assert {each.status_code for each in answered} == {200}


def test_k11_what_goes_wrong_here_is_told_by_its_trace_id_alone(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path) as running:
        running.ready()
        with sqlite3.connect(tmp_path / "orders.sqlite") as damaged:
            damaged.execute("DROP TABLE balances")
        answer = running.http.get("/api/v1/balances", headers={"X-Trace-Id": "trace-k11"})
    told = answer.text.lower()

    assert answer.status_code in (500, 503)
    assert answer.json()["trace_id"] == "trace-k11"
    assert not [
        word for word in ("sqlite", "balances", "traceback", "select", ".py") if word in told
    ]


def test_k12_no_secret_is_in_a_log_an_answer_or_a_table(tmp_path: Path) -> None:
    key = CANARIES["ORDERMANAGER_API_KEY"]
    headers = {"X-API-Key": key, "Idempotency-Key": "canary"}
    with ServiceProcess(tmp_path, ORDERMANAGER_LOG_LEVEL="DEBUG", **CANARIES) as running:
        running.ready()
        http = running.http
        answers = [
            http.post("/api/v1/signals", json=a_body(1), headers=headers),
            http.post("/api/v1/orders", json=ORDER, headers=headers),
            http.get("/api/v1/orders", params={"api_key": key}, headers={"X-API-Key": "wrong"}),
            http.get("/api/v1/orders", headers={"Authorization": f"Bearer {key}"} | headers),
            *(http.get(path) for path in ("/health", "/metrics", "/schema/openapi.json")),
        ]
        running.stop()
    kept = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    places = {
        "log": json.dumps(running.log),
        "answers": "".join(each.text + str(each.headers) for each in answers),
        "files": kept.decode("latin-1"),
    }

    assert len(running.log) > 5
    for place, text in places.items():
        assert [
            name for name, secret in CANARIES.items() if "canary" in secret and secret in text
        ] == [], place


def test_k13_a_header_writes_no_line_into_the_log(service: ServiceProcess) -> None:
    odd = 'x"}\t{"event": "service.ended"'
    answer = service.http.get("/api/v1/orders", headers={"X-Trace-Id": odd})

    assert answer.status_code == 200
    assert answer.headers["X-Trace-Id"] != odd


def test_k21_who_asked_for_what_is_kept(folder: Path, service: ServiceProcess) -> None:
    headers = {"Idempotency-Key": "who-was-it"}
    service.http.post("/api/v1/orders", json=ORDER, headers=headers)
    service.http.post("/api/v1/halt", json={"reason": "k21"}, headers={"Idempotency-Key": "h"})
    service.http.post("/api/v1/resume", json={}, headers={"Idempotency-Key": "r"})
    with sqlite3.connect(folder / "orders.sqlite") as store:
        rows: list[tuple[Any, ...]] = store.execute(
            "SELECT kind, actor, code FROM requests WHERE request_id = 'who-was-it'"
        ).fetchall()
    events: list[dict[str, Any]] = []
    while len(events) < 2:  # the owner takes a state over right after its commit
        events = [
            each["detail"]
            for each in service.get("/events", after=0, limit=1000)["events"]
            if each["kind"] == "trading_state_changed" and each["detail"]["actor"] != "engine"
        ]

    assert rows == [("PlaceOrder", "key:default", "OK")]
    assert [(each["actor"], each["state"]) for each in events] == [
        ("key:default", "HALTED"),
        ("key:default", "ACTIVE"),
    ]


def test_an_order_is_found_by_every_id_it_is_shown_with(service: ServiceProcess) -> None:
    order_id = service.send(a_body(77)).json()["order_ids"][0]
    order = service.filled(order_id)
    found = [
        service.get(f"/orders/{order[name]}")["client_order_id"]
        for name in ("id", "order_id", "client_order_id")
    ]
    story = service.get(f"/orders/{order['id']}/events")["events"]
    listed = service.get("/orders", order_id=order["id"])
    other_side = service.get("/orders", order_id=order["id"], side="sell")

    assert found == [order_id] * 3
    assert story
    assert (listed["total"], other_side["total"]) == (1, 0)
    assert (
        service.http.get("/api/v1/orders/00000000-0000-5000-8000-000000000000").status_code == 404
    )
