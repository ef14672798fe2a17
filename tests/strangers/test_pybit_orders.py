"""Unmodified pybit sends, changes and ends orders over REST."""

import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from tests.builders import D
from tests.strangers.waiting import until

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
SPOT = {"category": "spot", "symbol": "BTCUSDT"}


def a_limit(session: HTTP, name: str, **changes):
    values = {"side": "Buy", "orderType": "Limit", "qty": "0.010", "price": "49000", **LINEAR}
    return session.place_order(orderLinkId=name, **(values | changes))["result"]


def the_open(session: HTTP, name: str, **where):
    def look():
        return session.get_open_orders(orderLinkId=name, **(where or LINEAR))["result"]["list"]

    return until(look)[0]


def the_closed(session: HTTP, name: str, **where):
    def look():
        return session.get_order_history(orderLinkId=name, **(where or LINEAR))["result"]["list"]

    return until(look)[0]


def codes(reply) -> list[int]:
    return [each["code"] for each in reply["retExtInfo"]["list"]]


def test_an_order_is_placed_amended_and_cancelled(session) -> None:
    placed = a_limit(session, "a-1")
    assert placed["orderLinkId"] == "a-1"
    row = the_open(session, "a-1")
    assert (row["orderId"], row["orderStatus"]) == (placed["orderId"], "New")
    assert (row["price"], D(row["qty"]), row["leavesQty"]) == ("49000", D("0.01"), "0.010")

    amended = session.amend_order(orderId=placed["orderId"], price="49100.5", qty="0.02", **LINEAR)
    assert amended["result"] == placed
    until(lambda: the_open(session, "a-1")["price"] == "49100.5")
    assert D(the_open(session, "a-1")["qty"]) == D("0.02")

    assert session.cancel_order(orderLinkId="a-1", **LINEAR)["result"] == placed
    closed = the_closed(session, "a-1")
    assert (closed["orderStatus"], closed["cancelType"]) == ("Cancelled", "CancelByUser")
    assert (D(closed["leavesQty"]), D(closed["cumExecQty"]), closed["avgPrice"]) == (0, 0, "")


def test_a_second_order_of_the_same_id_is_refused(session) -> None:
    a_limit(session, "twice")
    with pytest.raises(InvalidRequestError) as refused:
        a_limit(session, "twice")
    assert refused.value.status_code == 110072


def test_an_order_that_is_not_there_cannot_be_cancelled(session) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        session.cancel_order(orderLinkId="nobody", **LINEAR)
    assert refused.value.status_code == 110001


def test_more_than_the_wallet_can_carry_is_refused(session) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        a_limit(session, "huge", qty="500")
    assert refused.value.status_code == 110007


def test_a_secret_that_is_not_the_keys_is_refused(bybit) -> None:
    thief = HTTP(api_key="SIMULATORKEY000001", api_secret="WRONGSECRET")
    thief.endpoint = bybit.rest_url
    with pytest.raises(InvalidRequestError) as refused:
        thief.get_account_info()
    assert refused.value.status_code == 10004
    thief.client.close()


def test_a_batch_answers_each_order_by_itself(session) -> None:
    order = {
        "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "48000",
    }  # fmt: skip
    batch = [order | {"orderLinkId": name} for name in ("b-1", "b-2", "b-1")]
    placed = session.place_batch_order(category="linear", request=batch)
    assert codes(placed) == [0, 0, 110072]
    assert [bool(row["orderId"]) for row in placed["result"]["list"]] == [True, True, False]
    until(lambda: len(session.get_open_orders(**LINEAR)["result"]["list"]) == 2)

    changes = [
        {"symbol": "BTCUSDT", "orderLinkId": name, "price": "48100"} for name in ("b-1", "x")
    ]
    assert codes(session.amend_batch_order(category="linear", request=changes)) == [0, 110001]
    until(lambda: the_open(session, "b-1")["price"] == "48100")
    assert the_open(session, "b-2")["price"] == "48000"

    ends = [{"symbol": "BTCUSDT", "orderLinkId": name} for name in ("b-1", "b-2")]
    assert codes(session.cancel_batch_order(category="linear", request=ends)) == [0, 0]
    assert the_closed(session, "b-1")["orderStatus"] == "Cancelled"
    assert the_closed(session, "b-2")["orderStatus"] == "Cancelled"


def test_cancel_all_names_what_it_cancelled(session) -> None:
    placed = [a_limit(session, name) for name in ("c-1", "c-2")]
    until(lambda: len(session.get_open_orders(**LINEAR)["result"]["list"]) == 2)
    result = session.cancel_all_orders(**LINEAR)["result"]
    assert result["success"] == "1"
    assert sorted(row["orderId"] for row in result["list"]) == sorted(
        row["orderId"] for row in placed
    )
    assert the_closed(session, "c-2")["orderStatus"] == "Cancelled"


def test_a_market_order_fills_at_the_touch_and_pays_the_taker_fee(session) -> None:
    placed = a_limit(session, "m-1", orderType="Market")
    order = the_closed(session, "m-1")
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", "50000.1")
    fills = session.get_executions(orderId=placed["orderId"], **LINEAR)["result"]["list"]
    assert [(row["execPrice"], D(row["execQty"]), row["execType"]) for row in fills] == [
        ("50000.10", D("0.01"), "Trade")
    ]
    assert D(fills[0]["execFee"]) == D("500.001") * D("0.00055")
    assert fills[0]["isMaker"] is False


def test_a_limit_order_fills_when_the_market_comes_to_it(bybit, session) -> None:
    a_limit(session, "maker")
    the_open(session, "maker")
    bybit.move("linear:BTCUSDT", "48900.00", "48900.10")
    order = the_closed(session, "maker")
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", "49000")
    fill = session.get_executions(**LINEAR)["result"]["list"][0]
    assert (fill["isMaker"], fill["feeRate"]) == (True, "0.0002")


def test_spot_buys_for_an_amount_of_the_quote_coin(session) -> None:
    session.place_order(
        side="Buy",
        orderType="Market",
        qty="1000",
        marketUnit="quoteCoin",
        orderLinkId="s-1",
        **SPOT,
    )
    order = the_closed(session, "s-1", **SPOT)
    assert order["orderId"].isdigit()
    assert "tpslMode" not in order
    assert D(order["cumExecValue"]) <= 1000
    assert D(order["cumExecQty"]) == D("0.019999")
    fill = session.get_executions(**SPOT)["result"]["list"][0]
    assert (fill["feeCurrency"], D(fill["execFee"])) == ("BTC", D("0.019999") * D("0.001"))
    wallet = session.get_wallet_balance(accountType="UNIFIED", coin="BTC")["result"]["list"][0]
    bought = D("0.019999") * D("0.999")
    assert D(wallet["coin"][0]["walletBalance"]) == 1 + bought


def test_spot_sells_an_amount_of_the_base_coin_and_rests(session) -> None:
    a_limit(session, "s-2", side="Sell", price="51000", **SPOT)
    row = the_open(session, "s-2", **SPOT)
    assert (row["side"], row["orderStatus"], D(row["qty"])) == ("Sell", "New", D("0.01"))
    session.cancel_order(orderLinkId="s-2", **SPOT)
    assert the_closed(session, "s-2", **SPOT)["orderStatus"] == "Cancelled"


def test_the_borrow_quota_of_spot_is_the_wallet(session) -> None:
    quota = session.get_borrow_quota(side="Buy", **SPOT)["result"]
    assert (quota["borrowCoin"], D(quota["maxTradeAmount"])) == ("USDT", D(100_000))
