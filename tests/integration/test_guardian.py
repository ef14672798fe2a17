"""The guardian as a process: whatever is killed beside it, no order stays open."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.live_service import KEY, SECRET, LiveService, LocalBybit, local_bybit, until
from tests.integration.service_process import OURS, a_body
from tests.integration.tcp_line import Line

TIMERS = {
    "ORDERMANAGER_RECV_WINDOW": "1",
    "ORDERMANAGER_VISIBILITY": "0.5",
    "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD": "0",
    "GUARDIAN_STALE_AFTER": "5",
}

QUARANTINE = timedelta(seconds=1 + 0.25 + 0.5)
"""Receive window, clock skew and visibility, as set above."""


@pytest.fixture
def bybit(tmp_path: Path) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path) as server:
        yield server


@contextmanager
def guardian(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`order-manager guardian`, for as long as the block runs."""
    clean = {
        name: text for name, text in os.environ.items() if not name.startswith((*OURS, "GUARDIAN"))
    }
    command = [sys.executable, "-m", "order_cli", "guardian"]
    with subprocess.Popen(
        command, cwd=folder, env=clean | environment, stdout=subprocess.PIPE, text=True
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "guardian.jsonl").read_text().splitlines()]


def emptied(folder: Path) -> int:
    """How often nothing was open any more."""
    return sum(each.get("open") == 0 for each in records(folder))


def a_foreign_order(bybit: LocalBybit) -> None:
    bybit.post("order", symbol="BTCUSDT", side="Buy", qty="0.01", price="1000")


def test_only_the_guardian_lives_and_0_orders_are_open_in_10_s_and_after_the_quarantine(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str
) -> None:
    line = Line(emptied_postgres, 5432)
    line.start()
    key = {"GUARDIAN_API_KEY": KEY, "GUARDIAN_API_SECRET": SECRET}
    watching = bybit.settings | TIMERS | key | {"ORDERMANAGER_STORE_URL": line.url}
    with (
        guardian(tmp_path, watching) as run,
        LiveService(tmp_path, bybit, line.url, **TIMERS) as om,
    ):
        om.ready()
        om.send(a_body(1, confidence=0.1))
        a_foreign_order(bybit)
        assert bybit.state()["openOrders"] >= 1
        om.kill()
        line.cut()
        until(lambda: bybit.state()["openOrders"] == 0, seconds=10)
        a_foreign_order(bybit)  # as one that was still on its way
        until(lambda: bybit.state()["openOrders"] == 0, seconds=10)
        until(lambda: emptied(tmp_path) >= 2)
        # its second look lies behind the quarantine: what is open now is open for good
        assert bybit.state()["openOrders"] == 0
        run.send_signal(signal.SIGTERM)
        assert run.wait(10) == 0
    found = records(tmp_path)
    times = [datetime.fromisoformat(each["at"]) for each in found if each.get("open") == 0]

    assert [each["event"] for each in found[:3]] == [
        "guardian.watching",
        "guardian.acting",
        "guardian.cancelled",
    ]
    assert times[1] - times[0] >= QUARANTINE
    assert bybit.state()["openOrders"] == 0


def test_a_service_that_is_stopped_keeps_its_orders_and_one_that_is_killed_does_not(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str
) -> None:
    key = {"GUARDIAN_API_KEY": KEY, "GUARDIAN_API_SECRET": SECRET}
    watching = bybit.settings | TIMERS | key | {"ORDERMANAGER_STORE_URL": emptied_postgres}
    with guardian(tmp_path, watching):
        with LiveService(tmp_path, bybit, emptied_postgres, **TIMERS) as om:
            om.ready()
            a_foreign_order(bybit)
            assert om.stop() == 0
        until(lambda: records(tmp_path)[-1]["event"] == "guardian.stopped_on_purpose")
        after_stop = bybit.state()["openOrders"]
        with LiveService(tmp_path, bybit, emptied_postgres, **TIMERS) as om:
            om.ready()
            om.kill()
        until(lambda: bybit.state()["openOrders"] == 0)
        until(lambda: emptied(tmp_path) >= 1)
    told = [each["event"] for each in records(tmp_path)]

    assert after_stop == 1
    assert told[:4] == [
        "guardian.watching",
        "guardian.stopped_on_purpose",
        "guardian.acting",
        "guardian.cancelled",
    ]


def test_a_guardian_that_is_told_to_acts_after_a_stop_too(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str
) -> None:
    key = {"GUARDIAN_API_KEY": KEY, "GUARDIAN_API_SECRET": SECRET}
    store = {"ORDERMANAGER_STORE_URL": emptied_postgres, "GUARDIAN_ACTS_AFTER_STOP": "true"}
    with guardian(tmp_path, bybit.settings | TIMERS | key | store):
        with LiveService(tmp_path, bybit, emptied_postgres, **TIMERS) as om:
            om.ready()
            a_foreign_order(bybit)
            assert om.stop() == 0
        until(lambda: bybit.state()["openOrders"] == 0)


def test_beside_a_service_that_lives_the_guardian_touches_nothing(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str
) -> None:
    key = {"GUARDIAN_API_KEY": KEY, "GUARDIAN_API_SECRET": SECRET}
    watching = bybit.settings | TIMERS | key | {"ORDERMANAGER_STORE_URL": emptied_postgres}
    with LiveService(tmp_path, bybit, emptied_postgres, **TIMERS) as om:
        om.ready()
        a_foreign_order(bybit)
        with guardian(tmp_path, watching) as run, pytest.raises(subprocess.TimeoutExpired):
            run.wait(7)
        assert bybit.state()["openOrders"] == 1
        om.stop()

    assert [each["event"] for each in records(tmp_path)] == ["guardian.watching"]


@pytest.mark.parametrize("missing", ["GUARDIAN_API_KEY", "GUARDIAN_API_SECRET"])
def test_a_guardian_without_a_key_of_its_own_does_not_start(
    tmp_path: Path, bybit: LocalBybit, missing: str
) -> None:
    key = {"GUARDIAN_API_KEY": KEY, "GUARDIAN_API_SECRET": SECRET}
    del key[missing]
    with guardian(tmp_path, bybit.settings | key) as run:
        assert run.wait(20) == 5


def test_a_dry_run_has_nothing_to_guard(tmp_path: Path) -> None:
    key = {"GUARDIAN_API_KEY": KEY, "GUARDIAN_API_SECRET": SECRET}
    with guardian(tmp_path, key | {"ORDERMANAGER_ENABLE_DRY_RUN": "true"}) as run:
        assert run.wait(20) == 5
