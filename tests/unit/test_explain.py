"""Traces as sentences."""

from datetime import timedelta

import pytest

from order_domain.codes import Code
from order_domain.decide import decide
from order_domain.explain import explain_trace
from order_domain.notes import Note
from order_domain.risk import RULES
from tests.builders import NOW, D, a_config, a_context, a_signal, seconds


def test_every_check_and_note_is_a_sentence() -> None:
    trace = decide(a_signal(amount=D(10_000)), a_context(), a_config()).trace

    sentences = explain_trace(trace)

    assert len(sentences) == len(trace)
    assert "note  AMOUNT: amount 10000 in quote units" in sentences
    assert "pass  QUOTE_STALE: quote age 0 s, at most 5 s" in sentences
    assert (
        "FAIL  ORDER_VALUE_ABOVE_MAX: order value 10000, at most 5000"
        " - The order value is above the limit of a single order."
    ) in sentences
    assert "note  RESIZED: quantity 0.2 resized to 0.1" in sentences


def test_a_denial_ends_with_its_reason() -> None:
    trace = decide(a_signal(timestamp=NOW - seconds(301)), a_context(), a_config()).trace

    assert explain_trace(trace)[-1] == (
        "FAIL  SIGNAL_EXPIRED: signal age 301 s, at most 300 s"
        " - The signal is older than the allowed signal age."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (D("1E+3"), "1000"),
        (D("0.020000"), "0.02"),
        (D("0.123456789"), "0.12345679"),
        (D("Infinity"), "Infinity"),
        (timedelta(milliseconds=1500), "1.5 s"),
        (NOW, "2026-01-02T12:00:00Z"),
        (7, "7"),
        ("BTCUSDT", "BTCUSDT"),
    ],
)
def test_values_read_as_a_person_writes_them(value: object, text: str) -> None:
    trace = ((Code.SUPERSEDED, "x", value, True),)

    assert explain_trace(trace) == (f"pass  SUPERSEDED: signal of {text}, newest decided x",)


def test_a_code_of_a_newer_version_is_still_shown() -> None:
    assert explain_trace((("NEW_RULE", 1, 2, False),)) == ("FAIL  NEW_RULE: 2, limit 1",)


def test_every_code_and_note_has_its_sentence() -> None:
    codes = [code for rule in RULES for code in rule.codes]
    unworded = [
        name
        for name in (*codes, *Note)
        if ", limit L" in explain_trace(((name, "L", "A", True),))[0]
    ]

    assert unworded == []
    assert all(note.text for note in Note)
