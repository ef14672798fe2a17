"""The neighbours' tables under our projection: filled, kept within their checks, never changed."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_adapters.clock import SystemClock
from order_adapters.stores.memory.store import MemoryStore
from order_adapters.stores.postgres.migrator import migrate, rollback
from order_adapters.stores.postgres.place import Place
from order_adapters.stores.postgres.shared import SharedTables
from order_domain.model.enums import EventKind, OrderStatus, Origin, PositionSide, Side
from order_domain.model.events import Event
from order_domain.model.identifiers import event_id
from order_domain.model.order import Order
from order_domain.ports.outbox import NumberedEvent
from tests.builders import BTC, NOW, D, a_position, a_signal_id, an_order
from tests.postgres_server import connected
from tests.row_builders import an_entry
from tests.shared_tables import TABLES

SCHEMA = "neighbours"


@pytest.fixture
async def url(emptied_postgres: str) -> AsyncIterator[str]:
    async with connected(emptied_postgres) as connection:
        await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
        for table in TABLES:
            await connection.execute(table.format(schema=SCHEMA))
    yield emptied_postgres
    async with connected(emptied_postgres) as connection:
        await connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


async def show(url: str, events: Sequence[Event], *positions: Any, **changes: Any) -> SharedTables:
    clock = SystemClock()
    store = MemoryStore(clock)
    await store.journal.acquire(account="x", owner="me", url="", ttl=timedelta(seconds=10))
    await store.journal.flush(1, positions)
    shared = SharedTables(url, store.views, **{"schema": SCHEMA} | changes)
    await shared.publish_all([NumberedEvent(n, each) for n, each in enumerate(events, 1)])
    await shared.close()
    return shared


async def rows(url: str, table: str) -> list[dict[str, Any]]:
    async with connected(url) as connection:
        return [dict(row) for row in await connection.fetch(f"SELECT * FROM {SCHEMA}.{table}")]


def told(order: Order, kind: EventKind = EventKind.ORDER_WORKING, **changes: Any) -> Event:
    return Event(kind, NOW, order.client_order_id, order.version, order, **changes)


async def test_an_order_has_our_id_until_the_exchange_names_it(url: str) -> None:
    order = an_order(venue_order_id="", version=1)
    await show(url, [told(order)])
    (before,) = await rows(url, "orders")
    later = an_order(venue_order_id="v-1", version=2, updated_at=NOW + timedelta(seconds=1))
    await show(url, [told(later)])
    (after,) = await rows(url, "orders")

    assert before["order_id"] == order.client_order_id
    assert after["order_id"] == "v-1"
    assert before["id"] == after["id"] == event_id(order.client_order_id, 0)


async def test_an_older_version_never_takes_the_place_of_a_newer_one(url: str) -> None:
    done = an_order(
        status=OrderStatus.FILLED, cum_quantity=D("0.02"), updated_at=NOW + timedelta(seconds=5)
    )
    await show(url, [told(done)])
    await show(url, [told(an_order(updated_at=NOW))])
    (row,) = await rows(url, "orders")

    assert row["status"] == "filled"


@pytest.mark.parametrize("status", list(OrderStatus))
@pytest.mark.parametrize("side", list(Side))
async def test_every_state_and_side_is_one_the_neighbours_take(
    url: str, status: OrderStatus, side: Side
) -> None:
    shared = await show(url, [told(an_order(status=status, side=side))])
    (row,) = await rows(url, "orders")

    assert shared.projected.refused == 0
    assert row["side"] == ("Buy" if side is Side.BUY else "SELL")


async def test_a_relation_is_written_for_real_signals_alone(url: str) -> None:
    one = an_order(signal_id=a_signal_id(1), leg=2, legs=3, origin=Origin.SIGNAL)
    manual = an_order(client_order_id="om1d-manual", signal_id=a_signal_id(2), origin=Origin.MANUAL)
    await show(url, [told(one), told(manual)])
    (relation,) = await rows(url, "signal_order_relationships")

    assert str(relation["signal_id"]) == a_signal_id(1)
    assert relation["relationship_type"] == "one_to_many"
    assert relation["execution_sequence"] == 2
    assert relation["allocation_quantity"] == D("0.02")
    assert relation["allocation_amount"] > 0


async def test_a_row_their_checks_refuse_is_counted_and_blocks_nothing(url: str) -> None:
    impossible = an_order(client_order_id="om1d-a", cum_quantity=D(9))
    shared = await show(url, [told(impossible), told(an_order(client_order_id="om1d-b"))])

    assert shared.projected.refused == 1
    assert "chk_filled" in shared.projected.last_refusal
    assert [row["order_id"] for row in await rows(url, "orders")] == ["om1d-b"]


async def test_a_dry_run_shows_its_orders_as_such_and_no_position(url: str) -> None:
    order = an_order(status=OrderStatus.FILLED, cum_quantity=D("0.02"))
    await show(
        url,
        [told(order, EventKind.ORDER_FILLED, ledger=an_entry())],
        a_position(),
        is_dry=True,
    )
    (row,) = await rows(url, "orders")

    assert (row["status"], row["is_dry_run"]) == ("dry_run", True)
    assert await rows(url, "positions") == []


async def test_a_position_is_shown_after_a_fill_with_numbers_where_readers_need_them(
    url: str,
) -> None:
    fill = told(an_order(), EventKind.ORDER_FILLED, ledger=an_entry())
    await show(url, [fill], a_position())
    await show(url, [fill], a_position())
    (row,) = await rows(url, "positions")

    assert row["mode"] == "one-way"
    assert row["size"] == a_position().size
    assert row["unrealized_pnl"] == 0
    assert row["realized_pnl"] is not None
    assert row["version"] == 2


async def test_both_sides_of_hedge_mode_are_one_row(url: str) -> None:
    fill = told(an_order(), EventKind.ORDER_FILLED, ledger=an_entry())
    sides = (
        a_position(position_side=PositionSide.LONG, size=D("0.3"), entry_value=D(15000)),
        a_position(position_side=PositionSide.SHORT, size=D("-0.1"), entry_value=D(5000)),
    )
    await show(url, [fill], *sides)
    (row,) = await rows(url, "positions")

    assert row["mode"] == "hedge"
    assert (row["long_size"], row["short_size"], row["size"]) == (D("0.3"), D("0.1"), D("0.2"))


async def test_snapshots_hang_on_their_position_and_come_once(url: str) -> None:
    fill = told(an_order(), EventKind.ORDER_FILLED, ledger=an_entry())
    subject = f"snapshot:{BTC}:Both:{NOW.isoformat()}"
    detail = (("size", D(1)), ("unrealized_pnl", Decimal("-3.5")))
    snapshot = Event(EventKind.POSITION_SNAPSHOT, NOW, subject, 1, detail=detail)
    for _ in range(2):
        await show(url, [fill, snapshot], a_position())
    (row,) = await rows(url, "position_snapshots")

    assert row["unrealized_pnl"] == D("-3.5")


async def test_positions_of_another_owner_are_left_alone(url: str) -> None:
    fill = told(an_order(), EventKind.ORDER_FILLED, ledger=an_entry())
    await show(url, [fill], a_position(), owns_positions=False)

    assert await rows(url, "positions") == []
    assert len(await rows(url, "orders")) == 1


async def test_without_the_tables_nothing_is_written_and_nothing_fails(url: str) -> None:
    shared = await show(url, [told(an_order())], schema="nowhere")

    assert shared.projected.written == 0


async def test_our_migrations_applied_and_taken_back_leave_the_neighbours_as_they_were(
    url: str,
) -> None:
    await show(url, [told(an_order())])
    place = Place.of(f"{url}?schema=ours_for_now")
    definition = """
        SELECT table_name, column_name, data_type, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1, ordinal_position
    """
    async with connected(url) as connection:
        before = await connection.fetch(definition, SCHEMA)
        await migrate(place)
        await rollback(place, 99)
        after = await connection.fetch(definition, SCHEMA)
        await connection.execute("DROP SCHEMA ours_for_now CASCADE")

    assert after == before
    assert len(await rows(url, "orders")) == 1
