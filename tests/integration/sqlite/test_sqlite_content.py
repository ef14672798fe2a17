"""What the file refuses, and what a flush makes of a disk or a neighbour in its way."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from order_adapters.stores.sqlite import SqliteStore
from order_domain.model.order import Order
from order_domain.model.rows import Change, Mark
from order_domain.ports.journal import (
    ChangeRefused,
    FlushOutcome,
    StoreUnavailable,
)
from tests.builders import NOW, D, an_order
from tests.row_builders import (
    an_alarm,
    an_entry,
    an_order_of,
)


class TestContent:
    @pytest.mark.parametrize(
        ("row", "table"),
        [
            (an_order(quantity=D("NaN")), "orders"),
            (an_order(price=D("Infinity")), "orders"),
            (an_order(cum_quantity=D("-Infinity")), "orders"),
            (an_order(quantity=D(-1)), "orders"),
            (an_order(version=0), "orders"),
            (an_order(client_order_id=""), "orders"),
            (an_order(status="DONE"), "orders"),
            (an_order(updated_at=NOW.replace(tzinfo=None)), "orders"),
            (an_order(text="\ud800"), "orders"),
            (an_order(quantity=None), "orders"),
            (an_entry(0), "executions"),
            (an_entry(1, exec_id=""), "executions"),
            (Mark("m", NOW, 2**63), "marks"),
            (Mark("m", NOW, 0, object()), "marks"),  # type: ignore[arg-type] -- that is the point
            (an_alarm(0), "events"),
            (an_alarm(1, detail=(("x", 1.5),)), "events"),
        ],
        ids=[
            "a quantity that is no number",
            "an infinite price",
            "an infinite cumulative quantity",
            "a negative quantity",
            "version zero",
            "no client order id",
            "an unknown status",
            "a time without zone",
            "text that is no Unicode",
            "no quantity",
            "ledger number zero",
            "no execution id",
            "a number beyond 64 bits",
            "an object for text",
            "sequence zero",
            "a float in the detail",
        ],
    )
    async def test_nonsense_is_refused_and_the_flush_undone(
        self, store: SqliteStore, row: Change, table: str
    ) -> None:
        with pytest.raises(ChangeRefused) as refused:
            await store.journal.flush(1, [an_order_of(2), Mark("first", NOW), row])

        assert refused.value.details["table"] == table
        assert [order async for order in store.views.stream(Order)] == []
        assert (await store.journal.flush(1, ())).outcome is FlushOutcome.COMMITTED

    async def test_an_order_with_a_status_of_another_kind_is_refused_too(
        self, store: SqliteStore
    ) -> None:
        class Imposter:
            value = _value_ = "DONE"

        order = attrs.evolve(an_order(), status=Imposter())  # type: ignore[arg-type] -- as above

        with pytest.raises(ChangeRefused, match="CHECK"):
            await store.journal.flush(1, [order])

    async def test_a_full_disk_is_an_unknown_outcome_and_the_same_flush_commits_later(
        self, store: SqliteStore
    ) -> None:
        def pages(number: int) -> Callable[[sqlite3.Connection], object]:
            sql = f"PRAGMA max_page_count = {number}"
            return lambda connection: connection.execute(sql).fetchall()

        rows = [an_order_of(number) for number in range(1, 500)]
        await store._writer.run(pages(1))

        with pytest.raises(StoreUnavailable, match="full"):
            await store.journal.flush(1, rows)

        await store._writer.run(pages(1_000_000))
        assert (await store.journal.flush(1, rows)).outcome is FlushOutcome.COMMITTED

    async def test_a_writer_that_holds_on_too_long_is_an_unknown_outcome(
        self, store: SqliteStore, path: Path
    ) -> None:
        def hurry(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA busy_timeout = 1")

        await store._writer.run(hurry)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable, match="locked"):
            await store.journal.flush(1, [an_order()])

        other.execute("ROLLBACK")
        other.close()
        assert (await store.journal.flush(1, [an_order()])).outcome is FlushOutcome.COMMITTED

    async def test_readers_are_not_held_up_by_a_writer(
        self, store: SqliteStore, path: Path
    ) -> None:
        await store.journal.flush(1, [an_order()])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        found = await store.views.order(an_order().client_order_id)

        assert found == an_order()
        other.execute("ROLLBACK")
        other.close()
