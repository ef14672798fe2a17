"""The command tree: what a wrong command line says, and the exit code of every end."""

import asyncio
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from order_cli import __main__ as command_line
from order_cli.__main__ import build_app, run
from order_cli.commands import COMMANDS, GROUPS, Entry
from order_cli.errors import CommandError, as_command_error
from order_cli.exit_codes import ExitCode
from order_domain.errors import BrokenInvariant, InvalidValue, OrderManagerError
from order_domain.ports.journal import LeaseHeld, WrongMode

ENTRIES = [entry for entries in COMMANDS.values() for entry in entries]


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_every_command_of_the_table_is_there_and_documented(entry: Entry) -> None:
    module, _, name = entry.target.partition(":")

    command = getattr(import_module(module), name)

    assert command.__doc__


def test_every_group_has_commands_and_every_command_its_group() -> None:
    heads = {entry.name.split(" ")[0] for entry in ENTRIES if " " in entry.name}

    assert heads == set(GROUPS)


@pytest.mark.parametrize("words", [["--help"], ["order", "--help"], ["replay", "--help"]])
def test_help_ends_well(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == ExitCode.DONE
    assert "Usage: order-manager" in capsys.readouterr().out


def test_help_lists_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])

    assert "6 unknown" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["order", "nonsense"],
        ["order", "place", "buy", "BTCUSDT", "abc"],
        ["order", "place", "hold", "BTCUSDT", "1"],
        ["order", "place", "buy", "BTCUSDT", "1", "--price", "Infinity"],
        ["replay"],
        ["export", "secrets", "--store", "sqlite:///x"],
        ["replay", "--signals", "/nowhere.jsonl", "--market", "BTCUSDT=/nowhere.csv"],
        ["order", "list", "--store", "mysql:///x"],
        ["trading-state", "set", "PAUSED"],
        ["order", "amend", "some-id"],
    ],
)
def test_what_cannot_be_used_ends_with_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == ExitCode.USAGE
    assert capsys.readouterr().out == ""


def test_a_wrong_number_is_told_with_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    run(["order", "place", "buy", "BTCUSDT", "0,5"])

    assert "must be a decimal number, got '0,5'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["order", "list"],
        ["export", "orders"],
        ["verify"],
        ["explain", "some-id"],
        ["halt"],
        ["position", "show", "BTCUSDT"],
    ],
)
def test_a_store_that_is_not_there_ends_with_4_and_makes_no_file(
    words: list[str], tmp_path: Path
) -> None:
    assert run([*words, "--store", f"sqlite:///{tmp_path}/none.sqlite"]) == ExitCode.NOT_FOUND
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_breaks_its_rule_ends_with_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERMANAGER_MAX_EXPOSURE", "-1")
    signals = tmp_path / "signals.jsonl"
    signals.write_text("")

    code = run(["replay", "--signals", str(signals), "--market", f"BTCUSDT={signals}"])

    assert code == ExitCode.CONFIGURATION
    assert "ORDERMANAGER_MAX_EXPOSURE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InvalidValue(field="seed", rule=">= 0", value=-1), ExitCode.USAGE, "seed: must be >= 0"),
        (LeaseHeld(owner="a", url="http://127.0.0.1:4600"), ExitCode.FAILURE, "127.0.0.1:4600"),
        (WrongMode(account="dry:x", found="live"), ExitCode.CONFIGURATION, "live"),
        (BrokenInvariant(what="x"), ExitCode.FAILURE, "BROKEN_INVARIANT"),
    ],
)
def test_an_error_of_the_layers_below_has_its_code_and_words(
    error: OrderManagerError, code: ExitCode, text: str
) -> None:
    told = as_command_error(error)

    assert told.code is code
    assert text in str(told)


def test_a_store_that_a_service_owns_is_told_with_the_way_to_that_service() -> None:
    by_service = as_command_error(LeaseHeld(owner="a", url="http://127.0.0.1:4600"))
    by_command = as_command_error(LeaseHeld(owner="a", url=""))

    assert "--url http://127.0.0.1:4600" in by_service.hint
    assert "--url" not in by_command.hint


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError(ExitCode.HALTED, "halted", "resume"), ExitCode.HALTED),
        (InvalidValue(field="a", rule="b", value="c"), ExitCode.USAGE),
        (FileNotFoundError(2, "No such file", "x.csv"), ExitCode.USAGE),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (asyncio.CancelledError(), None),
    ],
)
def test_every_deliberate_end_has_an_exit_code(
    error: BaseException, code: ExitCode | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(command_line, "build_app", lambda _words, **_how: failing)

    if code is None:
        with pytest.raises(type(error)):
            run([])
    else:
        assert run([]) == code


def test_building_the_tree_imports_no_command() -> None:
    script = (
        "import sys; from order_cli.__main__ import build_app; build_app();"
        "late = ('order_service', 'order_adapters', 'pydantic', 'rich');"
        "print([name for name in sys.modules if name.startswith(late)])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_tree_is_named_after_the_command() -> None:
    assert build_app().name == ("order-manager",)
