"""The streams of the local Bybit, frame by frame."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from order_adapters.bybit_server import AccountConfig
from order_adapters.simulator import MarketTrade
from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId
from tests.integration.bybit_rig import a_rig

D = Decimal
BTC = InstrumentId("linear:BTCUSDT")
ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.01",
    "price": "49000",
}


async def test_subscribing_may_follow_auth_without_waiting_and_is_answered_once() -> None:
    async with a_rig() as rig, rig.stream("/v5/private") as stream:
        key, expires, sign = rig.auth()
        await stream.say(op="auth", args=[key, str(expires), sign])
        await stream.say(op="subscribe", req_id=17, args=["order", "wallet"])
        await stream.say(op="ping", req_id="p")
        said = [await stream.hear() for _ in range(3)]

    name = said[0].pop("conn_id")
    assert said == [
        {"success": True, "ret_msg": "", "op": "auth"},
        {"success": True, "ret_msg": "", "op": "subscribe", "req_id": 17, "conn_id": name},
        {"req_id": "p", "op": "pong", "args": [str(rig.now)], "conn_id": name},
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["NOBODY", 9_999_999_999_999, "00"],
        ["SIMULATORKEY000001", 9_999_999_999_999, "00"],
        ["SIMULATORKEY000001", 1, "00"],
        ["SIMULATORKEY000001"],
        "SIMULATORKEY000001",
        [1, 2, 3],
        None,
    ],
)
async def test_who_cannot_sign_gets_no_stream(args: Any) -> None:
    async with a_rig() as rig, rig.stream("/v5/private") as stream:
        await stream.say(op="auth", args=args)
        assert (await stream.hear())["success"] is False
        await stream.say(op="subscribe", args=["order"])
        assert (await stream.hear())["success"] is False
        await rig.create()
        await stream.say(op="ping")
        assert (await stream.hear())["op"] == "pong"


async def test_an_expired_auth_is_refused_though_it_is_signed() -> None:
    async with a_rig() as rig, rig.stream("/v5/private") as stream:
        args = rig.auth()
        rig.wait(seconds=1)
        await stream.say(op="auth", args=args)
        assert (await stream.hear())["success"] is False


@pytest.mark.parametrize(
    "topics", [[], ["orders"], ["order", "order.linear"], ["position.spot"], [1], "order"]
)
async def test_a_subscription_that_is_wrong_in_one_part_is_refused_whole(topics: Any) -> None:
    async with a_rig() as rig, rig.private("wallet") as stream:
        await stream.say(op="subscribe", args=topics)
        assert (await stream.hear())["success"] is False
        await rig.create(orderType="Market")
        assert (await stream.hear())["topic"] == "wallet"


async def test_every_change_of_an_order_pushes_the_order_its_position_and_the_wallet() -> None:
    async with a_rig() as rig, rig.private("order", "execution", "position", "wallet") as stream:
        await rig.create(orderLinkId="a")
        placed = await stream.rows(3)
        await rig.post("/v5/order/amend", ORDER | {"orderLinkId": "a", "price": "49100"})
        amended = await stream.rows(3)
        rig.server.move(BTC, D(49000), D("49000.1"))
        filled = await stream.rows(4)

    assert [topic for topic, _ in placed] == ["order", "position", "wallet"]
    assert [row.get("orderStatus", row.get("size")) for _, row in placed[:2]] == ["New", "0"]
    assert amended[0][1]["price"] == "49100"
    assert [topic for topic, _ in filled] == ["execution", "order", "position", "wallet"]
    execution, order, position, _ = (row for _, row in filled)
    assert (execution["isMaker"], execution["execPrice"], execution["extraFees"]) == (
        True,
        "49100",
        [],
    )
    assert (order["orderStatus"], order["category"]) == ("Filled", "linear")
    assert order["cumFeeDetail"] == {"USDT": execution["execFee"]}
    assert position["entryPrice"] == "49100"
    assert "avgPrice" not in position
    assert position["seq"] == execution["seq"]


async def test_a_topic_may_be_asked_for_by_category_and_spot_has_no_position() -> None:
    topics = ("order.spot", "execution.spot", "execution.fast", "position.linear")
    async with a_rig() as rig, rig.private(*topics) as stream:
        await rig.create(orderType="Market")
        linear = await stream.rows(2)
        await rig.create(category="spot", orderType="Market", qty="100", orderLinkId="s")
        spot = await stream.rows(3)

    assert [topic for topic, _ in linear] == ["execution.fast", "position.linear"]
    assert {topic for topic, _ in spot} == {"execution.fast", "execution.spot", "order.spot"}
    rows = dict(spot)
    assert "tpslMode" not in rows["order.spot"]
    assert rows["execution.fast"].keys() == {
        "category",
        "symbol",
        "execId",
        "execPrice",
        "execQty",
        "orderId",
        "isMaker",
        "orderLinkId",
        "side",
        "execTime",
        "seq",
    }


async def test_what_is_unsubscribed_is_pushed_no_more() -> None:
    async with a_rig() as rig, rig.private("order", "wallet") as stream:
        await stream.say(op="unsubscribe", args=["order"])
        assert (await stream.hear())["op"] == "unsubscribe"
        await rig.create()
        assert (await stream.hear())["topic"] == "wallet"


async def test_a_cancel_that_lost_to_a_fill_is_accepted_and_reported_by_a_second_filled() -> None:
    async with a_rig() as rig, rig.private("order") as stream:
        await rig.create(orderLinkId="a")
        sent = rig.now
        rig.wait(milliseconds=5)
        rig.server.move(BTC, D(48000), D("48000.1"))
        answer = await rig.post("/v5/order/cancel", ORDER | {"orderLinkId": "a"}, stamp=sent)
        rows = [await stream.row("order") for _ in range(3)]
        late = await rig.cancel(orderLinkId="a")

    assert answer["retCode"] == 0
    assert [(row["orderStatus"], row["rejectReason"], row["cancelType"]) for row in rows] == [
        ("New", "EC_NoError", "UNKNOWN"),
        ("Filled", "EC_NoError", "UNKNOWN"),
        ("Filled", "EC_OrigClOrdIDDoesNotExist", "CancelByUser"),
    ]
    assert late["retCode"] == 110008


async def test_a_shrinking_position_shrinks_and_ends_its_reduce_only_orders() -> None:
    async with a_rig() as rig, rig.private("order") as stream:
        await rig.create(orderType="Market", qty="0.02")
        close = {"side": "Sell", "reduceOnly": True}
        await rig.create(**close, price="51000", qty="0.02", orderLinkId="r")
        await rig.create(orderType="Market", **close, qty="0.01")
        await rig.create(orderType="Market", **close, qty="0.01")
        rows = [await stream.row("order") for _ in range(6)]

    mine = [row for row in rows if row["orderLinkId"] == "r"]
    assert [(row["orderStatus"], row["qty"]) for row in mine] == [
        ("New", "0.020"),
        ("New", "0.010"),
        ("Cancelled", "0.010"),
    ]
    assert mine[-1]["cancelType"] == "CancelByReduceOnly"


async def test_orders_over_the_trade_socket_are_answered_under_their_request_id() -> None:
    async with a_rig() as rig, rig.trade() as stream:
        created = await rig.ask(stream, "order.create", ORDER | {"orderLinkId": "a"}, reqId="r-1")
        target = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "a"}
        amended = await rig.ask(stream, "order.amend", target | {"qty": "0.02"}, reqId="r-2")
        assert (await rig.order("a"))["qty"] == "0.020"
        cancelled = await rig.ask(stream, "order.cancel", target)
        again = await rig.ask(stream, "order.cancel", target, reqId="r-4")

    assert created.keys() == {
        "reqId",
        "retCode",
        "retMsg",
        "op",
        "data",
        "retExtInfo",
        "header",
        "connId",
    }
    assert (created["reqId"], created["retCode"], created["retMsg"]) == ("r-1", 0, "OK")
    assert created["data"] == amended["data"] == cancelled["data"]
    assert "reqId" not in cancelled
    assert (again["retCode"], again["data"]) == (110010, {})
    header = created["header"]
    assert all(isinstance(value, str) for value in header.values())
    assert (header["X-Bapi-Limit"], header["X-Bapi-Limit-Status"]) == ("10", "9")
    assert header["Timenow"] == str(rig.now)


async def test_a_batch_over_the_trade_socket_answers_each_order() -> None:
    async with a_rig() as rig, rig.trade() as stream:
        body = {"category": "linear", "request": [ORDER, ORDER | {"qty": "0"}]}
        answer = await rig.ask(stream, "order.create-batch", body, reqId="b")

    assert answer["retCode"] == 0
    assert [code["code"] for code in answer["retExtInfo"]["list"]] == [0, 10001]
    assert answer["data"]["list"][0]["orderId"]


async def test_a_request_that_is_wrong_is_answered_with_its_code_and_does_nothing() -> None:
    async with a_rig() as rig, rig.trade() as stream:
        old = {"X-BAPI-TIMESTAMP": rig.now - 5001}
        wide = {"X-BAPI-TIMESTAMP": rig.now - 5001, "X-BAPI-RECV-WINDOW": 6000}

        async def code(op: str = "order.create", **frame: Any) -> int:
            answer = await rig.ask(stream, op, ORDER, **frame)
            found: int = answer["retCode"]
            return found

        assert await code(op="order.cancel-all") == 10404
        assert await code(header=old) == 10002
        assert await code(header={}) == 10001
        assert await code(args=[]) == 10001
        assert await code(args=[ORDER, ORDER]) == 10001
        assert await code(reqId="x" * 37) == 10001
        assert await rig.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT") == []
        assert await code(header=wide, reqId="1") == 0
        assert await code(reqId="1") == 20006
        await stream.say(op="auth", args=rig.auth(), reqId="again")
        assert await stream.hear() == {
            "reqId": "again",
            "retCode": 20001,
            "retMsg": "Repeat auth",
            "op": "auth",
            "connId": "00000000-0000-0000-0000-000000000001",
        }


async def test_a_request_id_is_remembered_by_its_connection_only() -> None:
    async with a_rig() as rig:
        for _ in range(2):
            async with rig.trade() as stream:
                assert (await rig.ask(stream, "order.create", ORDER, reqId="1"))["retCode"] == 0


async def test_without_auth_a_trade_socket_answers_pings_and_nothing_else() -> None:
    async with a_rig() as rig, rig.stream("/v5/trade") as stream:
        await stream.say(op="ping", reqId="p")
        pong = await stream.hear()
        answer = await rig.ask(stream, "order.create", ORDER, reqId="r")
        await stream.say(op="auth", args=["SIMULATORKEY000001", rig.now + 1000, "00"])
        bad = await stream.hear()

    assert (pong["op"], pong["data"], pong["reqId"]) == ("pong", [str(rig.now)], "p")
    assert answer["retCode"] == 10003
    assert (bad["op"], bad["retCode"]) == ("auth", 10004)


async def test_the_trade_socket_and_rest_share_one_limit() -> None:
    async with a_rig() as rig, rig.trade() as stream:
        codes = [(await rig.create())["retCode"] for _ in range(9)]
        codes += [(await rig.ask(stream, "order.create", ORDER))["retCode"] for _ in range(2)]
        codes.append((await rig.create())["retCode"])

    assert codes == [0] * 10 + [10006] * 2


async def test_a_book_built_from_snapshot_and_deltas_is_the_book_of_rest() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", req_id="s", args=["orderbook.50.BTCUSDT"])
        said = await stream.hear()
        first = await stream.hear()
        rig.server.move(BTC, D("49999.5"), D("50000.2"), D(4))
        second = await stream.hear()
        path = "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=50"
        rest = (await rig.http.get(path)).json()["result"]

    assert (said["req_id"], said["ret_msg"], said["success"]) == ("s", "", True)
    assert [each["type"] for each in (first, second)] == ["snapshot", "delta"]
    for side in ("b", "a"):
        book = dict(first["data"][side])
        for price, size in second["data"][side]:
            if size == "0":
                del book[price]  # a delta takes away only what was there
            else:
                book[price] = size
        assert {D(p): D(q) for p, q in book.items()} == {D(p): D(q) for p, q in rest[side]}
    assert second["data"]["u"] == first["data"]["u"] + 1 == rest["u"]


async def test_a_ticker_says_everything_once_and_then_what_changed() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", args=["tickers.BTCUSDT", "orderbook.1.BTCUSDT"])
        await stream.hear()
        snapshot, book = await stream.hear(), await stream.hear()
        rig.server.move(BTC, D(50000), D("50000.2"))
        book_again, delta = await stream.hear(), await stream.hear()

    assert (snapshot["type"], delta["type"]) == ("snapshot", "delta")
    assert snapshot["data"]["lastPrice"] == "50000.05"
    assert delta["data"]["ask1Price"] == "50000.2"
    assert "bid1Price" not in delta["data"]
    assert [each["type"] for each in (book, book_again)] == ["snapshot", "snapshot"]


async def test_trades_are_pushed_with_the_takers_side_and_spot_differs_in_its_words() -> None:
    spot = InstrumentId("spot:BTCUSDT")
    async with a_rig() as rig, rig.stream("/v5/public/spot") as stream:
        await stream.say(op="subscribe", args=["publicTrade.BTCUSDT", "tickers.BTCUSDT"])
        said, ticker = await stream.hear(), await stream.hear()
        rig.server.feed(MarketTrade(spot, D(50000), D("0.5"), Side.SELL, rig.clock.now()))
        trade = await stream.hear()
        await stream.say(op="subscribe", args=[f"tickers.{number}" for number in range(11)])
        while "op" not in (many := await stream.hear()):
            pass
        await stream.say(op="ping")
        pong = await stream.hear()

    assert said["ret_msg"] == "subscribe"
    assert "bid1Price" not in ticker["data"]
    (row,) = trade["data"]
    assert (row["S"], row["p"], row["v"]) == ("Sell", "50000", "0.5")
    assert "L" not in row
    assert (many["success"], many["ret_msg"]) == (False, "args size >10")
    assert (pong["op"], pong["ret_msg"]) == ("ping", "pong")
    assert "req_id" not in pong


@pytest.mark.parametrize("topic", ["orderbook.2.BTCUSDT", "tickers.NOPE", "kline.2.BTCUSDT", "x"])
async def test_a_public_topic_that_is_not_served_is_refused(topic: str) -> None:
    async with a_rig() as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", args=[topic])
        assert (await stream.hear())["success"] is False


@pytest.mark.parametrize("path", ["/v5/private", "/v5/public/linear"])
@pytest.mark.parametrize("frame", ["", "[]", "{", '"x"', '{"op":5}', '{"op":"order.create"}'])
async def test_a_frame_that_is_none_is_answered_and_the_stream_goes_on(
    path: str, frame: str
) -> None:
    async with a_rig() as rig, rig.stream(path) as stream:
        await stream.socket.send(frame)
        assert (await stream.hear())["success"] is False
        await stream.say(op="ping")
        assert (await stream.hear())["op"] in ("ping", "pong")


async def test_a_path_that_is_no_stream_is_refused() -> None:
    async with a_rig() as rig:
        with pytest.raises(Exception, match="403"):
            async with rig.stream("/v5/public/option"):
                pass


async def test_a_reader_that_is_too_slow_is_cut_off() -> None:
    async with a_rig(queue_size=5) as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", args=["orderbook.1.BTCUSDT"])
        await stream.hear()
        for number in range(10):  # in one breath: nothing can be written meanwhile
            rig.server.move(BTC, D(50000 + number), D(50001 + number))
        with pytest.raises(ConnectionClosed):
            while True:
                await stream.hear()
        async with asyncio.timeout(10):
            while rig.server.app.sessions["public"]:  # noqa: ASYNC110 -- a moment later
                await asyncio.sleep(0.005)


async def test_two_streams_of_one_account_hear_the_same() -> None:
    async with a_rig() as rig, rig.private("order") as one, rig.private("order") as two:
        await rig.create()
        assert await one.row("order") == await two.row("order")


async def test_a_stream_hears_nothing_of_other_accounts() -> None:
    other = AccountConfig(api_key="OTHER", secret="OTHERSECRET", user_id=7)
    async with a_rig(accounts=(AccountConfig(), other)) as rig, rig.private("order") as stream:
        rig.account = other
        await rig.create(orderLinkId="theirs")
        rig.account = AccountConfig()
        await rig.create(orderLinkId="mine")
        assert (await stream.row("order"))["orderLinkId"] == "mine"


async def test_cutting_one_stream_leaves_the_others() -> None:
    async with a_rig() as rig, rig.private("order") as private, rig.trade() as trade:
        assert rig.server.app.disconnect("private") == 1
        with pytest.raises(ConnectionClosed):
            await private.hear()
        assert (await rig.ask(trade, "order.create", ORDER))["retCode"] == 0
        assert (await rig.get("/v5/account/info"))["retCode"] == 0


async def test_orders_are_cancelled_when_no_stream_has_protected_them_for_the_window() -> None:
    account = AccountConfig(has_protection=True)
    async with (
        a_rig(account, uid_limits=False, ip_limit=None) as rig,
        rig.private("order") as stream,
    ):
        path = "/v5/order/disconnected-cancel-all"
        assert (await rig.post(path, {"product": "DERIVATIVES", "timeWindow": 2}))[
            "retCode"
        ] == 10001
        assert (await rig.post(path, {"product": "DERIVATIVES", "timeWindow": 10}))["retCode"] == 0
        info = (await rig.get("/v5/account/query-dcp-info"))["result"]["dcpInfos"]
        await rig.create(orderLinkId="linear")
        await rig.create(category="spot", orderLinkId="spot")
        rig.wait(seconds=60)  # nobody has asked for the topic yet
        assert (await rig.order("linear"))["orderStatus"] == "New"
        async with rig.private("dcp.future"):
            rig.wait(seconds=60)
            assert (await rig.order("linear"))["orderStatus"] == "New"
        while len(rig.server.account().publisher.sessions) > 1:
            await rig.get("/v5/account/info")
        rig.wait(seconds=9)
        async with rig.private("dcp.future"):
            rig.wait(seconds=9)
            assert (await rig.order("linear"))["orderStatus"] == "New"
        while len(rig.server.account().publisher.sessions) > 1:
            await rig.get("/v5/account/info")
        rig.wait(seconds=10)
        rows = [await stream.row("order") for _ in range(3)]
        assert (await rig.order("spot", "spot"))["orderStatus"] == "New"

    assert info == [{"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": "10"}]
    assert (rows[2]["orderLinkId"], rows[2]["cancelType"]) == ("linear", "CancelByDCP")


async def test_a_candle_is_pushed_as_it_grows_and_once_more_when_it_has_closed() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", args=["kline.1.BTCUSDT"])
        assert (await stream.hear())["success"] is True
        first = await stream.hear()
        rig.others_trade("50010")
        second = await stream.row("kline.1.BTCUSDT")
        rig.wait(seconds=61)
        rig.server.move(BTC, D(50000), D("50000.1"))
        closed = await stream.row("kline.1.BTCUSDT")
        rig.others_trade("50020")
        third = await stream.row("kline.1.BTCUSDT")

    assert (first["topic"], first["type"], len(first["data"])) == ("kline.1.BTCUSDT", "snapshot", 1)
    start = first["data"][0]["start"]
    assert second == {
        "start": start,
        "end": start + 59_999,
        "interval": "1",
        "open": "50000.05",
        "close": "50010",
        "high": "50010",
        "low": "50000.05",
        "volume": "0.001",
        "turnover": "50.01",
        "confirm": False,
        "timestamp": rig.now - 61_000,
    }
    assert closed == second | {"confirm": True, "timestamp": rig.now}
    assert (third["start"], third["open"], third["confirm"]) == (start + 60_000, "50020", False)


async def test_a_trade_of_the_next_candle_closes_the_one_before_it() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", args=["kline.5.BTCUSDT"])
        await stream.hear()
        start = (await stream.row("kline.5.BTCUSDT"))["start"]
        rig.wait(minutes=5)
        rig.others_trade("50020")
        rows = [await stream.row("kline.5.BTCUSDT") for _ in range(2)]

    assert [(row["start"], row["confirm"], row["close"]) for row in rows] == [
        (start, True, "50000.05"),
        (start + 300_000, False, "50020"),
    ]


async def test_a_quote_that_changes_no_candle_pushes_none() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", args=["kline.D.BTCUSDT"])
        await stream.hear()
        await stream.hear()
        rig.server.move(BTC, D(50001), D("50002"))
        await stream.say(op="ping")

        assert (await stream.hear())["op"] == "ping"


async def test_price_limits_are_pushed_when_they_change() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/spot") as stream:
        await stream.say(op="subscribe", args=["priceLimit.BTCUSDT"])
        await stream.hear()
        first = await stream.hear()
        name = InstrumentId("spot:BTCUSDT")
        rig.server.move(name, D(50000), D("50000.1"))
        rig.server.move(name, D(60000), D("60000.1"))
        second = await stream.hear()

    assert first["data"] == {"symbol": "BTCUSDT", "buyLmt": "55000", "sellLmt": "45000.1"}
    assert second["data"]["buyLmt"] == "66000"


async def test_everybody_sees_a_liquidation_with_the_side_of_its_position() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/linear") as stream:
        await stream.say(op="subscribe", args=["allLiquidation.BTCUSDT"])
        await stream.hear()
        await rig.create(orderType="Market")
        rig.server.account().exchange.admin.liquidate(BTC, rig.clock.now())
        rig.server.account().pump()
        heard = await stream.hear()

    assert heard["data"] == [
        {"T": rig.now, "s": "BTCUSDT", "S": "Buy", "v": "0.010", "p": "50000.05"}
    ]


async def test_spot_has_no_liquidations() -> None:
    async with a_rig() as rig, rig.stream("/v5/public/spot") as stream:
        await stream.say(op="subscribe", args=["allLiquidation.BTCUSDT"])

        assert (await stream.hear())["success"] is False


async def test_a_protected_account_keeps_what_waits_when_its_stream_is_gone() -> None:
    account = AccountConfig(has_protection=True)
    async with a_rig(account, uid_limits=False, ip_limit=None) as rig:
        await rig.post(
            "/v5/order/disconnected-cancel-all", {"product": "DERIVATIVES", "timeWindow": 3}
        )
        await rig.create(orderLinkId="active")
        await rig.create(orderLinkId="waits", triggerPrice="51000", triggerDirection=1)
        async with rig.private("dcp.future"):
            pass
        while rig.server.account().publisher.sessions:
            await rig.get("/v5/account/info")
        rig.wait(seconds=4)
        while (await rig.order("active"))["orderStatus"] == "New":
            pass

        assert (await rig.order("waits"))["orderStatus"] == "Untriggered"
