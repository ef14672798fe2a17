"""What is at risk, summed from a book: nothing left out, nothing twice."""

from decimal import Decimal

import attrs
import pytest

from order_domain import exposure
from order_domain.book import Book
from order_domain.model.command import Command
from order_domain.model.enums import (
    Category,
    CommandKind,
    CommandStatus,
    OrderStatus,
    OrderType,
    Origin,
    PositionSide,
    Side,
)
from order_domain.model.identifiers import InstrumentId
from order_domain.model.order import Order
from order_domain.model.rows import Change
from tests.builders import (
    BTC,
    NOW,
    D,
    a_balance,
    a_position,
    a_quote,
    an_instrument,
    an_order,
    an_order_id,
    seconds,
)

KEY = (BTC, PositionSide.BOTH)
ETH = InstrumentId("linear:ETHUSDT")


def a_book(*rows: Change) -> Book:
    book = Book()
    for row in (an_instrument(), a_balance(available=D(10_000)), *rows):
        book.apply(row)
    return book


def an_amend(order: Order, quantity: Decimal | None, status: CommandStatus) -> Command:
    return Command(
        client_order_id=order.client_order_id,
        kind=CommandKind.AMEND,
        number=1,
        status=status,
        reason="OPERATOR",
        created_at=NOW,
        updated_at=NOW,
        quantity=quantity,
    )


def test_leaves_are_summed_per_side_over_every_order_that_may_execute() -> None:
    statuses = [
        OrderStatus.INTENT,
        OrderStatus.SUBMITTING,
        OrderStatus.UNKNOWN,
        OrderStatus.ACKED,
        OrderStatus.WORKING,
    ]
    orders = [
        an_order(leg=leg, status=status, quantity=D(leg)) for leg, status in enumerate(statuses, 1)
    ]

    book = a_book(*orders, an_order(leg=9, side=Side.SELL, quantity=D(7), cum_quantity=D(2)))

    assert exposure.leaves(book, KEY) == (D(15), D(5))


def test_ended_orders_leave_nothing() -> None:
    book = a_book(an_order(), an_order(status=OrderStatus.CANCELLED, version=2, closed_at=NOW))

    assert exposure.leaves(book, KEY) == (0, 0)


@pytest.mark.parametrize(
    "status", [CommandStatus.PENDING, CommandStatus.SENT, CommandStatus.UNKNOWN]
)
def test_an_open_amend_counts_at_the_larger(status: CommandStatus) -> None:
    order = an_order(quantity=D(2))

    assert exposure.leaves(a_book(order, an_amend(order, D(5), status)), KEY) == (D(5), 0)
    assert exposure.leaves(a_book(order, an_amend(order, D(1), status)), KEY) == (D(2), 0)
    assert exposure.leaves(a_book(order, an_amend(order, None, status)), KEY) == (D(2), 0)


def test_a_settled_amend_counts_no_more() -> None:
    order = an_order(quantity=D(2))
    book = a_book(order, an_amend(order, D(5), CommandStatus.SENT))
    assert exposure.leaves(book, KEY) == (D(5), 0)

    book.apply(an_amend(order, D(5), CommandStatus.REFUSED))

    assert exposure.leaves(book, KEY) == (D(2), 0)


@pytest.mark.parametrize(("quantity", "total"), [("6", "10"), ("10", "10"), ("12", "12")])
def test_until_the_replaced_order_has_ended_the_larger_of_the_two_is_reserved(
    quantity: str, total: str
) -> None:
    working = an_order(leg=1, quantity=D(10))
    waiting = an_order(
        leg=2, status=OrderStatus.INTENT, quantity=D(quantity), replaces=(working.client_order_id,)
    )

    assert exposure.leaves(a_book(working, waiting), KEY) == (D(total), 0)


def test_children_that_wait_for_the_same_order_take_its_place_once() -> None:
    working = an_order(leg=1, quantity=D(10))
    children = [
        an_order(
            leg=leg, status=OrderStatus.INTENT, quantity=D(6), replaces=(working.client_order_id,)
        )
        for leg in (2, 3)
    ]

    assert exposure.leaves(a_book(working, *children), KEY) == (D(12), 0)


