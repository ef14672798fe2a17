"""Unmodified pybit reads and sets positions and accounts over REST."""

import pytest
from pybit.exceptions import InvalidRequestError

from tests.builders import D
from tests.strangers.waiting import until

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}


def a_market(session, side: str, qty: str, **more) -> None:
    session.place_order(side=side, orderType="Market", qty=qty, **LINEAR, **more)


def positions(session) -> dict[int, tuple[str, D]]:
    rows = session.get_positions(**LINEAR)["result"]["list"]
    return {row["positionIdx"]: (row["side"], D(row["size"])) for row in rows}


def refusal(call, **values) -> int:
    with pytest.raises(InvalidRequestError) as refused:
        call(**values)
    return refused.value.status_code


def test_a_position_is_opened_and_closed_one_way(session) -> None:
    a_market(session, "Buy", "0.010")
    until(lambda: positions(session) == {0: ("Buy", D("0.010"))})
    row = session.get_positions(**LINEAR)["result"]["list"][0]
    assert (row["avgPrice"], row["leverage"]) == ("50000.1", "10")

    a_market(session, "Sell", "0.010", reduceOnly=True)
    until(lambda: positions(session) == {0: ("", D(0))})
    closed = session.get_closed_pnl(**LINEAR)["result"]["list"][0]
    fees = (D("500.001") + D("500.000")) * D("0.00055")
    assert D(closed["closedPnl"]) == D("-0.001") - fees
    wallet = session.get_wallet_balance(accountType="UNIFIED", coin="USDT")["result"]["list"][0]
    assert D(wallet["coin"][0]["walletBalance"]) == D(100_000) - D("0.001") - fees
    log = session.get_transaction_log(accountType="UNIFIED", category="linear")["result"]["list"]
    assert [(row["side"], row["type"]) for row in log] == [("Sell", "TRADE"), ("Buy", "TRADE")]
    assert D(log[0]["cashBalance"]) == D(wallet["coin"][0]["walletBalance"])


def test_nothing_is_left_to_reduce(session) -> None:
    assert refusal(a_market, session=session, side="Sell", qty="0.01", reduceOnly=True) == 110017


def test_hedged_a_long_and_a_short_stand_side_by_side(hedge_session) -> None:
    a_market(hedge_session, "Buy", "0.010", positionIdx=1)
    a_market(hedge_session, "Sell", "0.020", positionIdx=2)
    until(lambda: positions(hedge_session) == {1: ("Buy", D("0.01")), 2: ("Sell", D("0.02"))})
    a_market(hedge_session, "Buy", "0.020", positionIdx=2, reduceOnly=True)
    until(lambda: positions(hedge_session)[2][1] == 0)
    assert positions(hedge_session)[1] == ("Buy", D("0.01"))


def test_hedged_an_order_must_name_its_side(hedge_session) -> None:
    wrong = refusal(a_market, session=hedge_session, side="Buy", qty="0.01", positionIdx=0)
    assert wrong == 10001


def test_the_position_mode_is_switched_only_while_flat(session) -> None:
    session.switch_position_mode(category="linear", coin="USDT", mode=3)
    assert sorted(positions(session)) == [1, 2]
    session.switch_position_mode(category="linear", coin="USDT", mode=0)
    a_market(session, "Buy", "0.010")
    until(lambda: positions(session) == {0: ("Buy", D("0.010"))})
    busy = refusal(session.switch_position_mode, category="linear", symbol="BTCUSDT", mode=3)
    assert busy == 110024
    assert sorted(positions(session)) == [0]


def test_leverage_is_set_once(session) -> None:
    session.set_leverage(buyLeverage="5", sellLeverage="5", **LINEAR)
    assert session.get_positions(**LINEAR)["result"]["list"][0]["leverage"] == "5"
    assert refusal(session.set_leverage, buyLeverage="5", sellLeverage="5", **LINEAR) == 110043


def test_margin_is_moved_only_in_isolated_mode(session) -> None:
    assert refusal(session.set_auto_add_margin, autoAddMargin=1, **LINEAR) == 110076
    assert refusal(session.add_or_reduce_margin, margin="10", **LINEAR) == 110076


def test_the_margin_mode_can_be_set_to_what_it_is(session) -> None:
    assert session.set_margin_mode(setMarginMode="REGULAR_MARGIN")["result"] == {"reasons": []}


def test_disconnection_protection_is_for_few(session) -> None:
    assert refusal(session.set_dcp, timeWindow=10, product="DERIVATIVES") == 10005
    assert session.query_dcp_info()["result"] == {"dcpInfos": []}


def test_the_key_and_the_account_describe_themselves(session) -> None:
    key = session.get_api_key_information()["result"]
    assert (key["apiKey"], key["readOnly"], key["uta"]) == ("SIMULATORKEY000001", 0, 1)
    account = session.get_account_info()["result"]
    assert (account["unifiedMarginStatus"], account["marginMode"]) == (5, "REGULAR_MARGIN")
    assert session.get_smp_group()["result"] == {"smpGroup": 0}
    assert session.get_user_setting_config()["result"]["lpaPerp"] is True
    assert session.get_coin_info(coin="USDT")["result"]["rows"][0]["coin"] == "USDT"


def test_a_new_wallet_holds_what_it_was_given(session) -> None:
    wallet = session.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]
    held = {row["coin"]: D(row["walletBalance"]) for row in wallet["coin"]}
    assert held == {"USDT": 100_000, "USDC": 10_000, "BTC": 1, "ETH": 10}
    assert {row["availableToWithdraw"] for row in wallet["coin"]} == {""}


def test_fee_rates_are_those_of_the_instrument(session) -> None:
    row = session.get_fee_rates(**LINEAR)["result"]["list"][0]
    assert (row["takerFeeRate"], row["makerFeeRate"]) == ("0.00055", "0.0002")
