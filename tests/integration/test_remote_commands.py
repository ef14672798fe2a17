"""The command line on a running service: the same words, the same exit codes, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.command_line import CommandLine
from tests.integration.service_process import KEY, ServiceProcess, a_body


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("remote")) as running:
        running.ready()
        yield running


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    service: ServiceProcess,
) -> CommandLine:
    monkeypatch.setenv("ORDERMANAGER_API_KEY", KEY)
    monkeypatch.setenv("ORDERMANAGER_URL", str(service.http.base_url))
    return CommandLine(capsys)


def test_an_order_is_placed_looked_at_explained_and_its_position_closed(
    command: CommandLine,
) -> None:
    placed = command.json("order", "place", "buy", "BTCUSDT", "0.01")
    (order,) = placed["orders"]
    shown = command.json("order", "show", order["client_order_id"])
    listed = command.json("order", "list", "--limit", "1")
    story = command.json("explain", order["venue_order_id"])
    held = command.json("position", "show", "btcusdt")
    closed = command.json("position", "close", "BTCUSDT", "--part", "50%")

    assert order["status"] == shown["state"] == "FILLED"
    assert shown["executions"]
    assert listed["orders"][0]["client_order_id"] == order["client_order_id"]
    assert story["events"][-1]["kind"] == "order_filled"
    assert float(held["size"]) > 0
    assert closed["orders"][0]["side"] == "Sell"


def test_tables_are_for_people(command: CommandLine) -> None:
    command("order", "place", "buy", "BTCUSDT", "0.01")

    assert "client order id" in command("order", "list")
    assert "unrealised PnL" in command("position", "list")
    assert "max_exposure" in command("status")


def test_the_same_request_id_does_nothing_new(command: CommandLine) -> None:
    words = ("order", "place", "buy", "BTCUSDT", "0.01", "--request-id", "once-1")
    first, second = command.json(*words), command.json(*words)

    assert first["result"] == second["result"]


def test_a_halt_is_an_exit_code_of_its_own(command: CommandLine) -> None:
    command("halt", "--reason", "a test")
    command("trading-state", "show", code=7)
    command("order", "place", "buy", "BTCUSDT", "0.01", code=7)
    command("resume")
    command("trading-state", "show")


def test_a_refusal_shows_its_decision(command: CommandLine) -> None:
    told = command("order", "place", "buy", "BTCUSDT", "0.01", "--price", "1", code=3)

    assert "FAIL  PRICE_COLLAR" in told
    assert "PRICE_COLLAR" in command.errors


def test_what_is_not_there_is_not_found(command: CommandLine) -> None:
    command("order", "show", "nope", code=4)
    command("order", "cancel", "nope", code=4)


def test_a_signal_is_sent_and_its_verdict_told(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "signal.json"
    file.write_text(json.dumps(a_body(700)))
    verdict = command.json("signal", "send", str(file))
    again = command.json("signal", "send", str(file))

    assert verdict["verdict"] == "ordered"
    assert again["verdict"] == "duplicate"


def test_the_account_is_read_on_demand(command: CommandLine) -> None:
    assert command.json("sync", "--scope", "orders")["status"] == "completed"


def test_orders_are_amended_and_cancelled(command: CommandLine, service: ServiceProcess) -> None:
    command("order", "place", "buy", "BTCUSDT", "0.01")
    price = float(service.get("/positions/BTCUSDT")["current_price"])
    rest = str(round(price * 0.97))
    (order,) = command.json("order", "place", "buy", "BTCUSDT", "0.01", "--price", rest)["orders"]
    lower = str(round(price * 0.965))
    command("order", "amend", order["client_order_id"], "--price", lower)
    (ended,) = command.json("order", "cancel", order["client_order_id"])["orders"]

    assert ended["status"] == "CANCELLED"


def test_a_command_for_a_local_store_says_so(command: CommandLine) -> None:
    command("verify", "--url", "http://127.0.0.1:1", code=2)

    assert "works on a local store" in command.errors


def test_a_store_that_is_named_beats_the_url_of_the_environment(
    command: CommandLine, tmp_path: Path
) -> None:
    command("order", "list", "--store", f"sqlite:///{tmp_path}/none.sqlite", code=4)


def test_a_wrong_key_and_a_service_that_is_not_there_are_told(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERMANAGER_API_KEY", "wrong")
    command("order", "list", code=5)
    command("order", "list", "--url", "http://127.0.0.1:1", code=1)
    monkeypatch.delenv("ORDERMANAGER_API_KEY")
    command("order", "list", code=5)

    assert "ORDERMANAGER_API_KEY" in command.errors


def test_a_profile_names_a_service_and_the_file_of_its_key(
    command: CommandLine,
    service: ServiceProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / ".config" / "order-manager"
    folder.mkdir(parents=True)
    (tmp_path / "key").write_text(KEY)
    (folder / "profiles.toml").write_text(
        f'[desk]\nurl = "{service.http.base_url}"\nkey_file = "{tmp_path}/key"\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ORDERMANAGER_URL")
    monkeypatch.delenv("ORDERMANAGER_API_KEY")

    assert "ready" in command("status", "--profile", "desk")
    command("status", "--profile", "nobody", code=5)


def test_events_are_followed_a_line_each_where_nobody_looks(command: CommandLine) -> None:
    command("order", "place", "buy", "BTCUSDT", "0.01")
    lines = command("watch", "--seconds", "0.5").splitlines()

    assert json.loads(lines[-1])["number"] >= 1
