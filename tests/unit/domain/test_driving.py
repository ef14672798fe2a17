"""The rules that every driver of an engine shares."""

from datetime import timedelta
from typing import Any

import pytest

from order_domain.book import Book
from order_domain.driving import LEAST_GAP, LONGEST_PAUSE, Quotes, Ticks, has_open_ends
from order_domain.model.command import Command
from order_domain.model.enums import (
    CommandKind,
    CommandStatus,
    EndedBy,
    OrderStatus,
    VenueStatus,
    Verdict,
)
from order_domain.model.identifiers import InstrumentId
from order_domain.model.rows import SignalRow
from tests.builders import NOW, D, a_quote, a_signal, an_order, an_order_id, seconds

ETH = InstrumentId("linear:ETHUSDT")


def test_of_many_quotes_only_the_newest_per_instrument_reaches_the_engine() -> None:
    quotes = Quotes()
    newest = a_quote(at=NOW + seconds(1), bid=D(49995))
    other = a_quote(instrument_id=ETH)
    for quote in (a_quote(), other, newest):
        quotes.put(quote)

    assert quotes.drain() == [newest, other]
    assert quotes.drain() == []


def test_an_older_quote_than_the_newest_is_dropped() -> None:
    quotes = Quotes()
    quotes.put(a_quote(at=NOW))

    assert not quotes.put(a_quote(at=NOW - seconds(1)))
    assert quotes.drain() == [a_quote(at=NOW)]


def test_of_quotes_with_one_time_the_last_counts() -> None:
    quotes = Quotes()
    quotes.put(a_quote(bid=D(1)))
    quotes.put(a_quote(bid=D(2)))

    assert [quote.bid for quote in quotes.drain()] == [D(2)]


@pytest.mark.parametrize(
    ("pause", "due"),
    [(LONGEST_PAUSE - timedelta(milliseconds=1), False), (LONGEST_PAUSE, True)],
)
def test_a_quote_after_a_pause_does_not_wait_for_another_step(pause: timedelta, due: bool) -> None:
    quotes = Quotes()
    assert quotes.put(a_quote())
    quotes.drain()
    assert not quotes.is_due

    assert quotes.put(a_quote(at=NOW + pause)) is due
    assert quotes.is_due is due


def test_a_quote_that_is_due_stays_due_when_a_newer_one_takes_its_place() -> None:
    quotes = Quotes()
    quotes.put(a_quote())

    assert quotes.put(a_quote(at=NOW + timedelta(milliseconds=1)))


def test_a_new_engine_is_shown_the_newest_quotes_again() -> None:
    quotes = Quotes()
    quotes.put(a_quote())
    quotes.drain()
    quotes.renew()

    assert quotes.is_due
    assert quotes.drain() == [a_quote()]


def test_without_quotes_nothing_is_due_for_a_new_engine() -> None:
    quotes = Quotes()
    quotes.renew()

    assert not quotes.is_due


def test_a_deadline_is_answered_when_it_comes() -> None:
    ticks = Ticks()

    assert ticks.due_at(None) is None
    assert ticks.due_at(NOW) == NOW


def test_a_deadline_that_a_tick_did_not_move_is_answered_after_a_pause() -> None:
    ticks = Ticks()
    ticks.ticked(NOW)
    assert ticks.due_at(None) is None
    assert ticks.due_at(NOW - seconds(5)) == NOW + LEAST_GAP
    assert ticks.due_at(NOW + seconds(5)) == NOW + seconds(5)

    ticks.stepped()
    assert ticks.due_at(NOW) == NOW


def a_book(*rows: Any) -> Book:
    book = Book()
    for row in rows:
        book.apply(row)
    return book


@pytest.mark.parametrize(
    ("order", "open_end"),
    [
        (an_order(status=OrderStatus.INTENT), True),
        (an_order(status=OrderStatus.SUBMITTING), True),
        (an_order(status=OrderStatus.UNKNOWN), True),
        (an_order(status=OrderStatus.ACKED), True),
        (an_order(status=OrderStatus.WORKING), False),
        (an_order(status=OrderStatus.PARTIALLY_FILLED), False),
        (an_order(status=OrderStatus.WORKING, reported_cum=D("0.01")), True),
        (an_order(status=OrderStatus.WORKING, reported_status=VenueStatus.FILLED), True),
        (an_order(status=OrderStatus.CANCELLED, ended_by=EndedBy.REPORT, closed_at=NOW), False),
    ],
)
def test_an_order_is_an_open_end_until_it_rests_or_has_ended(order: Any, open_end: bool) -> None:
    assert has_open_ends(a_book(order)) is open_end


def test_an_open_command_and_a_parked_signal_are_open_ends() -> None:
    command = Command(
        client_order_id=an_order_id(),
        kind=CommandKind.CANCEL,
        number=1,
        status=CommandStatus.SENT,
        reason="OPERATOR",
        created_at=NOW,
        updated_at=NOW,
    )
    parked = SignalRow(a_signal(), 0, 1, NOW, Verdict.PARKED, "WAITING", deadline=NOW)

    assert has_open_ends(a_book(an_order(), command))
    assert has_open_ends(a_book(parked))
    assert not has_open_ends(a_book())
