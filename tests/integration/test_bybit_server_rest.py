"""REST of the local Bybit, by a client that signs by itself."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from order_adapters.bybit_server import AccountConfig
from order_domain.model.enums import Category
from order_domain.model.identifiers import InstrumentId
from tests.integration.bybit_rig import Rig, a_rig

D = Decimal
BTC = InstrumentId("linear:BTCUSDT")
CREATE = "/v5/order/create"


async def test_time_needs_no_key_and_stands_in_three_units() -> None:
    async with a_rig() as rig:
        envelope = (await rig.http.get("/v5/market/time")).json()

    assert envelope["retCode"] == 0
    assert envelope["time"] == rig.now
    assert envelope["result"] == {
        "timeSecond": str(rig.now // 1000),
        "timeNano": str(rig.now * 1_000_000),
    }


async def test_a_body_is_signed_with_its_spaces_and_a_changed_byte_is_refused() -> None:
    body = '{ "category" : "linear","symbol":"BTCUSDT"}'
    async with a_rig() as rig:
        headers = rig.headers(body)
        taken = await rig.http.post("/v5/order/cancel-all", content=body, headers=headers)
        other = body.replace(" ", "")
        refused = await rig.http.post("/v5/order/cancel-all", content=other, headers=headers)

    assert taken.json()["retCode"] == 0
    assert refused.json()["retCode"] == 10004


async def test_a_query_is_signed_as_it_is_on_the_wire() -> None:
    async with a_rig() as rig:
        raw = "coin=USDT%2CUSDC&accountType=UNIFIED"
        taken = await rig.get("/v5/account/wallet-balance", raw)
        headers = rig.headers(raw.replace("%2C", ","))
        refused = await rig.http.get(f"/v5/account/wallet-balance?{raw}", headers=headers)

    assert [coin["coin"] for coin in taken["result"]["list"][0]["coin"]] == ["USDT", "USDC"]
    assert refused.json()["retCode"] == 10004


async def test_header_names_are_read_in_any_case() -> None:
    async with a_rig() as rig:
        headers = {name.lower(): value for name, value in rig.headers("").items()}
        answer = await rig.http.get("/v5/account/info", headers=headers)

    assert answer.json()["result"]["unifiedMarginStatus"] == 5


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"X-BAPI-API-KEY": "NOBODY"}, 200, 10003),
        ({"X-BAPI-SIGN": "0" * 64}, 200, 10004),
        ({"X-BAPI-SIGN": ""}, 401, 10001),
        ({"X-BAPI-API-KEY": ""}, 401, 10001),
        ({"X-BAPI-TIMESTAMP": ""}, 401, 10001),
    ],
)
async def test_who_is_not_known_is_told_which_part_is_wrong(
    change: dict[str, str], status: int, code: int
) -> None:
    async with a_rig() as rig:
        answer = await rig.http.get("/v5/account/info", headers=rig.headers("") | change)

    assert (answer.status_code, answer.json()["retCode"]) == (status, code)


@pytest.mark.parametrize(
    ("late", "window", "code"),
    [
        (5000, 5000, 0),
        (5001, 5000, 10002),
        (19_000, 20_000, 0),
        (-999, 5000, 0),
        (-1000, 5000, 10002),
    ],
)
async def test_a_stamp_is_good_for_its_window_and_less_than_a_second_ahead(
    late: int, window: int, code: int
) -> None:
    async with a_rig() as rig:
        answer = await rig.get("/v5/account/info", stamp=rig.now - late, window=window)

    assert answer["retCode"] == code


async def test_what_has_no_path_or_the_wrong_method_is_no_envelope_of_success() -> None:
    async with a_rig() as rig:
        missing = await rig.fetch("/v5/order/nothing")
        wrong = await rig.fetch(CREATE)
        put = await rig.http.put(CREATE)
        with_body = await rig.http.request("GET", "/v5/market/time", content="{}")

    assert [each.status_code for each in (missing, wrong, put, with_body)] == [404, 404, 400, 403]


async def test_a_resting_order_is_open_until_it_is_cancelled_and_then_in_the_history() -> None:
    async with a_rig() as rig:
        created = await rig.create(orderLinkId="a-1")
        order = await rig.order("a-1")
        assert created["result"] == {"orderId": order["orderId"], "orderLinkId": "a-1"}
        assert (order["orderStatus"], order["leavesQty"], order["price"]) == (
            "New",
            "0.010",
            "49000",
        )
        assert len(order["orderId"]) == 36

        await rig.cancel(orderId=order["orderId"], orderLinkId=None)
        assert await rig.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT") == []
        for path, query in (
            ("/v5/order/realtime", "category=linear&symbol=BTCUSDT&openOnly=1"),
            ("/v5/order/realtime", f"category=linear&orderId={order['orderId']}"),
            ("/v5/order/history", "category=linear&orderLinkId=a-1"),
        ):
            (ended,) = await rig.read(path, query)
            assert (ended["orderStatus"], ended["cancelType"]) == ("Cancelled", "CancelByUser")
            assert ended["leavesQty"] == "0"


async def test_after_a_day_a_cancelled_order_without_a_fill_cannot_be_found() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="a-1")
        await rig.cancel(orderLinkId="a-1")
        rig.wait(hours=25)
        assert await rig.read("/v5/order/history", "category=linear&orderLinkId=a-1") == []
        assert await rig.read("/v5/order/realtime", "category=linear&orderLinkId=a-1") == []
        assert (await rig.create(orderLinkId="a-1"))["retCode"] == 110072


async def test_a_link_id_is_used_up_for_every_category_but_not_by_a_refusal() -> None:
    async with a_rig() as rig:
        assert (await rig.create(orderLinkId="a", qty="0"))["retCode"] == 10001
        assert (await rig.create(orderLinkId="a"))["retCode"] == 0
        assert (await rig.create(orderLinkId="a", symbol="ETHUSDT", price="2400"))[
            "retCode"
        ] == 110072
        assert (await rig.create(orderLinkId="a", category="spot"))["retCode"] == 170141


@pytest.mark.parametrize("link", ["x" * 37, "a b", "ä", "anonymous-order-1"])
async def test_a_link_id_that_is_none_is_refused(link: str) -> None:
    async with a_rig() as rig:
        assert (await rig.create(orderLinkId=link))["retCode"] == 10001


async def test_an_order_without_a_link_id_has_none_in_any_record() -> None:
    async with a_rig() as rig:
        created = await rig.create(orderType="Market")
        assert created["result"]["orderLinkId"] == ""
        order_id = created["result"]["orderId"]
        (order,) = await rig.read("/v5/order/history", f"category=linear&orderId={order_id}")
        (execution,) = await rig.read("/v5/execution/list", f"category=linear&orderId={order_id}")
        assert order["orderLinkId"] == execution["orderLinkId"] == ""


async def test_spot_ids_are_long_numbers_and_spot_rows_have_no_contract_fields() -> None:
    async with a_rig() as rig:
        await rig.create(category="spot", orderLinkId="s")
        spot = await rig.order("s", "spot")
        await rig.create(orderLinkId="l")
        linear = await rig.order("l")

    assert spot["orderId"].isdigit()
    assert len(spot["orderId"]) == 19
    contract = {"createType", "tpslMode", "lastPriceOnCreated"}
    assert contract <= linear.keys()
    assert not contract & spot.keys()
    assert {"basePrice", "marketUnit", "ocoTriggerBy"} <= spot.keys() - linear.keys()


async def test_amending_keeps_the_id_and_a_target_that_is_gone_is_said_by_category() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="a")
        before = await rig.order("a")
        body = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "a"}
        amended = await rig.post("/v5/order/amend", body | {"qty": "0.02", "price": "49100"})
        after = await rig.order("a")
        assert amended["result"]["orderId"] == before["orderId"] == after["orderId"]
        assert (after["qty"], after["price"]) == ("0.020", "49100")

        assert (await rig.post("/v5/order/amend", body))["retCode"] == 10001
        assert (await rig.cancel(orderLinkId="nobody"))["retCode"] == 110001
        assert (await rig.cancel(orderId="nobody", orderLinkId="a"))["retCode"] == 110001
        assert (await rig.cancel(category="spot", orderLinkId="nobody"))["retCode"] == 170213
        assert (await rig.cancel())["retCode"] == 10001
        await rig.cancel(orderLinkId="a")
        assert (await rig.cancel(orderLinkId="a"))["retCode"] == 110010


async def test_a_round_trip_agrees_between_executions_position_wallet_log_and_closed_profit() -> (
    None
):
    async with a_rig() as rig:
        await rig.create(orderType="Market", orderLinkId="in", qty="0.1")
        (position,) = await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT")
        assert (position["side"], position["size"], position["avgPrice"]) == (
            "Buy",
            "0.100",
            "50000.1",
        )
        rig.server.move(BTC, D(51000), D("51000.1"))
        await rig.create(
            orderType="Market", side="Sell", orderLinkId="out", qty="0.1", reduceOnly=True
        )
        sold, bought = await rig.read("/v5/execution/list", "category=linear")
        (flat,) = await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT")
        assert await rig.read("/v5/position/list", "category=linear&settleCoin=USDT") == []
        (closed,) = await rig.read("/v5/position/closed-pnl", "category=linear")
        log = await rig.read("/v5/account/transaction-log")
        (wallet,) = await rig.read("/v5/account/wallet-balance", "accountType=UNIFIED&coin=USDT")

    fees = D(sold["execFee"]) + D(bought["execFee"])
    gain = D("0.1") * (51000 - D("50000.1"))
    balance = D(wallet["coin"][0]["walletBalance"])
    assert (sold["closedSize"], bought["closedSize"]) == ("0.100", "0")
    assert (flat["side"], flat["size"], flat["seq"]) == ("", "0", 2)
    assert D(closed["closedPnl"]) == gain - fees
    assert D(closed["openFee"]) + D(closed["closeFee"]) == fees
    assert balance == 100_000 + gain - fees
    assert sum(D(row["change"]) for row in log) == balance - 100_000
    assert D(log[0]["cashBalance"]) == balance
    assert D(flat["cumRealisedPnl"]) == gain - fees


async def test_an_inverse_round_trip_is_booked_in_the_coin() -> None:
    async with a_rig() as rig:
        order = {"category": "inverse", "symbol": "BTCUSD", "orderType": "Market", "qty": "50000"}
        await rig.create(**order)
        await rig.create(**order | {"side": "Sell"})
        (wallet,) = await rig.read("/v5/account/wallet-balance", "accountType=UNIFIED&coin=BTC")
        log = await rig.read("/v5/account/transaction-log")

    assert {row["currency"] for row in log} == {"BTC"}
    assert sum(D(row["change"]) for row in log) == D(wallet["coin"][0]["walletBalance"]) - 1


async def test_a_spot_market_buy_spends_an_amount_and_pays_its_fee_in_the_coin_bought() -> None:
    async with a_rig() as rig:
        await rig.create(category="spot", orderType="Market", qty="100", orderLinkId="s")
        order = await rig.order("s", "spot")
        (fill,) = await rig.read("/v5/execution/list", "category=spot")
        (wallet,) = await rig.read(
            "/v5/account/wallet-balance", "accountType=UNIFIED&coin=BTC,USDT"
        )

    btc, usdt = (D(coin["walletBalance"]) for coin in wallet["coin"])
    assert (order["qty"], order["marketUnit"]) == ("100", "quoteCoin")
    assert order["orderStatus"] == "PartiallyFilledCanceled"  # what is left buys less than a step
    assert order["cumExecQty"] == "0.001999"
    assert fill["feeCurrency"] == "BTC"
    assert btc == 1 + D("0.001999") - D(fill["execFee"])
    assert usdt == 100_000 - D(order["cumExecValue"])


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"qty": "4"}, 170140),
        ({"qty": "100.123456789"}, 170148),
        ({"qty": "200000"}, 170131),
        ({"side": "Sell", "qty": "0.0000001"}, 170137),
        ({"marketUnit": "coins"}, 10001),
    ],
)
async def test_a_spot_market_order_is_refused_in_the_words_of_spot(
    order: dict[str, str], code: int
) -> None:
    async with a_rig() as rig:
        answer = await rig.create(**{"category": "spot", "orderType": "Market"} | order)

    assert answer["retCode"] == code


async def test_what_is_cancelled_after_a_fill_has_a_word_of_its_own_on_spot() -> None:
    async with a_rig(walk_levels=0) as rig:
        order = {"orderType": "Limit", "timeInForce": "IOC", "price": "50100"}
        rig.server.account().exchange.account.wallet("USDT").total += 2_000_000
        await rig.create(**order, qty="20", orderLinkId="l")
        await rig.create(**order, qty="20", category="spot", orderLinkId="s")
        linear, spot = await rig.order("l"), await rig.order("s", "spot")

    assert (linear["orderStatus"], linear["cumExecQty"]) == ("Cancelled", "10.000")
    assert (spot["orderStatus"], spot["cumExecQty"]) == ("PartiallyFilledCanceled", "10.000000")
    assert linear["rejectReason"] == "EC_NoImmediateQtyToFill"


async def test_a_post_only_order_that_would_take_is_accepted_and_then_cancelled() -> None:
    async with a_rig() as rig:
        answer = await rig.create(timeInForce="PostOnly", price="50200", orderLinkId="p")
        order = await rig.order("p")

    assert answer["retCode"] == 0
    assert (order["orderStatus"], order["rejectReason"]) == (
        "Cancelled",
        "EC_PostOnlyWillTakeLiquidity",
    )


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"symbol": "NOPE"}, 10001),
        ({"category": "spot", "symbol": "NOPE"}, 170121),
        ({"category": "option"}, 10001),
        ({"category": "futures"}, 10001),
        ({"category": None}, 10001),
        ({"side": "buy"}, 10001),
        ({"orderType": "Stop"}, 10001),
        ({"qty": "1e3"}, 10001),
        ({"qty": 0.5}, 10001),
        ({"qty": None}, 10001),
        ({"price": ""}, 10001),
        ({"price": "49000.05"}, 10001),
        ({"timeInForce": "GTD"}, 10001),
        ({"timeInForce": "RPI"}, 110119),
        ({"positionIdx": 1}, 10001),
        ({"positionIdx": 7}, 10001),
        ({"reduceOnly": True}, 110017),
        ({"qty": "0.0004"}, 110017),
        ({"qty": "1000"}, 110007),
        ({"price": "90000"}, 110003),
        ({"bboSideType": "Queue", "bboLevel": "1"}, 10001),
        ({"triggerPrice": "51000"}, 10001),
        ({"triggerPrice": "49000", "triggerDirection": 1}, 110092),
        ({"triggerPrice": "51000", "triggerDirection": 2}, 110093),
        ({"triggerPrice": "51000", "triggerDirection": 1, "triggerBy": "Price"}, 10001),
        ({"takeProfit": "48000"}, 10001),
        ({"takeProfit": "60000", "tpslMode": "Half"}, 10001),
        ({"takeProfit": "60000", "tpOrderType": "Limit", "tpLimitPrice": "60000"}, 10001),
        ({"takeProfit": "60000", "tpslMode": "Partial", "tpOrderType": "Limit"}, 10001),
        ({"takeProfit": "60000", "tpOrderType": "Stop"}, 10001),
        ({"takeProfit": "60000", "reduceOnly": True}, 10001),
        (
            {
                "orderType": "Market",
                "triggerPrice": "51000",
                "triggerDirection": 1,
                "slippageToleranceType": "Percent",
                "slippageTolerance": "1",
            },
            10001,
        ),
        ({"smpType": "CancelAll"}, 10001),
        (
            {"orderType": "Market", "slippageToleranceType": "Percent", "slippageTolerance": "11"},
            110109,
        ),
        (
            {"orderType": "Market", "slippageToleranceType": "TickSize", "slippageTolerance": "0"},
            110108,
        ),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_with_its_code(
    order: dict[str, Any], code: int
) -> None:
    async with a_rig() as rig:
        answer = await rig.create(**order)
        open_orders = await rig.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT")

    assert (answer["retCode"], open_orders) == (code, [])
    assert answer["result"] == {}


async def test_a_quantity_off_its_step_is_cut_down_or_refused_as_the_server_is_set() -> None:
    async with a_rig() as rig:
        await rig.create(qty="0.0129", orderLinkId="a")
        assert (await rig.order("a"))["qty"] == "0.012"
    async with a_rig(truncates=False) as rig:
        assert (await rig.create(qty="0.0129"))["retCode"] == 10001


async def test_a_slippage_tolerance_bounds_what_a_market_order_takes() -> None:
    async with a_rig() as rig:
        order = {"orderType": "Market", "qty": "15", "slippageToleranceType": "TickSize"}
        rig.server.account().exchange.account.wallet("USDT").total += 1_000_000
        await rig.create(**order, slippageTolerance="1", orderLinkId="a")
        row = await rig.order("a")

    assert row["cumExecQty"] == "15.000"
    assert row["avgPrice"].startswith("50000.13")  # ten at the touch, five a tick above
    assert (row["slippageToleranceType"], row["slippageTolerance"]) == ("TickSize", "1")


async def test_the_whole_position_is_closed_by_a_quantity_of_zero() -> None:
    async with a_rig() as rig:
        await rig.create(orderType="Market", qty="0.123")
        zero = {"qty": "0", "reduceOnly": True, "closeOnTrigger": True, "side": "Sell"}
        assert (await rig.create(orderType="Market", **zero))["retCode"] == 0
        (position,) = await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT")

    assert position["size"] == "0"


async def test_cancel_all_takes_what_symbol_or_coin_choose() -> None:
    async with a_rig(uid_limits=False) as rig:
        for symbol, price in (("BTCUSDT", "49000"), ("ETHUSDT", "2400"), ("BTCPERP", "49000")):
            await rig.create(symbol=symbol, price=price, orderLinkId=symbol)
        path, body = "/v5/order/cancel-all", {"category": "linear"}
        assert (await rig.post(path, body))["retCode"] == 10001
        one = await rig.post(path, body | {"symbol": "ETHUSDT", "settleCoin": "USDC"})
        rest = await rig.post(path, body | {"settleCoin": "USDT"})
        (left,) = await rig.read("/v5/order/realtime", "category=linear&baseCoin=BTC")

    assert [row["orderLinkId"] for row in one["result"]["list"]] == ["ETHUSDT"]
    assert [row["orderLinkId"] for row in rest["result"]["list"]] == ["BTCUSDT"]
    assert rest["result"]["success"] == "1"
    assert left["orderLinkId"] == "BTCPERP"


async def test_each_order_of_a_batch_has_an_end_of_its_own() -> None:
    item = {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.01",
        "price": "49000",
    }
    async with a_rig() as rig:
        orders = [item | {"orderLinkId": "b-1"}, item | {"orderLinkId": "b-2", "positionIdx": 1}]
        created = await rig.post(
            "/v5/order/create-batch", {"category": "linear", "request": orders}
        )
        good, bad = created["result"]["list"]
        assert [code["code"] for code in created["retExtInfo"]["list"]] == [0, 10001]
        assert (good["orderLinkId"], good["createAt"]) == ("b-1", str(rig.now))
        assert (bad["orderId"], bad["createAt"], bad["orderLinkId"]) == ("", "", "b-2")

        targets = [{"symbol": "BTCUSDT", "orderLinkId": name} for name in ("b-1", "b-2")]
        body = {
            "category": "linear",
            "request": [targets[0] | {"price": "49100"}, targets[1] | {"qty": "1"}],
        }
        amended = await rig.post("/v5/order/amend-batch", body)
        assert [code["code"] for code in amended["retExtInfo"]["list"]] == [0, 110001]
        body = {"category": "linear", "request": targets}
        cancelled = await rig.post("/v5/order/cancel-batch", body)
        assert [code["code"] for code in cancelled["retExtInfo"]["list"]] == [0, 110001]
        too_many = {"category": "spot", "request": [item] * 11}
        assert (await rig.post("/v5/order/create-batch", too_many))["retCode"] == 10001


async def test_a_batch_beyond_the_limit_succeeds_as_far_as_the_limit_goes() -> None:
    item = {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.001",
        "price": "49000",
    }
    async with a_rig() as rig:
        body = {"category": "linear", "request": [item] * 12}
        answer = await rig.send("/v5/order/create-batch", body)
        single = await rig.create()

    codes = [each["code"] for each in answer.json()["retExtInfo"]["list"]]
    assert codes == [0] * 10 + [10006] * 2
    assert answer.headers["X-Bapi-Limit-Status"] == "0"
    assert single["retCode"] == 0  # single orders have a limit of their own


async def test_more_requests_a_second_than_allowed_are_refused_until_the_window_moves() -> None:
    async with a_rig() as rig:
        for left in range(4, -1, -1):
            answer = await rig.fetch("/v5/account/fee-rate", "category=linear")
            assert answer.headers["X-Bapi-Limit"] == "5"
            assert answer.headers["X-Bapi-Limit-Status"] == str(left)
        refused = await rig.fetch("/v5/account/fee-rate", "category=linear")
        assert refused.json()["retCode"] == 10006
        assert int(refused.headers["X-Bapi-Limit-Reset-Timestamp"]) > rig.now
        assert (await rig.get("/v5/account/info"))["retCode"] == 0
        rig.wait(seconds=1)
        assert (await rig.get("/v5/account/fee-rate", "category=linear"))["retCode"] == 0


async def test_an_address_that_floods_is_banned_for_ten_minutes() -> None:
    async with a_rig(ip_limit=3) as rig:
        codes = [(await rig.http.get("/v5/market/time")).status_code for _ in range(4)]
        rig.wait(minutes=9, seconds=59)
        codes.append((await rig.http.get("/v5/market/time")).status_code)
        rig.wait(seconds=1)
        codes.append((await rig.http.get("/v5/market/time")).status_code)

    assert codes == [200, 200, 200, 403, 403, 200]


async def test_pages_follow_an_encoded_cursor_sent_as_it_came_or_encoded_again() -> None:
    async with a_rig(uid_limits=False) as rig:
        for number in range(5):
            await rig.create(orderLinkId=f"p-{number}")
        query = "category=linear&symbol=BTCUSDT&limit=2"
        first = (await rig.get("/v5/order/realtime", query))["result"]
        cursor = first["nextPageCursor"]
        assert "%3A" in cursor
        await rig.create(orderLinkId="late")
        second = (await rig.get("/v5/order/realtime", f"{query}&cursor={cursor}"))["result"]
        twice = f"{query}&cursor={quote(cursor, safe='')}"
        assert (await rig.get("/v5/order/realtime", twice))["result"] == second
        third = await rig.get("/v5/order/realtime", f"{query}&cursor={second['nextPageCursor']}")

    links = [
        row["orderLinkId"] for row in (*first["list"], *second["list"], *third["result"]["list"])
    ]
    assert links == ["p-4", "p-3", "p-2", "p-1", "p-0"]
    assert third["result"]["nextPageCursor"] == ""


async def test_instruments_come_in_pages_and_by_status() -> None:
    async with a_rig() as rig:
        path, query = "/v5/market/instruments-info", "category=linear&limit=3"
        first = (await rig.http.get(f"{path}?{query}")).json()["result"]
        cursor = first["nextPageCursor"]
        second = (await rig.http.get(f"{path}?{query}&cursor={cursor}")).json()["result"]
        new = (await rig.http.get(f"{path}?category=linear&status=PreLaunch")).json()["result"]
        spot = (await rig.http.get(f"{path}?category=spot&limit=1")).json()["result"]

    symbols = [row["symbol"] for row in (*first["list"], *second["list"])]
    assert symbols == ["BTCPERP", "BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert new["list"] == []
    assert len(spot["list"]) == 2
    assert "qtyStep" not in spot["list"][0]["lotSizeFilter"]
    assert spot["list"][0]["lotSizeFilter"]["basePrecision"] == "0.000001"


async def test_the_market_is_shown_as_it_stands() -> None:
    async with a_rig() as rig:

        async def ask(path: str) -> Any:
            return (await rig.http.get(f"/v5/market/{path}")).json()["result"]

        book = await ask("orderbook?category=linear&symbol=BTCUSDT&limit=2")
        (ticker,) = (await ask("tickers?category=spot&symbol=BTCUSDT"))["list"]
        limit = await ask("price-limit?symbol=BTCUSDT")
        candles = await ask("kline?symbol=BTCUSDT&interval=1")
        assert (await ask("orderbook?category=linear&symbol=NOPE")) == {}

    assert book["b"] == [["50000.00", "10.000"], ["49999.90", "10.000"]]
    assert book["a"][0] == ["50000.10", "10.000"]
    assert (ticker["bid1Price"], ticker["ask1Price"]) == ("50000", "50000.10")
    assert (limit["buyLmt"], limit["sellLmt"]) == ("55000", "45000.1")
    assert candles["list"] == [[str(rig.now), *["50000.05"] * 4, "0", "0"]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("startTime=1000000000000&endTime=1000604800001", 181010),
        ("startTime=1000000000000&endTime=1000604800000", 0),
        ("startTime=2000&endTime=1000", 10001),
        ("startTime=yesterday", 10001),
        ("orderStatus=New", 181017),
    ],
)
async def test_a_window_of_time_is_at_most_a_week(query: str, code: int) -> None:
    async with a_rig() as rig:
        assert (await rig.get("/v5/order/history", f"category=linear&{query}"))["retCode"] == code


async def test_hedge_mode_is_for_usdt_perpetuals_without_orders_or_positions() -> None:
    async with a_rig(uid_limits=False) as rig:

        async def switch(mode: int, **what: str) -> int:
            body = {"category": "linear", "mode": mode} | what
            code: int = (await rig.post("/v5/position/switch-mode", body))["retCode"]
            return code

        assert await switch(3, symbol="BTCPERP") == 110029
        assert await switch(0, symbol="BTCUSDT") == 110025
        await rig.create(orderLinkId="a")
        assert await switch(3, symbol="BTCUSDT") == 110028
        await rig.cancel(orderLinkId="a")
        await rig.create(orderType="Market")
        assert await switch(3, symbol="BTCUSDT") == 110024
        assert await switch(3, coin="USDT") == 0  # those that can
        assert (await rig.create(positionIdx=0))["retCode"] == 0
        assert (await rig.create(symbol="ETHUSDT", price="2400", positionIdx=0))["retCode"] == 10001
        assert (await rig.create(symbol="ETHUSDT", price="2400", positionIdx=1))["retCode"] == 0


async def test_a_hedged_symbol_has_two_positions_named_by_their_index() -> None:
    async with a_rig(AccountConfig(hedged=True)) as rig:
        await rig.create(orderType="Market", positionIdx=1, qty="0.02")
        await rig.create(orderType="Market", positionIdx="2", side="Sell")
        await rig.create(orderType="Market", positionIdx=1, side="Sell", reduceOnly=True)
        rows = await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT")

    assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [
        (1, "Buy", "0.010"),
        (2, "Sell", "0.010"),
    ]


async def test_leverage_decides_what_an_order_binds() -> None:
    async with a_rig() as rig:

        async def leverage(buys: str, sells: str) -> int:
            body = {
                "category": "linear",
                "symbol": "BTCUSDT",
                "buyLeverage": buys,
                "sellLeverage": sells,
            }
            code: int = (await rig.post("/v5/position/set-leverage", body))["retCode"]
            return code

        assert await leverage("10", "10") == 110043
        assert await leverage("10", "20") == 10001
        assert await leverage("101", "101") == 10001
        assert await leverage("50", "50") == 0
        await rig.create(orderType="Market", qty="1")
        (position,) = await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT")

    assert (position["leverage"], position["positionIM"]) == ("50", "1000.002")


async def test_a_key_may_do_what_it_was_given_and_says_so() -> None:
    account = AccountConfig(read_only=True, categories=(Category.SPOT,), may_withdraw=True)
    async with a_rig(account) as rig:
        key = (await rig.get("/v5/user/query-api"))["result"]
        assert (await rig.create(category="spot"))["retCode"] == 10005
    async with a_rig(AccountConfig(categories=(Category.SPOT,))) as rig:
        assert (await rig.create())["retCode"] == 10005
        assert (await rig.create(category="spot"))["retCode"] == 0

    assert (key["readOnly"], key["uta"], key["userID"]) == (1, 1, account.user_id)
    assert key["permissions"]["ContractTrade"] == []
    assert key["permissions"]["Wallet"] == ["Withdraw"]


@pytest.mark.parametrize("body", ["[]", "{", '"x"', "\xff", '{"category":["linear"]}'])
async def test_a_body_that_is_no_order_is_a_parameter_error(body: str) -> None:
    async with a_rig() as rig:
        headers = rig.headers(body)
        answer = await rig.http.post(CREATE, content=body.encode(), headers=headers)

    assert answer.json()["retCode"] == 10001


async def test_two_accounts_share_the_market_and_nothing_else() -> None:
    other = AccountConfig(api_key="OTHER", secret="OTHERSECRET", user_id=7)
    async with a_rig(accounts=(AccountConfig(), other)) as rig:
        await rig.create(orderLinkId="a")
        second = Rig(rig.server, rig.http, rig.clock, other)
        assert await second.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT") == []
        assert (await second.create(orderLinkId="a"))["retCode"] == 0
        assert (await second.order("a"))["orderId"] != (await rig.order("a"))["orderId"]


async def test_the_same_requests_at_the_same_times_give_the_same_bytes() -> None:
    async def run() -> list[bytes]:
        async with a_rig(seed=7) as rig:
            await rig.create(orderLinkId="a", orderType="Market")
            rig.wait(seconds=1)
            await rig.create()
            paths = ("/v5/execution/list", "/v5/order/history", "/v5/account/transaction-log")
            return [(await rig.fetch(path, "category=linear")).content for path in paths]

    first = await run()
    assert first == await run()
    assert json.loads(first[0])["result"]["list"]


async def test_the_margin_mode_there_is_may_be_kept_and_the_others_say_why_not() -> None:
    async with a_rig() as rig:
        path = "/v5/account/set-margin-mode"
        kept = await rig.post(path, {"setMarginMode": "REGULAR_MARGIN"})
        other = await rig.post(path, {"setMarginMode": "PORTFOLIO_MARGIN"})
        margin = {"category": "linear", "symbol": "BTCUSDT", "margin": "10"}
        isolated = await rig.post("/v5/position/add-margin", margin)

    assert (kept["retCode"], kept["result"]) == (0, {"reasons": []})
    assert (other["retCode"], isolated["retCode"]) == (3400045, 110076)
    assert other["result"]["reasons"][0]["reasonMsg"]


async def test_spot_may_spend_what_it_has_and_nothing_resting_holds() -> None:
    async with a_rig() as rig:
        await rig.create(category="spot", side="Sell", price="51000", qty="0.25")
        query = "category=spot&symbol=BTCUSDT&side={}"
        sells = (await rig.get("/v5/order/spot-borrow-check", query.format("Sell")))["result"]
        buys = (await rig.get("/v5/order/spot-borrow-check", query.format("Buy")))["result"]

    assert (sells["spotMaxTradeQty"], sells["borrowCoin"]) == ("0.75", "BTC")
    assert (buys["spotMaxTradeAmount"], buys["borrowCoin"]) == ("100000", "USDT")


async def test_protection_is_for_accounts_that_have_it() -> None:
    async with a_rig() as rig:
        body = {"product": "DERIVATIVES", "timeWindow": 10}
        refused = await rig.post("/v5/order/disconnected-cancel-all", body)
        info = await rig.get("/v5/account/query-dcp-info")

    assert (refused["retCode"], info["result"]) == (10005, {"dcpInfos": []})
