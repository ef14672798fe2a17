"""Views: what people see of committed rows."""

from collections.abc import Hashable
from typing import Any

import attrs
import pytest

from order_adapters.registry import Store
from order_domain.errors import InvalidValue
from order_domain.model.enums import OrderStatus, OrderType, Side
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import ClientOrderId, instrument_id, order_row_id
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent
from order_domain.ports.views import ORDER_SORTS, OrderQuery, StoredOrder
from tests.builders import (
    NOW,
    D,
    a_balance,
    a_position,
    a_signal_id,
    seconds,
)
from tests.contract.backends import Backend
from tests.row_builders import (
    a_delivery_row,
    a_signal_row,
    a_state,
    an_alarm,
    an_entry,
    an_order_event,
    an_order_of,
    id_of,
)

ETH = instrument_id("linear", "ETHUSDT")
ORDERS = (
    an_order_of(1, price=D(9), quantity=D("0.1"), created_at=NOW, updated_at=NOW + seconds(9)),
    an_order_of(2, price=D(100), quantity=D("0.02"), created_at=NOW + seconds(1), side=Side.SELL),
    an_order_of(3, instrument_id=ETH, created_at=NOW + seconds(2), order_type=OrderType.MARKET),
    an_order_of(4, status=OrderStatus.FILLED, created_at=NOW + seconds(2), price=D(20)),
    an_order_of(5, status=OrderStatus.DENIED, strategy_id="other", created_at=NOW + seconds(3)),
)
NUMBER_OF = {order.client_order_id: number for number, order in enumerate(ORDERS, 1)}


async def listed(store: Store, **query: Any) -> list[int]:
    """The numbers of the orders on the page."""
    page, _ = await store.views.orders(OrderQuery(**query))
    return [NUMBER_OF[order.client_order_id] for order in page]


class TestOrders:
    @pytest.fixture(autouse=True)
    async def rows(self, store: Store) -> None:
        await store.journal.flush(1, ORDERS)

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ({"symbol": "ETHUSDT"}, [3]),
            ({"symbol": "ETH"}, []),
            ({"statuses": (OrderStatus.FILLED, OrderStatus.DENIED)}, [4, 5]),
            ({"signal_id": a_signal_id(2)}, [2]),
            ({"strategy_id": "other"}, [5]),
            ({"side": Side.SELL}, [2]),
            ({"created_from": NOW + seconds(2)}, [3, 4, 5]),
            ({"created_to": NOW + seconds(2)}, [1, 2]),
            ({"created_from": NOW + seconds(1), "created_to": NOW + seconds(2)}, [2]),
            ({"symbol": "BTCUSDT", "side": Side.BUY, "statuses": (OrderStatus.WORKING,)}, [1]),
        ],
        ids=str,
    )
    async def test_each_filter_keeps_what_it_names(
        self, store: Store, query: dict[str, Any], numbers: list[int]
    ) -> None:
        found = await listed(store, sort_by="created_at", descending=False, **query)

        assert found == numbers

    async def test_the_newest_come_first_and_equals_in_the_same_sense(self, store: Store) -> None:
        assert await listed(store) == [5, 4, 3, 2, 1]

    async def test_amounts_are_sorted_as_numbers_and_no_price_comes_last(
        self, store: Store
    ) -> None:
        up = await listed(store, sort_by="price", descending=False)
        down = await listed(store, sort_by="price", descending=True)

        assert up == [1, 4, 2, 5, 3]
        assert down == [5, 2, 4, 1, 3]

    async def test_quantities_are_sorted_as_numbers(self, store: Store) -> None:
        assert await listed(store, sort_by="quantity", descending=False) == [2, 3, 4, 5, 1]

    @pytest.mark.parametrize("sort_by", ORDER_SORTS)
    async def test_every_sort_lists_every_order(self, store: Store, sort_by: str) -> None:
        assert sorted(await listed(store, sort_by=sort_by)) == [1, 2, 3, 4, 5]

    async def test_a_page_tells_how_many_there_are_in_all(self, store: Store) -> None:
        query = OrderQuery(symbol="BTCUSDT", descending=False, limit=2, offset=1)

        page, total = await store.views.orders(query)

        assert list(page) == [ORDERS[1], ORDERS[3]]
        assert total == 4

    async def test_behind_the_last_page_is_nothing(self, store: Store) -> None:
        assert await store.views.orders(OrderQuery(offset=5)) == ([], 5)

    async def test_an_order_is_found_by_either_id(self, store: Store) -> None:
        order = an_order_of(6, venue_order_id="v6")
        await store.journal.flush(2, [order])

        assert await store.views.order(order.client_order_id) == order
        assert await store.views.order("v6") == order

    async def test_an_order_of_any_age_is_found_by_the_id_of_its_row(self, store: Store) -> None:
        await store.journal.flush(2, [an_order_of(number) for number in range(10, 1_200)])
        changed = attrs.evolve(ORDERS[0], version=2, status=OrderStatus.FILLED)
        await store.journal.flush(3, [changed])

        assert await store.views.order(order_row_id(ORDERS[0].client_order_id)) == changed
        assert await store.views.order(order_row_id(ORDERS[1].client_order_id)) == ORDERS[1]
        assert await store.views.order(order_row_id(ClientOrderId("nobody's"))) is None

    async def test_an_id_of_two_orders_is_first_our_own_then_the_exchanges_then_a_rows(
        self, store: Store
    ) -> None:
        row_id = order_row_id(ORDERS[0].client_order_id)
        of_venue = an_order_of(6, venue_order_id=row_id)
        await store.journal.flush(2, [of_venue])
        before = await store.views.order(row_id)
        ours = an_order_of(7, client_order_id=ClientOrderId(row_id))
        await store.journal.flush(3, [ours])

        assert before == of_venue
        assert await store.views.order(row_id) == ours

    async def test_an_unknown_or_empty_id_finds_nothing(self, store: Store) -> None:
        assert await store.views.order("unknown") is None
        assert await store.views.order("") is None


