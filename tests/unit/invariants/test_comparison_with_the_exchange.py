"""Our books beside the exchange's: each difference is told by its code."""

from typing import Any

import attrs
import pytest

from order_domain.invariants import Report, Truth, compare_with_exchange
from order_domain.model.enums import EndedBy, ExecutionKind, OrderStatus, Side, VenueStatus
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.reports import OrderReport, PositionReport
from tests.builders import BTC, NOW, D, a_position, an_execution, an_order, an_order_id, seconds

FILL = an_execution(quantity=D("0.005"))


def our_order(**changes: Any) -> Order:
    """Partially filled by 0.005 of 0.020."""
    return an_order(
        **{
            "status": OrderStatus.PARTIALLY_FILLED,
            "cum_quantity": D("0.005"),
            "venue_order_id": VenueOrderId("v1"),
        }
        | changes
    )


def their_order(**changes: Any) -> OrderReport:
    order = our_order()
    return OrderReport(
        **{
            "instrument_id": BTC,
            "venue_order_id": VenueOrderId("v1"),
            "client_order_id": order.client_order_id,
            "side": Side.BUY,
            "order_type": order.terms.order_type,
            "time_in_force": order.terms.time_in_force,
            "price": order.price,
            "quantity": order.quantity,
            "status": VenueStatus.PARTIALLY_FILLED,
            "cum_quantity": D("0.005"),
            "updated_at": NOW,
            "created_at": NOW,
        }
        | changes
    )


def compared(
    *,
    orders: tuple[Order, ...] | None = None,
    reports: tuple[OrderReport, ...] | None = None,
    **others: Any,
) -> Report:
    ledger = (LedgerEntry(1, FILL, our_order().terms.strategy_id, D(0), NOW),)
    positions: tuple[Position, ...] = (a_position(size=D("0.005")),)
    truth = Truth(
        orders=(their_order(),) if reports is None else reports,
        executions=others.get("executions", (FILL,)),
        positions=others.get(
            "their_positions",
            (PositionReport(BTC, positions[0].position_side, D("0.005"), D(50000), NOW),),
        ),
        opened_at=others.get("opened_at"),
    )
    ours = (our_order(),) if orders is None else orders
    return compare_with_exchange(
        ours, others.get("ledger", ledger), others.get("positions", positions), truth
    )


def codes(report: Report) -> list[str]:
    return [each.code for each in report.broken]


def test_books_that_agree_break_nothing() -> None:
    report = compared()

    assert report.is_sound
    assert report.checked == 9


def test_one_intent_that_became_two_orders_is_told() -> None:
    twin = their_order(venue_order_id=VenueOrderId("v2"))

    assert "V2" in codes(compared(reports=(their_order(), twin)))


def test_an_order_of_ours_without_a_row_is_told() -> None:
    lost = their_order(client_order_id=an_order_id(leg=2), venue_order_id=VenueOrderId("v2"))

    assert codes(compared(reports=(their_order(), lost))) == ["V3"]


def test_an_open_foreign_order_that_is_not_known_is_told() -> None:
    foreign = their_order(client_order_id=ClientOrderId(""), venue_order_id=VenueOrderId("v2"))

    assert codes(compared(reports=(their_order(), foreign))) == ["V16"]


def test_a_foreign_order_that_ended_before_us_is_nobodys_business() -> None:
    foreign = their_order(
        client_order_id=ClientOrderId("by-hand"),
        venue_order_id=VenueOrderId("v2"),
        status=VenueStatus.CANCELLED,
    )

    assert compared(reports=(their_order(), foreign)).is_sound


def test_a_working_order_that_is_gone_there_is_told() -> None:
    assert codes(compared(reports=())) == ["V15"]


def test_a_working_order_that_ended_there_is_told_once_for_each_view() -> None:
    assert codes(compared(reports=(their_order(status=VenueStatus.CANCELLED),))) == ["V15", "V15"]


def test_an_order_open_there_and_ended_here_is_told() -> None:
    ended = our_order(status=OrderStatus.CANCELLED, ended_by=EndedBy.REPORT)

    assert codes(compared(orders=(ended,))) == ["V16"]


def test_another_price_or_quantity_of_an_open_order_is_told() -> None:
    for change in ({"price": D(1)}, {"quantity": D("0.02") + D("0.001")}):
        assert codes(compared(reports=(their_order(**change),))) == ["V16"]


def test_an_order_filled_there_and_cancelled_here_is_told() -> None:
    ours = our_order(status=OrderStatus.CANCELLED, ended_by=EndedBy.REPORT)

    assert codes(compared(orders=(ours,), reports=(their_order(status=VenueStatus.FILLED),))) == [
        "V15"
    ]


def test_orders_that_ended_on_both_sides_agree() -> None:
    ended = our_order(status=OrderStatus.CANCELLED, ended_by=EndedBy.REPORT)

    assert compared(orders=(ended,), reports=(their_order(status=VenueStatus.CANCELLED),)).is_sound


def test_an_order_we_gave_up_and_they_refused_agrees() -> None:
    given_up = our_order(status=OrderStatus.EXPIRED, ended_by=EndedBy.US, cum_quantity=D("0.005"))

    assert compared(
        orders=(given_up,), reports=(their_order(status=VenueStatus.CANCELLED),)
    ).is_sound


def test_another_filled_quantity_is_told() -> None:
    assert codes(compared(reports=(their_order(cum_quantity=D("0.006")),))) == ["V8"]


def test_a_fill_beyond_the_intent_is_told() -> None:
    assert codes(compared(reports=(their_order(cum_quantity=D("0.021")),))) == ["V8", "V4"]


def test_an_execution_we_missed_is_told() -> None:
    assert codes(compared(ledger=())) == ["V7"]


def test_what_was_executed_before_the_first_start_may_be_in_an_opening_entry() -> None:
    opening = an_execution(exec_id=ExecutionId("o"), kind=ExecutionKind.OPENING)
    ledger = (LedgerEntry(1, opening, our_order().terms.strategy_id, D(0), NOW),)

    assert codes(compared(ledger=ledger, opened_at=NOW + seconds(1))) == []
    assert codes(compared(ledger=ledger, opened_at=FILL.executed_at)) == ["V7"]


def test_an_execution_nobody_made_is_told() -> None:
    assert codes(compared(executions=())) == ["V7"]


@pytest.mark.parametrize(
    "change", [{"price": D(1)}, {"fee": D(9)}, {"fee_coin": "BTC"}, {"side": Side.SELL}]
)
def test_an_execution_booked_otherwise_is_told(change: dict[str, Any]) -> None:
    assert codes(compared(executions=(attrs.evolve(FILL, **change),))) == ["V7"]


def test_another_position_is_told() -> None:
    assert codes(compared(positions=(a_position(size=D("0.006")),))) == ["V9"]


def test_a_position_only_they_have_is_told() -> None:
    assert codes(compared(positions=())) == ["V9"]


def test_a_position_only_we_have_is_told() -> None:
    assert codes(compared(their_positions=())) == ["V9"]


def test_a_flat_position_is_none() -> None:
    assert compared(their_positions=(), positions=(a_position(size=D(0)),)).is_sound
