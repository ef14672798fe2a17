"""One version of an order: what is left of it, and what it cost."""

import attrs
import pytest

from order_domain.model.enums import OrderStatus, VenueStatus
from order_domain.model.identifiers import InstrumentId
from order_domain.model.order import AT_VENUE, IN_FLIGHT, TERMINAL, Order
from tests.builders import NOW, D, an_order


def test_leaves_are_what_may_still_execute() -> None:
    assert an_order(quantity=D(10), cum_quantity=D(4)).leaves_quantity == D(6)


def test_what_a_report_is_ahead_of_the_ledger_counts_as_executed() -> None:
    order = an_order(quantity=D(10), cum_quantity=D(4), reported_cum=D(7))

    assert order.leaves_quantity == D(3)
    assert order.unbooked_quantity == D(3)


def test_nothing_is_unbooked_once_the_ledger_is_ahead() -> None:
    assert an_order(cum_quantity=D(7), reported_cum=D(4)).unbooked_quantity == 0


def test_an_overfilled_order_has_no_negative_leaves() -> None:
    assert an_order(quantity=D(10), cum_quantity=D(11)).leaves_quantity == 0


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_an_ended_order_leaves_nothing(status: OrderStatus) -> None:
    order = an_order(status=status, quantity=D(10))

    assert order.is_terminal
    assert order.leaves_quantity == 0


def test_every_status_is_waiting_in_flight_at_the_exchange_or_ended() -> None:
    groups = [frozenset((OrderStatus.INTENT,)), IN_FLIGHT, AT_VENUE, TERMINAL]

    assert sorted(status for group in groups for status in group) == sorted(OrderStatus)


def test_the_average_price_is_exact_for_linear_orders() -> None:
    assert an_order(cum_quantity=D(3), cum_value=D(150)).average_price == D(50)


def test_the_average_price_of_inverse_orders_is_quantity_over_value() -> None:
    order = an_order(
        instrument_id=InstrumentId("inverse:BTCUSD"), cum_quantity=D(100), cum_value=D("0.002")
    )

    assert order.average_price == D(50000)


def test_an_unfilled_order_has_no_average_price() -> None:
    assert an_order().average_price is None


def test_deriving_copies_every_field_into_a_new_object() -> None:
    different = {
        field.name: object()
        for field in attrs.fields(Order)
        if field.name not in ("terms", "status")
    }
    order = Order(terms=an_order().terms, status=OrderStatus.ACKED, **different)

    copy = order.derive()

    assert copy is not order
    assert all(
        getattr(copy, field.name) is getattr(order, field.name) for field in attrs.fields(Order)
    )


def test_changing_the_next_version_leaves_the_first_alone() -> None:
    order = an_order()

    later = order.derive()
    later.status, later.reported_status = OrderStatus.FILLED, VenueStatus.FILLED

    assert order.status is OrderStatus.WORKING
    assert order.reported_status is None
    assert order.updated_at == NOW
