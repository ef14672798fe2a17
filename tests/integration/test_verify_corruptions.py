"""`verify` finds whatever is falsified in a store, also when the falsifier seals the rows anew."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from order_adapters.intake.demo import make_demo
from order_adapters.stores.sqlite import head as heads
from order_adapters.stores.sqlite.statements import STATEMENTS, checksum
from order_cli.__main__ import run
from order_cli.exit_codes import ExitCode

FILLED = "status = 'FILLED' AND origin = 'signal'"
FIRST_FILLED = f"(SELECT client_order_id FROM orders WHERE {FILLED} LIMIT 1)"
LAST_EVENT = "(SELECT max(number) FROM events WHERE order_version IS NOT NULL)"
MIDDLE_EVENT = "(SELECT number FROM events WHERE kind = 'order_accepted' LIMIT 1)"
CORRUPTIONS = {
    "a lost fill": "DELETE FROM executions WHERE number = (SELECT max(number) FROM executions)",
    "a fill lost in the middle": "DELETE FROM executions WHERE number = 2",
    "a changed fill quantity": "UPDATE executions SET quantity = '0.999' WHERE number = 1",
    "a changed fill price": "UPDATE executions SET price = price + 1 WHERE number = 1",
    "a changed fee": "UPDATE executions SET fee = '0.5' WHERE number = 1",
    "a wrong PnL of a fill": "UPDATE executions SET realized_pnl = '7' WHERE number = 3",
    "a fill of another strategy": "UPDATE executions SET strategy_id = 'x' WHERE number = 1",
    "a changed order quantity": f"UPDATE orders SET quantity = '0.999' WHERE {FILLED}",
    "a changed price": "UPDATE orders SET price = '1' WHERE price IS NOT NULL",
    "changed fees of an order": f'UPDATE orders SET fees = \'{{"USDT":"9"}}\' WHERE {FILLED}',
    "a changed status": f"UPDATE orders SET status = 'CANCELLED' WHERE {FILLED}",
    "a changed version": f"UPDATE orders SET version = version + 1 WHERE {FILLED}",
    "a changed side": f"UPDATE orders SET side = 'Sell' WHERE side = 'Buy' AND {FILLED}",
    "a deleted order": f"DELETE FROM orders WHERE client_order_id = {FIRST_FILLED}",
    "a renamed order": f"UPDATE orders SET client_order_id = 'om1d-x' "
    f"WHERE client_order_id = {FIRST_FILLED}",
    "a deleted event": f"DELETE FROM events WHERE number = {MIDDLE_EVENT}",
    "a deleted last event": f"DELETE FROM events WHERE number = {LAST_EVENT}",
    "a changed sequence": f"UPDATE events SET sequence = 99 WHERE number = {MIDDLE_EVENT}",
    "a changed event": "UPDATE events SET order_version = json_set(order_version, "
    f"'$.cum_quantity', '0.777') WHERE number = {MIDDLE_EVENT}",
    "a changed kind of event": f"UPDATE events SET kind = 'order_filled' "
    f"WHERE number = {MIDDLE_EVENT}",
    "a wrong position": "UPDATE positions SET size = '7'",
    "a wrong PnL": "UPDATE positions SET realized_pnl = '7'",
    "wrong fees of a position": "UPDATE positions SET fees = '{}'",
    "a deleted position": "DELETE FROM positions",
    "a deleted signal": "DELETE FROM signals WHERE verdict = 'denied'",
    "a changed verdict": "UPDATE signals SET verdict = 'denied' WHERE verdict = 'ordered'",
    "a changed reason": "UPDATE signals SET code = 'MAX_POSITION' WHERE verdict = 'denied'",
    "a changed amount": "UPDATE signals SET amount = '123456'",
    "a changed body": "UPDATE signals SET body = replace(body, 'buy', 'sell')",
    "a missing verdict": "DELETE FROM deliveries WHERE number = (SELECT min(number) "
    "FROM deliveries)",
    "a changed delivery": "UPDATE deliveries SET verdict = 'duplicate' WHERE verdict = 'invalid'",
    "a deleted command": "DELETE FROM commands",
    "a changed snapshot": "UPDATE position_snapshots SET size = '7'",
    "a deleted request's rules": "DELETE FROM instruments",
}
DOUBLES = {
    # table, what tells the double from the original
    "a doubled execution": ("executions", {"number": "max", "exec_id": "another"}),
    "an invented order": (
        "orders",
        {"row_no": "max", "client_order_id": "om1d-invented", "row_id": "invented"},
    ),
    "an invented signal": (
        "signals",
        {"row_no": "max", "signal_id": "00000000-0000-4000-8000-00000000beef"},
    ),
    "an invented event": ("events", {"number": "max", "sequence": "max"}),
}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a replay in which nearly everything happens."""
    folder = tmp_path_factory.mktemp("replayed")
    demo = make_demo(3)
    (folder / "signals.jsonl").write_text(demo.signals, encoding="utf-8")
    (folder / "faults.jsonl").write_text(demo.faults, encoding="utf-8")
    arguments = []
    for symbol, text in demo.markets.items():
        (folder / f"{symbol}.csv").write_text(text, encoding="utf-8")
        arguments += ["--market", f"{symbol}={symbol}.csv"]
    subprocess.run(
        [
            *(sys.executable, "-m", "order_cli", "replay", "--signals", "signals.jsonl"),
            *arguments,
            *("--faults", "faults.jsonl", "--store", "sqlite:///store.sqlite", "--json"),
        ],
        cwd=folder,
        env=os.environ
        | {
            "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD": "0",
            "ORDERMANAGER_ENABLE_ORDER_SPLITTING": "true",
            "ORDERMANAGER_POSITION_SNAPSHOT_INTERVAL": "60",
        },
        check=True,
        capture_output=True,
    )
    return folder / "store.sqlite"