class TestOrderPage:
    """The same page for whoever has kept what he made of some orders."""

    @pytest.fixture(autouse=True)
    async def rows(self, store: Store) -> None:
        await store.journal.flush(1, ORDERS)

    @pytest.mark.parametrize("sort_by", ORDER_SORTS)
    @pytest.mark.parametrize("descending", [True, False])
    async def test_to_whoever_knows_nothing_it_is_the_listing(
        self, store: Store, sort_by: str, descending: bool
    ) -> None:
        query = OrderQuery(sort_by=sort_by, descending=descending, symbol="BTCUSDT", limit=3)
        page, total = await store.views.order_page(query, NOTHING_KEPT.get)

        assert [each.order for each in page] == (await store.views.orders(query))[0]
        assert (len(page), total) == (3, 4)

    async def test_what_is_known_stands_in_the_place_of_its_order(self, store: Store) -> None:
        kept = await kept_by_number(store)
        page, total = await store.views.order_page(OrderQuery(limit=4, offset=1), kept.get)

        assert page == [4, 3, 2, 1]
        assert total == 5

    async def test_behind_the_last_page_is_nothing_known_or_not(self, store: Store) -> None:
        kept = await kept_by_number(store)

        for known in (kept, NOTHING_KEPT):
            assert await store.views.order_page(OrderQuery(offset=5), known.get) == ([], 5)

    async def test_a_changed_order_is_read_though_its_earlier_form_is_known(
        self, store: Store
    ) -> None:
        kept = await kept_by_number(store)
        changed = an_order_of(2, version=2, status=OrderStatus.FILLED, side=Side.SELL)
        await store.journal.flush(2, [changed])

        page, total = await store.views.order_page(OrderQuery(side=Side.SELL), kept.get)

        assert [each.order for each in page if isinstance(each, StoredOrder)] == [changed]
        assert (len(page), total) == (1, 1)

    async def test_beside_a_changed_order_the_others_stay_what_they_were(
        self, store: Store
    ) -> None:
        kept = await kept_by_number(store)
        changed = attrs.evolve(ORDERS[2], version=2, status=OrderStatus.FILLED)
        await store.journal.flush(2, [changed])

        page, _ = await store.views.order_page(OrderQuery(), kept.get)
        read = [each.order if isinstance(each, StoredOrder) else ORDERS[each - 1] for each in page]

        assert read == (await store.views.orders(OrderQuery()))[0]
        assert changed in read

    @pytest.mark.parametrize(
        "change",
        [{"text": "other"}, {"updated_at": NOW + seconds(60)}, {"fees": {"USDT": D(1)}}],
        ids=str,
    )
    async def test_a_version_that_was_lost_and_came_to_something_else_is_another_form(
        self, store: Store, change: dict[str, Any]
    ) -> None:
        kept = await kept_by_number(store)
        await store.journal.flush(2, [attrs.evolve(ORDERS[0], **change)])

        query = OrderQuery(signal_id=a_signal_id(1))
        (found,), _ = await store.views.order_page(query, kept.get)

        assert isinstance(found, StoredOrder)
        assert found.order == attrs.evolve(ORDERS[0], **change)


