"""Exits that the exchange keeps: bodies as it takes them, and what it would not take."""

from typing import Any

import pytest

from order_adapters.venues.bybit.exits import Exit, PositionExits, TradingStop, decode_exits
from order_adapters.venues.bybit.records import RecordInvalid
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, PositionSide
from order_domain.model.identifiers import InstrumentId
from tests.builders import BTC, D
from tests.unit.bybit.rows import a_position_row

LONG = PositionSide.LONG


def a_stop(**changes: Any) -> TradingStop:
    return TradingStop(**{"instrument_id": BTC, "take_profit": Exit(D(60000))} | changes)


def test_exits_of_a_whole_position_change_those_there_are() -> None:
    stop = a_stop(position_side=LONG, stop_loss=Exit(D("40000.10"), trigger_by="MarkPrice"))

    assert stop.body() == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "tpslMode": "Full",
        "positionIdx": 1,
        "takeProfit": "60000",
        "tpTriggerBy": "LastPrice",
        "stopLoss": "40000.10",
        "slTriggerBy": "MarkPrice",
    }


def test_exits_of_a_part_are_added_with_its_quantity() -> None:
    stop = a_stop(
        take_profit=Exit(D(60000), D(59990)), stop_loss=Exit(D(40000)), quantity=D("0.010")
    )

    assert stop.body() == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "tpslMode": "Partial",
        "positionIdx": 0,
        "takeProfit": "60000",
        "tpTriggerBy": "LastPrice",
        "tpSize": "0.010",
        "tpOrderType": "Limit",
        "tpLimitPrice": "59990",
        "stopLoss": "40000",
        "slTriggerBy": "LastPrice",
        "slSize": "0.010",
        "slOrderType": "Market",
    }


def test_a_trailing_stop_is_a_distance_from_a_price_on() -> None:
    stop = a_stop(take_profit=None, trailing=D("1E+2"), active_price=D(51000))
    gone = a_stop(take_profit=Exit(D(0)), trailing=D(0))

    assert {key: stop.body()[key] for key in ("trailingStop", "activePrice")} == {
        "trailingStop": "100",
        "activePrice": "51000",
    }
    assert "takeProfit" not in stop.body()
    assert (gone.body()["takeProfit"], gone.body()["trailingStop"]) == ("0", "0")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("instrument_id", {"instrument_id": InstrumentId("spot:BTCUSDT")}),
        ("exits", {"take_profit": None}),
        ("exits", {"take_profit": Exit(D(-1))}),
        ("exits", {"take_profit": Exit(D("NaN"))}),
        ("exits", {"trailing": D("Infinity")}),
        ("trigger_by", {"take_profit": Exit(D(1), trigger_by="BestPrice")}),
        ("active_price", {"active_price": D(1)}),
        ("active_price", {"trailing": D(0), "active_price": D(1)}),
        ("quantity", {"quantity": D(0)}),
        ("quantity", {"quantity": D("NaN")}),
        ("trailing", {"quantity": D(1), "trailing": D(1)}),
        ("price", {"quantity": D(1), "take_profit": Exit(D(0))}),
        ("limit_price", {"take_profit": Exit(D(1), D(1))}),
    ],
)
def test_what_the_exchange_would_not_take_is_refused_here(
    field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidValue) as caught:
        a_stop(**changes)

    assert caught.value.details["field"] == field


def test_exits_are_read_from_the_row_of_a_position() -> None:
    row = a_position_row(takeProfit="60000", stopLoss="", trailingStop="25.5", positionIdx=1)

    assert decode_exits(row, Category.LINEAR) == PositionExits(BTC, LONG, D(60000), None, D("25.5"))


def test_an_exit_that_makes_no_sense_is_put_aside() -> None:
    with pytest.raises(RecordInvalid, match="stopLoss"):
        decode_exits(a_position_row(stopLoss="-1"), Category.LINEAR)
