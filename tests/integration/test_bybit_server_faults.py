"""The local Bybit when things go wrong on purpose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from order_adapters.bybit_server import BybitServer, ServerConfig
from order_adapters.clock import SystemClock
from order_adapters.simulator import Fault, FaultKind, FaultScript
from tests.integration.bybit_rig import ACCOUNT, Rig, ms

ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.01",
    "price": "49000",
}


class RealRig(Rig):
    """As Rig, by the clock on the wall."""

    @property
    def now(self) -> int:
        return ms(SystemClock().now())


@asynccontextmanager
async def a_faulty_rig(*faults: Fault, **config: Any) -> AsyncIterator[RealRig]:
    usual = {
        "latency": timedelta(0),
        "faults": FaultScript(faults=faults),
        "answer_timeout": timedelta(milliseconds=50),
    }
    server = BybitServer(ServerConfig(**(usual | config)))
    async with server, httpx.AsyncClient(base_url=server.rest_url, verify=False) as http:
        yield RealRig(server, http, server.services.clock, ACCOUNT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "exists"), [(FaultKind.LOSE_ANSWER, True), (FaultKind.LOSE_REQUEST, False)]
)
async def test_a_lost_answer_is_a_dead_connection_whatever_became_of_the_order(
    kind: FaultKind, exists: bool
) -> None:
    async with a_faulty_rig(Fault(kind=kind, request="create")) as rig:
        with pytest.raises(httpx.RemoteProtocolError):
            await rig.create(orderLinkId="a")
        found = await rig.read("/v5/order/realtime", "category=linear&orderLinkId=a")
        again = await rig.create(orderLinkId="a")

    assert bool(found) is exists
    assert again["retCode"] == (110072 if exists else 0)


@pytest.mark.parametrize("accepted", [True, False])
async def test_an_error_code_may_hide_an_order_that_was_taken(accepted: bool) -> None:
    fault = Fault(kind=FaultKind.ANSWER_CODE, request="create", code=10016, accepted=accepted)
    async with a_faulty_rig(fault) as rig:
        answer = await rig.create(orderLinkId="a")
        found = await rig.read("/v5/order/realtime", "category=linear&orderLinkId=a")

    assert (answer["retCode"], bool(found)) == (10016, accepted)


@pytest.mark.parametrize("code", [403, 429, 502])
async def test_a_code_of_http_is_the_status_of_the_answer(code: int) -> None:
    fault = Fault(kind=FaultKind.ANSWER_CODE, code=code, count=2)
    async with a_faulty_rig(fault) as rig:
        created = await rig.send("/v5/order/create", ORDER)
        read = await rig.fetch("/v5/order/realtime", "category=linear&symbol=BTCUSDT")

    assert [created.status_code, read.status_code] == [code, code]


async def test_on_the_trade_socket_a_lost_answer_is_silence_and_a_ban_has_its_own_code() -> None:
    lost = Fault(kind=FaultKind.LOSE_ANSWER, request="create")
    ban = Fault(kind=FaultKind.BAN, request="create", nth=2)
    restart = Fault(kind=FaultKind.MAINTENANCE, request="create", nth=3)
    async with a_faulty_rig(lost, ban, restart) as rig, rig.trade() as stream:
        first = {"header": {"X-BAPI-TIMESTAMP": rig.now}, "op": "order.create", "reqId": "lost"}
        await stream.say(**first, args=[ORDER | {"orderLinkId": "a"}])
        banned = await rig.ask(stream, "order.create", ORDER, reqId="banned")
        refused = await rig.ask(stream, "order.create", ORDER, reqId="refused")
        assert (await rig.order("a"))["orderStatus"] == "New"

    assert (banned["reqId"], banned["retCode"]) == ("banned", 10403)
    assert (refused["reqId"], refused["retCode"]) == ("refused", 10019)


async def test_an_accepted_order_may_be_rejected_at_once() -> None:
    fault = Fault(kind=FaultKind.REJECT_LATER, reason="EC_PerCancelRequest")
    async with a_faulty_rig(fault) as rig, rig.private("order") as stream:
        answer = await rig.create()
        row = await stream.row("order")

    assert answer["retCode"] == 0
    assert (row["orderStatus"], row["rejectReason"]) == ("Rejected", "EC_PerCancelRequest")


async def test_reports_may_be_lost_and_come_twice() -> None:
    lost = Fault(kind=FaultKind.LOSE_REPORT, report="order", nth=1)
    twice = Fault(kind=FaultKind.DUPLICATE_REPORT, report="order", nth=2, by=timedelta(0))
    async with a_faulty_rig(lost, twice) as rig, rig.private("order") as stream:
        await rig.create(orderLinkId="lost")
        await rig.create(orderLinkId="twice")
        rows = [await stream.row("order") for _ in range(2)]

    assert [row["orderLinkId"] for row in rows] == ["twice", "twice"]
    assert rows[0] == rows[1]


async def test_a_hidden_order_is_not_found_by_any_reading() -> None:
    async with a_faulty_rig(Fault(kind=FaultKind.HIDE, by=timedelta(hours=1))) as rig:
        await rig.create(orderLinkId="a", orderType="Market")
        for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
            assert await rig.read(path, "category=linear&orderLinkId=a") == []
        assert (await rig.create(orderLinkId="a"))["retCode"] == 110072


async def test_a_reading_may_fail_while_orders_work() -> None:
    async with a_faulty_rig(Fault(kind=FaultKind.LOSE_ANSWER, request="look_up")) as rig:
        await rig.create(orderLinkId="a")
        with pytest.raises(httpx.RemoteProtocolError):
            await rig.order("a")
        assert (await rig.order("a"))["orderStatus"] == "New"


async def test_a_clock_that_is_set_wrong_is_told_and_refuses_honest_stamps() -> None:
    async with a_faulty_rig(
        Fault(kind=FaultKind.CLOCK_SKEW, by=timedelta(seconds=30), count=0)
    ) as rig:
        shown = (await rig.http.get("/v5/market/time")).json()["time"]
        refused = await rig.create()
        taken = await rig.post("/v5/order/create", ORDER, stamp=shown)

    assert shown >= ms(SystemClock().now()) + 29_000
    assert (refused["retCode"], taken["retCode"]) == (10002, 0)


async def test_a_request_that_is_held_up_beyond_its_window_is_refused_when_it_arrives() -> None:
    fault = Fault(kind=FaultKind.DELAY_REQUEST, request="create", by=timedelta(milliseconds=200))
    async with a_faulty_rig(fault, answer_timeout=timedelta(seconds=5)) as rig:
        answer = await rig.post("/v5/order/create", ORDER, window=100)

    assert answer["retCode"] == 10002


async def test_a_disconnect_cuts_the_private_streams_only() -> None:
    async with a_faulty_rig() as rig, rig.private("order") as stream, rig.trade() as trade:
        account = rig.server.account()
        fault = Fault(kind=FaultKind.DISCONNECT, after=timedelta(0))
        account.exchange.inject(fault, account.now())
        account.pump()
        with pytest.raises(ConnectionClosed):
            await stream.hear()
        assert (await rig.ask(trade, "order.create", ORDER))["retCode"] == 0
