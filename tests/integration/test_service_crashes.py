"""kill -9 of the service while signals come in: every signal one verdict, nothing twice or lost."""

import asyncio
import json
import signal
import sqlite3
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from order_domain.model.enums import VenueStatus
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import TERMINAL, Order
from order_domain.model.position import Position
from order_domain.model.rows import SignalRow
from order_service.stores import open_store, system_clock
from tests.integration.service_process import ServiceProcess, a_body, verify

SIGNALS = 40
FAST = {
    "ORDERMANAGER_MAX_ORDERS_PER_SECOND": "1000",
    "ORDERMANAGER_MAX_POSITION_SIZE": "50",
    "ORDERMANAGER_MAX_EXPOSURE": "10000000",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE": "10000",
    "ORDERMANAGER_SWEEP_INTERVAL": "1",
    "ORDERMANAGER_VISIBILITY": "0.5",
    "ORDERMANAGER_RECV_WINDOW": "1",
}


def bodies() -> list[dict[str, Any]]:
    """Market orders of both sides on two symbols."""
    return [
        a_body(
            number,
            signal_type=("buy", "sell")[number % 3 == 0],
            asset=("BTCUSDT", "ETHUSDT")[number % 2],
            amount=200 + number,
        )
        for number in range(1, SIGNALS + 1)
    ]


class Storm(Thread):
    """Sends signals one after the other until the service is gone; `told` are its answers."""

    def __init__(self, service: ServiceProcess, signals: list[dict[str, Any]]) -> None:
        super().__init__()
        self._service = service
        self._signals = signals
        self.told: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        with suppress(httpx.HTTPError):
            for body in self._signals:
                answer = self._service.send(body)
                if answer.status_code == 202:
                    self.told[body["signal_id"]] = answer.json()


def killed_during_a_storm(
    folder: Path, signals: list[dict[str, Any]], after: int
) -> dict[str, dict[str, Any]]:
    """Kill the service when so many orders are in its store; return what was answered till then."""
    with ServiceProcess(folder, **FAST) as service:
        storm = Storm(service.ready(), signals)
        storm.start()
        with sqlite3.connect(f"file:{folder}/orders.sqlite?mode=ro", uri=True) as reader:
            while storm.is_alive():
                (orders,) = reader.execute("SELECT count(*) FROM orders").fetchone()
                if orders >= after:
                    break
        service.kill()
        storm.join()
    return storm.told


async def rows_of(folder: Path) -> dict[type, list[Any]]:
    store = open_store(f"sqlite:///{folder}/orders.sqlite", system_clock())
    await store.open()
    types = (SignalRow, Order, LedgerEntry, Position)
    rows = {row_type: [row async for row in store.views.stream(row_type)] for row_type in types}
    await store.close()
    return rows


def account_of(folder: Path, table: str) -> list[dict[str, Any]]:
    """What the simulated exchange keeps of its own."""
    with sqlite3.connect(folder / "orders.sqlite.venue") as connection:
        return [json.loads(body) for (body,) in connection.execute(f"SELECT body FROM {table}")]


