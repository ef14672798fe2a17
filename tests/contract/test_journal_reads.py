"""What the journal gives back: the rows of a book, and those a step asks for."""

import attrs
import pytest

from order_adapters.registry import Store
from order_domain.book import Book
from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.enums import CommandKind, CommandStatus
from order_domain.model.execution import LedgerEntry
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import (
    Change,
    Mark,
    RequestRow,
    SignalRow,
    TradingStateRow,
)
from order_domain.model.steps import Need
from tests.builders import BTC, NOW, D, a_signal, a_signal_id, an_order_id, seconds
from tests.row_builders import (
    a_closed_order,
    a_command,
    a_parked_row,
    a_request,
    a_signal_row,
    an_entry,
    an_order_of,
    id_of,
    one_of_each,
)

RETAINED = NOW - seconds(900)
LONG_AGO = NOW - seconds(3600)


class TestLoad:
    async def test_the_loaded_book_is_the_book_that_was_written(self, store: Store) -> None:
        written, loaded = Book(), Book()
        order = an_order_of(1, venue_order_id="v1")
        rows: list[Change] = [
            *one_of_each(),
            order,
            a_signal_row(2, decided_at=NOW + seconds(1)),
            a_parked_row(3),
            a_command(client_order_id=id_of(1), kind=CommandKind.AMEND, quantity=D("0.03")),
            attrs.evolve(order, version=2, cum_quantity=D("0.01")),
            an_entry(2, client_order_id=id_of(1)),
        ]
        for row in rows:
            written.apply(row)
        await store.journal.flush(1, rows)

        for row in await store.journal.load(RETAINED):
            loaded.apply(row)

        assert loaded.durable() == written.durable()

    async def test_rows_come_in_the_order_a_book_takes_them(self, store: Store) -> None:
        await store.journal.flush(1, list(reversed(one_of_each())))

        loaded = await store.journal.load(RETAINED)

        assert [type(row) for row in loaded] == [
            Instrument,
            Balance,
            TradingStateRow,
            Mark,
            Position,
            SignalRow,
            Order,
            Command,
            LedgerEntry,
            RequestRow,
        ]

    async def test_what_ended_before_stays_away(self, store: Store) -> None:
        old, new = a_closed_order(1, LONG_AGO), a_closed_order(2, RETAINED)
        settled = CommandStatus.DONE
        await store.journal.flush(
            1,
            [
                old,
                new,
                a_command(client_order_id=id_of(1), status=settled),
                a_command(client_order_id=id_of(2), status=settled),
                an_entry(1, client_order_id=id_of(1)),
                an_entry(2, client_order_id=id_of(2)),
                a_request("old", at=LONG_AGO),
                a_request("new", at=RETAINED),
            ],
        )

        loaded = await store.journal.load(RETAINED)

        assert loaded == [
            new,
            a_command(client_order_id=id_of(2), status=settled),
            an_entry(2, client_order_id=id_of(2)),
            a_request("new", at=RETAINED),
        ]

    async def test_what_is_not_over_comes_however_old_it_is(self, store: Store) -> None:
        ahead = a_closed_order(2, LONG_AGO, reported_cum=D("0.01"))
        level = a_closed_order(3, LONG_AGO, reported_cum=D("0.010"), cum_quantity=D("0.01"))
        live = an_order_of(1, updated_at=LONG_AGO)
        open_command = a_command(client_order_id=id_of(3), updated_at=LONG_AGO)
        await store.journal.flush(1, [ahead, level, live, open_command])

        loaded = await store.journal.load(RETAINED)

        assert loaded == [ahead, live, open_command]

    async def test_the_newest_ledger_entry_always_comes(self, store: Store) -> None:
        order = a_closed_order(1, LONG_AGO)
        entries = [an_entry(number, client_order_id=id_of(1)) for number in (1, 2)]
        await store.journal.flush(1, [order, *entries])

        assert await store.journal.load(RETAINED) == [entries[1]]

    async def test_signals_come_in_the_order_of_their_decision_then_as_they_wait(
        self, store: Store
    ) -> None:
        first = a_signal_row(1, decided_at=NOW + seconds(2))
        second = a_signal_row(2, decided_at=NOW + seconds(1))
        waiting = [a_parked_row(4), a_parked_row(3)]
        await store.journal.flush(1, [*waiting, first, second])

        loaded = await store.journal.load(RETAINED)

        assert loaded == [second, first, a_parked_row(3), a_parked_row(4)]

    async def test_of_old_signals_come_those_of_live_orders_and_the_newest_of_a_strategy(
        self, store: Store
    ) -> None:
        def old(number: int, second: int) -> SignalRow:
            signal = a_signal(signal_id=a_signal_id(number), timestamp=LONG_AGO + seconds(second))
            return a_signal_row(number, signal=signal, decided_at=LONG_AGO)

        await store.journal.flush(1, [old(1, 1), old(2, 3), old(3, 2), an_order_of(1)])

        loaded = await store.journal.load(RETAINED)

        assert loaded == [old(1, 1), old(2, 3), an_order_of(1)]

    async def test_of_old_signals_the_newest_comes_of_every_strategy_on_every_instrument(
        self, store: Store
    ) -> None:
        pairs = [(s, i) for s in ("a", "b", "c") for i in ("linear:B", "linear:A", "spot:A")]

        def old(number: int, pair: tuple[str, str], second: int) -> SignalRow:
            signal = a_signal(
                signal_id=a_signal_id(number),
                strategy_id=pair[0],
                instrument_id=pair[1],
                timestamp=LONG_AGO + seconds(second),
            )
            return a_signal_row(number, signal=signal, decided_at=LONG_AGO + seconds(number))

        newest = [old(number, pair, 9) for number, pair in enumerate(pairs, 1)]
        older = [old(number, pair, number % 9) for number, pair in enumerate(pairs, 20)]
        waiting = a_parked_row(40, signal=a_signal(signal_id=a_signal_id(40), strategy_id="bb"))
        await store.journal.flush(1, [*older, *newest, waiting])

        loaded = await store.journal.load(RETAINED)

        assert loaded == [*newest, waiting]


