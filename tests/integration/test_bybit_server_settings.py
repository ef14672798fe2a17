"""What an account may be told beside orders: checks, settings, rules, and who made an order."""

from decimal import Decimal

from order_adapters.bybit_server import AccountConfig
from order_domain.model.enums import Category
from order_domain.model.identifiers import InstrumentId
from tests.integration.bybit_rig import a_rig

D = Decimal
BTC = InstrumentId("linear:BTCUSDT")


async def test_an_order_is_checked_without_being_placed() -> None:
    path, order = "/v5/order/pre-check", {"category": "linear", "symbol": "BTCUSDT"}
    order |= {"side": "Buy", "orderType": "Limit", "qty": "2", "price": "50000"}
    async with a_rig(AccountConfig(balances={"USDT": D(100_000)})) as rig:
        fine = await rig.post(path, order | {"orderLinkId": "p"})
        codes = [
            (await rig.post(path, order | wrong))["retCode"]
            for wrong in (
                {"qty": "50"},
                {"category": "inverse", "symbol": "BTCUSD", "qty": "100"},
                {"triggerPrice": "51000", "triggerDirection": 1},
                {"symbol": "NOPE"},
            )
        ]
        placed = await rig.create(orderLinkId="p")
        orders = await rig.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT")

    result = fine["result"]
    assert result.pop("orderId")
    # 100,000 of value at ten times leverage, with the fee that an order keeps back.
    assert result == {
        "orderLinkId": "p",
        "preImrE4": 0,
        "preMmrE4": 0,
        "postImrE4": 1005,
        "postMmrE4": 50,
    }
    assert codes == [110007, 10001, 10001, 10001]
    assert (placed["retCode"], len(orders)) == (0, 1)


async def test_a_market_order_is_checked_at_the_touch() -> None:
    body = {"category": "linear", "symbol": "BTCUSDT", "side": "Sell", "orderType": "Market"}
    async with a_rig(AccountConfig(balances={"USDT": D(100_000)})) as rig:
        await rig.create(orderType="Market", qty="1")
        answer = await rig.post("/v5/order/pre-check", body | {"qty": "2"})

    result = answer["result"]
    # Half of it closes; the other half is as large as the position that was.
    assert (result["preImrE4"], result["postImrE4"]) == (500, 1003)


async def test_a_price_outside_its_band_is_cut_to_it_where_the_account_wants_that() -> None:
    path = "/v5/account/set-limit-px-action"
    async with a_rig() as rig:
        before = await rig.get("/v5/account/user-setting-config")
        refused = await rig.create(price="90000")
        await rig.post(path, {"category": "linear", "modifyEnable": True})
        await rig.create(side="Buy", price="90000", timeInForce="PostOnly", orderLinkId="b")
        await rig.create(side="Sell", price="10000", timeInForce="PostOnly", orderLinkId="s")
        shown = [(await rig.order(link))["price"] for link in ("b", "s")]
        inside = await rig.create(price="49000", orderLinkId="i")
        kept = (await rig.order("i"))["price"]
        body = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "i"}
        await rig.post("/v5/order/amend", body | {"price": "90000", "qty": "0.02"})
        amended = (await rig.order("i"))["price"]
        spot = await rig.create(category="spot", price="90000")
        after = await rig.get("/v5/account/user-setting-config")
        wrong = [
            (await rig.post(path, body))["retCode"]
            for body in ({"category": "option", "modifyEnable": True}, {"category": "spot"})
        ]

    assert refused["retCode"] == 110003
    assert (shown, kept, inside["retCode"]) == (["55000.00", "45000.10"], "49000", 0)
    assert amended == "55000.00"
    assert spot["retCode"] == 170193
    flags = [(each["result"]["lpaSpot"], each["result"]["lpaPerp"]) for each in (before, after)]
    assert flags == [(False, True), (False, False)]
    assert wrong == [10001, 10001]


async def test_an_account_reads_the_instruments_it_may_trade() -> None:
    path = "/v5/account/instruments-info"
    only_linear = AccountConfig(categories=(Category.LINEAR,))
    async with a_rig(only_linear) as rig:
        public = await rig.read("/v5/market/instruments-info", "category=linear&symbol=BTCUSDT")
        mine = await rig.read(path, "category=linear&symbol=BTCUSDT")
        paged = await rig.get(path, "category=linear&limit=2")
        spot = await rig.get(path, "category=spot")

    assert mine == [public[0] | {"isPublicRpi": False, "myRpiPermission": False}]
    assert len(paged["result"]["list"]) == 2
    assert paged["result"]["nextPageCursor"]
    assert spot["retCode"] == 10005


async def test_leverage_is_told_of_symbols_without_a_position() -> None:
    async with a_rig(AccountConfig(hedged=True)) as rig:
        one = await rig.read("/v5/position/symbol-info", "category=linear&symbol=BTCUSDT")
        everything = await rig.read("/v5/position/symbol-info", "category=inverse")

    assert [(row["leverage"], row["positionIdx"]) for row in one] == [("10", 1), ("10", 2)]
    assert {row["positionIdx"] for row in everything} == {0}


async def test_what_unified_accounts_do_not_have_is_refused_as_the_exchange_does() -> None:
    async with a_rig() as rig:
        old = [
            (await rig.post(f"/v5/position/{name}", {}))["retCode"]
            for name in ("switch-isolated", "set-tpsl-mode", "set-risk-limit")
        ]
        body = {"category": "linear", "symbol": "BTCUSDT"}
        confirmed = await rig.post("/v5/position/confirm-pending-mmr", body)

    assert old == [100028] * 3
    assert confirmed["retCode"] == 0


async def test_spot_lends_nothing_and_says_so() -> None:
    path = "/v5/spot-margin-trade/switch-mode"
    async with a_rig() as rig:
        state = await rig.get("/v5/spot-margin-trade/state")
        codes = [
            (await rig.post(path, {"spotMarginMode": mode}))["retCode"] for mode in ("0", "1", "2")
        ]

    assert state["result"]["spotMarginMode"] == "0"
    assert codes == [0, 10001, 10001]


async def test_what_of_a_coin_is_free_may_be_transferred() -> None:
    async with a_rig(AccountConfig(balances={"USDT": D(1000)})) as rig:
        await rig.create(category="spot", price="40000", qty="0.01")
        answer = await rig.get("/v5/account/withdrawal", "coinName=USDT,BTC")
        none = await rig.get("/v5/account/withdrawal", "coinName=,")

    assert answer["result"] == {
        "availableWithdrawal": "600",
        "availableWithdrawalMap": {"USDT": "600", "BTC": "0"},
    }
    assert none["retCode"] == 10001


async def test_a_liquidation_is_an_order_that_the_exchange_made() -> None:
    async with a_rig() as rig:
        await rig.create(orderType="Market")
        rig.server.account().exchange.admin.liquidate(BTC, rig.clock.now())
        rig.server.account().pump()
        row = (await rig.read("/v5/execution/list", "category=linear"))[0]
        closed = (await rig.read("/v5/position/closed-pnl", "category=linear"))[0]

    assert (row["execType"], row["createType"], row["orderType"]) == (
        "BustTrade",
        "CreateByLiq",
        "Market",
    )
    assert len(row["orderId"]) == 36
    assert (row["orderLinkId"], closed["orderId"]) == ("", row["orderId"])
