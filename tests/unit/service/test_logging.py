"""Secrets never reach a log, whatever they are called and wherever they come from."""

import json
import subprocess
import sys
from typing import Any

import pytest

from order_service.logging import MASK, Masking

FAILING = """
import structlog
from order_service.logging import configure_logging

configure_logging("DEBUG", secrets=["hidden-1"])
log = structlog.get_logger("test")

def opened(kept):
    local = "only-in-a-frame " + kept
    raise ValueError(f"no {len(local)} \\x1b[31m\\n{{\\"event\\": \\"forged\\"}} with hidden-1")

try:
    opened("also-in-a-frame")
except ValueError as error:
    log.error("failed", exc_info=error, odd="a\\nb\\x1b[2Jc")
"""


MIXED = """
import logging
import structlog
from order_service.logging import configure_logging

configure_logging("INFO", secrets=["hidden-1"])
ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
ours.debug("left.out")
theirs.debug("left out")
ours.info("first", n=1)
theirs.info("second %s", "hidden-1")
ours.log(logging.WARNING, "third")
theirs.error("fourth")
theirs.error("%d", "no number")
ours.info("fifth")
"""


def logged(program: str = FAILING) -> tuple[str, list[dict[str, Any]]]:
    """What a process of its own logs."""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return ran.stderr, [
        json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")
    ]


def masked(**event: object) -> dict[str, object]:
    return dict(Masking(["hidden-1"])(None, "info", dict(event)))


def test_values_of_secret_names_are_masked() -> None:
    event = masked(api_key="x", BYBIT_API_SECRET="y", **{"X-API-Key": "z"}, password="p")

    assert set(event.values()) == {MASK}


def test_values_of_secret_names_are_masked_however_deep() -> None:
    event = masked(detail={"deep": [{"password": "p", 7: "seven"}]}, pair=({"secret": "s"},))

    assert event == {
        "detail": {"deep": [{"password": MASK, 7: "seven"}]},
        "pair": [{"secret": MASK}],
    }


@pytest.mark.parametrize(
    "secret", ["hidden-1", 'quo"ted', "back\\slash", "line\nbreak", "grüße", "\U0001f511 key"]
)
def test_secret_values_are_masked_under_any_name(secret: str) -> None:
    event = {"event": f"a {secret} b", "detail": {"deep": [secret, 7]}, secret: "a name"}

    line = Masking([secret]).line(None, "info", json.dumps(event))

    assert json.loads(line) == {
        "event": f"a {MASK} b",
        "detail": {"deep": [MASK, 7]},
        MASK: "a name",
    }


def test_what_is_no_secret_stays() -> None:
    assert masked(symbol="BTCUSDT", count=3) == {"symbol": "BTCUSDT", "count": 3}


def test_an_empty_secret_masks_nothing() -> None:
    assert Masking([""]).line(None, "info", '{"event": "x"}') == '{"event": "x"}'


def test_a_finished_line_shows_no_secret_of_an_object_that_was_written_into_it() -> None:
    assert Masking(["hidden-1"]).line(None, "info", '{"error": "Odd(hidden-1)"}') == (
        f'{{"error": "Odd({MASK})"}}'
    )
    assert Masking(["hidden-1"]).line(None, "info", b"hidden-1") == MASK


def test_k13_an_error_is_one_line_without_the_values_of_its_frames() -> None:
    text, lines = logged()

    assert [each["event"] for each in lines] == ["failed"]
    assert lines[0]["exception"][0]["exc_type"] == "ValueError"
    assert "in-a-frame" not in text
    assert "hidden-1" not in text


def test_k13_no_value_commands_a_terminal_or_begins_a_line() -> None:
    text, lines = logged()

    assert lines[0]["odd"] == "a\nb\x1b[2Jc"
    assert "\x1b" not in text
    assert len(text.splitlines()) == 1


def test_lines_of_ours_and_of_the_libraries_come_in_one_order_and_one_form() -> None:
    text, lines = logged(MIXED)

    assert [(each["event"], each["level"]) for each in lines] == [
        ("first", "info"),
        (f"second {MASK}", "info"),
        ("third", "warning"),
        ("fourth", "error"),
        ("fifth", "info"),
    ]
    assert all(each["timestamp"].endswith("Z") for each in lines)
    assert "--- Logging error ---" in text  # of the line that could not be made