class TestRead:
    @pytest.fixture(autouse=True)
    async def rows(self, store: Store) -> None:
        await store.journal.flush(
            1,
            [
                a_signal_row(1),
                a_signal_row(1, generation=1, delivery=0),
                a_signal_row(2),
                an_order_of(1, venue_order_id="v1"),
                an_order_of(2, venue_order_id="v2"),
                an_order_of(3),
                a_command(client_order_id=id_of(1)),
                an_entry(1, client_order_id=id_of(1)),
                an_entry(2, client_order_id=id_of(2)),
                an_entry(3, client_order_id=id_of(1)),
                a_request("r1"),
                a_request("r2"),
            ],
        )

    async def test_a_signal_comes_with_all_its_generations(self, store: Store) -> None:
        found = await store.journal.read(Need(signals=(a_signal_id(1), a_signal_id(9))))

        assert found == [a_signal_row(1), a_signal_row(1, generation=1, delivery=0)]

    async def test_an_order_comes_with_its_commands_and_entries(self, store: Store) -> None:
        found = await store.journal.read(Need(orders=(id_of(1),)))

        assert found == [
            an_order_of(1, venue_order_id="v1"),
            a_command(client_order_id=id_of(1)),
            an_entry(1, client_order_id=id_of(1)),
            an_entry(3, client_order_id=id_of(1)),
        ]

    async def test_an_order_is_found_by_the_exchanges_id(self, store: Store) -> None:
        found = await store.journal.read(Need(venue_orders=("v2",)))

        assert found == [
            an_order_of(2, venue_order_id="v2"),
            an_entry(2, client_order_id=id_of(2)),
        ]

    async def test_no_exchange_id_is_no_orders_id(self, store: Store) -> None:
        assert await store.journal.read(Need(venue_orders=("",))) == []

    async def test_entries_of_an_order_that_no_row_knows_come_without_it(
        self, store: Store
    ) -> None:
        """A stranger's order, told after its fills: it must begin with what was filled."""
        nameless = an_entry(4, client_order_id="", venue_order_id="theirs")
        named = an_entry(5, client_order_id="by-hand", venue_order_id="theirs-too")
        opening = an_entry(6, client_order_id="", venue_order_id="")
        await store.journal.flush(2, [nameless, named, opening])

        assert await store.journal.read(Need(venue_orders=("theirs", ""))) == [nameless]
        assert await store.journal.read(Need(orders=("by-hand", ""))) == [named]

    async def test_an_execution_is_found_by_instrument_and_id(self, store: Store) -> None:
        need = Need(executions=((BTC, "e2"), (BTC, "e9"), ("spot:BTCUSDT", "e1")))

        assert await store.journal.read(need) == [an_entry(2, client_order_id=id_of(2))]

    async def test_a_request_is_found_by_its_id(self, store: Store) -> None:
        assert await store.journal.read(Need(requests=("r2", "r9"))) == [a_request("r2")]

    async def test_all_that_is_asked_comes_in_the_order_a_book_takes_it(self, store: Store) -> None:
        need = Need((a_signal_id(2),), (id_of(3),), ("v2",), ((BTC, "e1"),), ("r1",))

        found = await store.journal.read(need)

        assert found == [
            a_signal_row(2),
            an_order_of(2, venue_order_id="v2"),
            an_order_of(3),
            an_entry(1, client_order_id=id_of(1)),
            an_entry(2, client_order_id=id_of(2)),
            a_request("r1"),
        ]

    async def test_a_thousand_keys_are_no_more_than_one(self, store: Store) -> None:
        many = tuple(an_order_id(signal=a_signal_id(number)) for number in range(2, 1002))

        found = await store.journal.read(Need(orders=many))

        assert [row for row in found if isinstance(row, Order)] == [
            an_order_of(2, venue_order_id="v2"),
            an_order_of(3),
        ]
