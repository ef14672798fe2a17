"""kill -9 at any moment of a flush: afterwards it is wholly there or not at all."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from order_adapters.clock import SystemClock
from order_adapters.stores.sqlite import SqliteStore
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.rows import Mark
from order_domain.ports.journal import FlushOutcome, LeaseHeld
from tests.builders import seconds
from tests.integration.sqlite.flushing_process import ORDERS, rows_of

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("flushing_process.py")


def start(path: Path, words: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(path), words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


async def take_over(path: Path) -> tuple[SqliteStore, int]:
    """Open the store as the next owner; the number of the last flush that is there."""
    store = SqliteStore(str(path), SystemClock(), wait=seconds(0))
    await store.open()
    head = await store.journal.acquire(
        account="dry:a", owner="heir", url="http://heir", ttl=seconds(60)
    )
    return store, head.flush_no


async def check(store: SqliteStore, flush_no: int) -> None:
    """Every table tells of the same flushes."""
    counts = {
        row_type: len([row async for row in store.views.stream(row_type)])
        for row_type in (Order, LedgerEntry, Event)
    }
    assert counts == dict.fromkeys((Order, LedgerEntry, Event), ORDERS * flush_no)
    assert [mark.number async for mark in store.views.stream(Mark)] == [flush_no]
    assert await store.damage() == []


@pytest.mark.parametrize(
    "words",
    [
        "BEGIN IMMEDIATE",
        "UPDATE head SET flush_no",
        "INSERT INTO orders",
        "INSERT INTO executions",
        "INSERT INTO events",
        "UPDATE head SET account",
        "COMMIT",
    ],
)
async def test_killed_at_a_statement_of_a_flush_it_is_not_there(tmp_path: Path, words: str) -> None:
    path = tmp_path / "store.db"
    process = start(path, words)
    told, _ = await asyncio.to_thread(process.communicate)

    assert process.returncode == -9
    store, flush_no = await take_over(path)
    assert told.split() == ["1"]
    assert flush_no == 1
    await check(store, flush_no)
    flushed = await store.journal.flush(2, rows_of(2))
    assert flushed.outcome is FlushOutcome.COMMITTED
    await check(store, 2)
    await store.close()


async def test_killed_from_outside_again_and_again_no_flush_is_torn_and_none_told_is_lost(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    for commits in (1, 3, 5, 2):
        process = start(path)
        assert process.stdout is not None
        lines = [await asyncio.to_thread(process.stdout.readline) for _ in range(commits)]
        process.kill()
        rest, _ = await asyncio.to_thread(process.communicate)
        last_told = int([*lines, *rest.split()][-1])

        store, flush_no = await take_over(path)

        assert last_told <= flush_no <= last_told + 1
        await check(store, flush_no)
        await store.close()


async def test_while_the_process_lives_nobody_takes_over(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    process = start(path)
    assert process.stdout is not None
    await asyncio.to_thread(process.stdout.readline)

    store = SqliteStore(str(path), SystemClock(), wait=seconds(0))
    await store.open()
    with pytest.raises(LeaseHeld) as held:
        await store.journal.acquire(account="dry:a", owner="heir", url="", ttl=seconds(60))

    assert held.value.details["url"] == "http://dying"
    assert held.value.details["owner"] == str(process.pid)
    process.kill()
    await asyncio.to_thread(process.communicate)
    await store.close()
