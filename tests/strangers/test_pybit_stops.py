"""Unmodified pybit places, changes and ends conditional orders, take-profits and stop-losses."""

from decimal import Decimal

import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from tests.builders import D
from tests.strangers.conftest import LocalBybit
from tests.strangers.waiting import until

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
SPOT = {"category": "spot", "symbol": "BTCUSDT"}
BTC = "linear:BTCUSDT"


def waiting(session: HTTP, **where) -> list[dict]:
    asked = {"orderFilter": "StopOrder"} | (where or LINEAR)
    return session.get_open_orders(**asked)["result"]["list"]


def kinds(session: HTTP) -> list[tuple[str, str, Decimal]]:
    return [(row["stopOrderType"], row["triggerPrice"], D(row["qty"])) for row in waiting(session)]


def the_order(session: HTTP, name: str, **where) -> dict:
    asked = {"orderLinkId": name} | (where or LINEAR)
    return until(lambda: session.get_open_orders(**asked)["result"]["list"])[0]


def until_status(session: HTTP, name: str, status: str, **where) -> dict:
    until(lambda: the_order(session, name, **where)["orderStatus"] == status)
    return the_order(session, name, **where)


def the_position(session: HTTP) -> dict:
    return session.get_positions(**LINEAR)["result"]["list"][0]


def bought(session: HTTP, quantity: str = "0.02", **more) -> None:
    session.place_order(side="Buy", orderType="Market", qty=quantity, **LINEAR, **more)
    until(lambda: D(the_position(session)["size"]) == D(quantity))


def a_stop(session: HTTP, name: str, **changes) -> dict:
    values = {"side": "Buy", "orderType": "Market", "qty": "0.01", "triggerPrice": "51000"}
    values |= {"triggerDirection": 1, "orderLinkId": name} | LINEAR
    return session.place_order(**(values | changes))["result"]


def test_a_conditional_order_waits_is_moved_and_triggers(bybit: LocalBybit, session) -> None:
    placed = a_stop(session, "c-1", triggerBy="MarkPrice")
    row = until_status(session, "c-1", "Untriggered")
    assert (row["triggerPrice"], row["triggerBy"], row["triggerDirection"]) == (
        "51000",
        "MarkPrice",
        1,
    )
    assert (row["stopOrderType"], row["createType"]) == ("Stop", "CreateByStopOrder")

    session.amend_order(orderLinkId="c-1", triggerPrice="50500", triggerBy="LastPrice", **LINEAR)
    until(lambda: the_order(session, "c-1")["triggerPrice"] == "50500")
    bybit.trade(BTC, "50499.9", "0.001")
    assert the_order(session, "c-1")["orderStatus"] == "Untriggered"
    bybit.trade(BTC, "50500", "0.001")

    row = until_status(session, "c-1", "Filled")
    assert (row["orderId"], row["avgPrice"]) == (placed["orderId"], "50000.1")
    fill = session.get_executions(orderLinkId="c-1", **LINEAR)["result"]["list"][0]
    assert (fill["stopOrderType"], D(fill["execQty"])) == ("Stop", D("0.01"))


def test_conditional_orders_are_listed_and_cancelled_by_their_filter(session) -> None:
    session.place_order(
        side="Buy", orderType="Limit", qty="0.01", price="49000", orderLinkId="plain", **LINEAR
    )
    a_stop(session, "c-1", orderType="Limit", price="51000")
    a_stop(session, "c-2")
    until(lambda: len(waiting(session)) == 2)
    assert [row["orderLinkId"] for row in waiting(session)] == ["c-2", "c-1"]

    session.cancel_order(orderLinkId="c-2", **LINEAR)
    assert until_status(session, "c-2", "Deactivated")["cancelType"] == "CancelByUser"
    ended = session.cancel_all_orders(orderFilter="StopOrder", **LINEAR)["result"]["list"]
    assert [row["orderLinkId"] for row in ended] == ["c-1"]
    left = session.get_open_orders(**LINEAR)["result"]["list"]
    assert [row["orderLinkId"] for row in left] == ["plain"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"triggerPrice": "49000"}, 110092),
        ({"triggerDirection": 2}, 110093),
        ({"triggerDirection": None}, 10001),
    ],
)
def test_a_trigger_on_the_wrong_side_is_refused(session, changes, code) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        a_stop(session, "wrong", **changes)
    assert refused.value.status_code == code


