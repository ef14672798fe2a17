"""`demo`: it shows what it promises, says where things lie, and can be looked at afterwards."""

from collections import Counter
from pathlib import Path

import pytest

from tests.integration.command_line import CommandLine


@pytest.fixture
def om(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def test_the_demo_shows_every_way_of_an_order(om: CommandLine, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/orders.sqlite"

    summary = om.json("demo", "--out", str(tmp_path))

    orders = om.export("orders", store)
    events = om.export("events", store)
    kinds = Counter(event["kind"] for event in events)
    assert {"ordered", "denied", "invalid", "duplicate", "expired"} == set(summary["outcomes"])
    assert {"FILLED", "CANCELLED", "DENIED"} < set(summary["orders"])
    assert kinds["order_working"] > 10
    assert kinds["order_partially_filled"] > 0
    assert sum(order["requote_of"] is not None for order in orders) > 0
    assert sum(order["legs"] > 1 for order in orders) > 0
    assert any(order["quantity"] != order["requested_quantity"] for order in orders)
    unknown = {event["client_order_id"] for event in events if event["kind"] == "order_unknown"}
    settled = {order["client_order_id"]: order["status"] for order in orders}
    assert len(unknown) >= 2
    assert all(settled[each] not in ("UNKNOWN", "SUBMITTING", "INTENT") for each in unknown)
    assert summary["invariants"]["broken"] == 0
    assert len({entry["strategy_id"] for entry in om.export("executions", store)}) >= 3


def test_the_demo_is_readable_and_says_what_to_try_next(om: CommandLine, tmp_path: Path) -> None:
    told = om("demo", "--out", str(tmp_path / "out"))

    for word in (
        "Signals",
        "Denied because",
        "Positions",
        "PnL per strategy",
        "Prices",
        "0 broken",
    ):
        assert word in told
    assert f"order-manager verify --store sqlite:///{tmp_path}/out/orders.sqlite" in told
    assert "▁" in told


def test_any_seed_ends_well_and_the_same_one_in_the_same_way(
    om: CommandLine, tmp_path: Path
) -> None:
    first = om("demo", "--out", str(tmp_path), "--seed", "11", "--json")
    second = om("demo", "--out", str(tmp_path), "--seed", "11", "--json")

    assert first == second


def test_an_order_of_the_demo_is_explained_to_the_end(om: CommandLine, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/orders.sqlite"
    om("demo", "--out", str(tmp_path), "--json")
    order = next(o for o in om.export("orders", store) if o["status"] == "FILLED")
    name = order["client_order_id"]

    told = om("explain", name, "--store", store)
    found = om.json("explain", name, "--store", store)

    assert "pass  MAX_EXPOSURE" in told
    assert "order_filled" in told
    assert [event["sequence"] for event in found["events"]] == list(range(1, order["sequence"] + 1))
    assert found["signal"]["signal_id"] == order["signal_id"]
    assert all(entry["client_order_id"] == name for entry in found["executions"])
    assert om.json("explain", order["venue_order_id"], "--store", store) == found


def test_lists_filter_and_show_what_the_store_holds(om: CommandLine, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/orders.sqlite"
    om("demo", "--out", str(tmp_path), "--json")

    denied = om.json("order", "list", "--status", "DENIED", "--limit", "3", "--store", store)
    ether = om.json("order", "list", "--symbol", "ETHUSDT", "--open", "--store", store)
    positions = om.json("position", "list", "--all", "--store", store)["positions"]
    shown = om.json("position", "show", "BTCUSDT", "--store", store)["positions"]

    assert len(denied["orders"]) == 3
    assert denied["total"] > 3
    assert {order["status"] for order in denied["orders"]} == {"DENIED"}
    assert {order["symbol"] for order in ether["orders"]} <= {"ETHUSDT"}
    assert [each["symbol"] for each in shown] == ["BTCUSDT"]
    assert shown[0] in positions
    om("order", "show", "no-such-id", "--store", store, code=4)
    om("position", "show", "NOSUCHUSDT", "--store", store, code=4)


def test_the_diagram_is_drawn_from_the_table(om: CommandLine) -> None:
    assert om("diagram").startswith("stateDiagram-v2\n")
