"""Live events of a running service: by SSE and by WebSocket, resumed, bounded, ended by the key."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from order_service.http.events import MOST_STREAMS
from order_service.http.keys import Scope, make_key
from tests.integration.service_process import KEY, ServiceProcess, a_body

STREAM = "/api/v1/events/stream"
ONE_MORE = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("streams")
    (place / "keys.jsonl").write_text("")
    return place


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[ServiceProcess]:
    settings = {"ORDERMANAGER_API_KEYS_FILE": "keys.jsonl"}
    with ServiceProcess(folder, **settings) as running:
        running.ready()
        running.filled(running.send(a_body(1)).json()["order_ids"][0])
        yield running


def socket_of(
    service: ServiceProcess, after: int | None = None, key: str = KEY
) -> ClientConnection:
    url = str(service.http.base_url.copy_with(scheme="ws")) + "/api/v1/events/socket"
    place = url.replace("//api", "/api") + ("" if after is None else f"?after={after}")
    return connect(place, additional_headers={"X-API-Key": key}, proxy=None)


def told(socket: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(socket.recv(timeout=30))
    return found


def test_a_socket_tells_every_event_after_the_number_it_was_given_and_then_the_new_ones(
    service: ServiceProcess,
) -> None:
    known = service.get("/events", after=0, limit=1000)["events"]
    with socket_of(service, after=2) as socket:
        before = [told(socket) for _ in known[2:]]
        order_id = service.send(a_body(2)).json()["order_ids"][0]
        events = [told(socket)]
        while events[-1]["kind"] != "order_filled":
            events.append(told(socket))

    assert before == known[2:]
    assert order_id in json.dumps(events[-1])
    numbers = [each["number"] for each in events]
    assert numbers == list(range(len(known) + 1, len(known) + 1 + len(events)))


def test_a_socket_that_broke_is_resumed_without_a_gap_and_without_a_repeat(
    service: ServiceProcess,
) -> None:
    with socket_of(service, after=0) as socket:
        seen = [told(socket) for _ in range(2)]
    with socket_of(service, after=seen[-1]["number"]) as socket:
        seen += [told(socket) for _ in range(2)]

    assert [each["number"] for each in seen] == [1, 2, 3, 4]


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_socket_opens_for_nobody_without_a_key(service: ServiceProcess, key: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        socket_of(service, key=key)

    assert refused.value.response.status_code == 403


def test_streams_that_were_left_make_room_for_others(service: ServiceProcess) -> None:
    for _ in range(MOST_STREAMS + ONE_MORE):
        with service.http.stream("GET", STREAM, params={"after": 0}) as stream:
            assert stream.status_code == 200
            next(stream.iter_lines())
    for _ in range(MOST_STREAMS + ONE_MORE):
        with socket_of(service, after=0) as socket:
            told(socket)


def test_a_stream_too_many_is_a_problem_that_says_so(service: ServiceProcess) -> None:
    with (
        ExitStack() as held,
        httpx.Client(
            base_url=service.http.base_url,
            headers={"X-API-Key": KEY},
            limits=httpx.Limits(),
            timeout=30,
        ) as client,
    ):
        statuses, lines = [], []
        for _ in range(MOST_STREAMS + 1):
            stream = held.enter_context(client.stream("GET", STREAM, params={"after": 0}))
            statuses.append(stream.status_code)
            if stream.status_code != 200:
                stream.read()
                break
            lines.append(stream.iter_lines())  # a stream ends with its reader
            next(lines[-1])
    for _ in range(20_000):  # that they have left is noticed a moment later
        with service.http.stream("GET", STREAM, params={"after": 0}) as another:
            if another.status_code == 200:
                break

    assert statuses == [200] * MOST_STREAMS + [429]
    assert stream.json()["type"] == "urn:order-manager:too_many_requests"


def test_a_key_that_is_revoked_ends_what_it_follows(folder: Path, service: ServiceProcess) -> None:
    key, line = make_key("follower", [Scope.READ], None)
    (folder / "keys.jsonl").write_text(line)
    for _ in range(20_000):
        if service.http.get("/api/v1/orders", headers={"X-API-Key": key}).status_code == 200:
            break
    with (
        socket_of(service, after=0, key=key) as socket,
        service.http.stream(
            "GET", STREAM, params={"after": 0}, headers={"X-API-Key": key}
        ) as stream,
    ):
        told(socket)
        (folder / "keys.jsonl").write_text("")
        lines = [each for each in stream.iter_lines() if each.startswith("id: ")]
        with pytest.raises(ConnectionClosed):
            while True:
                told(socket)

    assert lines
