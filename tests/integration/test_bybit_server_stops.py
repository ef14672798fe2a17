"""Conditional orders, take-profit, stop-loss and trailing stop of the local Bybit."""

from typing import Any

import pytest

from order_adapters.bybit_server import AccountConfig
from order_domain.model.enums import Side
from tests.integration.bybit_rig import Rig, a_rig

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
SPOT = {"category": "spot", "symbol": "BTCUSDT"}
RISING = {"triggerPrice": "51000", "triggerDirection": 1}
STOP_PATH = "/v5/position/trading-stop"
FULL = LINEAR | {"tpslMode": "Full", "positionIdx": 0}
PARTIAL = LINEAR | {"tpslMode": "Partial", "positionIdx": 0}


async def linear_orders(rig: Rig, path: str = "realtime", **query: str) -> list[dict[str, Any]]:
    text = "&".join(f"{name}={value}" for name, value in (LINEAR | query).items())
    return await rig.read(f"/v5/order/{path}", text)


async def bought(rig: Rig, **order: Any) -> None:
    answer = await rig.create(orderType="Market", **order)
    assert answer["retCode"] == 0, answer


async def test_a_conditional_order_shows_its_condition() -> None:
    async with a_rig() as rig:
        await rig.create(
            orderLinkId="c",
            orderType="Market",
            closeOnTrigger=True,
            triggerBy="MarkPrice",
            **RISING,
        )
        row = await rig.order("c")

    shown = {
        "orderStatus": "Untriggered",
        "stopOrderType": "Stop",
        "triggerPrice": "51000",
        "triggerDirection": 1,
        "triggerBy": "MarkPrice",
        "closeOnTrigger": True,
        "reduceOnly": True,
        "createType": "CreateByStopOrder",
        "leavesQty": "0.010",
    }
    assert {name: row[name] for name in shown} == shown


async def test_its_trigger_is_pushed_and_the_fill_names_the_same_order() -> None:
    async with a_rig() as rig, rig.private("order", "execution") as stream:
        placed = await rig.create(orderLinkId="c", orderType="Market", **RISING)
        assert (await stream.row("order"))["orderStatus"] == "Untriggered"
        rig.others_trade("51000")
        pushed = await stream.rows(3)

    assert [row.get("orderStatus", row.get("execType")) for _, row in pushed] == [
        "Triggered",
        "Trade",
        "Filled",
    ]
    assert {row["orderId"] for _, row in pushed} == {placed["result"]["orderId"]}
    assert {row["stopOrderType"] for _, row in pushed} == {"Stop"}
    assert {row["createType"] for _, row in pushed} == {"CreateByStopOrder"}


async def test_a_filter_tells_active_orders_from_those_that_wait() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="active")
        await rig.create(orderLinkId="waits", **RISING)
        by_filter = {
            name: [row["orderLinkId"] for row in await linear_orders(rig, orderFilter=name)]
            for name in ("Order", "StopOrder", "tpslOrder")
        }
        everything = [row["orderLinkId"] for row in await linear_orders(rig)]

    assert by_filter == {"Order": ["active"], "StopOrder": ["waits"], "tpslOrder": []}
    assert everything == ["waits", "active"]


async def test_one_that_has_triggered_is_found_by_either_filter() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="c", price="50500", side="Sell", **RISING)
        rig.others_trade("51000")
        rows = [await linear_orders(rig, orderFilter=name) for name in ("Order", "StopOrder")]

    assert [[row["orderStatus"] for row in each] for each in rows] == [["New"], ["New"]]


async def test_a_waiting_order_is_amended_and_cancelled() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="c", **RISING)
        body = LINEAR | {"orderLinkId": "c"}
        moved = await rig.post(
            "/v5/order/amend", body | {"triggerPrice": "52000", "triggerBy": "IndexPrice"}
        )
        row = await rig.order("c")
        crossed = await rig.post("/v5/order/amend", body | {"triggerPrice": "40000"})
        await rig.cancel(orderLinkId="c")
        ended = await rig.order("c")

    assert (moved["retCode"], crossed["retCode"]) == (0, 110092)
    assert (row["triggerPrice"], row["triggerBy"]) == ("52000", "IndexPrice")
    assert (ended["orderStatus"], ended["cancelType"]) == ("Deactivated", "CancelByUser")


