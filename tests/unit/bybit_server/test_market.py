"""The public market: what drives it, what follows it, and what is shown of it."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from order_adapters.bybit_server.catalogue import INSTRUMENTS
from order_adapters.bybit_server.market.board import Board
from order_adapters.bybit_server.market.boards import Boards
from order_adapters.bybit_server.market.feed import Feed, still_market
from order_adapters.bybit_server.market.mirror import Mirror, News
from order_adapters.bybit_server.rows.instrument import instrument_row
from order_adapters.bybit_server.rows.market import ticker_row
from order_adapters.clock import VirtualClock
from order_adapters.simulator import MarketTrade
from order_domain.model.enums import Category, Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ZERO
from order_domain.model.quote import Quote
from tests.builders import BTC, NOW, a_quote, seconds

D = Decimal
LISTED = {each.id: each for each in INSTRUMENTS}


def a_trade(price: str = "50000", size: str = "0.5", at: float = 0) -> MarketTrade:
    return MarketTrade(BTC, D(price), D(size), Side.BUY, NOW + seconds(at))


def test_the_instruments_of_one_coin_follow_the_one_that_has_a_market() -> None:
    mirror = Mirror(INSTRUMENTS, [BTC])
    quote = a_quote(bid=D("50000.3"), ask=D("50000.4"))
    rows = {row.instrument_id: row for row in mirror.reflect(quote, NOW)}

    assert set(rows) == {name for name in LISTED if ":BTC" in name}
    for name, row in rows.items():
        assert isinstance(row, Quote)
        assert row.bid < row.ask
        assert LISTED[name].is_on_tick(row.bid)
        assert LISTED[name].is_on_tick(row.ask)
        assert LISTED[name].is_on_step(row.bid_size)
    inverse = rows[InstrumentId("inverse:BTCUSD")]
    assert isinstance(inverse, Quote)
    assert (inverse.bid, inverse.ask, inverse.bid_size) == (D(50000), D("50000.5"), D(150_000))


def test_an_instrument_with_a_market_of_its_own_follows_nobody() -> None:
    mirror = Mirror(INSTRUMENTS, [BTC, InstrumentId("spot:BTCUSDT")])
    names = [row.instrument_id for row in mirror.reflect(a_trade(), NOW)]

    assert names[0] == BTC
    assert "spot:BTCUSDT" not in names


def boards() -> tuple[Boards, list[News]]:
    made = Boards(INSTRUMENTS, (), 2)
    heard: list[News] = []
    made.listeners.append(lambda _, news: heard.append(news))
    return made, heard


@pytest.mark.parametrize(("speed", "second"), [("1", 4.0), ("4", 1.0), ("0.5", 8.0)])
async def test_rows_are_played_at_a_multiple_of_their_own_pace(speed: str, second: float) -> None:
    clock = VirtualClock(NOW)
    made, heard = boards()
    rows: list[News] = [a_quote(at=NOW + seconds(100)), a_trade(at=101), a_trade(at=105)]
    feed = Feed(rows, [BTC], [LISTED[BTC]], made, clock, D(speed))
    feed.prime()
    assert len(heard) == 1
    task = asyncio.create_task(feed.play())
    while not task.done():
        await asyncio.sleep(0)
        if clock.next_deadline is not None:
            clock.advance_to(clock.next_deadline)
    await task

    assert [news.at - NOW for news in heard] == [timedelta(0), timedelta(0), seconds(second)]


async def test_a_held_market_goes_on_where_it_stood() -> None:
    clock = VirtualClock(NOW)
    made, heard = boards()
    rows: list[News] = [a_quote(), a_trade(at=1), a_trade(at=2), a_trade(at=3)]
    feed = Feed(rows, [BTC], [LISTED[BTC]], made, clock)
    feed.prime()
    task = asyncio.create_task(feed.play())
    await asyncio.sleep(0)
    feed.hold(still=True)
    clock.advance_to(NOW + seconds(100))
    for _ in range(5):
        await asyncio.sleep(0)
    before = len(heard)
    feed.hold(still=False)
    while not task.done():
        await asyncio.sleep(0)
        if clock.next_deadline is not None:
            clock.advance_to(clock.next_deadline)
    await task

    assert before < 4
    assert heard[-1].at == NOW + seconds(101)


def test_a_still_market_has_a_price_for_every_listed_instrument() -> None:
    assert {quote.instrument_id for quote in still_market(INSTRUMENTS, NOW)} == set(LISTED)


def test_a_board_shows_the_touch_and_the_levels_a_taker_may_walk() -> None:
    board = Board(LISTED[BTC], 2)
    assert board.levels(True) == []
    board.show(a_quote(bid=D("50000.0"), ask=D("50000.2")))

    assert [price for price, _ in board.levels(True)] == [D("50000.0"), D("49999.9"), D("49999.8")]
    assert [price for price, _ in board.levels(False)] == [D("50000.2"), D("50000.3"), D("50000.4")]


def test_candles_join_minutes_and_count_what_was_traded() -> None:
    board = Board(LISTED[BTC], 0)
    board.show(a_quote(bid=D(100), ask=D(102)))
    for at, price in ((1, "103"), (59, "99"), (60, "105"), (301, "90")):
        board.trade(a_trade(price, "2", at))

    one, two, three = board.candles_of(1)
    assert (one.open, one.high, one.low, one.close, one.volume) == (
        D(101),
        D(103),
        D(99),
        D(99),
        D(4),
    )
    assert (two.start, two.open, two.turnover) == (NOW + seconds(60), D(105), D(210))
    five, later = board.candles_of(5)
    assert (five.open, five.high, five.low, five.close, five.volume) == (
        D(101),
        D(105),
        D(99),
        D(105),
        D(6),
    )
    assert later.start == NOW + seconds(300)
    assert three.low == D(90)
    row = ticker_row(board)
    assert (row["highPrice24h"], row["lowPrice24h"], row["volume24h"]) == ("105", "90", "8")


def test_a_board_without_a_price_has_a_ticker_of_zeros() -> None:
    row = ticker_row(Board(LISTED[BTC], 0))

    assert (row["lastPrice"], row["bid1Price"], row["price24hPcnt"]) == ("0", "", "0")


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: each.id)
def test_trading_rules_are_written_by_category(instrument: object) -> None:
    listed = next(each for each in INSTRUMENTS if each is instrument)
    row = instrument_row(listed, 1)
    lots = row["lotSizeFilter"]

    spot = listed.category is Category.SPOT
    step = lots["basePrecision"] if spot else lots["qtyStep"]
    assert D(step) == listed.quantity_step
    assert D(row["priceFilter"]["tickSize"]) == listed.tick_size
    assert ("settleCoin" in row) is not spot
    assert D(lots["minOrderAmt" if spot else "minNotionalValue"]) > ZERO
