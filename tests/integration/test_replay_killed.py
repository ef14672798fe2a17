"""kill -9 of the command at moments nobody chose, then --resume, until the end."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.integration.command_line import CommandLine, first_rows, signal_lines, write_lines

SETTINGS = {
    "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD": "0",
    "ORDERMANAGER_ENABLE_ORDER_SPLITTING": "true",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE": "1500",
}
LINES = 100


@pytest.fixture
def om(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whenever_a_replay_is_killed_the_rest_is_done_and_nothing_twice(
    seed: int, om: CommandLine, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    market = first_rows(shared_data, tmp_path, 20_000)
    signals = write_lines(tmp_path / "signals.jsonl", signal_lines(shared_data)[:LINES])
    store = tmp_path / "killed.sqlite"
    words = ["replay", "--signals", str(signals), "--market", str(market)]
    words += ["--store", f"sqlite:///{store}", "--seed", str(seed), "--json"]
    random = Random(seed)
    before: dict[int, tuple[object, object]] = {}
    for kills in range(3):
        resume = ["--resume"] if kills else []
        was_killed = _killed([*words, *resume], store, events=random.randint(40, 140))
        decided = _verdicts(om, store)
        assert before.items() <= decided.items()
        before = decided
        if not was_killed:
            break

    summary = om.json(*words[:-1], "--resume")

    after = _verdicts(om, store)
    executions = om.export("executions", f"sqlite:///{store}")
    assert before.items() <= after.items()
    assert sorted(after) == list(range(1, LINES + 1))
    assert max(Counter(each["exec_id"] for each in executions).values()) == 1
    assert summary["invariants"]["broken"] == 0
    assert om.json("verify", "--store", f"sqlite:///{store}")["broken"] == []


def _killed(words: list[str], store: Path, events: int) -> bool:
    """Run the command and kill it after so many more events; False if it was done by then."""
    enough = _events(store) + events
    with subprocess.Popen(
        [sys.executable, "-m", "order_cli", *words], stdout=subprocess.DEVNULL, env=os.environ
    ) as process:
        while _events(store) < enough:
            try:
                process.wait(timeout=0.01)
            except subprocess.TimeoutExpired:
                continue
            assert process.returncode == 0
            return False
        process.send_signal(signal.SIGKILL)
        assert process.wait() in (0, -signal.SIGKILL)
        return process.returncode != 0


def _events(store: Path) -> int:
    if not store.is_file():
        return 0
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        found: int = connection.execute("SELECT event_no FROM head").fetchone()[0]
    except (sqlite3.OperationalError, TypeError):  # the tables are being made
        return 0
    else:
        return found
    finally:
        connection.close()


def _verdicts(om: CommandLine, store: Path) -> dict[int, tuple[object, object]]:
    """Verdict and code of each line that has one; what waits has none yet."""
    rows = om.export("signals", f"sqlite:///{store}")
    assert len({row["delivery"] for row in rows}) == len(rows)
    return {
        row["delivery"]: (row["verdict"], row["code"]) for row in rows if row["verdict"] != "parked"
    }
