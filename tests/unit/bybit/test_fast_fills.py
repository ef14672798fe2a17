"""Early fills: each counts once, whoever tells it first, and never for more than was filled."""

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.venues.bybit import fast_fills
from order_adapters.venues.bybit.fast_fills import FastFills
from order_adapters.venues.bybit.records import (
    FastExecution,
    decode_execution,
    decode_fast_execution,
    decode_order,
)
from order_domain.model.enums import Category, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.reports import OrderReport
from tests.builders import D
from tests.unit.bybit.rows import an_execution_row, an_order_row

LINEAR = Category.LINEAR
NEW, PARTLY, FILLED = VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED, VenueStatus.FILLED


def a_row(status: VenueStatus = NEW, filled: str = "0", **changes: Any) -> OrderReport:
    return decode_order(an_order_row(orderStatus=status, cumExecQty=filled, **changes), LINEAR)


def an_early_fill(name: str = "e1", quantity: str = "0.004", **changes: Any) -> FastExecution:
    row = an_execution_row(execId=name, execQty=quantity, **changes)
    return decode_fast_execution({key: row[key] for key in row if "Fee" not in key})


def a_fill(name: str = "e1", quantity: str = "0.004") -> Execution:
    return decode_execution(an_execution_row(execId=name, execQty=quantity))


def test_an_early_fill_raises_what_is_filled_of_its_order() -> None:
    fills = FastFills()
    shown = fills.show(a_row())
    told = fills.tell(an_early_fill())

    assert told == attrs.evolve(shown, status=PARTLY, cum_quantity=D("0.004"))


def test_the_same_early_fill_again_is_no_news() -> None:
    fills = FastFills()
    fills.show(a_row())

    assert fills.tell(an_early_fill()) is not None
    assert fills.tell(an_early_fill()) is None


def test_a_fill_the_slow_topic_told_first_is_no_news() -> None:
    fills = FastFills()
    fills.show(a_row(PARTLY, "0.004"))
    fills.book(a_fill())

    assert fills.tell(an_early_fill()) is None


def test_an_early_fill_before_its_order_is_in_the_orders_first_row() -> None:
    fills = FastFills()

    assert fills.tell(an_early_fill()) is None
    assert fills.show(a_row()).cum_quantity == D("0.004")
    assert fills.show(a_row(PARTLY, "0.006")).cum_quantity == D("0.006")


def test_a_makers_fill_finds_its_order_by_the_exchanges_id() -> None:
    fills = FastFills()
    shown = fills.show(a_row())
    told = fills.tell(an_early_fill(orderLinkId=""))

    assert told is not None
    assert told.client_order_id == shown.client_order_id != ""


def test_an_ended_order_is_forgotten() -> None:
    fills = FastFills()
    fills.show(a_row(FILLED, "0.010"))

    assert fills.tell(an_early_fill()) is None
    assert fills.tell(an_early_fill("e2", "0.006")) is None


def test_fills_of_no_known_order_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_fills, "KEPT", 3)
    fills = FastFills()
    for number in range(5):
        fills.tell(an_early_fill(orderId=f"order-{number}"))

    assert fills.show(a_row(orderId="order-0")).cum_quantity == 0
    assert fills.show(a_row(orderId="order-4")).cum_quantity == D("0.004")


@given(st.data())
def test_in_any_order_and_number_no_more_is_told_than_was_filled(data: st.DataObject) -> None:
    """Three fills of an order, each told early and late any number of times, rows in between."""
    parts = {"e1": D("0.002"), "e2": D("0.003"), "e3": D("0.005")}
    fills, done, told = FastFills(), Decimal(0), [Decimal(0)]
    fills.show(a_row())
    for name, quantity in parts.items():
        done += quantity
        for step in data.draw(st.lists(st.sampled_from(("early", "late", "row")), max_size=5)):
            known = data.draw(st.sampled_from(list(parts)[: list(parts).index(name) + 1]))
            report = None
            if step == "early":
                report = fills.tell(an_early_fill(known, str(parts[known])))
            elif step == "late":
                fills.book(a_fill(known, str(parts[known])))
            else:
                report = fills.show(a_row(PARTLY, str(done)))
            if report is not None:
                told.append(report.cum_quantity)
        assert max(told) <= done

    assert fills.show(a_row(FILLED, str(done))).cum_quantity == D("0.010")


def test_the_time_of_a_report_stays_that_of_its_row() -> None:
    """Price and quantity are as old as the row, however new the fill is."""
    fills = FastFills()
    shown = fills.show(a_row())
    later = str(int(shown.updated_at.timestamp() * 1000) + 5000)
    told = fills.tell(an_early_fill(execTime=later))

    assert told is not None
    assert told.updated_at == shown.updated_at