async def test_a_batch_does_not_amend_what_waits() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="waits", **RISING)
        await rig.create(orderLinkId="active")
        change = [{"symbol": "BTCUSDT", "orderLinkId": each, "qty": "0.02"}
                  for each in ("waits", "active")]  # fmt: skip
        body = {"category": "linear", "request": change}
        answer = await rig.post("/v5/order/amend-batch", body)

    assert [each["code"] for each in answer["retExtInfo"]["list"]] == [10001, 0]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({}, []),
        ({"orderFilter": "Order"}, ["StopLoss", "Stop"]),
        ({"orderFilter": "StopOrder"}, ["UNKNOWN"]),
        ({"orderFilter": "StopOrder", "stopOrderType": "Stop"}, ["StopLoss", "UNKNOWN"]),
    ],
)
async def test_cancel_all_takes_what_its_filter_says(body: dict[str, str], left: list[str]) -> None:
    async with a_rig() as rig:
        await rig.create()
        await rig.create(**RISING)
        await bought(rig, stopLoss="45000")
        await rig.post("/v5/order/cancel-all", LINEAR | body)
        rows = await linear_orders(rig)

    assert [row["stopOrderType"] for row in rows] == left


async def test_a_spot_order_needs_its_filter_to_be_placed_and_cancelled() -> None:
    async with a_rig() as rig:
        spot = {"category": "spot", "orderLinkId": "s", "triggerPrice": "51000"}
        codes = [
            (await rig.create(**(spot | more)))["retCode"]
            for more in (
                {},
                {"orderFilter": "OcoOrder"},
                {"orderFilter": "StopOrder", "triggerPrice": ""},
                {"orderFilter": "StopOrder", "triggerPrice": "50000.05"},
                {"orderFilter": "StopOrder"},
            )
        ]
        row = await rig.order("s", "spot")
        unfiltered = await rig.cancel(category="spot", orderLinkId="s")
        cancelled = await rig.cancel(category="spot", orderLinkId="s", orderFilter="StopOrder")

    assert codes == [10001, 10001, 10001, 10001, 0]
    assert (row["orderStatus"], row["stopOrderType"]) == ("Untriggered", "Stop")
    assert "tpslMode" not in row
    assert (unfiltered["retCode"], cancelled["retCode"]) == (170213, 0)


async def test_a_spot_tpsl_order_locks_an_amount_of_quote_coin_at_once() -> None:
    async with a_rig() as rig:
        await rig.create(
            category="spot",
            orderType="Market",
            qty="510",
            orderFilter="tpslOrder",
            triggerPrice="51000",
            orderLinkId="s",
        )
        row = await rig.order("s", "spot")
        wallet = await rig.read("/v5/account/wallet-balance", "accountType=UNIFIED&coin=USDT")
        body = {"category": "spot", "orderFilter": "tpslOrder"}
        ended = await rig.post("/v5/order/cancel-all", body)

    assert (row["qty"], row["stopOrderType"], row["leavesQty"]) == ("510", "tpslOrder", "0.010000")
    assert float(wallet[0]["coin"][0]["locked"]) == 510
    assert len(ended["result"]["list"]) == 1


