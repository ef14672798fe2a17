"""`replay`, `export` and `verify` on the recorded market."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.command_line import (
    CommandLine,
    first_rows,
    market_file,
    signal_lines,
    write_lines,
)

KINDS = ("signals", "orders", "executions", "positions", "events")
VERDICTS = {"ordered", "denied", "duplicate", "invalid", "expired"}
BUSY = {
    "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD": "0",
    "ORDERMANAGER_ENABLE_ORDER_SPLITTING": "true",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE": "1500",
    "ORDERMANAGER_MAX_POSITION_SIZE": "0.12",
    "ORDERMANAGER_CANCEL_OPPOSITE_ORDERS_ONLY": "true",
    "ORDERMANAGER_CANCEL_STALE_ORDER_TIMEOUT": "20",
}
FAULTS = """\
{"fault": "silent_stream", "after_ms": 60000, "until_ms": 66000}
{"fault": "lose_answer", "request": "create", "after_ms": 60000, "until_ms": 66000}
{"fault": "lose_request", "request": "create", "nth": 40}
{"fault": "lose_answer", "request": "cancel", "nth": 5}
{"fault": "lose_report", "report": "execution", "nth": 30}
{"fault": "duplicate_report", "report": "order", "nth": 50, "count": 10}
{"fault": "silent_stream", "after_ms": 330000}
"""


@pytest.fixture
def om(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def test_every_line_ends_in_exactly_one_verdict_and_nothing_is_broken(
    om: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    lines = signal_lines(shared_data)
    signals = write_lines(tmp_path / "signals.jsonl", lines)

    summary = om.json(
        "replay", "--signals", str(signals), "--market", str(market_file(shared_data))
    )

    ids = [json.loads(line)["signal_id"] for line in lines]
    assert summary["signals"] == sum(summary["verdicts"].values()) == len(lines)
    assert set(summary["outcomes"]) <= VERDICTS
    assert summary["duplicates"] == len(ids) - len(set(ids))
    assert summary["invalid"] == 0
    assert summary["executions"] > 300
    assert summary["invariants"]["broken"] == 0
    assert summary["invariants"]["checked"] > 10_000


def test_limit_orders_splits_cancels_closes_and_faults_break_nothing(
    om: CommandLine, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in BUSY.items():
        monkeypatch.setenv(name, value)
    signals = write_lines(tmp_path / "signals.jsonl", _with_closes(signal_lines(shared_data)))
    faults = tmp_path / "faults.jsonl"
    faults.write_text(FAULTS)
    store = f"sqlite:///{tmp_path}/busy.sqlite"

    summary = om.json(
        *("replay", "--signals", str(signals), "--market", str(market_file(shared_data))),
        *("--faults", str(faults), "--store", store),
    )

    orders = om.export("orders", store)
    events = om.export("events", store)
    kinds = Counter(event["kind"] for event in events)
    assert summary["invariants"]["broken"] == 0
    assert sum(order["order_type"] == "Limit" for order in orders) >= 50
    assert kinds["order_partially_filled"] >= 1
    assert kinds["order_cancelled"] >= 1
    assert kinds["order_denied"] >= 1
    assert kinds["order_unknown"] >= 2
    assert sum(order["requote_of"] is not None for order in orders) >= 1
    assert sum(order["legs"] > 1 for order in orders) >= 1
    assert any(float(o["quantity"]) < float(o["requested_quantity"]) for o in orders)
    assert any(order["reduce_only"] for order in orders)
    assert {order["status"] for order in orders}.isdisjoint({"UNKNOWN", "SUBMITTING", "INTENT"})
    assert om.json("verify", "--store", store)["broken"] == []


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ids(
    om: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    market = first_rows(shared_data, tmp_path, 25_000)
    signals = write_lines(tmp_path / "signals.jsonl", signal_lines(shared_data)[:120])
    exports: list[list[str]] = []
    for number, seed in enumerate(("7", "7", "8")):
        store = f"sqlite:///{tmp_path}/{number}.sqlite"
        words = ("replay", "--signals", str(signals), "--market", str(market), "--seed", seed)
        summary = om(*words, "--store", store, "--json")
        exports.append([summary, *(om("export", kind, "--store", store) for kind in KINDS)])

    assert exports[0] == exports[1]
    assert exports[0] != exports[2]
    assert str(tmp_path) not in "".join(exports[0])


def test_bad_lines_and_rows_are_told_kept_and_counted_and_the_run_goes_on(
    om: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    good = signal_lines(shared_data)[:20]
    body = json.loads(good[0])
    bad: list[str | bytes] = [
        "not json",
        "",
        json.dumps(body | {"amount": -1}),
        json.dumps(body | {"signal_id": "test-001"}),
        good[0].replace("328.34", "NaN"),
        good[0].replace("328.34", "1e400"),
        good[0][:-1] + ', "amount": 1}',
        b'{"signal_id": "\xff"}',
        b"[" + b"1," * 5_000_000 + b"1]",
    ]
    odd = [
        json.dumps(_renewed(body, 1) | {"asset": "NOSUCHUSDT"}),
        json.dumps(_renewed(body, 2) | {"timestamp": "2001-01-01T00:00:00Z"}),
        json.dumps(_renewed(body, 3) | {"timestamp": "2099-01-01T00:00:00Z"}),
    ]
    signals = write_lines(tmp_path / "signals.jsonl", [*good[:10], *bad, *odd, *good[10:]])
    rows = first_rows(shared_data, tmp_path, 8_000).read_text().splitlines()
    rows[5:5] = ["1723161256331,quote,1,1,NaN,1,,,", "nonsense", "1723161256331,quote,9,1,8,1,,,"]
    packed = gzip.compress("\n".join(rows).encode())
    market = tmp_path / "market.csv.gz"
    market.write_bytes(packed[: len(packed) * 3 // 4])
    store = f"sqlite:///{tmp_path}/bad.sqlite"

    words = ("replay", "--signals", str(signals), "--market", f"BTCUSDT={market}")
    summary = om.json(*words, "--store", store)

    kept = [row for row in om.export("signals", store) if row["verdict"] == "invalid"]
    assert summary["signals"] == 32
    assert summary["invalid"] == len(bad)
    assert all(row["field"] and row["rule"] for row in kept)
    assert [row["delivery"] for row in kept] == list(range(11, 20))
    assert summary["verdicts"]["UNKNOWN_INSTRUMENT"] == 1
    assert summary["verdicts"]["SIGNAL_EXPIRED"] == 1
    assert summary["verdicts"]["SIGNAL_FROM_FUTURE"] == 1
    assert summary["market"]["BTCUSDT"]["bad_rows"] >= 3
    assert summary["invariants"]["broken"] == 0


def test_bad_rows_are_told_on_stderr_by_line_field_rule_and_value(
    om: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    market = first_rows(shared_data, tmp_path, 200)
    market.write_text(market.read_text() + "1723161257900,quote,1,1,NaN,1,,,\n")
    signals = write_lines(tmp_path / "signals.jsonl", signal_lines(shared_data)[:1])

    om("replay", "--signals", str(signals), "--market", str(market))

    told = "BTCUSDT line 202: ask: must be a decimal number above 0, got 'NaN'"
    assert told in om.errors


def test_unknown_symbols_get_rules_from_their_market_and_that_is_said(
    om: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    market = first_rows(shared_data, tmp_path, 8_000)
    lines = [x.replace("BTCUSDT", "NEWCOINUSDT") for x in signal_lines(shared_data)[:10]]
    signals = write_lines(tmp_path / "signals.jsonl", lines)

    summary = om.json("replay", "--signals", str(signals), "--market", str(market))

    assert "NEWCOINUSDT: trading rules inferred from 8000 rows: tick 0.1" in om.errors
    assert summary["outcomes"]["ordered"] > 0


def test_a_store_with_rows_is_refused_and_resume_goes_on_with_it(
    om: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    market = first_rows(shared_data, tmp_path, 10_000)
    lines = signal_lines(shared_data)
    signals = write_lines(tmp_path / "signals.jsonl", lines[:20])
    store = f"sqlite:///{tmp_path}/rows.sqlite"
    words = ("replay", "--signals", str(signals), "--market", str(market), "--store", store)
    om(*words)
    before = om.export("signals", store)

    om(*words, code=2)
    write_lines(signals, lines[:30])
    summary = om.json(*words, "--resume")

    after = om.export("signals", store)
    assert after[:20] == before
    assert [row["delivery"] for row in after] == list(range(1, 31))
    assert summary["signals"] == 30
    assert summary["invariants"]["broken"] == 0


def test_signals_of_several_symbols_need_their_markets_named(
    om: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    lines = signal_lines(shared_data)[:2]
    lines[1] = lines[1].replace("BTCUSDT", "ETHUSDT")
    signals = write_lines(tmp_path / "signals.jsonl", lines)

    om("replay", "--signals", str(signals), "--market", str(market_file(shared_data)), code=2)

    assert "SYMBOL=FILE" in om.errors


def _with_closes(lines: list[str]) -> list[str]:
    """Every ninth line closes the position instead."""
    return [
        line.replace('{"reasoning": "replayed"}', '{"exit_strategy": true}').replace(
            f'"amount": {json.loads(line)["amount"]}', '"amount": 0.05'
        )
        if number % 9 == 0
        else line
        for number, line in enumerate(lines)
    ]


def _renewed(body: dict[str, object], number: int) -> dict[str, object]:
    return body | {"signal_id": f"00000000-0000-4000-8000-00000000000{number}"}
