"""The command line on a running service: the same words, the same exit codes, over HTTP."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, get_args

import pytest

from order_service.exporting import Kind
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
    amended = command.json("explain", order["client_order_id"])["order"]
    (ended,) = command.json("order", "cancel", order["client_order_id"])["orders"]

    assert float(amended["price"]) == float(lower)
    assert ended["status"] == "CANCELLED"


def a_resting_order(command: CommandLine, service: ServiceProcess) -> str:
    command("order", "place", "buy", "BTCUSDT", "0.01")
    price = float(service.get("/positions/BTCUSDT")["current_price"])
    words = ("order", "place", "buy", "BTCUSDT", "0.01", "--price", str(round(price * 0.97)))
    (order,) = command.json(*words)["orders"]
    return str(order["client_order_id"])


def test_place_amend_and_cancel_asked_again_answer_as_they_did(
    command: CommandLine, service: ServiceProcess
) -> None:
    order = a_resting_order(command, service)
    price = float(service.get("/positions/BTCUSDT")["current_price"])
    lower = str(round(price * 0.965))
    amend = ("order", "amend", order, "--price", lower, "--request-id", "amend-once")
    cancel = ("order", "cancel", order, "--request-id", "cancel-once")
    first, again = command.json(*amend), command.json(*amend)
    ended, still = command.json(*cancel), command.json(*cancel)

    assert first["result"] == again["result"]
    assert first["orders"][0]["price"] == again["orders"][0]["price"]
    assert ended == still
    assert command.json(*amend)["result"] == first["result"]


def test_all_orders_are_cancelled_and_waited_for(
    command: CommandLine, service: ServiceProcess
) -> None:
    names = {a_resting_order(command, service) for _ in range(2)}
    live = command.json("order", "list", "--open")["orders"]
    done = command.json("order", "cancel-all", "BTCUSDT")

    assert names <= {order["client_order_id"] for order in live}
    assert done["result"]["cancelled"] == len(live)
    assert command.json("order", "list", "--open")["total"] == 0


def test_orders_are_listed_by_any_of_our_own_states(
    command: CommandLine, service: ServiceProcess
) -> None:
    a_resting_order(command, service)
    command("order", "place", "buy", "BTCUSDT", "0.01", "--price", "1", code=3)
    command("order", "cancel-all")
    words = ("order", "list", "--status", "DENIED", "--status", "CANCELLED", "--limit", "1000")
    states = {order["state"] for order in command.json(*words)["orders"]}

    assert states == {"DENIED", "CANCELLED"}
    assert command.json("order", "list", "--status", "REJECTED")["orders"] == []


def emptied(command: CommandLine) -> None:
    """What other tests hold may be more than the market shows at once, and so take several."""
    for _ in range(10):
        if not command.json("position", "list")["positions"]:
            return
        with suppress(AssertionError):  # it ends as refused while something is left
            command("flatten")
    raise AssertionError("ten times were not enough")


def test_flatten_tells_first_and_then_leaves_nothing(
    command: CommandLine, service: ServiceProcess
) -> None:
    emptied(command)
    name = a_resting_order(command, service)
    preview = command.json("flatten", "--preview")
    flat = command.json("flatten")
    held = command.json("position", "list")["positions"]

    assert name in [order["client_order_id"] for order in preview["cancel"]]
    assert float(preview["close"]["BTCUSDT"]) > 0
    assert flat["result"]["positions left"] == 0
    assert held == []
    assert command.json("position", "list", "--all")["positions"]
    assert command.json("order", "list", "--open")["total"] == 0


def test_what_a_signal_would_do_is_what_it_does(command: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "signal.json"
    file.write_text(json.dumps(a_body(710)))
    preview = command.json("signal", "decide", str(file))
    sent = command.json("signal", "send", str(file))
    told = command("signal", "decide", str(file))

    assert [order["client_order_id"] for order in preview["orders"]] == sent["order_ids"]
    assert [order["status"] for order in sent["orders"]] == ["FILLED"]
    assert "duplicate" in told


@pytest.mark.parametrize(
    ("number", "changes", "code"),
    [
        (720, {"amount": 1}, 3),
        (721, {"timestamp": "2020-01-01T00:00:00Z"}, 3),
        (722, {"amount": "much"}, 2),
        (723, None, 2),
    ],
)
def test_a_signal_ends_with_the_code_of_its_verdict(
    command: CommandLine,
    tmp_path: Path,
    number: int,
    changes: dict[str, object] | None,
    code: int,
) -> None:
    file = tmp_path / "signal.json"
    file.write_text("" if changes is None else json.dumps(a_body(number) | changes))
    for word in ("decide", "send"):
        command("signal", word, str(file), code=code)


def test_a_denied_signal_is_decided_again(command: CommandLine, tmp_path: Path) -> None:
    file, body = tmp_path / "signal.json", a_body(730)
    file.write_text(json.dumps(body))
    command("halt")
    command("signal", "decide", str(file), code=7)
    command("signal", "send", str(file), code=7)
    command("resume")
    again = command.json("signal", "retry", body["signal_id"])

    assert [(each["generation"], each["status"]) for each in again["orders"]] == [(1, "FILLED")]
    command("signal", "retry", "00000000-0000-4000-8000-000000000999", code=4)


def test_a_version_that_is_no_longer_there_is_not_lifted(command: CommandLine) -> None:
    command("halt")
    (seen,) = [each for each in _states(command) if each["scope"] == "account"]
    command("halt", "--reason", "another one")

    command("resume", "--version", str(seen["version"]), code=3)
    command("trading-state", "show", code=7)
    command("resume")


def _states(command: CommandLine) -> list[dict[str, str]]:
    states: list[dict[str, str]] = command.json("trading-state", "show", code=7)["states"]
    return states


@pytest.mark.parametrize("kind", get_args(Kind))
def test_an_export_gives_the_bytes_of_the_store(
    command: CommandLine, service: ServiceProcess, tmp_path: Path, kind: str
) -> None:
    good, odd = tmp_path / "good.json", tmp_path / "odd.json"
    number = 740 + 2 * get_args(Kind).index(kind)
    good.write_text(json.dumps(a_body(number)))
    odd.write_text(json.dumps(a_body(number + 1, trace_id="a\u2028b"), ensure_ascii=False))
    command("signal", "send", str(good))
    command("signal", "send", str(good))
    command("signal", "send", str(odd), code=2)
    remote = command("export", kind)
    local = command("export", kind, "--store", f"sqlite:///{service.folder}/orders.sqlite")

    assert remote.splitlines()
    assert remote == local


CUT_OFF: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\ntransfer-encoding: chunked\r\n\r\n"
    b'8\r\n{"a":1}\n\r\n'
)


@contextmanager
def breaking_off() -> Iterator[str]:
    """A service that dies in the middle of an export."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def once() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(65_536)
                line.sendall(CUT_OFF)

        thread = threading.Thread(target=once)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_an_export_that_breaks_off_is_no_export(command: CommandLine) -> None:
    with breaking_off() as url:
        written = command("export", "orders", "--url", url, code=1)

    assert written == '{"a":1}\n'
    assert "is not all" in command.errors


def test_an_export_is_for_whoever_may_read(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERMANAGER_API_KEY", "wrong")

    command("export", "orders", code=5)


def test_a_command_for_a_local_store_says_so(command: CommandLine) -> None:
    command("verify", "--url", "http://127.0.0.1:1", code=2)

    assert "verify does not work on a running service" in command.errors
    assert "the process that trades" in command.errors


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
