"""What a tester does behind the local Bybit's back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from order_adapters.bybit_server.rest.request import Request
from tests.integration.bybit_rig import Rig, a_rig

D = Decimal
BTC = {"category": "linear", "symbol": "BTCUSDT"}


@asynccontextmanager
async def an_open_rig(**config: Any) -> AsyncIterator[Rig]:
    async with a_rig(admin=True, **config) as rig:
        yield rig


async def ask(rig: Rig, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = await rig.http.post(f"/admin/{path}", content=json.dumps(body))
    return answer.status_code, answer.json()


async def test_there_is_no_admin_unless_it_is_asked_for() -> None:
    async with a_rig() as rig:
        assert (await rig.http.get("/admin/state")).status_code == 404


async def test_the_admin_answers_this_machine_only() -> None:
    async with an_open_rig() as rig:
        admin = rig.server.app.admin
        assert admin is not None
        request = Request("GET", "/admin/state", b"", {}, b"", "10.0.0.1")
        assert (await admin.respond(request)).status == 403
        assert (await rig.http.get("/admin/state")).status_code == 200


async def test_a_moved_price_fills_what_it_reaches() -> None:
    async with an_open_rig() as rig, rig.private("order") as stream:
        await rig.create(price="49000")
        assert await ask(rig, "quote", BTC | {"bid": "48000", "ask": "48000.1"}) == (
            200,
            {"instrument": "linear:BTCUSDT"},
        )
        rows = [await stream.row("order") for _ in range(2)]

    assert [row["orderStatus"] for row in rows] == ["New", "Filled"]


async def test_a_trade_of_others_walks_through_the_queue() -> None:
    async with an_open_rig() as rig:
        await rig.create(price="50000", orderLinkId="a")
        await ask(rig, "trade", BTC | {"price": "50000", "size": "10.004", "side": "Sell"})
        order = await rig.order("a")

    assert (order["orderStatus"], order["cumExecQty"]) == ("PartiallyFilled", "0.004")


async def test_a_foreign_order_shows_like_any_other_and_may_be_cancelled() -> None:
    async with an_open_rig() as rig, rig.private("order") as stream:
        body = BTC | {"side": "Buy", "qty": "0.05", "price": "49000"}
        status, placed = await ask(rig, "order", body)
        row = await stream.row("order")
        assert (status, placed["orderId"]) == (200, row["orderId"])
        assert (row["orderLinkId"], row["createType"]) == ("", "CreateByClosing")
        assert await ask(rig, "cancel", placed) == (200, {"cancelled": True})
        assert (await stream.row("order"))["orderStatus"] == "Cancelled"
        assert await ask(rig, "cancel", placed) == (200, {"cancelled": False})
        status, said = await ask(rig, "order", body | {"qty": "0.0001"})
        assert (status, said["details"]["field"]) == (400, "order")


async def test_a_liquidation_cancels_orders_and_closes_the_position() -> None:
    async with an_open_rig() as rig, rig.private("order", "execution", "position") as stream:
        await rig.create(orderType="Market", qty="0.1")
        await rig.create(orderLinkId="resting")
        await stream.rows(5)
        await ask(rig, "liquidate", BTC)
        cancelled, _, bust, position = await stream.rows(4)
        (closed,) = await rig.read("/v5/position/closed-pnl", "category=linear")

    assert cancelled[1]["cancelType"] == "CancelAllBeforeLiq"
    assert (bust[1]["execType"], bust[1]["closedSize"]) == ("BustTrade", "0.100")
    assert (position[0], position[1]["size"]) == ("position", "0")
    assert closed["execType"] == "BustTrade"


async def test_funding_is_paid_by_longs_and_logged_with_the_other_sign() -> None:
    async with an_open_rig() as rig, rig.private("execution") as stream:
        await rig.create(orderType="Market", qty="1")
        await stream.row("execution")
        await ask(rig, "funding", BTC | {"rate": "0.0001"})
        execution = await stream.row("execution")
        entry = (await rig.read("/v5/account/transaction-log", "type=SETTLEMENT"))[0]
        trades = await rig.read("/v5/execution/list", "category=linear&execType=Trade")

    assert (execution["execType"], D(execution["execFee"])) == ("Funding", D("5.000005"))
    assert (execution["orderType"], execution["orderLinkId"]) == ("UNKNOWN", "")
    assert D(entry["funding"]) == D(entry["change"]) == D("-5.000005")
    assert len(trades) == 1


async def test_faults_may_be_added_while_the_server_runs() -> None:
    async with an_open_rig() as rig:
        fault = '{"fault": "answer_code", "request": "create", "code": 10016}'
        answer = await rig.http.post("/admin/faults", content=f"# once\n{fault}\n")
        assert answer.json() == {"faults": 1}
        assert [(await rig.create())["retCode"] for _ in range(2)] == [10016, 0]
        broken = await rig.http.post("/admin/faults", content='{"fault": "earthquake"}')
        assert (broken.status_code, broken.json()["details"]["line"]) == (400, "1")


async def test_sockets_are_cut_and_addresses_banned_on_demand() -> None:
    async with an_open_rig() as rig, rig.trade():
        assert await ask(rig, "disconnect", {"socket": "trade"}) == (200, {"cut": 1})
        assert await ask(rig, "disconnect", {"socket": "telephone"}) == (
            400,
            {"error": "socket must be private, trade or public"},
        )
        await ask(rig, "ban", {"address": "127.0.0.1"})
        assert (await rig.http.get("/v5/market/time")).status_code == 403


async def test_the_state_holds_everything_of_the_account() -> None:
    async with an_open_rig() as rig:
        await rig.create(orderLinkId="a")
        await rig.create(orderType="Market", orderLinkId="b")
        state = (await rig.http.get("/admin/state")).json()

    assert (state["userId"], state["openOrders"]) == (1_000_001, 1)
    assert [order["client_order_id"] for order in state["orders"]] == ["a", "b"]
    assert len(state["executions"]) == 1
    assert state["rateLimited"] == {}
    assert state["rates"]["create/futures"] == {"limit": 10, "peak": 2, "refusedAt": []}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("quote", BTC | {"bid": "2", "ask": "1"}),
        ("quote", BTC | {"bid": "2"}),
        ("quote", {"symbol": "NOPE", "bid": "1", "ask": "2"}),
        ("trade", BTC | {"price": "1", "size": "1", "side": "sell"}),
        ("liquidate", BTC | {"positionIdx": 9}),
        ("market", {"running": False}),
        ("order", BTC | {"apiKey": "NOBODY"}),
    ],
)
async def test_what_makes_no_sense_is_refused(path: str, body: dict[str, Any]) -> None:
    async with an_open_rig() as rig:
        status, said = await ask(rig, path, body)

    assert status == 400
    assert said["error"]


async def test_an_unknown_path_lists_those_that_are_there() -> None:
    async with an_open_rig() as rig:
        status, said = await ask(rig, "nothing", {})

    assert status == 404
    assert "POST /admin/faults" in said["paths"]