def test_replacing_the_other_side_makes_no_room() -> None:
    working = an_order(leg=1, side=Side.SELL, quantity=D(10))
    waiting = an_order(
        leg=2, status=OrderStatus.INTENT, quantity=D(6), replaces=(working.client_order_id,)
    )

    assert exposure.leaves(a_book(working, waiting), KEY) == (D(6), D(10))


def test_a_replaced_order_that_is_forgotten_makes_no_room() -> None:
    waiting = an_order(
        leg=2, status=OrderStatus.INTENT, quantity=D(6), replaces=(an_order_id(leg=1),)
    )

    assert exposure.leaves(a_book(waiting), KEY) == (D(6), 0)


def test_leaves_without_one_order() -> None:
    one, other = an_order(leg=1, quantity=D(1)), an_order(leg=2, quantity=D(2))

    assert exposure.leaves_without(a_book(one, other), KEY, one.client_order_id) == (D(2), 0)


def test_the_kept_sum_follows_every_change() -> None:
    book = a_book(an_order(leg=1, quantity=D(1)))
    assert exposure.leaves(book, KEY) == (D(1), 0)

    book.apply(an_order(leg=2, quantity=D(2)))
    assert exposure.leaves(book, KEY) == (D(3), 0)

    book.apply(an_order(leg=2, quantity=D(2), status=OrderStatus.FILLED, version=2, closed_at=NOW))
    assert exposure.leaves(book, KEY) == (D(1), 0)


@pytest.mark.parametrize(("side", "size"), [(Side.BUY, "0.3"), (Side.SELL, "-0.1")])
def test_what_reports_are_ahead_of_the_ledger_counts_as_position(side: Side, size: str) -> None:
    book = a_book(
        a_position(size=D("0.1")),
        an_order(side=side, quantity=D(1), reported_cum=D("0.2")),
    )

    assert exposure.position(book, KEY) == D(size)


def test_an_ended_order_the_ledger_lags_behind_still_counts_as_position() -> None:
    ended = an_order(
        status=OrderStatus.CANCELLED, quantity=D(1), reported_cum=D("0.2"), closed_at=NOW
    )

    assert exposure.position(a_book(ended), KEY) == D("0.2")


def elsewhere(*rows: Change) -> Decimal | None:
    book = a_book(*rows)
    book.quotes[ETH] = a_quote(instrument_id=ETH, bid=D(99), ask=D(101))
    return exposure.elsewhere(book, BTC, PositionSide.BOTH)


def test_elsewhere_leaves_out_the_own_position() -> None:
    assert elsewhere(a_position(size=D(3)), an_order()) == 0


def test_elsewhere_takes_the_larger_side_of_position_and_orders_at_mark() -> None:
    held = a_position(instrument_id=ETH, size=D(3))
    buy = an_order(instrument_id=ETH, leg=1, quantity=D(1))
    sell = an_order(instrument_id=ETH, leg=2, side=Side.SELL, quantity=D(10))

    assert elsewhere(held, buy, sell) == D(700)
    assert elsewhere(held, buy) == D(400)


def test_elsewhere_counts_the_other_side_of_a_hedged_instrument() -> None:
    book = a_book(a_position(position_side=PositionSide.SHORT, size=D(-2)))
    book.quotes[BTC] = a_quote()

    assert exposure.elsewhere(book, BTC, PositionSide.LONG) == 2 * D(49995)


def test_elsewhere_counts_inverse_contracts_at_one_unit_of_quote() -> None:
    inverse = InstrumentId("inverse:BTCUSD")
    book = a_book(a_position(instrument_id=inverse, size=D(-500)))
    book.quotes[inverse] = a_quote(instrument_id=inverse)

    assert exposure.elsewhere(book, BTC, PositionSide.BOTH) == D(500)


def test_a_position_without_a_price_cannot_be_valued() -> None:
    other = InstrumentId("linear:XRPUSDT")

    assert elsewhere(a_position(instrument_id=other)) is None
    assert elsewhere(a_position(instrument_id=other, size=D(0))) == 0


