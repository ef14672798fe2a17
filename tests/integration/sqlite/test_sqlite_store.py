"""What is true of the SQLite file only: what people, other processes and the disk may do to it."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from order_adapters.clock import SystemClock, VirtualClock
from order_adapters.stores.sqlite import SqliteStore, creation, selection
from order_adapters.stores.sqlite.creation import use_wal
from order_adapters.stores.sqlite.schema import OPEN_ORDER
from order_domain.model.enums import OrderStatus
from order_domain.model.identifiers import order_row_id
from order_domain.model.order import Order
from order_domain.model.position import PositionSnapshot
from order_domain.model.rows import Change, Mark
from order_domain.ports.journal import (
    FlushOutcome,
    LeaseHeld,
    StoreUnavailable,
    WrongSchema,
)
from tests.builders import NOW, D, a_signal, a_signal_id, an_order, seconds
from tests.integration.sqlite.access import TTL, query, take
from tests.row_builders import (
    a_closed_order,
    a_signal_row,
    a_snapshot,
    an_entry,
    an_order_of,
    id_of,
    one_of_each,
)


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def was_made(path: str) -> bool:
    return Path(path).exists()


BACK_TO_VERSION_1 = (
    "DROP INDEX orders_open",
    "CREATE INDEX orders_open ON orders (row_no) WHERE reported_cum <> cum_quantity",
    "DROP INDEX orders_row_id",
    "ALTER TABLE orders DROP COLUMN row_id",
    "DELETE FROM schema_version",
    "INSERT INTO schema_version VALUES (1)",
)


def columns_and_indexes(path: Path) -> object:
    columns = query(path, "SELECT name, type FROM pragma_table_info('orders') ORDER BY name")
    indexes = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name"
    return columns, query(path, indexes)


class TestFile:
    async def test_a_person_can_read_it(self, store: SqliteStore, path: Path) -> None:
        await store.journal.flush(1, [an_order(fees={"USDT": D("0.5")}), a_signal_row()])

        orders = query(path, "SELECT symbol, side, status, quantity, fees, created_at FROM orders")
        assert orders == [
            ("BTCUSDT", "Buy", "WORKING", "0.02", '{"USDT":"0.5"}', "2026-01-02T12:00:00.000000Z")
        ]
        assert query(path, "SELECT trace -> '$[0]' FROM signals") == [
            ('["COLLAR",{"decimal":"5"},{"decimal":"0.02"},true]',)
        ]

    async def test_commits_are_on_the_disk_before_they_are_told(self, store: SqliteStore) -> None:
        def settings(connection: sqlite3.Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "locking_mode", "busy_timeout")
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert await store._writer.run(settings) == ["wal", 2, "normal", 5000]

    async def test_it_comes_back_after_it_was_closed(self, store: SqliteStore, path: Path) -> None:
        await store.journal.flush(1, one_of_each())
        await store.close()

        again = SqliteStore(str(path), VirtualClock(NOW))
        await again.open()
        head = await again.journal.acquire(account="dry:a", owner="b", url="", ttl=TTL)

        assert (head.epoch, head.flush_no, head.event_no) == (2, 1, 1)
        assert len(await again.journal.load(NOW)) == 10
        await again.close()

    async def test_a_file_of_another_version_is_refused(
        self, store: SqliteStore, path: Path
    ) -> None:
        await store.close()
        query(path, "UPDATE schema_version SET version = 99")

        with pytest.raises(WrongSchema) as refused:
            await SqliteStore(str(path), SystemClock()).open()

        assert refused.value.details == {"store": str(path), "found": 99, "expected": 3}

    async def test_a_file_of_the_first_version_is_brought_up_and_lacks_nothing(
        self, store: SqliteStore, path: Path
    ) -> None:
        fresh = columns_and_indexes(path)
        orders = [an_order_of(number) for number in range(1, 4)]
        await store.journal.flush(1, orders)
        await store.close()
        for statement in BACK_TO_VERSION_1:
            query(path, statement)

        again = SqliteStore(str(path), VirtualClock(NOW))
        await again.open()
        row_ids = [order_row_id(order.client_order_id) for order in orders]

        assert [await again.views.order(row_id) for row_id in row_ids] == orders
        assert await again.damage() == []
        assert columns_and_indexes(path) == fresh
        await again.close()

    def test_somebody_elses_database_is_refused_and_left_alone(self, path: Path) -> None:
        query(path, "CREATE TABLE theirs (x)")
        content = path.read_bytes()

        with pytest.raises(WrongSchema):
            asyncio.run(SqliteStore(str(path), SystemClock()).open())

        assert path.read_bytes() == content

    async def test_a_file_that_is_no_database_is_told_as_it_is(self, path: Path) -> None:
        write(path, b"my shopping list " * 100)

        with pytest.raises(StoreUnavailable, match="not a database"):
            await SqliteStore(str(path), SystemClock()).open()

    async def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="unable to open"):
            await SqliteStore(str(tmp_path / "no" / "store.db"), SystemClock()).open()

    async def test_a_store_that_is_not_open_says_so(self, path: Path) -> None:
        store = SqliteStore(str(path), SystemClock())

        with pytest.raises(StoreUnavailable, match="not open"):
            await store.views.balances()

    async def test_many_may_make_the_same_new_file_at_once(self, path: Path) -> None:
        stores = [SqliteStore(str(path), SystemClock()) for _ in range(6)]

        await asyncio.gather(*(store.open() for store in stores))

        await take(stores[3])
        assert (await stores[3].journal.flush(1, [an_order()])).head.epoch == 1
        for store in stores:
            await store.close()


class TestWriteAheadLog:
    """SQLite answers "busy" at once when two turn a new file to WAL at the same moment."""

    @pytest.fixture
    def other(self, path: Path) -> Iterator[sqlite3.Connection]:
        """Somebody who reads a file that is not in WAL mode yet."""
        query(path, "CREATE TABLE t (x)")
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM t").fetchall()
        yield connection
        connection.close()

    async def test_it_is_tried_again_until_it_is_on(
        self, path: Path, other: sqlite3.Connection
    ) -> None:
        tries = threading.Semaphore(0)
        connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
        connection.set_trace_callback(lambda _: tries.release())
        turning = asyncio.create_task(asyncio.to_thread(use_wal, connection))
        for _ in range(2):
            await asyncio.to_thread(tries.acquire)

        other.execute("COMMIT")

        await turning
        assert query(path, "PRAGMA journal_mode") == [("wal",)]
        connection.close()

    def test_it_is_not_tried_for_ever(
        self, path: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(creation, "BUSY_MS", -1)
        connection = sqlite3.connect(path, timeout=0)

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            use_wal(connection)

        connection.close()


class TestLock:
    async def test_a_service_is_not_waited_for(self, store: SqliteStore, path: Path) -> None:
        other = SqliteStore(str(path), VirtualClock(NOW), wait=seconds(3600))
        await other.open()

        with pytest.raises(LeaseHeld) as held:
            await take(other)

        assert held.value.details["url"] == "http://one"
        await other.close()

    async def test_a_command_that_ends_soon_is_waited_for(self, path: Path) -> None:
        first, second = (
            SqliteStore(str(path), VirtualClock(NOW), wait=seconds(60)) for _ in range(2)
        )
        await first.open()
        await second.open()
        await take(first, url="")
        waiting = asyncio.create_task(take(second, "second", url=""))
        await asyncio.sleep(0.1)
        assert not waiting.done()

        await first.journal.release()

        await waiting
        assert (await first.journal.flush(1, ())).outcome is FlushOutcome.LEASE_LOST
        assert (await second.journal.flush(1, ())).outcome is FlushOutcome.COMMITTED
        await first.close()
        await second.close()

    async def test_a_command_that_does_not_end_is_not_waited_for_for_ever(self, path: Path) -> None:
        first = SqliteStore(str(path), VirtualClock(NOW))
        second = SqliteStore(str(path), VirtualClock(NOW), wait=seconds(0))
        await first.open()
        await second.open()
        await take(first, url="")

        with pytest.raises(LeaseHeld) as held:
            await take(second, "second")

        assert held.value.details["owner"] == "owner"
        await first.close()
        await second.close()

    async def test_an_owner_that_lives_keeps_its_store_though_its_time_is_over(
        self, store: SqliteStore, path: Path
    ) -> None:
        later = SqliteStore(str(path), VirtualClock(NOW + seconds(3600)), wait=seconds(0))
        await later.open()

        with pytest.raises(LeaseHeld):
            await take(later, "second")

        await later.close()

    async def test_an_owner_that_closed_its_store_is_not_waited_for(
        self, store: SqliteStore, path: Path
    ) -> None:
        await store.close()
        other = SqliteStore(str(path), VirtualClock(NOW), wait=seconds(0))
        await other.open()

        await take(other, "second")

        await other.close()

    async def test_the_lock_file_stays(self, store: SqliteStore, path: Path) -> None:
        await store.journal.release()
        await store.close()

        assert was_made(f"{path}.lock")


class TestPrune:
    async def test_old_snapshots_go_and_nothing_else(self, store: SqliteStore) -> None:
        old, new = a_snapshot(NOW - seconds(31 * 86_400)), a_snapshot(NOW - seconds(29 * 86_400))
        await store.journal.flush(1, [old, new, an_order()])

        assert await store.prune() == 1

        assert [row async for row in store.views.stream(PositionSnapshot)] == [new]
        assert [row async for row in store.views.stream(Order)] == [an_order()]
        assert await store.damage() == []

    async def test_a_moment_may_be_said_and_many_go_in_small_bites(
        self, store: SqliteStore
    ) -> None:
        snapshots = [a_snapshot(NOW + seconds(number)) for number in range(2_500)]
        await store.journal.flush(1, snapshots)

        assert await store.prune(before=NOW + seconds(2_499)) == 2_499

        assert [row async for row in store.views.stream(PositionSnapshot)] == snapshots[-1:]


class TestCancellation:
    async def test_a_flush_that_waits_behind_another_is_run_though_its_caller_is_gone(
        self, store: SqliteStore
    ) -> None:
        first = asyncio.create_task(
            store.journal.flush(1, [an_order_of(number) for number in range(1, 300)])
        )
        second = asyncio.create_task(store.journal.flush(2, [Mark("m", NOW, 2)]))
        await asyncio.sleep(0)
        second.cancel()
        await first

        again = await store.journal.flush(2, [Mark("m", NOW, 2)])

        assert again.outcome is FlushOutcome.ALREADY


@pytest.mark.parametrize(
    ("table", "rest"),
    [
        ("orders", selection._ORDERS),
        ("orders", selection._ORDERS_NEEDED),
        ("signals", selection._SIGNALS),
        ("commands", selection._COMMANDS),
        ("executions", selection._LEDGER),
        ("executions", selection._ENTRIES_NEEDED),
    ],
)
def test_no_query_of_the_engine_walks_a_whole_table(table: str, rest: str) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    creation.prepare(connection, "memory")
    found = connection.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM {table} {rest}", ("[]",) * rest.count("?")
    ).fetchall()
    connection.close()

    assert [step for *_, step in found if step == f"SCAN {table}"] == []
    assert found


async def steps_of_a_load(folder: Path, closed: int) -> int:
    """How many steps SQLite takes to load the book of a file with so many filled orders."""
    store = SqliteStore(str(folder / f"{closed}.db"), VirtualClock(NOW), wait=seconds(0))
    await store.open()
    await take(store)
    await store.journal.flush(1, [row for number in range(closed) for row in a_filled(number)])
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def read(connection: sqlite3.Connection) -> list[Change]:
        connection.set_progress_handler(count, 1)
        return selection.rows_of_a_book(connection, NOW)

    loaded = await store._reader.run(read)
    await store.close()
    assert len(loaded) == 2  # the newest signal and the newest execution
    return steps


def a_filled(number: int) -> list[Change]:
    """One whose fill came before any report of it, long ago."""
    at = NOW - seconds(10_000 - number)
    filled = a_closed_order(
        number, at, status=OrderStatus.FILLED, cum_quantity=D("0.020"), reported_cum=D(0)
    )
    signal = a_signal(signal_id=a_signal_id(number), timestamp=at)
    entry = an_entry(number + 1, client_order_id=id_of(number), exec_id=f"e{number}")
    return [a_signal_row(number, signal=signal, decided_at=at), filled, entry]


async def test_a_load_costs_the_same_beside_many_orders_that_were_filled(tmp_path: Path) -> None:
    few, many = [await steps_of_a_load(tmp_path, closed) for closed in (20, 1_020)]

    assert many < few * 1.2


@pytest.mark.parametrize(
    ("reported", "booked", "is_ahead"),
    [
        ("0", "0.020", False),
        ("0.020", "0.0200", False),
        ("0.021", "0.020", True),
        ("100", "20", True),
        ("20", "100", False),
        ("0.0000000000000000000002", "0.0000000000000000000001", True),
        ("1.0000000000000000000002", "1.0000000000000000000001", True),
    ],
)
async def test_a_closed_order_stays_open_to_a_load_while_its_report_is_ahead_of_the_ledger(
    store: SqliteStore, path: Path, reported: str, booked: str, is_ahead: bool
) -> None:
    order = a_closed_order(1, NOW - seconds(9000), cum_quantity=D(booked), reported_cum=D(reported))
    await store.journal.flush(1, [order])

    loaded = await store.journal.load(NOW)
    walked = query(path, f"SELECT count(*) FROM orders WHERE {OPEN_ORDER}")

    assert loaded == ([order] if is_ahead else [])
    assert walked == [(int(is_ahead),)]