@pytest.fixture
def store(replayed: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy to falsify."""
    copy = tmp_path / "copy.sqlite"
    shutil.copy(replayed, copy)
    connection = sqlite3.connect(copy, isolation_level=None)
    yield connection
    connection.close()


def verify(store: sqlite3.Connection, capsys: pytest.CaptureFixture[str]) -> tuple[int, set[str]]:
    """Run the command on the copy: its exit code, and the codes it names."""
    (path,) = [row[2] for row in store.execute("PRAGMA database_list")]
    store.close()
    code = run(["verify", "--store", f"sqlite:///{path}", "--json"])
    told = json.loads(capsys.readouterr().out)
    return code, {each["code"] for each in told["broken"]}


def seal(store: sqlite3.Connection) -> None:
    """Give every row the checksum of what it says now, as a program that writes nonsense would."""
    for statements in STATEMENTS.values():
        name = statements.table.name
        rows = store.execute(f"SELECT {statements.order}, {statements.columns} FROM {name}")
        for number, *cells in rows.fetchall():
            store.execute(
                f"UPDATE {name} SET checksum = ? WHERE {statements.order} = ?",
                (checksum(tuple(cells)), number),
            )
    cells = list(store.execute(f"SELECT {heads.COLUMNS} FROM head").fetchone())
    (newest,) = store.execute("SELECT max(number) FROM events").fetchone()
    cells[heads.NAMES.index("event_no")] = newest
    store.execute("UPDATE head SET event_no = ?, checksum = ?", (newest, checksum(tuple(cells))))


def double(store: sqlite3.Connection, table: str, changes: dict[str, str]) -> None:
    """Insert a copy of the newest row of a table."""
    columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
    values = [
        f"(SELECT max({name}) + 1 FROM {table})"
        if changes.get(name) == "max"
        else (f"'{changes[name]}'" if name in changes else name)
        for name in columns
    ]
    store.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM {table} ORDER BY 1 DESC LIMIT 1"
    )


def test_the_untouched_store_is_sound(
    store: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(store, capsys) == (ExitCode.DONE, set())


@pytest.mark.parametrize("sql", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_a_falsified_row_is_found_by_its_checksum(
    sql: str, store: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.execute(sql).rowcount > 0
    code, broken = verify(store, capsys)

    assert code == ExitCode.FAILURE
    assert broken


@pytest.mark.parametrize("sql", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_a_falsified_row_is_found_by_what_it_says(
    sql: str, store: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.execute(sql).rowcount > 0
    seal(store)
    code, broken = verify(store, capsys)

    assert code == ExitCode.FAILURE
    assert broken - {"STORE"}


@pytest.mark.parametrize(("table", "changes"), DOUBLES.values(), ids=DOUBLES)
def test_an_invented_row_is_found(
    table: str,
    changes: dict[str, str],
    store: sqlite3.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    double(store, table, changes)
    seal(store)
    code, broken = verify(store, capsys)

    assert code == ExitCode.FAILURE
    assert broken - {"STORE"}
