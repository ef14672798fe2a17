"""What leaves us of each row: stable fields, all named on the page of formats, all plain."""

import json
from pathlib import Path

import pytest

from order_domain.ports.outbox import NumberedEvent
from order_service import rows
from order_service.plain import Row, line
from tests.builders import a_position, an_order
from tests.row_builders import a_delivery_row, a_signal_row, an_alarm, an_entry, an_order_event

PAGE = (Path(__file__).resolve().parents[3] / "docs/reference/formats.md").read_text()
EXPORTED = {
    "order": rows.order_row(an_order()),
    "execution": rows.execution_row(an_entry()),
    "position": rows.position_row(a_position()),
    "order event": rows.event_row(NumberedEvent(1, an_order_event(an_order()))),
    "alarm": rows.event_row(NumberedEvent(2, an_alarm())),
    "signal": rows.signal_row(a_signal_row()),
    "delivery": rows.delivery_row(a_delivery_row()),
}


@pytest.mark.parametrize("row", EXPORTED.values(), ids=EXPORTED)
def test_every_field_that_leaves_us_is_on_the_page(row: Row) -> None:
    assert [name for name in row if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("row", EXPORTED.values(), ids=EXPORTED)
def test_a_row_is_one_line_of_json(row: Row) -> None:
    text = line(row)

    assert "\n" not in text
    assert json.loads(text) == row


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("order", {"signal_id", "client_order_id", "symbol", "side", "quantity", "status"}),
        ("order", {"filled_quantity", "sequence"}),
        ("execution", {"exec_id", "client_order_id", "symbol", "side", "quantity"}),
        ("position", {"symbol", "size"}),
        ("order event", {"client_order_id", "sequence", "status"}),
    ],
)
def test_the_fields_that_scripts_were_promised_are_there(kind: str, fields: set[str]) -> None:
    assert fields <= set(EXPORTED[kind])


def test_signals_and_deliveries_have_the_same_fields() -> None:
    assert set(EXPORTED["signal"]) == set(EXPORTED["delivery"])


def test_orders_and_alarms_have_the_same_fields_of_an_event() -> None:
    assert set(EXPORTED["order event"]) == set(EXPORTED["alarm"])