NOTHING_KEPT: dict[Hashable, StoredOrder] = {}


async def kept_by_number(store: Store) -> dict[Hashable, int]:
    """Every form that is stored now, and which order it is of."""
    page, _ = await store.views.order_page(OrderQuery(), NOTHING_KEPT.get)
    return {each.form: NUMBER_OF[each.order.client_order_id] for each in page}


@pytest.mark.parametrize(
    ("field", "value"), [("sort_by", "text; DROP TABLE orders"), ("limit", 0), ("offset", -1)]
)
def test_a_page_that_cannot_be_is_refused_before_any_store_sees_it(
    field: str, value: object
) -> None:
    with pytest.raises(InvalidValue) as refused:
        OrderQuery(**{field: value})

    assert refused.value.details["field"] == field


class TestHistory:
    async def test_events_of_an_order_come_by_sequence(self, store: Store) -> None:
        versions = [an_order_of(1, version=version) for version in (1, 2, 3)]
        events = [an_order_event(version) for version in versions]
        await store.journal.flush(1, [events[0], an_alarm(), an_order_event(an_order_of(2))])
        await store.journal.flush(2, [events[1], events[2]])

        found = await store.views.order_events(id_of(1))

        assert found == [
            NumberedEvent(1, events[0]),
            NumberedEvent(4, events[1]),
            NumberedEvent(5, events[2]),
        ]

    async def test_an_event_shows_its_order_as_it_then_was(self, store: Store) -> None:
        working = an_order_of(1, version=1)
        await store.journal.flush(1, [working, an_order_event(working)])
        await store.journal.flush(2, [an_order_of(1, version=2, status=OrderStatus.FILLED)])

        (found,) = await store.views.order_events(id_of(1))

        assert found.event.order == working

    async def test_the_ledger_of_an_order_comes_in_booking_order(self, store: Store) -> None:
        entries = [an_entry(number, client_order_id=id_of(number % 2)) for number in (1, 2, 3)]
        await store.journal.flush(1, entries)

        assert await store.views.order_ledger(id_of(1)) == [entries[0], entries[2]]

    async def test_the_ledger_is_read_on_from_a_number(self, store: Store) -> None:
        entries = [an_entry(number) for number in (1, 2, 3)]
        await store.journal.flush(1, entries)

        assert await store.views.ledger_after(0, 2) == entries[:2]
        assert await store.views.ledger_after(2, 2) == entries[2:]
        assert await store.views.ledger_after(3, 2) == []

    async def test_a_signal_shows_all_its_generations(self, store: Store) -> None:
        rows = [a_signal_row(1), a_signal_row(2), a_signal_row(1, generation=1, delivery=0)]
        await store.journal.flush(1, rows)

        assert await store.views.signal(a_signal_id(1)) == [rows[0], rows[2]]
        assert await store.views.signal(a_signal_id(9)) == []

    async def test_of_many_signals_the_newest_generations_are_found_in_one_look(
        self, store: Store
    ) -> None:
        rows = [a_signal_row(1), a_signal_row(2), a_signal_row(1, generation=1, delivery=0)]
        await store.journal.flush(1, rows)
        found = await store.views.signals([a_signal_id(1), a_signal_id(9), a_signal_id(2)])

        assert sorted(found, key=lambda row: row.signal.signal_id) == [rows[2], rows[1]]
        assert await store.views.signals([]) == []

    async def test_the_newest_rows_come_first_by_their_first_commit(self, store: Store) -> None:
        rows = [a_signal_row(number) for number in (1, 2, 3)]
        await store.journal.flush(1, rows[:2])
        await store.journal.flush(2, [rows[2], rows[0]])

        assert await store.views.newest(SignalRow, 2) == [rows[2], rows[1]]
        assert await store.views.newest(DeliveryRow, 5) == []

    async def test_the_newest_executions_come_first_by_their_number(self, store: Store) -> None:
        entries = [an_entry(number) for number in (1, 2, 3)]
        await store.journal.flush(1, entries)

        assert await store.views.newest(LedgerEntry, 2) == [entries[2], entries[1]]

    async def test_a_refused_delivery_is_found_by_its_number(self, store: Store) -> None:
        rows = [a_delivery_row(3), a_delivery_row(9)]
        await store.journal.flush(1, rows)

        assert await store.views.delivery(9) == rows[1]
        assert await store.views.delivery(4) is None

    async def test_the_newest_delivery_is_that_of_a_signal_or_another(self, store: Store) -> None:
        assert await store.views.last_delivery() == 0
        await store.journal.flush(1, [a_signal_row(1, delivery=3)])
        assert await store.views.last_delivery() == 3
        await store.journal.flush(2, [a_delivery_row(9), a_signal_row(2, delivery=5)])
        assert await store.views.last_delivery() == 9


