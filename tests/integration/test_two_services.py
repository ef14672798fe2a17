"""Two services on one account: one acts, the other stands by and takes over; anybody may halt."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_domain.model.enums import EventKind
from order_service.stores import open_store, system_clock
from tests.integration.live_service import LiveService, LocalBybit, local_bybit, until
from tests.integration.service_process import a_body

FAST = {
    "ORDERMANAGER_LEASE_TTL": "2",
    "ORDERMANAGER_RECV_WINDOW": "1",
    "ORDERMANAGER_VISIBILITY": "0.5",
}


@pytest.fixture
def bybit(tmp_path: Path) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path) as server:
        yield server


@pytest.fixture
def store(emptied_postgres: str) -> str:
    return emptied_postgres


def health(service: LiveService) -> dict[str, Any]:
    found: dict[str, Any] = service.http.get("/health").json()
    return found


async def events_of(url: str, order_id: str) -> list[EventKind]:
    store = open_store(url, system_clock())
    await store.open()
    try:
        return [each.event.kind for each in await store.views.order_events(order_id)]
    finally:
        await store.close()


def halt(folder: Path, store: str) -> None:
    """Another process, which owns nothing."""
    command = [sys.executable, "-m", "order_cli", "halt", "--reason", "a test", "--store", store]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_one_acts_and_the_other_stands_by_until_the_first_is_killed_with_an_order_on_its_way(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    lost = a_body(2)
    dying = {"ORDER_MANAGER_CRASH_AT": "submit.after_send:2"}
    with (
        LiveService(tmp_path, bybit, store, **FAST, **dying) as first,
        LiveService(tmp_path, bybit, store, **FAST) as second,
    ):
        first.ready()
        standing = second.until("service.standing_by")
        seen = health(second)
        answer = second.send(a_body(9))
        order = first.filled(first.send(a_body(1)).json()["order_ids"][0])
        with pytest.raises(Exception, match=r"disconnect|reset|closed|refused"):
            first.send(lost)
        first.read_rest()
        second.ready()
        again = second.send(lost).json()
        second.ended(again["order_ids"][0])
        third = second.send(a_body(3)).json()
        second.filled(third["order_ids"][0])
        until(lambda: second.position() == size_at(bybit) > 0)
        events = asyncio.run(events_of(store, again["order_ids"][0]))
        after = health(second)
        assert second.stop() == 0
    placed = [each["client_order_id"] for each in bybit.state()["orders"]]

    assert first.process.returncode == -signal.SIGKILL
    assert str(first.http.base_url).rstrip("/") in standing["owner"]
    assert not seen["ready"]
    assert seen["standing_by_for"] == standing["owner"]
    assert answer.status_code == 503
    assert again["verdict"] == "duplicate"
    assert EventKind.ORDER_UNKNOWN in events
    assert after["ready"]
    assert sorted(placed) == sorted(
        [order["client_order_id"], again["order_ids"][0], third["order_ids"][0]]
    )


def test_an_owner_that_was_frozen_past_its_lease_stands_by_when_it_wakes(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    with (
        LiveService(tmp_path, bybit, store, **FAST) as first,
        LiveService(tmp_path, bybit, store, **FAST) as second,
    ):
        first.ready()
        second.until("service.standing_by")
        first.process.send_signal(signal.SIGSTOP)
        second.ready()
        first.process.send_signal(signal.SIGCONT)
        first.until("service.lease_lost")
        standing = first.until("service.standing_by")
        refused = first.send(a_body(1)).status_code
        second.filled(second.send(a_body(2)).json()["order_ids"][0])
        second.kill()
        first.ready()
        first.filled(first.send(a_body(3)).json()["order_ids"][0])
        until(lambda: first.position() == size_at(bybit) > 0)
        assert first.stop() == 0

    assert str(second.http.base_url).rstrip("/") in standing["owner"]
    assert refused == 503
    assert len(bybit.state()["orders"]) == 2


def test_a_halt_of_another_process_stops_the_next_order(
    tmp_path: Path, bybit: LocalBybit, store: str
) -> None:
    with LiveService(tmp_path, bybit, store) as service:
        service.ready()
        service.filled(service.send(a_body(1)).json()["order_ids"][0])
        halt(tmp_path, store)
        # Decided before the halt is known here: its order is held back, and checked again.
        at_once = service.send(a_body(2)).json()["order_ids"]
        held_back = [service.ended(order_id)["status"] for order_id in at_once]
        denied = service.send(a_body(3)).json()
        assert service.stop() == 0

    assert set(held_back) <= {"cancelled", "rejected"}
    assert (denied["verdict"], denied["code"]) == ("denied", "TRADING_STATE")
    assert len(bybit.state()["orders"]) == 1


def size_at(bybit: LocalBybit) -> Decimal:
    return sum((Decimal(each["size"]) for each in bybit.state()["positions"]), Decimal(0))
