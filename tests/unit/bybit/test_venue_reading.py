"""Questions by REST: what is called complete is complete, and what failed is told."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from order_adapters.venues.bybit.client import ReadFailed
from order_adapters.venues.bybit.clock_offset import from_milliseconds
from order_adapters.venues.bybit.exits import Exit, TradingStop
from order_domain.model.enums import Category, Origin, VenueStatus
from order_domain.model.identifiers import ClientOrderId, VenueOrderId
from order_domain.model.order import Order
from order_domain.model.steps import LookUp, Sweep
from tests.builders import BTC, an_order, seconds
from tests.unit.bybit.exchange import Fields, Refusal, a_desk, in_turn
from tests.unit.bybit.rows import (
    ORDER_ID,
    Row,
    a_position_row,
    a_spot_order_row,
    an_execution_row,
    an_instrument_row,
    an_order_row,
)

REALTIME = "/v5/order/realtime"
HISTORY = "/v5/order/history"
EXECUTIONS = "/v5/execution/list"
POSITIONS = "/v5/position/list"
WALLET = "/v5/account/wallet-balance"
LINEAR = Category.LINEAR
OURS = "om-1"


def a_page(*rows: Row, cursor: str = "") -> dict[str, Any]:
    return {"category": "linear", "list": list(rows), "nextPageCursor": cursor}


def a_look_up(**changes: Any) -> LookUp:
    order: Order = an_order(**{"client_order_id": OURS, "attempt": 2} | changes)
    return LookUp(order.terms.client_order_id, 2, order)


# -- paging ----------------------------------------------------------------------------------------


async def test_every_page_is_read_and_its_cursor_goes_back_as_it_came() -> None:
    first = a_page(an_order_row(orderId="1"), cursor="page_token%3D39380%26")
    second = a_page(an_order_row(orderId="2"), cursor="132766%3A2%2C132766%3A2")
    third = a_page(an_order_row(orderId="3"), cursor="")
    async with a_desk({REALTIME: in_turn(first, second, third)}) as desk:
        found = await desk.rest.open_orders(LINEAR, settle_coin="USDT")

    assert [order.venue_order_id for order in found.good] == ["1", "2", "3"]
    same = "/v5/order/realtime?category=linear&settleCoin=USDT&openOnly=0&limit=50"
    assert desk.exchange.targets == [
        same,
        f"{same}&cursor=page_token%3D39380%26",
        f"{same}&cursor=132766%3A2%2C132766%3A2",
    ]


async def test_an_empty_page_with_a_cursor_is_the_last() -> None:
    pages = in_turn(a_page(an_order_row(), cursor="a"), a_page(cursor="b"))
    async with a_desk({REALTIME: pages}) as desk:
        found = await desk.rest.open_orders(LINEAR, settle_coin="USDT")

    assert len(found.good) == 1
    assert len(desk.exchange.asked) == 2


async def test_a_cursor_that_goes_round_in_a_circle_is_a_failure_and_not_for_ever() -> None:
    page = a_page(an_order_row(), cursor="same")
    async with a_desk({REALTIME: in_turn(page)}) as desk:
        with pytest.raises(ReadFailed, match="circle"):
            await desk.rest.open_orders(LINEAR, settle_coin="USDT")


async def test_executions_of_many_weeks_are_asked_for_week_by_week() -> None:
    row = an_execution_row(execId="same")
    async with a_desk({EXECUTIONS: lambda _: a_page(row)}) as desk:
        now = desk.client.exchange_now()
        found = await desk.rest.executions(LINEAR, now - timedelta(days=20), desk.knowledge.known)

    asked = desk.exchange.fields_of(EXECUTIONS)
    spans = [int(f["endTime"]) - int(f["startTime"]) for f in asked[:-1]]
    gaps = [int(b["startTime"]) - int(a["endTime"]) for a, b in pairwise(asked)]
    assert len(asked) == 3
    assert all(span < timedelta(days=7) / timedelta(milliseconds=1) for span in spans)
    assert all(gap <= 1 for gap in gaps)
    assert "endTime" not in asked[-1]
    assert [each.exec_id for each in found.good] == ["same"]


# -- asking again ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        None,
        Refusal(10016),
        Refusal(10006),
        Refusal(10000),
        Refusal(status="502 Bad Gateway", body=b"<html>"),
        Refusal(body=b'{"retCode":0,'),
    ],
)
async def test_a_question_is_asked_again_when_its_answer_is_of_no_use(trouble: Any) -> None:
    routes = {"/v5/account/info": in_turn(trouble, {"unifiedMarginStatus": 5})}
    async with a_desk(routes) as desk:
        info = await desk.rest.account_info()

    assert info.is_supported
    assert len(desk.exchange.asked) == 2


async def test_a_question_is_not_asked_for_ever() -> None:
    async with a_desk({"/v5/account/info": in_turn(Refusal(10016))}) as desk:
        with pytest.raises(ReadFailed, match="10016"):
            await desk.rest.account_info()

    assert len(desk.exchange.asked) == 3


@pytest.mark.parametrize("code", [10001, 10003, 10004, 10005, 33004, 987654])
async def test_a_refused_question_is_asked_once(code: int) -> None:
    async with a_desk({"/v5/account/info": in_turn(Refusal(code))}) as desk:
        with pytest.raises(ReadFailed) as failed:
            await desk.rest.account_info()

    assert failed.value.code == code
    assert len(desk.exchange.asked) == 1


async def test_x7_after_a_403_nothing_more_leaves() -> None:
    banned = Refusal(status="403 Forbidden", body=b"access too frequent")
    async with a_desk({"/v5/account/info": in_turn(banned)}) as desk:
        for _ in range(5):
            with pytest.raises(ReadFailed):
                await desk.rest.account_info()

    assert len(desk.exchange.asked) == 1
    assert desk.client.budget.is_http_stopped


async def test_x8_a_question_out_of_its_window_is_asked_again_by_a_new_clock() -> None:
    measured: list[int] = []

    async def measure() -> None:
        measured.append(1)

    routes = {"/v5/account/info": in_turn(Refusal(10002), {"unifiedMarginStatus": 5})}
    async with a_desk(routes) as desk:
        desk.client.measure = measure
        await desk.rest.account_info()

    assert measured == [1]


async def test_a_write_whose_fate_is_unknown_is_not_repeated() -> None:
    async with a_desk({"/v5/order/cancel-all": in_turn(None)}) as desk:
        with pytest.raises(ReadFailed, match="unknown"):
            await desk.rest.cancel_all(LINEAR, "BTCUSDT")

    assert len(desk.exchange.asked) == 1


async def test_a_write_that_was_not_accepted_is_repeated() -> None:
    routes = {
        "/v5/order/cancel-all": in_turn(Refusal(10006), {"list": [], "success": "1"}),
        REALTIME: in_turn(a_page()),
    }
    async with a_desk(routes) as desk:
        left = await desk.rest.cancel_all(LINEAR, "BTCUSDT")

    assert left == ()
    assert len(desk.exchange.fields_of("/v5/order/cancel-all")) == 2


async def test_x18_cancel_all_is_repeated_until_nothing_is_open() -> None:
    open_order = a_page(an_order_row())
    routes = {
        "/v5/order/cancel-all": in_turn({"list": [], "success": "1"}),
        REALTIME: in_turn(open_order, open_order, a_page()),
    }
    async with a_desk(routes) as desk:
        left = await desk.rest.cancel_all(LINEAR, settle_coin="USDT")

    assert left == ()
    assert (
        desk.exchange.fields_of("/v5/order/cancel-all")
        == [{"category": "linear", "settleCoin": "USDT"}] * 3
    )


async def test_x18_spot_orders_of_other_kinds_are_cancelled_by_calls_of_their_own() -> None:
    routes = {
        "/v5/order/cancel-all": in_turn({"list": [], "success": "1"}),
        REALTIME: in_turn(a_page(a_spot_order_row()), a_page()),
    }
    async with a_desk(routes) as desk:
        left = await desk.rest.cancel_all(Category.SPOT)

    calls = desk.exchange.fields_of("/v5/order/cancel-all")
    assert left == ()
    assert [call.get("orderFilter") for call in calls] == [
        None,
        None,
        "tpslOrder",
        "StopOrder",
        "OcoOrder",
        "BidirectionalTpslOrder",
    ]


@pytest.mark.parametrize("code", [0, 34040])
async def test_exits_are_set_or_are_already_as_wished(code: int) -> None:
    routes = {"/v5/position/trading-stop": in_turn({} if not code else Refusal(code))}
    stop = TradingStop(instrument_id=BTC, take_profit=Exit(Decimal(60000)))
    async with a_desk(routes) as desk:
        await desk.rest.trading_stop(stop)

    assert desk.exchange.asked == [("/v5/position/trading-stop", stop.body())]


async def test_exits_that_are_refused_are_told() -> None:
    routes = {"/v5/position/trading-stop": in_turn(Refusal(10001))}
    stop = TradingStop(instrument_id=BTC, stop_loss=Exit(Decimal(60000)))
    async with a_desk(routes) as desk:
        with pytest.raises(ReadFailed, match="10001"):
            await desk.rest.trading_stop(stop)


async def test_the_exits_of_a_position_are_read() -> None:
    row = a_position_row(takeProfit="60000", stopLoss="0.00", trailingStop="0")
    async with a_desk({"/v5/position/list": in_turn(a_page(row))}) as desk:
        (exits,) = (await desk.rest.exits(LINEAR, "BTCUSDT")).good

    assert (exits.take_profit, exits.stop_loss, exits.trailing) == (Decimal(60000), None, None)


async def test_an_order_that_realtime_shows_is_not_looked_for_in_history() -> None:
    routes = {
        REALTIME: in_turn(a_page(an_order_row())),
        EXECUTIONS: in_turn(a_page(an_execution_row())),
    }
    async with a_desk(routes) as desk:
        found = await desk.reader.look_up(a_look_up())

    assert (found.complete, found.attempt, found.client_order_id) == (True, 2, OURS)
    assert found.order is not None
    assert found.order.status is VenueStatus.PARTIALLY_FILLED
    assert len(found.executions) == 1
    assert desk.exchange.fields_of(HISTORY) == []


async def test_history_is_asked_when_realtime_shows_nothing() -> None:
    routes = {HISTORY: in_turn(a_page(an_order_row(orderStatus="Cancelled")))}
    async with a_desk(routes) as desk:
        found = await desk.reader.look_up(a_look_up())

    assert found.complete
    assert found.order is not None
    assert found.order.status is VenueStatus.CANCELLED
    assert [path for path, _ in desk.exchange.asked][-1] == HISTORY


async def test_x12_absence_takes_the_word_of_all_three() -> None:
    async with a_desk({}) as desk:
        began_at = desk.client.exchange_now()
        found = await desk.reader.look_up(a_look_up())

    assert (found.complete, found.order, found.executions) == (True, None, ())
    assert began_at <= found.sent_at <= began_at + seconds(1)
    assert sorted(path for path, _ in desk.exchange.asked) == [EXECUTIONS, HISTORY, REALTIME]


@pytest.mark.parametrize("broken", [REALTIME, HISTORY, EXECUTIONS])
@pytest.mark.parametrize(
    "trouble",
    [
        None,
        Refusal(10016),
        Refusal(status="500 Internal Server Error", body=b"oops"),
        {"list": "no list"},
        {"list": [{"orderId": "1"}]},
    ],
)
async def test_x12_absence_is_not_proven_by_sources_that_did_not_answer(
    broken: str, trouble: Any
) -> None:
    async with a_desk({broken: in_turn(trouble)}) as desk:
        found = await desk.reader.look_up(a_look_up())

    assert (found.complete, found.order) == (False, None)


async def test_presence_counts_though_another_source_failed() -> None:
    routes = {REALTIME: in_turn(a_page(an_order_row())), EXECUTIONS: in_turn(None)}
    async with a_desk(routes) as desk:
        found = await desk.reader.look_up(a_look_up())

    assert not found.complete
    assert found.order is not None


async def test_rows_of_another_order_are_no_answer_and_no_silence() -> None:
    stranger = an_order_row(orderLinkId="somebody-else")
    async with a_desk({REALTIME: in_turn(a_page(stranger))}) as desk:
        found = await desk.reader.look_up(a_look_up())

    assert (found.complete, found.order) == (False, None)


async def test_x21_a_foreign_order_is_asked_for_by_the_exchanges_id() -> None:
    foreign = a_look_up(
        client_order_id=ClientOrderId("ext-1"),
        origin=Origin.EXTERNAL,
        venue_order_id=VenueOrderId(ORDER_ID),
    )
    row = an_order_row(orderLinkId="")
    async with a_desk({REALTIME: in_turn(a_page(row))}) as desk:
        found = await desk.reader.look_up(foreign)

    assert found.client_order_id == "ext-1"
    assert found.order is not None
    assert desk.exchange.fields_of(REALTIME)[0]["orderId"] == ORDER_ID
    assert "orderLinkId" not in desk.exchange.fields_of(REALTIME)[0]


async def test_x13_an_order_older_than_historys_own_week_is_looked_for_from_its_day_on() -> None:
    async with a_desk({}) as desk:
        created_at = desk.client.exchange_now() - timedelta(days=30)
        await desk.reader.look_up(a_look_up(created_at=created_at))
        young = desk.client.exchange_now() - timedelta(days=1)
        await desk.reader.look_up(a_look_up(created_at=young))

    old, new = desk.exchange.fields_of(HISTORY)
    assert from_milliseconds(int(old["startTime"])) < created_at
    assert "startTime" not in new


# -- sweeping --------------------------------------------------------------------------------------


async def test_a_sweep_reads_every_part_of_every_category() -> None:
    config = {"categories": tuple(Category), "settle_coins": ("USDT", "USDC")}
    async with a_desk({}, **config) as desk:
        since = desk.client.exchange_now() - seconds(120)
        result = await desk.reader.sweep(Sweep("PERIODIC", since))

    assert result.complete
    assert result.reason == "PERIODIC"
    assert result.began_at <= result.ended_at
    read = {
        (path, f.get("category", ""), f.get("settleCoin", "")) for path, f in desk.exchange.asked
    }
    assert read == {
        (REALTIME, "linear", "USDT"),
        (REALTIME, "linear", "USDC"),
        (REALTIME, "inverse", ""),
        (REALTIME, "spot", ""),
        (POSITIONS, "linear", "USDT"),
        (POSITIONS, "linear", "USDC"),
        (POSITIONS, "inverse", ""),
        (EXECUTIONS, "linear", ""),
        (EXECUTIONS, "inverse", ""),
        (EXECUTIONS, "spot", ""),
        (WALLET, "", ""),
    }


@pytest.mark.parametrize("broken", [REALTIME, EXECUTIONS, POSITIONS, WALLET])
@pytest.mark.parametrize("trouble", [None, Refusal(10016), {"list": [7]}])
async def test_a_sweep_in_which_one_part_failed_is_incomplete(broken: str, trouble: Any) -> None:
    async with a_desk({broken: in_turn(trouble)}) as desk:
        result = await desk.reader.sweep(Sweep("PERIODIC", desk.client.exchange_now()))

    assert not result.complete


async def test_a_sweep_whose_second_page_failed_is_incomplete() -> None:
    pages = in_turn(a_page(an_order_row(), cursor="next"), Refusal(10016))
    async with a_desk({REALTIME: pages}) as desk:
        result = await desk.reader.sweep(Sweep("PERIODIC", desk.client.exchange_now()))

    assert not result.complete


async def test_a_sweep_reads_positions_again_when_something_was_traded_meanwhile() -> None:
    row = an_execution_row(execId="meanwhile")
    routes = {
        EXECUTIONS: in_turn(a_page(), a_page(row)),
        POSITIONS: in_turn(a_page(), a_page(a_position_row())),
    }
    async with a_desk(routes) as desk:
        result = await desk.reader.sweep(Sweep("START", desk.client.exchange_now(), first=True))

    assert result.complete
    assert [each.exec_id for each in result.executions] == ["meanwhile"]
    assert [each.instrument_id for each in result.positions] == ["linear:BTCUSDT"]


async def test_a_first_start_in_the_middle_of_trading_is_incomplete() -> None:
    """It would book for good what positions hold beyond executions."""
    number = iter(range(1000))

    def ever_more(_: Fields) -> dict[str, Any]:
        return a_page(an_execution_row(execId=f"e{next(number)}"))

    async with a_desk({EXECUTIONS: ever_more}) as desk:
        now = desk.client.exchange_now()
        start = await desk.reader.sweep(Sweep("START", now, first=True))
        later = await desk.reader.sweep(Sweep("PERIODIC", start.began_at))

    assert not start.complete
    assert later.complete


async def test_a_first_start_reads_the_executions_of_orders_that_are_still_open() -> None:
    routes = {REALTIME: in_turn(a_page(an_order_row(), an_order_row(orderId="2", cumExecQty="0")))}
    async with a_desk(routes) as desk:
        created = desk.client.exchange_now() - timedelta(days=3)
        row = an_order_row(createdTime=str(int(created.timestamp() * 1000)))
        desk.exchange.routes[REALTIME] = in_turn(a_page(row))
        await desk.reader.sweep(Sweep("START", created + timedelta(days=2), first=True))

    first = desk.exchange.fields_of(EXECUTIONS)[0]
    assert first["startTime"] == row["createdTime"]


async def test_a_first_start_without_open_orders_reads_executions_since_it_was_told_to() -> None:
    async with a_desk({}) as desk:
        since = desk.client.exchange_now() - timedelta(days=1)
        await desk.reader.sweep(Sweep("START", since, first=True))

    first = desk.exchange.fields_of(EXECUTIONS)[0]
    assert abs(from_milliseconds(int(first["startTime"])) - since) < seconds(1)


async def test_an_account_without_fee_rates_pays_what_retail_pays() -> None:
    routes = {
        "/v5/account/fee-rate": in_turn(Refusal(10005)),
        "/v5/market/instruments-info": in_turn(a_page(an_instrument_row())),
    }
    async with a_desk(routes) as desk:
        instruments = await desk.reader.instruments()

    assert [each.taker_fee_rate for each in instruments] == [Decimal("0.00055")]
