"""An exchange that must not be asked, and one that does not answer."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.live_service import LiveService, LocalBybit, until
from tests.integration.service_process import DRY_RUN, ServiceProcess, a_body


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections into its queue and answers none; its queue tells who has tried."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def site(listener: socket.socket) -> LocalBybit:
    return LocalBybit(f"http://127.0.0.1:{listener.getsockname()[1]}")


def has_been_tried(listener: socket.socket) -> bool:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


def test_a_dry_run_connects_to_no_exchange_though_it_was_given_a_key(
    tmp_path: Path, silent: socket.socket
) -> None:
    with ServiceProcess(tmp_path, DRY_RUN, **site(silent).settings) as service:
        body = a_body(1)
        told = service.ready().send(body).json()
        order = service.filled(told["order_ids"][0])
        refused = service.send(a_body(2, amount=1)).json()
        again = service.send(body).json()
        service.stop()

    assert order["is_dry_run"] is True
    assert refused["verdict"] == "denied"
    assert again["verdict"] == "duplicate"
    assert not has_been_tried(silent)


def test_health_answers_while_the_exchange_does_not(
    tmp_path: Path, silent: socket.socket, emptied_postgres: str
) -> None:
    with LiveService(tmp_path, site(silent), emptied_postgres) as service:
        until(lambda: has_been_tried(silent))
        answers = {
            path: service.http.get(path, timeout=10) for path in ("/live", "/ready", "/health")
        }
        health = answers["/health"].json()
        refused = service.send(a_body(1))
        service.kill()

    assert {path: each.status_code for path, each in answers.items()} == {
        "/live": 200,
        "/ready": 503,
        "/health": 503,
    }
    assert answers["/ready"].json()["dependencies"]["venue"] != "available"
    assert (health["service"], health["status"]) == ("order-manager", "unhealthy")
    assert health["database_connected"] is True
    assert refused.status_code == 503
