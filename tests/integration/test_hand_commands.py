"""What a person does by hand, on a dry run in a file: each command with its exit code."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from order_domain.model.enums import Trading
from tests.integration.command_line import CommandLine

UNTIL_SETTLED = ("--wait", "30")


@pytest.fixture
def om(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """Commands in an empty folder: the default store is made there."""
    monkeypatch.chdir(tmp_path)
    return CommandLine(capsys)


def a_signal(number: int, **changes: Any) -> str:
    body = {
        "signal_id": f"00000000-0000-4000-8000-{number:012}",
        "signal_type": "buy",
        "asset": "BTCUSDT",
        "amount": 600,
        "confidence": 0.95,
        "timestamp": datetime.now(UTC).isoformat(),
        "strategy_id": "hand",
        "market_data_snapshot": {"price": 61000},
    }
    return json.dumps(body | changes)


def write_signal(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_market_order_is_filled_and_its_position_closed_in_parts(om: CommandLine) -> None:
    placed = om.json("order", "place", "buy", "BTCUSDT", "0.01", *UNTIL_SETTLED)
    om("position", "close", "BTCUSDT", "--part", "50%", *UNTIL_SETTLED)
    half = om.json("position", "show", "BTCUSDT")["positions"][0]
    om("position", "close", "BTCUSDT", *UNTIL_SETTLED)
    flat = om.json("position", "show", "BTCUSDT")["positions"][0]

    assert placed["code"] == "OK"
    assert [order["status"] for order in placed["orders"]] == ["FILLED"]
    assert (half["size"], flat["size"]) == ("0.005", "0")
    om("position", "close", "BTCUSDT", code=3)
    assert om.json("verify")["broken"] == []


def test_a_position_whose_exits_wait_at_the_exchange_is_closed_by_hand(om: CommandLine) -> None:
    exits = ("--take", "900000", "--stop", "100")
    om("order", "place", "buy", "BTCUSDT", "0.01", *exits, *UNTIL_SETTLED)

    om("position", "close", "BTCUSDT", *UNTIL_SETTLED)

    assert " 0 broken" in om("verify")


def test_a_resting_order_is_amended_and_cancelled(om: CommandLine) -> None:
    words = ("order", "place", "buy", "ETHUSDT", "0.5", "--price", "2400", *UNTIL_SETTLED)
    (order,) = om.json(*words)["orders"]
    name = order["client_order_id"]

    (amended,) = om.json("order", "amend", name, "--price", "2410", *UNTIL_SETTLED)["orders"]
    (cancelled,) = om.json("order", "cancel", name, *UNTIL_SETTLED)["orders"]

    assert order["status"] == "WORKING"
    assert amended["price"] == "2410"
    assert cancelled["status"] == "CANCELLED"
    om("order", "cancel", name, code=3)
    om("order", "cancel", "no-such-id", code=4)
    om("order", "amend", name, "--quantity", "1", code=3)


def test_what_breaks_a_rule_is_refused_with_the_check_that_failed(om: CommandLine) -> None:
    refused = om.json("order", "place", "buy", "BTCUSDT", "0.0001", code=3)

    assert refused["code"] == "QUANTITY_OFF_STEP"
    assert [each["code"] for each in refused["decision"] if not each["passed"]] == [
        "QUANTITY_OFF_STEP"
    ]


def test_the_same_request_does_nothing_twice(om: CommandLine) -> None:
    words = ("order", "place", "buy", "BTCUSDT", "0.01", "--request-id", "once", *UNTIL_SETTLED)

    first, second = om.json(*words), om.json(*words)

    assert first["orders"] == second["orders"]
    assert om.json("order", "list")["total"] == 1


def test_an_amend_and_a_cancel_asked_again_answer_as_they_did(om: CommandLine) -> None:
    words = ("order", "place", "buy", "ETHUSDT", "0.5", "--price", "2400", *UNTIL_SETTLED)
    (order,) = om.json(*words)["orders"]
    name = order["client_order_id"]
    amend = ("order", "amend", name, "--price", "2410", "--request-id", "a", *UNTIL_SETTLED)
    first, again = om.json(*amend), om.json(*amend)
    om("order", "amend", name, "--price", "2420", *UNTIL_SETTLED)
    om.json(*amend)
    cancel = ("order", "cancel", name, "--request-id", "c", *UNTIL_SETTLED)
    ended, still = om.json(*cancel), om.json(*cancel)
    (shown,) = om.json(*amend)["orders"]

    assert first == again
    assert ended == still
    assert (shown["status"], shown["price"]) == ("CANCELLED", "2420")


def test_a_refused_amend_asked_again_is_refused_again(om: CommandLine) -> None:
    words = ("order", "place", "buy", "ETHUSDT", "0.5", "--price", "2400", *UNTIL_SETTLED)
    (order,) = om.json(*words)["orders"]
    same = ("order", "amend", order["client_order_id"], "--price", "2400", "--request-id", "n")
    first, again = om.json(*same, code=3), om.json(*same, code=3)

    assert (first["code"], again) == ("NOTHING_TO_CHANGE", first)


def test_cancel_all_ends_every_order(om: CommandLine) -> None:
    for price in ("2400", "2390"):
        om("order", "place", "buy", "ETHUSDT", "0.1", "--price", price, *UNTIL_SETTLED)

    done = om.json("order", "cancel-all", *UNTIL_SETTLED)

    assert done["cancelled"] == 2
    assert om.json("order", "list", "--open")["total"] == 0


def test_while_halted_nothing_opens_but_flatten_closes(om: CommandLine) -> None:
    om("order", "place", "sell", "ETHUSDT", "0.5", *UNTIL_SETTLED)
    om("order", "place", "buy", "BTCUSDT", "0.01", "--price", "50000", *UNTIL_SETTLED, code=3)
    om("order", "place", "buy", "BTCUSDT", "0.01", "--price", "60000", *UNTIL_SETTLED)

    om("halt", "--reason", "news")
    om("order", "place", "buy", "BTCUSDT", "0.01", code=7)
    preview = om.json("flatten", "--preview")
    flat = om.json("flatten", *UNTIL_SETTLED)

    assert preview["close"] == {"ETHUSDT": "-0.5"}
    assert [order["price"] for order in preview["cancel"]] == ["60000"]
    assert flat["positions left"] == 0
    assert om.json("order", "list", "--open")["total"] == 0
    assert om.json("trading-state", "show", code=7)["account"] == "HALTED"
    assert om.json("verify")["broken"] == []


def test_resume_lifts_the_version_it_names(om: CommandLine) -> None:
    om("order", "list", code=4)
    om("order", "place", "buy", "BTCUSDT", "0.001", *UNTIL_SETTLED)
    om("resume", code=4)
    om("halt")

    om("resume", "--version", "99", code=3)
    om("resume", "--version", "1")

    assert om.json("trading-state", "show")["account"] == "ACTIVE"
    om("order", "place", "buy", "BTCUSDT", "0.001", *UNTIL_SETTLED)


def test_a_restricted_symbol_leaves_the_others_alone(om: CommandLine) -> None:
    om("order", "place", "buy", "BTCUSDT", "0.001", *UNTIL_SETTLED)

    om("trading-state", "set", Trading.REDUCE_ONLY.value, "--scope", "symbol:BTCUSDT")

    om("order", "place", "buy", "BTCUSDT", "0.001", code=3)
    om("order", "place", "sell", "BTCUSDT", "0.001", "--reduce-only", *UNTIL_SETTLED)
    om("order", "place", "buy", "ETHUSDT", "0.1", *UNTIL_SETTLED)
    om("trading-state", "set", "ACTIVE", "--scope", "moon", code=2)


def test_a_decision_is_told_without_a_trace_in_the_store(om: CommandLine, tmp_path: Path) -> None:
    path = write_signal(tmp_path / "signal.json", a_signal(1))

    told = om.json("signal", "decide", path)

    assert told["signal"]["verdict"] == "ordered"
    assert told["orders"][0]["order_type"] == "Market"
    assert {"MAX_EXPOSURE", "INSUFFICIENT_BALANCE"} < {each["code"] for each in told["decision"]}
    om("order", "list", code=4)


def test_what_was_told_is_what_happens(om: CommandLine, tmp_path: Path) -> None:
    om("order", "place", "sell", "BTCUSDT", "0.002", *UNTIL_SETTLED)
    path = write_signal(tmp_path / "signal.json", a_signal(1, amount=20_000))
    told = om.json("signal", "decide", path)
    count = om.json("order", "list")["total"]

    om("signal", "send", path, *UNTIL_SETTLED)
    sent = om.json("signal", "send", path)

    names = [order["client_order_id"] for order in told["orders"]]
    made = om.json("order", "list", "--strategy", "hand")["orders"]
    assert sorted(order["client_order_id"] for order in made) == sorted(names)
    assert om.json("order", "list")["total"] == count + len(names)
    assert sent["signal"]["verdict"] == "duplicate"


def test_a_signal_ends_with_the_code_of_its_verdict(om: CommandLine, tmp_path: Path) -> None:
    old = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    cases = [
        (a_signal(1), 0),
        (a_signal(2, amount=1), 3),
        (a_signal(3, timestamp=old), 3),
        (a_signal(4, asset="NOSUCHUSDT"), 3),
        ('{"signal_id": 5}', 2),
        (" ", 2),
    ]
    for number, (text, code) in enumerate(cases):
        path = write_signal(tmp_path / f"{number}.json", text)

        om("signal", "decide", path, code=code)
        om("signal", "send", path, *UNTIL_SETTLED, code=code)

    assert [row["delivery"] for row in om.export("signals", "sqlite:///order-manager.sqlite")] == [
        *range(1, 6)
    ]


def test_a_denied_signal_is_decided_again_as_the_next_generation(
    om: CommandLine, tmp_path: Path
) -> None:
    text = a_signal(1)
    om("order", "place", "buy", "ETHUSDT", "0.01", *UNTIL_SETTLED)
    om("halt")
    om("signal", "send", write_signal(tmp_path / "signal.json", text), code=7)
    om("resume")

    again = om.json("signal", "retry", json.loads(text)["signal_id"], *UNTIL_SETTLED)

    assert [order["generation"] for order in again["orders"]] == [1]
    assert [order["status"] for order in again["orders"]] == ["FILLED"]
    om("signal", "retry", json.loads(text)["signal_id"], code=3)
    om("signal", "retry", "00000000-0000-4000-8000-000000000099", code=4)
    assert om.json("verify")["broken"] == []