async def test_take_profit_and_stop_loss_of_an_order_become_orders_of_the_position() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="p", takeProfit="60000", stopLoss="45000")
        parent = await rig.order("p")
        rig.others_trade("48999", side=Side.SELL)
        rows = await linear_orders(rig, orderFilter="StopOrder")
        position = (await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT"))[0]

    assert (parent["takeProfit"], parent["stopLoss"]) == ("60000", "45000")
    assert (parent["tpslMode"], parent["tpTriggerBy"]) == ("Full", "LastPrice")
    assert [
        (row["stopOrderType"], row["createType"], row["side"], row["triggerPrice"]) for row in rows
    ] == [
        ("TakeProfit", "CreateByTakeProfit", "Sell", "60000"),
        ("StopLoss", "CreateByStopLoss", "Sell", "45000"),
    ]
    assert {row["parentOrderLinkId"] for row in rows} == {"p"}
    assert {row["orderLinkId"] for row in rows} == {""}
    assert {(row["tpslMode"], row["reduceOnly"], row["closeOnTrigger"]) for row in rows} == {
        ("Full", True, True)
    }
    assert (position["takeProfit"], position["stopLoss"]) == ("60000", "45000")


async def test_a_stop_loss_closes_and_its_execution_says_what_it_was() -> None:
    async with a_rig() as rig:
        await bought(rig, stopLoss="45000", takeProfit="60000")
        rig.others_trade("45000")
        fill = (await rig.read("/v5/execution/list", "category=linear"))[0]
        position = (await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT"))[0]
        ended = await linear_orders(rig, "history", orderFilter="StopOrder")

    assert (fill["stopOrderType"], fill["createType"], fill["side"], fill["closedSize"]) == (
        "StopLoss",
        "CreateByStopLoss",
        "Sell",
        "0.010",
    )
    assert (position["size"], position["stopLoss"], position["takeProfit"]) == ("0", "", "")
    assert [(row["orderStatus"], row["cancelType"]) for row in ended] == [
        ("Deactivated", "CancelByTpSlTsClear"),
        ("Filled", "UNKNOWN"),
    ]


async def test_partial_guards_may_be_limit_orders() -> None:
    async with a_rig() as rig:
        await bought(
            rig,
            tpslMode="Partial",
            takeProfit="51000",
            tpOrderType="Limit",
            tpLimitPrice="51010",
            stopLoss="45000",
        )
        rows = await linear_orders(rig)

    assert [
        (row["stopOrderType"], row["orderType"], row["price"], row["tpslMode"]) for row in rows
    ] == [
        ("PartialTakeProfit", "Limit", "51010", "Partial"),
        ("PartialStopLoss", "Market", "0", "Partial"),
    ]


async def test_guards_to_come_are_amended_part_by_part_and_taken_away() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="p", takeProfit="60000", stopLoss="45000")
        body = LINEAR | {"orderLinkId": "p"}
        shown = []
        for change in (
            {"takeProfit": "61000", "tpTriggerBy": "MarkPrice"},
            {"stopLoss": "0", "qty": "0.02"},
            {"takeProfit": "0"},
        ):
            assert (await rig.post("/v5/order/amend", body | change))["retCode"] == 0
            row = await rig.order("p")
            shown.append((row["takeProfit"], row["tpTriggerBy"], row["stopLoss"], row["qty"]))
        nothing = await rig.post("/v5/order/amend", body)

    assert shown == [
        ("61000", "MarkPrice", "45000", "0.010"),
        ("61000", "MarkPrice", "", "0.020"),
        ("", "", "", "0.020"),
    ]
    assert nothing["retCode"] == 10001


async def test_the_limit_of_a_partial_guard_stays_when_only_its_trigger_is_amended() -> None:
    async with a_rig() as rig:
        await rig.create(
            orderLinkId="p", tpslMode="Partial", takeProfit="60000", tpLimitPrice="60010"
        )
        change = LINEAR | {"orderLinkId": "p", "takeProfit": "61000", "tpOrderType": "Limit"}
        await rig.post("/v5/order/amend", change)
        row = await rig.order("p")

    assert (row["takeProfit"], row["tpLimitPrice"], row["tpslMode"]) == (
        "61000",
        "60010",
        "Partial",
    )


async def test_an_order_that_has_begun_to_fill_keeps_its_guards() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="p", stopLoss="45000")
        rig.others_trade("48999", side=Side.SELL)
        assert (await rig.order("p"))["orderStatus"] == "PartiallyFilled"
        change = LINEAR | {"orderLinkId": "p", "stopLoss": "46000"}
        answer = await rig.post("/v5/order/amend", change)
        below = LINEAR | {"orderLinkId": "p", "qty": "0.001"}
        too_little = await rig.post("/v5/order/amend", below)

    assert (answer["retCode"], too_little["retCode"]) == (110059, 110064)


async def test_a_filled_spot_order_leaves_a_pair_of_which_one_remains() -> None:
    async with a_rig() as rig:
        await rig.create(
            price="50001",
            orderLinkId="s",
            takeProfit="51000",
            tpLimitPrice="51000",
            stopLoss="45000",
            category="spot",
        )
        rows = await rig.read("/v5/order/realtime", "category=spot&orderFilter=OcoOrder")
        rig.others_trade("45000", "spot:BTCUSDT")
        left = await rig.read("/v5/order/realtime", "category=spot")

    assert [(row["stopOrderType"], row["orderType"], row["triggerPrice"]) for row in rows] == [
        ("OcoOrder", "Limit", "51000"),
        ("OcoOrder", "Market", "45000"),
    ]
    assert left == []