@pytest.mark.parametrize("after", [1, 9, 25])
def test_a_killed_service_goes_on_where_it_was(tmp_path: Path, after: int) -> None:
    signals = bodies()
    told = killed_during_a_storm(tmp_path, signals, after)
    with ServiceProcess(tmp_path, **FAST) as service:
        service.ready()
        answers = {body["signal_id"]: service.send(body).json() for body in signals}
        for answer in answers.values():
            for order_id in answer["order_ids"]:
                service.ended(order_id)
        assert service.stop() == 0

    for signal_id, before in told.items():
        assert answers[signal_id]["verdict"] == "duplicate"
        assert answers[signal_id]["order_ids"] == before["order_ids"]
    rows = asyncio.run(rows_of(tmp_path))
    assert Counter(row.signal.signal_id for row in rows[SignalRow]) == Counter(
        body["signal_id"] for body in signals
    )
    assert all(order.status in TERMINAL for order in rows[Order])
    theirs = account_of(tmp_path, "orders")
    assert len({order["client_order_id"] for order in theirs}) == len(theirs)
    their_ids = {order["client_order_id"] for order in theirs}
    # A claim that the crash kept from leaving is an attempt that never became an order.
    assert their_ids <= {order.client_order_id for order in rows[Order] if order.attempt}
    assert their_ids >= {order.client_order_id for order in rows[Order] if order.venue_order_id}
    assert {order["status"] for order in theirs} <= {VenueStatus.FILLED, VenueStatus.CANCELLED}
    executions = [entry.execution.exec_id for entry in rows[LedgerEntry]]
    assert sorted(executions) == sorted(
        each["exec_id"] for each in account_of(tmp_path, "executions")
    )
    sizes = {position.instrument_id: str(position.size) for position in rows[Position]}
    assert sizes == {
        each["instrument_id"]: each["size"] for each in account_of(tmp_path, "positions")
    }
    assert verify(tmp_path) == 0


def test_a_kill_while_a_flush_is_under_way_with_later_steps_applied_loses_nothing(
    tmp_path: Path,
) -> None:
    signals = bodies()
    with ServiceProcess(tmp_path, **FAST, ORDER_MANAGER_CRASH_AT="flush.in_flight:10") as service:
        service.ready()
        storms = [Storm(service, signals[part::4]) for part in range(4)]
        for storm in storms:
            storm.start()
        for storm in storms:
            storm.join()
        service.read_rest()
    told = {signal_id: each for storm in storms for signal_id, each in storm.told.items()}
    with ServiceProcess(tmp_path, **FAST) as again:
        again.ready()
        answers = {body["signal_id"]: again.send(body).json() for body in signals}
        for answer in answers.values():
            for order_id in answer["order_ids"]:
                again.ended(order_id)
        assert again.stop() == 0

    assert service.process.returncode == -signal.SIGKILL
    assert len(told) < SIGNALS
    for signal_id, before in told.items():
        assert answers[signal_id]["order_ids"] == before["order_ids"]
    assert verify(tmp_path) == 0


REFUSE = """
CREATE TRIGGER refused BEFORE INSERT ON signals WHEN NEW.signal_id IN {}
BEGIN SELECT RAISE(ABORT, 'refused by a test'); END
"""


def test_a_kill_between_two_inputs_of_a_rebuild_loses_and_doubles_nothing(tmp_path: Path) -> None:
    signals = bodies()
    poison = tuple(body["signal_id"] for body in signals[1::3])
    with ServiceProcess(tmp_path, **FAST) as service:
        service.ready()
        assert service.stop() == 0
    with sqlite3.connect(tmp_path / "orders.sqlite") as writer:
        writer.execute(REFUSE.format(poison))
    dying = {"ORDER_MANAGER_CRASH_AT": "rebuild.between_two_inputs:1"}
    with ServiceProcess(tmp_path, **FAST, **dying) as service:
        service.ready()
        storms = [Storm(service, signals[part::4]) for part in range(4)]
        for storm in storms:
            storm.start()
        for storm in storms:
            storm.join()
        service.read_rest()
    told = {signal_id: each for storm in storms for signal_id, each in storm.told.items()}
    with sqlite3.connect(tmp_path / "orders.sqlite") as writer:
        writer.execute("DROP TRIGGER refused")
    with ServiceProcess(tmp_path, **FAST) as again:
        again.ready()
        answers = {body["signal_id"]: again.send(body).json() for body in signals}
        for answer in answers.values():
            for order_id in answer["order_ids"]:
                again.ended(order_id)
        assert again.stop() == 0
    rows = asyncio.run(rows_of(tmp_path))

    assert service.process.returncode == -signal.SIGKILL
    for signal_id in told.keys() - set(poison):
        assert answers[signal_id]["order_ids"] == told[signal_id]["order_ids"]
    assert Counter(row.signal.signal_id for row in rows[SignalRow]) == Counter(
        body["signal_id"] for body in signals
    )
    assert verify(tmp_path) == 0
