"""Unmodified pybit trades and listens over its sockets."""

from collections.abc import Iterator
from typing import Any

import pytest
from pybit.unified_trading import WebSocket, WebSocketTrading

from tests.builders import D
from tests.strangers.conftest import HEDGE, ONE_WAY
from tests.strangers.waiting import until

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
Rows = list[dict[str, Any]]


@pytest.fixture
def private(pybit_sockets) -> Iterator[WebSocket]:
    made = a_private(ONE_WAY)
    yield made
    made.exit()


@pytest.fixture
def trading(pybit_sockets) -> Iterator[WebSocketTrading]:
    made = WebSocketTrading(testnet=False, api_key=ONE_WAY.api_key, api_secret=ONE_WAY.secret)
    until(lambda: made.auth)
    yield made
    made.exit()


@pytest.fixture
def hedge_private(pybit_sockets) -> Iterator[WebSocket]:
    made = a_private(HEDGE)
    yield made
    made.exit()


@pytest.fixture(params=["linear", "spot"])
def public(pybit_sockets, request) -> Iterator[WebSocket]:
    made = WebSocket(testnet=False, channel_type=request.param)
    yield made
    made.exit()


def a_private(account) -> WebSocket:
    keys = {"api_key": account.api_key, "api_secret": account.secret}
    return WebSocket(testnet=False, channel_type="private", **keys)


def heard(subscribe) -> Rows:
    """Subscribe, and return the list that the rows of its pushes go to."""
    rows: Rows = []
    subscribe(lambda message: rows.extend(message["data"]))
    return rows


def ready(socket: WebSocket, topics: int) -> None:
    """Wait until the exchange has confirmed so many topics."""
    until(lambda: socket.auth and len(socket.callback_directory) == topics)
    until(socket.is_connected)


def asked(operation, **order) -> dict[str, Any]:
    answers: Rows = []
    operation(answers.append, answers.append, **order)
    return until(lambda: answers)[0]


def test_a_fill_is_pushed_on_every_private_stream(session, private) -> None:
    orders = heard(private.order_stream)
    fills = heard(private.execution_stream)
    positions = heard(private.position_stream)
    wallets = heard(private.wallet_stream)
    ready(private, 4)

    def a_fill() -> bool:
        session.place_order(side="Buy", orderType="Market", qty="0.01", **LINEAR)
        return all((orders, fills, positions, wallets))

    until(a_fill)
    last = until(lambda: [row for row in orders if row["orderStatus"] == "Filled"])[0]
    assert (last["category"], last["avgPrice"], "tpslMode" in last) == ("linear", "50000.1", True)
    assert (fills[0]["execPrice"], D(fills[0]["execQty"])) == ("50000.10", D("0.01"))
    held = until(lambda: [row for row in positions if row["side"] == "Buy"])[0]
    assert (held["symbol"], held["positionIdx"]) == ("BTCUSDT", 0)
    coins = {row["coin"]: D(row["walletBalance"]) for row in wallets[-1]["coin"]}
    assert coins["USDT"] < 100_000


def test_orders_are_placed_amended_and_cancelled_over_the_trade_socket(session, trading) -> None:
    placed = asked(
        trading.place_order,
        side="Buy", orderType="Limit", qty="0.010", price="49000", orderLinkId="w-1", **LINEAR,
    )  # fmt: skip
    assert (placed["retCode"], placed["op"]) == (0, "order.create")
    assert placed["data"]["orderLinkId"] == "w-1"

    amended = asked(trading.amend_order, orderLinkId="w-1", price="49100", **LINEAR)
    assert (amended["retCode"], amended["data"]) == (0, placed["data"])
    rows = until(lambda: session.get_open_orders(**LINEAR)["result"]["list"])
    assert [(row["orderId"], row["price"]) for row in rows] == [
        (placed["data"]["orderId"], "49100")
    ]

    assert asked(trading.cancel_order, orderLinkId="w-1", **LINEAR)["retCode"] == 0
    closed = until(lambda: session.get_order_history(**LINEAR)["result"]["list"])
    assert closed[0]["orderStatus"] == "Cancelled"
    assert asked(trading.cancel_order, orderLinkId="nobody", **LINEAR)["retCode"] == 110001


def test_a_batch_over_the_trade_socket_answers_each_order(session, trading) -> None:
    order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01"}
    batch = [order | {"price": "48000", "orderLinkId": name} for name in ("t-1", "t-1")]
    placed = asked(trading.place_batch_order, category="linear", request=batch)
    assert placed["retCode"] == 0
    assert [each["code"] for each in placed["retExtInfo"]["list"]] == [0, 110072]

    change = [{"symbol": "BTCUSDT", "orderLinkId": "t-1", "price": "48100"}]
    changed = asked(trading.amend_batch_order, category="linear", request=change)
    assert changed["data"]["list"][0]["orderLinkId"] == "t-1"
    end = [{"symbol": "BTCUSDT", "orderLinkId": "t-1"}]
    assert asked(trading.cancel_batch_order, category="linear", request=end)["retCode"] == 0
    closed = until(lambda: session.get_order_history(**LINEAR)["result"]["list"])
    assert (closed[0]["orderStatus"], closed[0]["price"]) == ("Cancelled", "48100")