def test_an_eleventh_conditional_order_is_refused(session) -> None:
    for number in range(10):
        a_stop(session, f"c-{number}")
    with pytest.raises(InvalidRequestError) as refused:
        a_stop(session, "c-10")
    # The limit of ten requests a second made pybit wait before it was told this.
    assert refused.value.status_code == 110009


def test_an_order_brings_its_take_profit_and_stop_loss(bybit: LocalBybit, session) -> None:
    bought(session, takeProfit="60000", stopLoss="45000", orderLinkId="p-1")
    until(lambda: len(waiting(session)) == 2)
    assert kinds(session) == [("TakeProfit", "60000", D("0.02")), ("StopLoss", "45000", D("0.02"))]
    assert {row["parentOrderLinkId"] for row in waiting(session)} == {"p-1"}
    held = the_position(session)
    assert (held["takeProfit"], held["stopLoss"]) == ("60000", "45000")

    bybit.trade(BTC, "45000", "0.001", "Sell")
    until(lambda: the_position(session)["size"] == "0")
    assert waiting(session) == []
    closed = session.get_closed_pnl(**LINEAR)["result"]["list"][0]
    assert (closed["side"], D(closed["closedSize"])) == ("Sell", D("0.02"))
    rows = session.get_order_history(orderFilter="StopOrder", **LINEAR)["result"]["list"]
    assert [(row["stopOrderType"], row["orderStatus"], row["cancelType"]) for row in rows] == [
        ("TakeProfit", "Deactivated", "CancelByTpSlTsClear"),
        ("StopLoss", "Filled", "UNKNOWN"),
    ]


def test_trading_stop_follows_the_position_and_trails(bybit: LocalBybit, session) -> None:
    where = {"tpslMode": "Full", "positionIdx": 0} | LINEAR
    with pytest.raises(InvalidRequestError) as refused:
        session.set_trading_stop(takeProfit="60000", **where)
    assert refused.value.status_code == 10001

    bought(session)
    session.set_trading_stop(takeProfit="60000", trailingStop="500", activePrice="51000", **where)
    assert kinds(session) == [
        ("TrailingStop", "50500", D("0.02")),
        ("TakeProfit", "60000", D("0.02")),
    ]
    session.place_order(side="Sell", orderType="Market", qty="0.005", reduceOnly=True, **LINEAR)
    until(lambda: {row[2] for row in kinds(session)} == {D("0.015")})

    with pytest.raises(InvalidRequestError) as refused:
        session.set_trading_stop(takeProfit="60000", **where)
    assert refused.value.status_code == 34040
    session.set_trading_stop(takeProfit="0", **where)
    bybit.trade(BTC, "50000", "0.001")
    bybit.trade(BTC, "51200", "0.001")
    assert kinds(session) == [("TrailingStop", "50700", D("0.015"))]
    bybit.trade(BTC, "50700", "0.001")
    until(lambda: the_position(session)["size"] == "0")


def test_partial_exits_are_added_and_one_ends_the_other(bybit: LocalBybit, session) -> None:
    bought(session)
    session.set_trading_stop(
        tpslMode="Partial",
        positionIdx=0,
        takeProfit="51000",
        stopLoss="45000",
        tpSize="0.01",
        slSize="0.01",
        tpOrderType="Limit",
        tpLimitPrice="51010",
        **LINEAR,
    )
    assert [(row["stopOrderType"], row["orderType"]) for row in waiting(session)] == [
        ("PartialTakeProfit", "Limit"),
        ("PartialStopLoss", "Market"),
    ]

    bybit.trade(BTC, "51000", "0.001")
    rows = until(lambda: session.get_open_orders(orderFilter="Order", **LINEAR)["result"]["list"])
    assert [(row["orderStatus"], row["price"], row["reduceOnly"]) for row in rows] == [
        ("New", "51010", True)
    ]
    ended = session.get_order_history(orderFilter="StopOrder", **LINEAR)["result"]["list"]
    assert [row["cancelType"] for row in ended] == ["CancelByOCOSlCanceledByTpTriggered"]