async def test_a_spot_order_shows_its_exits_without_a_mode() -> None:
    async with a_rig() as rig:
        await rig.create(category="spot", orderLinkId="s", takeProfit="60000", stopLoss="45000")
        row = await rig.order("s", "spot")

    assert (row["takeProfit"], row["stopLoss"], row["tpTriggerBy"]) == ("60000", "45000", "")
    assert "tpslMode" not in row


async def test_an_order_is_not_amended_to_what_is_not_simulated() -> None:
    async with a_rig() as rig:
        await rig.create(orderLinkId="p")
        body = LINEAR | {"orderLinkId": "p", "qty": "0.02", "orderIv": "0.1"}
        answer = await rig.post("/v5/order/amend", body)

    assert (answer["retCode"], "not simulated" in answer["retMsg"]) == (10001, True)


async def test_trading_stop_sets_changes_and_takes_away() -> None:
    async with a_rig() as rig:
        await bought(rig)
        codes = [
            (await rig.post(STOP_PATH, FULL | more))["retCode"]
            for more in (
                {"takeProfit": "60000", "stopLoss": "45000", "trailingStop": "100"},
                {"takeProfit": "61000"},
                {"takeProfit": "61000"},
                {"stopLoss": "0"},
            )
        ]
        waiting = await rig.guards()
        position = (await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT"))[0]

    assert codes == [0, 0, 34040, 0]
    assert waiting == [
        ("TrailingStop", "0.010", "49900.00"),
        ("TakeProfit", "0.010", "61000"),
    ]
    assert (position["takeProfit"], position["stopLoss"], position["trailingStop"]) == (
        "61000",
        "",
        "100",
    )


async def test_without_mode_and_index_trading_stop_means_the_whole_one_way_position() -> None:
    async with a_rig() as rig:
        await bought(rig)
        answer = await rig.post(STOP_PATH, LINEAR | {"trailingStop": "100"})
        waiting = await rig.guards()

    assert answer["retCode"] == 0
    assert waiting == [("TrailingStop", "0.010", "49900.00")]


async def test_trading_stop_adds_guards_for_a_part() -> None:
    async with a_rig() as rig:
        await bought(rig, qty="0.5")
        both = {"takeProfit": "60000", "stopLoss": "45000", "tpSize": "0.2", "slSize": "0.2"}
        await rig.post(STOP_PATH, PARTIAL | both)
        limit = {"takeProfit": "61000", "tpOrderType": "Limit", "tpLimitPrice": "61010"}
        await rig.post(STOP_PATH, PARTIAL | limit | {"tpSize": "0.1"})
        waiting = await rig.guards()

    assert waiting == [
        ("PartialTakeProfit", "0.1", "61000"),
        ("PartialTakeProfit", "0.2", "60000"),
        ("PartialStopLoss", "0.2", "45000"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"tpslMode": "Half"},
        {"positionIdx": 1},
        {"takeProfit": "40000"},
        {"takeProfit": "60000", "tpOrderType": "Limit", "tpLimitPrice": "60000"},
        {"trailingStop": "-1"},
        {"tpSize": "0.1", "slSize": "0.2"},
        {"category": "spot"},
    ],
)
async def test_a_wrong_trading_stop_is_a_parameter_error(body: dict[str, Any]) -> None:
    async with a_rig() as rig:
        await bought(rig)
        answer = await rig.post(STOP_PATH, FULL | {"stopLoss": "45000"} | body)
        waiting = await rig.guards()

    assert (answer["retCode"], waiting) == (10001, [])


async def test_guards_of_a_hedged_account_are_told_apart_by_index() -> None:
    async with a_rig(AccountConfig(hedged=True)) as rig:
        await bought(rig, positionIdx=1)
        await bought(rig, positionIdx=2, side="Sell")
        await rig.post(STOP_PATH, FULL | {"positionIdx": 1, "stopLoss": "45000"})
        await rig.post(STOP_PATH, FULL | {"positionIdx": 2, "stopLoss": "55000"})
        rows = await rig.read("/v5/position/list", "category=linear&symbol=BTCUSDT")

    assert [(row["positionIdx"], row["stopLoss"]) for row in rows] == [(1, "45000"), (2, "55000")]


async def test_a_mode_is_not_switched_while_something_waits() -> None:
    async with a_rig() as rig:
        await rig.create(**RISING)
        body = {"category": "linear", "symbol": "BTCUSDT", "mode": 3}
        answer = await rig.post("/v5/position/switch-mode", body)

    assert answer["retCode"] == 110028