def test_what_a_position_is_worth_follows_its_quote_its_size_and_its_orders() -> None:
    book = a_book(a_position(instrument_id=ETH, size=D(3)))

    def worth() -> Decimal | None:
        return exposure.elsewhere(book, BTC, PositionSide.BOTH)

    book.quotes[ETH] = a_quote(instrument_id=ETH, bid=D(99), ask=D(101))
    assert [worth(), worth()] == [D(300), D(300)]
    book.quotes[ETH] = a_quote(instrument_id=ETH, bid=D(109), ask=D(111))
    assert worth() == D(330)
    book.apply(a_position(instrument_id=ETH, size=D(-5)))
    assert worth() == D(550)
    book.apply(an_order(instrument_id=ETH, side=Side.SELL, quantity=D(1)))
    assert worth() == D(660)
    del book.quotes[ETH]
    assert worth() is None


def test_orders_that_end_at_nothing_need_no_price() -> None:
    other = InstrumentId("linear:XRPUSDT")
    held = a_position(instrument_id=other, size=D(0))
    done = an_order(instrument_id=other, quantity=D(2), cum_quantity=D(2))

    assert elsewhere(held, done) == 0
    assert elsewhere(done) == 0
    assert elsewhere(an_order(instrument_id=other)) is None


def available(*rows: Change, coin: str = "USDT") -> Decimal | None:
    return exposure.available(a_book(*rows), coin)


def test_nothing_is_known_of_a_coin_without_a_wallet() -> None:
    assert available(coin="BTC") is None


def test_an_order_holds_margin_and_fee_until_the_wallet_shows_it() -> None:
    order = an_order(price=D(50000), quantity=D("0.02"))

    assert available(order) == D(10_000) - D(1000) * D("0.10055")
    assert available(attrs.evolve(order, first_working_at=NOW - seconds(1))) == D(10_000)


def test_what_has_filled_is_held_too_until_the_wallet_shows_it() -> None:
    order = an_order(
        price=D(50000),
        quantity=D("0.02"),
        cum_quantity=D("0.02"),
        status=OrderStatus.FILLED,
        first_working_at=NOW + seconds(1),
        closed_at=NOW,
    )

    assert available(order) == D(10_000) - D(1000) * D("0.10055")


@pytest.mark.parametrize(
    ("side", "held"), [(Side.BUY, D(1000)), (Side.SELL, D(900))], ids=["ask", "bid"]
)
def test_a_market_order_is_held_at_the_touch_it_was_decided_at(side: Side, held: Decimal) -> None:
    order = an_order(
        order_type=OrderType.MARKET,
        side=side,
        quantity=D("0.02"),
        decision_bid=D(45000),
        decision_ask=D(50000),
    )

    assert available(order) == D(10_000) - held * D("0.10055")


def test_an_order_without_any_price_holds_nothing() -> None:
    assert available(an_order(order_type=OrderType.MARKET)) == D(10_000)


@pytest.mark.parametrize(
    "order",
    [an_order(reduce_only=True), an_order(origin=Origin.EXTERNAL), an_order(instrument_id=ETH)],
    ids=["reduction", "foreign", "instrument without rules"],
)
def test_reductions_foreign_orders_and_the_unknown_hold_nothing(order: Order) -> None:
    assert available(order) == D(10_000)


def test_on_spot_the_coin_that_is_given_away_is_held_in_full() -> None:
    spot = an_instrument(category=Category.SPOT, initial_margin_rate=D(1))
    buy = an_order(instrument_id=spot.id, leg=1, price=D(50000), quantity=D("0.02"))
    sell = an_order(instrument_id=spot.id, leg=2, side=Side.SELL, quantity=D("0.5"))
    coins = a_balance(coin="BTC", available=D(2))

    assert available(spot, coins, buy, sell) == D(10_000) - D(1000) * D("1.00055")
    assert available(spot, coins, buy, sell, coin="BTC") == D("1.5")


def test_a_waiting_order_holds_only_what_it_needs_beyond_those_it_waits_for() -> None:
    working = an_order(leg=1, price=D(50000), quantity=D("0.02"))
    waiting = an_order(
        leg=2,
        price=D(50000),
        status=OrderStatus.INTENT,
        quantity=D("0.03"),
        replaces=(working.client_order_id,),
    )

    assert available(working, waiting) == D(10_000) - D(1500) * D("0.10055")
