"""The book: what it forgets and when, and what it makes of rows in any order of loading."""

from datetime import datetime, timedelta

import pytest

from order_domain.book import Book
from order_domain.model.command import Command
from order_domain.model.enums import (
    CommandKind,
    CommandStatus,
    EventKind,
    OrderStatus,
    Side,
    Trading,
    Verdict,
)
from order_domain.model.events import Event
from order_domain.model.execution import EXTERNAL, LedgerEntry
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, RequestRow, SignalRow, TradingStateRow
from tests.builders import (
    BTC,
    NOW,
    STRATEGY,
    D,
    a_signal,
    a_signal_id,
    an_execution,
    an_order,
    an_order_id,
    seconds,
)

LATER = NOW + timedelta(hours=1)


def an_ended_order(leg: int = 1, closed_at: datetime = NOW, **changes: object) -> Order:
    return an_order(leg=leg, status=OrderStatus.CANCELLED, closed_at=closed_at, **changes)


def a_row(number: int = 1, **changes: object) -> SignalRow:
    values = {
        "signal": a_signal(signal_id=a_signal_id(number)),
        "generation": 0,
        "delivery": number,
        "received_at": NOW,
        "verdict": Verdict.DENIED,
        "code": "X",
        "decided_at": NOW,
    }
    return SignalRow(**values | changes)  # type: ignore[arg-type]


def an_entry(number: int, **changes: object) -> LedgerEntry:
    execution = an_execution(exec_id=ExecutionId(f"e{number}"), **changes)
    return LedgerEntry(number, execution, EXTERNAL, D(0), NOW)


def a_command(order: Order, status: CommandStatus = CommandStatus.DONE) -> Command:
    return Command(
        client_order_id=order.client_order_id,
        kind=CommandKind.CANCEL,
        number=1,
        status=status,
        reason="OPERATOR",
        created_at=NOW,
        updated_at=NOW,
    )


def evict(book: Book, before: datetime, *, at_most: int = 100, keep_ids: bool = False) -> None:
    book.evict(before, at_most, LATER, keep_ids=keep_ids)


# -- forgetting


def test_an_order_is_forgotten_with_all_that_hangs_on_it() -> None:
    order = an_ended_order(venue_order_id=VenueOrderId("v1"), cum_quantity=D("0.02"))
    book = Book()
    for row in (order, a_command(order), an_entry(1)):
        book.apply(row)

    evict(book, NOW + seconds(1))

    empty = {name for name, value in book.durable().items() if not value}
    assert empty >= {
        "orders",
        "closed",
        "commands",
        "executions",
        "executions_of",
        "by_venue_id",
        "unseen_by_wallet",
        "live",
    }
    assert book.ledger_number == 1


def test_live_orders_and_young_ones_stay() -> None:
    book = Book()
    for row in (an_order(leg=1), an_ended_order(2, NOW), an_ended_order(3, NOW + seconds(5))):
        book.apply(row)

    evict(book, NOW + seconds(1))

    assert list(book.orders) == [an_order_id(leg=1), an_order_id(leg=3)]


def test_not_more_than_so_many_closed_orders_are_kept() -> None:
    book = Book()
    for leg in range(1, 6):
        book.apply(an_ended_order(leg, NOW + seconds(leg)))

    evict(book, NOW - seconds(60), at_most=2)

    assert list(book.orders) == [an_order_id(leg=4), an_order_id(leg=5)]


def test_what_may_not_be_committed_yet_stays_however_old() -> None:
    book = Book()
    book.apply(an_ended_order())
    book.apply(a_row())
    book.apply(RequestRow("r", "CancelAll", "h", "ann", NOW, "OK"))

    book.evict(LATER, 0, NOW)

    assert book.orders
    assert book.signals
    assert book.requests
    assert book.signals_complete


def test_an_order_that_the_ledger_lags_behind_is_not_closed() -> None:
    book = Book()
    book.apply(an_ended_order(reported_cum=D("0.01")))

    evict(book, LATER)

    assert len(book.orders) == 1
    assert book.live[(BTC, "Both")]


def test_an_order_that_comes_back_is_not_forgotten() -> None:
    book = Book()
    book.apply(an_ended_order())
    book.apply(an_order(version=2))

    evict(book, LATER)

    assert len(book.orders) == 1


def test_a_signal_stays_as_long_as_one_of_its_orders_and_while_it_waits() -> None:
    book = Book()
    book.apply(an_order(leg=1))
    book.apply(a_row(1, verdict=Verdict.ORDERED, order_ids=(an_order_id(leg=1),)))
    book.apply(a_row(2, verdict=Verdict.PARKED, decided_at=None))
    book.apply(a_row(3))

    evict(book, LATER)

    assert list(book.signals) == [a_signal_id(1), a_signal_id(2)]


def test_without_a_store_ids_of_signals_stay_for_good() -> None:
    book = Book()
    book.apply(a_row())

    evict(book, LATER, keep_ids=True)

    assert book.seen == {a_signal_id(1): "h1"}
    assert book.signals == {}
    assert book.signals_complete