class TestState:
    async def test_positions_are_listed_flat_ones_too(self, store: Store) -> None:
        flat, eth = a_position(size=D(0)), a_position(instrument_id=ETH)
        await store.journal.flush(1, [flat, eth])

        assert await store.views.positions() == [flat, eth]
        assert await store.views.positions("ETHUSDT") == [eth]

    async def test_of_each_coin_the_newest_balance_shows(self, store: Store) -> None:
        await store.journal.flush(1, [a_balance(), a_balance(coin="BTC", wallet=D(2))])
        await store.journal.flush(2, [a_balance(wallet=D(5))])

        assert await store.views.balances() == [
            a_balance(wallet=D(5)),
            a_balance(coin="BTC", wallet=D(2)),
        ]

    async def test_every_trading_state_shows(self, store: Store) -> None:
        rows = [a_state(), a_state(scope="symbol:linear:ETHUSDT", version=2)]
        await store.journal.flush(1, rows)

        assert await store.views.trading_states() == rows

    async def test_another_process_sees_what_is_committed(
        self, backend: Backend, store: Store
    ) -> None:
        other = await backend.another()
        await store.journal.flush(1, [an_order_of(1)])

        assert await other.views.order(id_of(1)) == an_order_of(1)


class TestStream:
    async def test_orders_keep_the_place_of_their_first_commit(self, store: Store) -> None:
        await store.journal.flush(1, [an_order_of(2), an_order_of(1), an_order_of(3)])
        changed = an_order_of(2, version=2)
        await store.journal.flush(2, [changed, an_order_of(4)])

        found = [order async for order in store.views.stream(Order)]

        assert found == [changed, an_order_of(1), an_order_of(3), an_order_of(4)]

    async def test_more_rows_than_a_page_come_each_once(self, store: Store) -> None:
        events = [an_alarm(number) for number in range(1, 2502)]
        await store.journal.flush(1, events)

        assert [event async for event in store.views.stream(Event)] == events

    async def test_a_reader_may_stop_half_way(self, store: Store) -> None:
        await store.journal.flush(1, [an_order_of(1), an_order_of(2)])

        stream = store.views.stream(Order)
        first = await anext(aiter(stream))

        assert first == an_order_of(1)
        assert (await store.journal.flush(2, ())).head.flush_no == 2