def test_exits_are_amended_until_the_order_fills(session) -> None:
    session.place_order(
        side="Buy", orderType="Limit", qty="0.01", price="49000", takeProfit="60000",
        orderLinkId="p-1", **LINEAR,
    )  # fmt: skip
    until_status(session, "p-1", "New")
    session.amend_order(orderLinkId="p-1", takeProfit="61000", stopLoss="45000", **LINEAR)
    until(lambda: the_order(session, "p-1")["takeProfit"] == "61000")
    session.amend_order(orderLinkId="p-1", takeProfit="0", **LINEAR)
    until(lambda: the_order(session, "p-1")["takeProfit"] == "")
    assert the_order(session, "p-1")["stopLoss"] == "45000"


def test_spot_stops_are_placed_and_cancelled_by_their_filter(bybit: LocalBybit, session) -> None:
    order = {"side": "Buy", "orderType": "Market", "marketUnit": "baseCoin", "qty": "0.01"}
    for name, kind in (("s-1", "StopOrder"), ("s-2", "tpslOrder")):
        session.place_order(
            orderFilter=kind, triggerPrice="51000", orderLinkId=name, **order, **SPOT
        )
        row = until_status(session, name, "Untriggered", **SPOT)
        assert (row["stopOrderType"], "tpslMode" in row) == (
            "Stop" if kind == "StopOrder" else kind,
            False,
        )
    with pytest.raises(InvalidRequestError) as refused:
        session.cancel_order(orderLinkId="s-2", **SPOT)
    assert refused.value.status_code == 170213
    session.cancel_order(orderLinkId="s-2", orderFilter="tpslOrder", **SPOT)

    bybit.trade("spot:BTCUSDT", "51000", "0.001")
    assert D(until_status(session, "s-1", "Filled", **SPOT)["cumExecQty"]) == D("0.01")


def test_an_order_is_checked_before_it_is_placed(session) -> None:
    order = {"side": "Buy", "orderType": "Limit", "price": "50000", "qty": "1"} | LINEAR
    checked = session.pre_check_order(**order)["result"]
    # 50,000 of value at ten times leverage, of an account worth some 185,000.
    wallet = session.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]
    margin = D(50_000) * (D("0.1") + D("0.00055"))
    assert checked["postImrE4"] == int(margin * 10_000 / D(wallet["totalEquity"]))
    assert (checked["preImrE4"], checked["preMmrE4"]) == (0, 0)
    assert checked["postMmrE4"] == int(250 * D(10_000) / D(wallet["totalEquity"]))
    with pytest.raises(InvalidRequestError) as refused:
        session.pre_check_order(**(order | {"qty": "100"}))
    assert refused.value.status_code == 110007
    assert session.get_open_orders(**LINEAR)["result"]["list"] == []


def test_a_price_outside_its_band_is_cut_where_that_is_wanted(session) -> None:
    session.set_limit_price_action(category="linear", modifyEnable=True)
    assert session.get_user_setting_config()["result"]["lpaPerp"] is False
    session.place_order(
        side="Sell", orderType="Limit", qty="0.01", price="10000", timeInForce="PostOnly",
        orderLinkId="cut", **LINEAR,
    )  # fmt: skip
    assert D(until_status(session, "cut", "Cancelled")["price"]) == D("45000.1")


def test_the_rules_of_an_account_are_those_of_the_market(session) -> None:
    mine = session.get_account_instruments_info(**LINEAR)["result"]["list"]
    everybodys = session.get_instruments_info(**LINEAR)["result"]["list"]
    assert mine == [everybodys[0] | {"isPublicRpi": False, "myRpiPermission": False}]