@pytest.mark.parametrize(
    "row",
    [
        an_ended_order(),
        a_row(),
        RequestRow("r", "CancelAll", "h", "ann", NOW, "OK"),
        an_entry(1, client_order_id=ClientOrderId("")),
    ],
    ids=["order", "signal", "request", "entry of no order"],
)
def test_whatever_is_forgotten_makes_the_store_be_asked(row: object) -> None:
    book = Book()
    book.apply(row)  # type: ignore[arg-type]
    evict(book, NOW)
    assert book.signals_complete

    evict(book, NOW + seconds(1))

    assert not book.signals_complete
    assert not book.executions


# -- executions and orders


def test_entries_of_a_foreign_order_are_found_by_its_venue_id_and_go_with_it() -> None:
    order = an_ended_order(venue_order_id=VenueOrderId("v9"))
    book = Book()
    book.apply(order)
    book.apply(an_entry(1, client_order_id=ClientOrderId(""), venue_order_id=VenueOrderId("v9")))
    assert book.executions_of[order.client_order_id] == [(BTC, "e1")]
    assert book.loose == {}

    evict(book, NOW + seconds(1))

    assert book.executions == {}


def test_an_entry_applied_twice_is_one_entry() -> None:
    book = Book()
    book.apply(an_order())
    for _ in range(2):
        book.apply(an_entry(1))

    assert book.executions_of[an_order_id()] == [(BTC, "e1")]


def test_a_command_of_an_order_the_book_does_not_hold_is_kept_for_its_number() -> None:
    book = Book()

    book.apply(a_command(an_order(), CommandStatus.PENDING))

    assert list(book.open_commands) == [(an_order_id(), CommandKind.CANCEL)]


def test_an_order_is_found_by_either_id() -> None:
    order = an_order(venue_order_id=VenueOrderId("v1"))
    book = Book()
    book.apply(order)

    assert book.find(order.client_order_id, "") is order
    assert book.find("", "v1") is order
    assert book.find("unknown", "v1") is order
    assert book.find("", "v2") is None
    assert book.find("", "") is None


def test_history_rows_change_nothing() -> None:
    book = Book()
    before = dict(book.durable())

    book.apply(Event(EventKind.ALARM, NOW, "account", 1))
    book.apply(DeliveryRow(1, NOW, Verdict.INVALID, "BODY_INVALID"))

    assert book.durable() == before


# -- signals


def test_an_older_generation_does_not_replace_a_newer_one() -> None:
    book = Book()
    book.apply(a_row(generation=1))

    book.apply(a_row(generation=0))

    assert book.signals[a_signal_id(1)].generation == 1


def test_the_newest_timestamp_counts_whatever_is_applied_last() -> None:
    book = Book()
    for number, age in ((1, 5), (2, 60)):
        signal = a_signal(signal_id=a_signal_id(number), timestamp=NOW - seconds(age))
        book.apply(a_row(number, signal=signal))

    assert book.newest_timestamp[(STRATEGY, BTC)] == NOW - seconds(5)


def test_only_ordered_signals_open_a_duplicate_window() -> None:
    book = Book()
    book.apply(a_row(1))
    assert book.like_decided_at == {}

    book.apply(a_row(2, verdict=Verdict.ORDERED, decided_at=NOW))

    assert book.like_decided_at == {(STRATEGY, BTC, Side.BUY): NOW}


def test_a_parked_signal_leaves_its_queue_with_its_verdict() -> None:
    book = Book()
    for number in (1, 2):
        book.apply(a_row(number, verdict=Verdict.PARKED, decided_at=None))
    book.apply(a_row(1))
    assert list(book.parked[BTC]) == [a_signal_id(2)]

    book.apply(a_row(2))

    assert book.parked == {}


# -- trading states


def a_state(scope: str, cause: str, state: Trading, version: int = 1) -> TradingStateRow:
    return TradingStateRow(scope, cause, state, version, "", "ann", NOW)


def test_without_any_restriction_trading_is_active() -> None:
    assert Book().trading("trend", BTC) == (Trading.ACTIVE, "")


def test_the_strictest_of_all_scopes_and_causes_counts() -> None:
    book = Book()
    book.apply(a_state("account", "STREAM", Trading.REDUCE_ONLY))
    book.apply(a_state("account", "OPERATOR", Trading.CANCEL_ONLY, 2))
    book.apply(a_state("strategy:trend", "OPERATOR", Trading.HALTED, 3))
    book.apply(a_state(f"symbol:{BTC}", "OPERATOR", Trading.REDUCE_ONLY, 4))

    assert book.trading("trend", BTC) == (Trading.HALTED, "strategy:trend/OPERATOR")
    assert book.trading("carry", BTC) == (Trading.CANCEL_ONLY, "account/OPERATOR")
    assert book.states_version == 4


def test_a_lifted_cause_restricts_no_more() -> None:
    book = Book()
    book.apply(a_state("account", "STREAM", Trading.REDUCE_ONLY))

    book.apply(a_state("account", "STREAM", Trading.ACTIVE, 2))

    assert book.trading("trend", BTC) == (Trading.ACTIVE, "")
