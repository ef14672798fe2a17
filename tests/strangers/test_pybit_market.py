"""Unmodified pybit reads the market over REST."""

import time

import pytest
from pybit.unified_trading import HTTP

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}


@pytest.fixture
def anybody(bybit):
    made = HTTP()
    made.endpoint = bybit.rest_url
    yield made
    made.client.close()


def test_the_clock_of_the_server_is_the_time(anybody) -> None:
    told = int(anybody.get_server_time()["result"]["timeNano"]) / 1e9
    assert abs(told - time.time()) < 5


def test_instruments_have_the_filters_of_their_category(anybody) -> None:
    linear = anybody.get_instruments_info(**LINEAR)["result"]["list"][0]
    assert (linear["contractType"], linear["settleCoin"]) == ("LinearPerpetual", "USDT")
    assert linear["priceFilter"]["tickSize"] == "0.10"
    assert linear["lotSizeFilter"]["qtyStep"] == "0.001"
    spot = anybody.get_instruments_info(category="spot", symbol="BTCUSDT")["result"]["list"][0]
    assert spot["lotSizeFilter"]["basePrecision"] == "0.000001"
    assert "leverageFilter" not in spot


def test_the_ticker_and_the_book_show_one_touch(bybit, anybody) -> None:
    bybit.move("linear:BTCUSDT", "50100.00", "50100.10")
    ticker = anybody.get_tickers(**LINEAR)["result"]["list"][0]
    book = anybody.get_orderbook(**LINEAR)["result"]
    assert (float(ticker["bid1Price"]), float(ticker["ask1Price"])) == (50100, 50100.1)
    assert (float(book["b"][0][0]), float(book["a"][0][0])) == (50100, 50100.1)


def test_the_rest_of_the_market_is_told(anybody) -> None:
    limits = anybody.get_price_limit(**LINEAR)["result"]
    assert float(limits["sellLmt"]) < 50_000 < float(limits["buyLmt"])
    assert anybody.get_risk_limit(**LINEAR)["result"]["list"][0]["maxLeverage"] == "100.00"
    candle = anybody.get_kline(interval="1", **LINEAR)["result"]["list"][0]
    assert int(candle[0]) % 60_000 == 0
    assert {float(price) for price in candle[1:5]} == {50000.05}
    assert anybody.get_public_trade_history(**LINEAR)["result"]["list"] == []
    assert anybody.get_system_status()["result"] == {"list": []}