def test_hedged_positions_are_pushed_by_side(hedge_session, hedge_private) -> None:
    positions = heard(hedge_private.position_stream)
    ready(hedge_private, 1)

    def both() -> bool:
        for side, index in (("Buy", 1), ("Sell", 2)):
            hedge_session.place_order(
                side=side, orderType="Market", qty="0.01", positionIdx=index, **LINEAR
            )
        return {("Buy", 1), ("Sell", 2)} <= {(row["side"], row["positionIdx"]) for row in positions}

    until(both)


def test_the_book_and_the_ticker_follow_the_market(bybit, public) -> None:
    books: Rows = []
    tickers: Rows = []
    public.orderbook_stream(50, "BTCUSDT", lambda message: books.append(dict(message["data"])))
    public.ticker_stream("BTCUSDT", lambda message: tickers.append(dict(message["data"])))
    until(lambda: books and tickers)
    assert float(max(books[0]["b"], key=lambda level: float(level[0]))[0]) == 50_000

    bybit.move("linear:BTCUSDT", "50100.00", "50100.10")
    bybit.move("spot:BTCUSDT", "50100.0", "50100.1")
    until(lambda: max(float(price) for price, _ in books[-1]["b"]) == 50_100)
    assert min(float(price) for price, _ in books[-1]["a"]) == 50_100.1
    assert tickers[0]["lastPrice"] == "50000.05"
    if public.endpoint.endswith("linear"):
        until(lambda: float(tickers[-1]["bid1Price"]) == 50_100)


def test_fast_executions_are_pushed_without_fee_and_named_for_takers(session, private) -> None:
    fills = heard(private.fast_execution_stream)
    ready(private, 1)

    def a_fill() -> Rows:
        session.place_order(
            side="Buy", orderType="Market", qty="0.01", orderLinkId=f"f-{len(placed)}", **LINEAR
        )
        placed.append(1)
        return fills

    placed: list[int] = []
    row = until(a_fill)[0]
    assert (row["category"], row["symbol"], row["side"]) == ("linear", "BTCUSDT", "Buy")
    assert (row["execPrice"], D(row["execQty"]), row["isMaker"]) == ("50000.10", D("0.01"), False)
    assert row["orderLinkId"].startswith("f-")
    assert "execFee" not in row
    slow = session.get_executions(**LINEAR)["result"]["list"]
    assert (row["execId"], row["seq"]) in {(each["execId"], each["seq"]) for each in slow}


def test_stops_are_pushed_as_they_wait_trigger_and_fill(bybit, session, private) -> None:
    orders = heard(private.order_stream)
    ready(private, 1)

    def told() -> list[tuple[str, str]]:
        return [(row["stopOrderType"], row["orderStatus"]) for row in orders]

    session.place_order(
        side="Buy", orderType="Market", qty="0.01", triggerPrice="51000", triggerDirection=1,
        stopLoss="45000", **LINEAR,
    )  # fmt: skip
    until(lambda: ("Stop", "Untriggered") in told())
    bybit.trade("linear:BTCUSDT", "51000", "0.001")
    until(lambda: ("StopLoss", "Untriggered") in told())
    bybit.trade("linear:BTCUSDT", "45000", "0.001", "Sell")
    until(lambda: ("StopLoss", "Filled") in told())
    assert told() == [
        ("Stop", "Untriggered"),
        ("Stop", "Triggered"),
        ("Stop", "Filled"),
        ("StopLoss", "Untriggered"),
        ("StopLoss", "Triggered"),
        ("StopLoss", "Filled"),
    ]


def test_candles_and_trades_of_others_are_streamed(bybit, public) -> None:
    candles: Rows = []
    trades: Rows = []
    limits: Rows = []
    public.kline_stream(1, "BTCUSDT", lambda message: candles.extend(message["data"]))
    public.trade_stream("BTCUSDT", lambda message: trades.extend(message["data"]))
    public.price_limit_stream("BTCUSDT", lambda message: limits.append(message["data"]))
    until(lambda: candles and limits and len(public.callback_directory) == 3)
    assert limits[0]["sellLmt"] in {"45000.1", "45000.10"}

    def both() -> Rows:
        bybit.trade("linear:BTCUSDT", "50010", "0.5", "Sell")
        bybit.trade("spot:BTCUSDT", "50010", "0.5", "Sell")
        return trades

    row = until(both)[0]
    assert (row["s"], row["S"], row["p"], row["v"]) == ("BTCUSDT", "Sell", "50010", "0.5")
    last = until(lambda: [each for each in candles if each["high"] == "50010"])[0]
    assert (last["interval"], last["close"], last["confirm"]) == ("1", "50010", False)
    assert D(last["volume"]) >= D("0.5")


def test_a_liquidation_is_streamed_to_everybody(bybit, session, pybit_sockets) -> None:
    socket = WebSocket(testnet=False, channel_type="linear")
    seen = heard(lambda callback: socket.all_liquidation_stream("BTCUSDT", callback))
    until(lambda: len(socket.callback_directory) == 1)
    session.place_order(side="Buy", orderType="Market", qty="0.01", **LINEAR)
    until(lambda: session.get_positions(**LINEAR)["result"]["list"][0]["size"] != "0")

    until(socket.is_connected)
    bybit.liquidate("linear:BTCUSDT")
    row = until(lambda: seen)[0]
    assert (row["s"], row["S"], D(row["v"])) == ("BTCUSDT", "Buy", D("0.01"))
    bust = session.get_executions(execType="BustTrade", **LINEAR)["result"]["list"][0]
    assert (bust["createType"], len(bust["orderId"])) == ("CreateByLiq", 36)
    socket.exit()
