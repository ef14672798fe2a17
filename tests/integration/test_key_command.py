"""`key make`: the key that is printed is let in, with its scopes, until it expires."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from order_service.http.keys import Scope, digest_of, read_keys
from tests.integration.command_line import CommandLine


@pytest.fixture
def order_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(capsys)


def test_the_printed_key_is_the_one_whose_hash_is_kept(
    tmp_path: Path, order_manager: CommandLine
) -> None:
    printed = order_manager("key", "make", "desk", "--scope", "read", "--scope", "cancel").strip()
    file = tmp_path / "keys.jsonl"
    (key,) = read_keys(file)

    assert key.digest == digest_of(printed.encode())
    assert (key.id, key.scopes, key.expires_at) == ("desk", {Scope.READ, Scope.CANCEL}, None)
    assert printed not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_further_keys_are_added_whether_or_not_the_last_line_ended(
    tmp_path: Path, order_manager: CommandLine
) -> None:
    file = tmp_path / "k"
    for name in ("one", "two", "three"):
        order_manager("key", "make", name, "--scope", "halt", "--file", "k", "--days", "30")
        file.write_text(file.read_text().rstrip())
    found = read_keys(file)
    ends = [each.expires_at - datetime.now(UTC) for each in found if each.expires_at is not None]

    assert [each.id for each in found] == ["one", "two", "three"]
    assert [round(end / timedelta(days=1)) for end in ends] == [30, 30, 30]


@pytest.mark.parametrize("name", ["desk", "a b", "default"])
def test_a_name_that_is_taken_or_odd_changes_nothing(
    tmp_path: Path, order_manager: CommandLine, name: str
) -> None:
    order_manager("key", "make", "desk", "--scope", "read")
    before = (tmp_path / "keys.jsonl").read_text()
    order_manager("key", "make", name, "--scope", "read", code=2)

    assert (tmp_path / "keys.jsonl").read_text() == before


def test_a_file_that_is_broken_is_left_alone(tmp_path: Path, order_manager: CommandLine) -> None:
    (tmp_path / "keys.jsonl").write_text("{}\n")
    order_manager("key", "make", "desk", "--scope", "read", code=2)

    assert (tmp_path / "keys.jsonl").read_text() == "{}\n"
