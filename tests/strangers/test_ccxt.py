"""Unmodified ccxt trades over REST, and ccxt.pro watches and trades over its sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import ccxt.pro
import pytest

from tests.strangers.conftest import ONE_WAY, LocalBybit
from tests.strangers.waiting import until

SWAP, SPOT = "BTC/USDT:USDT", "BTC/USDT"


def point(exchange: Any, bybit: LocalBybit) -> None:
    """Lead a client here, by its own table of addresses."""
    api = exchange.urls["api"]
    for name in ("spot", "futures", "v2", "public", "private"):
        api[name] = bybit.rest_url
    socket = f"{bybit.ws_url}/v5/private"
    public = {
        name: f"{bybit.ws_url}/v5/public/{name}" for name in ("spot", "linear", "inverse", "option")
    }
    private = {
        "spot": {"unified": socket, "nonUnified": socket},
        "contract": socket,
        "usdc": socket,
        "trade": f"{bybit.ws_url}/v5/trade",
    }
    api["ws"] = {"public": public, "private": private}


KEYS = {
    "apiKey": ONE_WAY.api_key,
    "secret": ONE_WAY.secret,
    "enableRateLimit": False,
    "options": {"defaultType": "swap"},
}


@pytest.fixture
def exchange(bybit) -> Iterator[Any]:
    made = ccxt.bybit(KEYS)
    point(made, bybit)
    yield made
    made.session.close()


@pytest.fixture
async def pro(bybit) -> AsyncIterator[Any]:
    made = ccxt.pro.bybit(KEYS)
    point(made, bybit)
    yield made
    await made.close()


def test_the_markets_are_those_of_the_server(exchange) -> None:
    markets = exchange.load_markets()
    assert sorted(markets) == [
        "BTC/USD:BTC", "BTC/USDC:USDC", "BTC/USDT", "BTC/USDT:USDT",
        "ETH/USDT", "ETH/USDT:USDT", "SOL/USDT:USDT",
    ]  # fmt: skip
    assert markets[SWAP]["precision"] == {"amount": 0.001, "price": 0.1}


def test_an_order_is_created_edited_fetched_and_cancelled(exchange) -> None:
    made = exchange.create_order(SWAP, "limit", "buy", 0.01, 49000, {"clientOrderId": "x-1"})
    order = exchange.fetch_order(made["id"], SWAP, {"acknowledged": True})
    assert (order["clientOrderId"], order["status"], order["price"]) == ("x-1", "open", 49000)

    exchange.edit_order(made["id"], SWAP, "limit", "buy", 0.02, 49100)
    until(lambda: exchange.fetch_open_order(made["id"], SWAP)["price"] == 49100)
    assert [each["amount"] for each in exchange.fetch_open_orders(SWAP)] == [0.02]

    exchange.cancel_order(made["id"], SWAP)
    gone = until(lambda: exchange.fetch_canceled_orders(SWAP))
    assert [(each["id"], each["status"]) for each in gone] == [(made["id"], "canceled")]


def test_a_swap_position_is_opened_and_closed(exchange) -> None:
    exchange.set_leverage(7, SWAP)
    exchange.create_order(SWAP, "market", "buy", 0.01)
    fill = until(lambda: exchange.fetch_my_trades(SWAP))[0]
    assert (fill["price"], fill["amount"], fill["side"]) == (50000.1, 0.01, "buy")
    assert fill["fee"]["currency"] == "USDT"
    held = exchange.fetch_positions([SWAP])[0]
    assert (held["side"], held["contracts"], held["leverage"]) == ("long", 0.01, 7)
    assert exchange.fetch_balance()["USDT"]["total"] < 100_000

    exchange.create_order(SWAP, "market", "sell", 0.01, None, {"reduceOnly": True})
    until(lambda: len(exchange.fetch_my_trades(SWAP)) == 2)
    assert [each for each in exchange.fetch_positions([SWAP]) if each["contracts"]] == []


def test_spot_is_bought_and_what_rests_is_cancelled(exchange) -> None:
    exchange.create_order(SPOT, "market", "buy", 0.01)
    fill = until(lambda: exchange.fetch_my_trades(SPOT))[0]
    assert (fill["symbol"], fill["amount"], fill["fee"]["currency"]) == (SPOT, 0.01, "BTC")
    made = exchange.create_order(SPOT, "limit", "buy", 0.01, 49000)
    assert [each["id"] for each in until(lambda: exchange.fetch_open_orders(SPOT))] == [made["id"]]
    assert [each["id"] for each in exchange.cancel_all_orders(SPOT)] == [made["id"]]
    until(lambda: not exchange.fetch_open_orders(SPOT))


def test_refusals_are_the_errors_they_mean(exchange) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SWAP, "limit", "buy", 500, 49000)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("nobody", SWAP)


def test_the_market_is_fetched(exchange) -> None:
    ticker = exchange.fetch_ticker(SWAP)
    assert (ticker["bid"], ticker["ask"]) == (50000.0, 50000.1)
    book = exchange.fetch_order_book(SWAP, 5)
    assert (book["bids"][0], len(book["asks"])) == ([50000.0, 10.0], 5)
    assert exchange.fetch_ohlcv(SWAP)[0][1:5] == [50000.05] * 4
    assert exchange.fetch_trading_fee(SWAP)["taker"] == 0.00055


async def test_ccxt_pro_watches_the_market(bybit, pro) -> None:
    book = await pro.watch_order_book(SWAP)
    assert (book["bids"][0][0], book["asks"][0][0]) == (50000.0, 50000.1)
    ticker = await pro.watch_ticker(SWAP)
    assert (ticker["bid"], ticker["ask"]) == (50000.0, 50000.1)
    bybit.move("linear:BTCUSDT", "50100.00", "50100.10")
    while book["bids"][0][0] != 50100.0:
        book = await pro.watch_order_book(SWAP)
    assert book["asks"][0][0] == 50100.1


async def test_ccxt_pro_trades_and_watches_what_it_did(pro) -> None:
    await pro.load_markets()
    watching = [
        asyncio.create_task(each)
        for each in (pro.watch_orders(SWAP), pro.watch_my_trades(SWAP), pro.watch_balance())
    ]
    while not all(each.done() for each in watching):
        made = await pro.create_order_ws(SWAP, "market", "buy", 0.01)
        assert made["id"]
        await asyncio.wait(watching, timeout=0.3)
    orders, trades, balance = [each.result() for each in watching]
    assert orders[0]["symbol"] == trades[0]["symbol"] == SWAP
    assert (trades[0]["price"], trades[0]["amount"]) == (50000.1, 0.01)
    assert balance["USDT"]["total"] < 100_000


async def test_ccxt_pro_edits_and_cancels_over_the_trade_socket(pro) -> None:
    made = await pro.create_order_ws(SWAP, "limit", "buy", 0.01, 48000)
    await pro.edit_order_ws(made["id"], SWAP, "limit", "buy", 0.02, 48100)
    order = await pro.fetch_open_order(made["id"], SWAP)
    assert (order["price"], order["amount"]) == (48100, 0.02)
    await pro.cancel_order_ws(made["id"], SWAP)
    assert await pro.fetch_open_orders(SWAP) == []


def test_trigger_orders_wait_are_edited_listed_and_cancelled(bybit, exchange) -> None:
    rising = {"triggerPrice": 51000, "triggerDirection": "ascending"}
    made = exchange.create_order(SWAP, "market", "buy", 0.01, None, rising)
    order = until(lambda: exchange.fetch_open_orders(SWAP, params={"trigger": True}))[0]
    assert (order["id"], order["status"], order["triggerPrice"]) == (made["id"], "open", 51000)
    exchange.edit_order(made["id"], SWAP, "market", "buy", 0.02, None, {"triggerPrice": 50500})
    until(lambda: exchange.fetch_open_order(made["id"], SWAP)["triggerPrice"] == 50500)

    bybit.trade("linear:BTCUSDT", "50500", "0.001")
    fill = until(lambda: exchange.fetch_my_trades(SWAP))[0]
    assert (fill["order"], fill["amount"]) == (made["id"], 0.02)

    other = exchange.create_order(
        SWAP, "limit", "sell", 0.01, 52000, {"triggerPrice": 51500, "triggerDirection": "above"}
    )
    until(lambda: exchange.fetch_open_orders(SWAP, params={"trigger": True}))
    exchange.cancel_order(other["id"], SWAP, {"trigger": True})
    until(lambda: not exchange.fetch_open_orders(SWAP, params={"trigger": True}))
    order = exchange.fetch_order(other["id"], SWAP, {"acknowledged": True})
    assert order["status"] == "canceled"


def test_a_position_is_opened_with_its_exits_and_stopped_out(bybit, exchange) -> None:
    exits = {"takeProfit": {"triggerPrice": 60000}, "stopLoss": {"triggerPrice": 45000}}
    exchange.create_order(SWAP, "market", "buy", 0.01, None, exits)
    until(lambda: len(exchange.fetch_open_orders(SWAP, params={"trigger": True})) == 2)
    held = exchange.fetch_positions([SWAP])[0]
    assert (held["takeProfitPrice"], held["stopLossPrice"]) == (60000, 45000)

    bybit.trade("linear:BTCUSDT", "45000", "0.001", "Sell")
    until(lambda: not [each for each in exchange.fetch_positions([SWAP]) if each["contracts"]])
    assert exchange.fetch_open_orders(SWAP, params={"trigger": True}) == []


def test_a_closing_stop_loss_order_and_a_trailing_one_are_placed(bybit, exchange) -> None:
    exchange.create_order(SWAP, "market", "buy", 0.02)
    until(lambda: exchange.fetch_my_trades(SWAP))
    exchange.create_order(SWAP, "market", "sell", 0.01, None, {"stopLossPrice": 49000})
    exchange.create_order(SWAP, "market", "sell", 0.02, None, {"trailingAmount": 2000})
    rows = until(lambda: exchange.fetch_open_orders(SWAP, params={"trigger": True}))
    assert sorted((row["info"]["stopOrderType"], row["triggerPrice"]) for row in rows) == [
        ("Stop", 49000),
        ("TrailingStop", 48000),
    ]

    bybit.trade("linear:BTCUSDT", "49000", "0.001", "Sell")
    until(lambda: exchange.fetch_positions([SWAP])[0]["contracts"] == 0.01)


async def test_ccxt_pro_watches_positions(pro) -> None:
    await pro.load_markets()
    # It first tells what REST shows, which is nothing.
    assert await pro.watch_positions([SWAP]) == []
    watching = asyncio.create_task(pro.watch_positions([SWAP]))
    while not watching.done():
        await pro.create_order_ws(SWAP, "market", "buy", 0.01)
        await asyncio.wait([watching], timeout=0.3)
    (held,) = watching.result()
    assert (held["symbol"], held["side"], held["entryPrice"]) == (SWAP, "long", 50000.1)
    assert held["contracts"] >= 0.01


async def test_ccxt_pro_watches_candles_and_trades(bybit, pro) -> None:
    await pro.load_markets()
    candles = asyncio.create_task(pro.watch_ohlcv(SWAP, "1m"))
    trades = asyncio.create_task(pro.watch_trades(SWAP))
    assert (await candles)[-1][1:5] == [50000.05] * 4
    while not trades.done():
        bybit.trade("linear:BTCUSDT", "50010", "0.5", "Sell")
        await asyncio.wait([trades], timeout=0.3)
    trade = trades.result()[0]
    assert (trade["side"], trade["price"], trade["amount"]) == ("sell", 50010, 0.5)


async def test_ccxt_pro_watches_liquidations(bybit, pro) -> None:
    await pro.load_markets()
    watching = asyncio.create_task(pro.watch_liquidations(SWAP))
    while not watching.done():
        await pro.create_order_ws(SWAP, "market", "buy", 0.01)
        bybit.liquidate("linear:BTCUSDT")
        await asyncio.wait([watching], timeout=0.3)
    seen = watching.result()[0]
    assert (seen["symbol"], seen["price"], seen["contracts"]) == (SWAP, 50000.05, 0.01)
