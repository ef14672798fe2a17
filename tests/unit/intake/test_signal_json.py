"""The signal format: what becomes a signal, and what is refused with field, rule and value."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.intake.invalid import SignalInvalid
from order_adapters.intake.signal_json import parse_signal, read_delivery
from order_domain.model.enums import Category, Side
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.signal import SignalIntent

ID = "32c32444-a48c-4d5c-a1fe-b6249df2025f"
SNAPSHOT = {"price": 61800.05, "spread": 0.1, "volume_24h": 128734.5, "volatility": 0.01489}


def a_body(**changes: Any) -> dict[str, Any]:
    body = {
        "signal_id": ID,
        "signal_type": "buy",
        "asset": "BTCUSDT",
        "amount": 328.34,
        "confidence": 0.6615,
        "timestamp": "2024-08-08T23:54:17.172000Z",
        "strategy_id": "momentum_v1",
        "market_data_snapshot": SNAPSHOT,
    }
    return body | changes


def text(**changes: Any) -> str:
    return json.dumps(a_body(**changes))


def without(field: str) -> str:
    body = a_body()
    del body[field]
    return json.dumps(body)


def with_literal(field: str, literal: str) -> str:
    """A body whose field holds exactly this JSON text."""
    return text(**{field: "@"}).replace('"@"', literal, 1)


def refusal(raw: str | bytes) -> SignalInvalid:
    with pytest.raises(SignalInvalid) as caught:
        parse_signal(raw)
    return caught.value


def test_a_complete_body_becomes_a_typed_signal() -> None:
    signal = parse_signal(text(trace_id="t-1", model_version="v1", is_warmup=True))

    assert signal.signal_id == ID
    assert signal.instrument_id == "linear:BTCUSDT"
    assert signal.side is Side.BUY
    assert (signal.amount, signal.confidence) == (Decimal("328.34"), Decimal("0.6615"))
    assert signal.timestamp == datetime(2024, 8, 8, 23, 54, 17, 172000, tzinfo=UTC)
    assert signal.snapshot_volatility == Decimal("0.01489")
    assert (signal.trace_id, signal.model_version, signal.is_warmup) == ("t-1", "v1", True)
    assert signal.intent is SignalIntent.OPEN
    assert not signal.urgent


def test_a_number_keeps_every_digit_it_came_with() -> None:
    signal = parse_signal(with_literal("amount", "12345678901.123456789"))

    assert signal.amount == Decimal("12345678901.123456789")


def test_the_category_comes_from_the_caller() -> None:
    assert parse_signal(text(), Category.SPOT).instrument_id == "spot:BTCUSDT"


def test_an_id_in_capitals_is_the_same_id() -> None:
    assert parse_signal(text(signal_id=ID.upper())).signal_id == ID


def test_the_side_is_read_in_any_case() -> None:
    assert parse_signal(text(signal_type="SELL")).side is Side.SELL


def test_numbers_may_come_as_text_as_scripts_send_them() -> None:
    assert parse_signal(text(amount="1000.50")).amount == Decimal("1000.50")


@pytest.mark.parametrize(
    "timestamp",
    [
        "2024-08-08T21:54:17Z",
        "2024-08-08T21:54:17+00:00",
        "2024-08-08T21:54:17",
        "2024-08-08T23:54:17+02:00",
    ],
)
def test_a_time_is_utc_with_z_with_an_offset_or_without_either(timestamp: str) -> None:
    moment = parse_signal(text(timestamp=timestamp)).timestamp

    assert moment == datetime(2024, 8, 8, 21, 54, 17, tzinfo=UTC)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"exit_strategy": True}},
        {"metadata": {"reasoning": "take_profit_triggered"}},
        {"metadata": {"action": "close"}},
        {"action": "close"},
    ],
)
def test_each_mark_of_a_close_makes_a_closing_signal(changes: dict[str, Any]) -> None:
    assert parse_signal(text(**changes)).intent is SignalIntent.CLOSE


def test_a_closing_amount_is_base_units_and_may_be_small() -> None:
    assert parse_signal(text(amount=0.001, action="close")).amount == Decimal("0.001")


@pytest.mark.parametrize(("urgency", "urgent"), [(True, True), ("true", False), (1, False)])
def test_only_a_true_urgency_is_urgent(urgency: object, urgent: bool) -> None:
    assert parse_signal(text(metadata={"urgency": urgency})).urgent is urgent


def test_unknown_fields_are_kept_in_the_body_and_change_nothing_else() -> None:
    signal = parse_signal(text(is_rejected=False, effective_threshold=0.7))

    assert '"effective_threshold":0.7' in signal.body


def test_spacing_and_order_of_keys_do_not_make_another_body() -> None:
    reordered = dict(reversed(list(a_body().items())))

    assert parse_signal(json.dumps(reordered, indent=3)).body_hash == parse_signal(text()).body_hash


def test_another_digit_makes_another_body() -> None:
    assert parse_signal(text(amount=328.35)).body_hash != parse_signal(text()).body_hash


@pytest.mark.parametrize(
    "field",
    [
        "signal_id",
        "signal_type",
        "asset",
        "amount",
        "confidence",
        "timestamp",
        "strategy_id",
        "market_data_snapshot",
    ],
)
def test_a_missing_field_is_named(field: str) -> None:
    error = refusal(without(field))

    assert (error.field, error.rule) == (field, "present")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("signal_id", "test-001"),
        ("signal_id", 7),
        ("signal_id", f"{{{ID}}}"),
        ("signal_type", "hold"),
        ("signal_type", True),
        ("asset", "btcusdt"),
        ("asset", "BTCUSDT\n"),
        ("asset", "BTC"),
        ("asset", "A" * 21),
        ("asset", "BTCUSDТ"),  # a Cyrillic letter  # noqa: RUF001
        ("amount", 0),
        ("amount", -1),
        ("amount", 0.009),
        ("amount", 1.1e15),
        ("amount", True),
        ("amount", None),
        ("amount", [1]),
        ("amount", "1,000"),
        ("amount", "NaN"),
        ("amount", ""),
        ("confidence", 1.0001),
        ("confidence", -0.1),
        ("confidence", False),
        ("timestamp", 1723161257),
        ("timestamp", "yesterday"),
        ("timestamp", "2024-02-30T00:00:00Z"),
        ("timestamp", "1970-01-01T00:00:00Z"),
        ("timestamp", "9999-12-31T23:59:59-01:00"),
        ("timestamp", "2024-08-08"),
        ("strategy_id", ""),
        ("strategy_id", "s" * 101),
        ("strategy_id", "a\x00b"),
        ("strategy_id", "\ud800"),
        ("trace_id", 5),
        ("model_version", ["v1"]),
        ("is_warmup", "false"),
        ("metadata", "text"),
        ("market_data_snapshot", []),
        ("action", "flip"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused_by_field(field: str, value: object) -> None:
    error = refusal(text(**{field: value}))

    assert error.field == field
    assert error.rule


@pytest.mark.parametrize(
    ("field", "value"),
    [("price", 0), ("price", None), ("spread", -1), ("volatility", "x"), ("orderbook_depth", 3)],
)
def test_a_field_of_the_snapshot_is_named_with_its_path(field: str, value: object) -> None:
    error = refusal(text(market_data_snapshot=SNAPSHOT | {field: value}))

    assert error.field == f"market_data_snapshot.{field}"


def test_a_doubtful_mark_of_a_close_is_refused_not_taken_as_an_opening() -> None:
    error = refusal(text(metadata={"exit_strategy": "yes"}))

    assert (error.field, error.rule, error.value) == (
        "metadata.exit_strategy",
        "true or false",
        "yes",
    )


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e400", "1e999999999999999999999", "9" * 65]
)
def test_a_number_no_double_holds_is_refused_in_its_field(literal: str) -> None:
    error = refusal(with_literal("amount", literal))

    assert (error.field, error.value) == ("amount", literal)


def test_such_a_number_is_refused_also_where_nobody_reads_it() -> None:
    error = refusal(text(metadata={"scores": [1, "@"]}).replace('"@"', "1e400"))

    assert error.field == "metadata.scores[1]"


def test_a_key_that_stands_twice_is_refused() -> None:
    error = refusal(text()[:-1] + ', "amount": 5}')

    assert (error.field, error.rule) == ("amount", "a key that stands once in its object")


@pytest.mark.parametrize("raw", ["", " ", "{", "{'a': 1}", "nul", '{"a": 1} x', "[1,]"])
def test_what_is_no_json_is_refused_with_the_place(raw: str) -> None:
    error = refusal(raw)

    assert error.field == "body"
    assert "character" in error.rule


@pytest.mark.parametrize("raw", ["[]", "1", '"text"', "null", "true"])
def test_json_that_is_no_object_is_refused(raw: str) -> None:
    assert refusal(raw).rule == "a JSON object"


def test_bytes_that_are_no_utf_8_are_refused_with_the_place() -> None:
    error = refusal(text().encode().replace(b"momentum", b"mom\xff"))

    assert "UTF-8" in error.rule
    assert "\\xff" in error.value


def test_a_body_over_64_kib_is_refused_before_it_is_parsed() -> None:
    assert "bytes" in refusal("[" * 70_000).rule


@pytest.mark.parametrize("levels", [18, 1_500, 30_000])
def test_a_body_too_deep_is_refused(levels: int) -> None:
    assert "deep" in refusal("[" * levels + "]" * levels).rule


def test_a_value_is_shown_short_and_printable() -> None:
    error = refusal(text(strategy_id="\x1b[31m" + "x" * 5_000))

    assert len(error.value) == 200
    assert error.value.startswith("\\x1b[31m")


def test_a_delivery_that_is_no_signal_is_kept_with_its_reason_and_id() -> None:
    raw = text(amount=-5).encode()

    delivery = read_delivery(7, raw)

    assert delivery == DeliveryInvalid(
        number=7,
        code="BODY_INVALID",
        field="amount",
        rule="0.01 to 1000000000000000",
        value="-5",
        body=raw.decode(),
        signal_id=ID,
    )


def test_a_delivery_that_is_a_signal_carries_its_number() -> None:
    delivery = read_delivery(8, text())

    assert isinstance(delivery, SignalDelivered)
    assert delivery.number == 8


def test_a_kept_body_holds_nothing_a_store_refuses() -> None:
    delivery = read_delivery(1, b"\x00\xff\xed\xa0\x80")

    assert isinstance(delivery, DeliveryInvalid)
    assert delivery.body == "\\x00\\xff\\xed\\xa0\\x80"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_signal_or_a_refusal(raw: bytes) -> None:
    delivery = read_delivery(1, raw)

    assert isinstance(delivery, SignalDelivered | DeliveryInvalid)


@given(
    st.dictionaries(
        st.sampled_from([*a_body(), "metadata", "action", "trace_id", "is_warmup"]), JSON
    )
)
def test_any_values_in_the_known_fields_are_a_signal_or_a_refusal(changes: dict[str, Any]) -> None:
    raw = json.dumps(a_body(**changes))

    delivery = read_delivery(1, raw)

    if isinstance(delivery, DeliveryInvalid):
        assert delivery.rule
        assert len(delivery.value) <= 200
        delivery.body.encode()
    else:
        assert delivery.signal.amount > 0
        assert 0 <= delivery.signal.confidence <= 1
        json.loads(delivery.signal.body)


@given(st.data())
def test_a_body_broken_at_any_byte_is_a_signal_or_a_refusal(data: st.DataObject) -> None:
    raw = bytearray(text().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    assert isinstance(read_delivery(1, bytes(raw)), SignalDelivered | DeliveryInvalid)
