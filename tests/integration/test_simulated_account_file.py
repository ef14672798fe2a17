"""The file of a simulated account: killed at any moment, it is consistent."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from order_adapters.simulator import AccountState
from order_adapters.venues.simulated import StateFile
from order_adapters.venues.simulated.state_file import StateFileRefused
from tests.builders import NOW

DAY = timedelta(days=1)
WRITER = """
    import sys
    from datetime import timedelta
    from pathlib import Path
    from order_adapters.simulator import SimulatedExchange, SimulatorConfig
    from order_adapters.venues.simulated import StateFile
    from order_domain.model.enums import OrderType, Side, TimeInForce
    from order_domain.model.steps import SendCreate
    from tests.builders import NOW, a_quote, an_instrument, an_order

    keeper = StateFile(Path(sys.argv[1]))
    exchange = SimulatedExchange(
        instruments=[an_instrument()],
        config=SimulatorConfig(latency=timedelta(0), rate_limit=None),
    )
    state = keeper.load()
    first = 0
    if state is not None:
        exchange.restore(state)
        first = len(state.orders)
    exchange.changes()
    print(first, flush=True)
    now = NOW + timedelta(seconds=first)
    for number in range(first, 100_000):
        now += timedelta(seconds=1)
        exchange.on_quote(a_quote(), now)
        exchange.submit(SendCreate(an_order(
            order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC, attempt=1,
            client_order_id=f"order-{number}", side=Side.BUY if number % 2 else Side.SELL,
        )), now)
        exchange.poll(now)
        keeper.save(exchange.changes(), now)
        print(number + 1, flush=True)
"""


def test_a_killed_writer_leaves_every_answered_order_and_exact_money(tmp_path: Path) -> None:
    path = tmp_path / "store.venue"
    told = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        assert writer.stdout is not None
        start = int(writer.stdout.readline())
        assert start >= told
        for line in writer.stdout:
            told = int(line)
            if told >= start + 20:
                break
        time.sleep(0.003)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        told = check(path, told)


def check(path: Path, told: int) -> int:
    keeper = StateFile(path)
    state = keeper.load()
    keeper.close()
    assert state is not None
    assert len(state.orders) == len(state.executions) >= told
    assert state.ids["last_order"] == len(state.orders)
    fees = sum(Decimal(row["fee"]) for row in state.executions)
    flow = sum(
        (1 if row["side"] == "Sell" else -1) * Decimal(row["price"]) * Decimal(row["quantity"])
        for row in state.executions
    )
    (position,) = state.positions
    entry = Decimal(position["cost"])
    value = entry if Decimal(position["size"]) > 0 else -entry
    assert Decimal(state.wallets[0]["total"]) == 100_000 - fees + flow + value
    return len(state.orders)


def some_state(name: str, number: int, status: str, age: timedelta) -> AccountState:
    moment = (NOW - age).isoformat()
    order = {
        "venue_order_id": f"v{number}",
        "client_order_id": name,
        "number": number,
        "updated_at": moment,
        "status": status,
    }
    execution = {"exec_id": f"e{number}", "sequence": number, "executed_at": moment}
    return AccountState(
        ids={"prefix": "p", "last_order": number, "last_execution": number},
        wallets=({"coin": "USDT", "total": str(number)},),
        positions=({"instrument_id": "linear:BTCUSDT", "side": "Both", "size": str(number)},),
        orders=(order,),
        executions=(execution,),
    )


def test_old_closed_orders_stay_on_disk_and_do_not_come_back(tmp_path: Path) -> None:
    keeper = StateFile(tmp_path / "store.venue", history=DAY)
    assert (keeper.load(), keeper.saved_at) == (None, None)
    keeper.save(some_state("old", 1, "Filled", 2 * DAY), NOW)
    keeper.save(some_state("old-open", 2, "New", 2 * DAY), NOW)
    keeper.save(some_state("new", 3, "Filled", DAY / 2), NOW)

    state = keeper.load()
    keeper.close()

    assert state is not None
    assert [row["client_order_id"] for row in state.orders] == ["old-open", "new"]
    assert [row["exec_id"] for row in state.executions] == ["e3"]
    assert state.wallets == ({"coin": "USDT", "total": "3"},)
    assert state.positions[0]["size"] == "3"


def test_it_tells_when_it_was_saved(tmp_path: Path) -> None:
    keeper = StateFile(tmp_path / "store.venue")
    keeper.save(some_state("a", 1, "New", DAY), NOW)
    keeper.close()
    again = StateFile(tmp_path / "store.venue")

    assert again.saved_at == NOW
    again.close()


def test_a_save_that_fails_changes_nothing(tmp_path: Path) -> None:
    keeper = StateFile(tmp_path / "store.venue")
    keeper.save(some_state("a", 1, "New", DAY), NOW)
    broken = some_state("b", 2, "New", DAY)
    del broken.executions[0]["exec_id"]

    with pytest.raises(KeyError):
        keeper.save(broken, NOW + DAY)

    state = keeper.load()
    keeper.close()
    assert state is not None
    assert [row["client_order_id"] for row in state.orders] == ["a"]


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.venue"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE pets (name)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StateFileRefused):
        StateFile(path)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.venue"
    path.write_text("not a database, and long enough to be told from an empty file\n" * 20)

    with pytest.raises(StateFileRefused):
        StateFile(path)
