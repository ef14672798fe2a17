"""The recorded market for tests of the command line: its files, parts of them, and exports."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from order_cli.__main__ import run

Json = dict[str, Any]


class CommandLine:
    """Runs commands in this process and gives what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.errors = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run one command; it must end with this code."""
        self._capsys.readouterr()
        ended = run(words)
        captured = self._capsys.readouterr()
        self.errors = captured.err
        assert ended == code, f"{' '.join(words)} ended with {ended}: {captured.err}"
        return captured.out

    def json(self, *words: str, code: int = 0) -> Json:
        """Run one command with --json."""
        found: Json = json.loads(self(*words, "--json", code=code))
        return found

    def export(self, kind: str, store: str) -> list[Json]:
        """Read all rows of a kind."""
        return [json.loads(line) for line in self("export", kind, "--store", store).splitlines()]


def signal_lines(shared_data: Path) -> list[str]:
    """Lines of the recorded signals."""
    (path,) = (shared_data / "signals").glob("btcusdt-*.jsonl")
    return path.read_text().splitlines()


def market_file(shared_data: Path) -> Path:
    """The recorded market."""
    (path,) = (shared_data / "market-data").glob("btcusdt-*.csv.gz")
    return path


def first_rows(shared_data: Path, folder: Path, rows: int) -> Path:
    """The beginning of the recorded market, as a plain file."""
    with gzip.open(market_file(shared_data), "rt") as lines:
        text = "".join(line for line, _ in zip(lines, range(rows + 1), strict=False))
    path = folder / "market.csv"
    path.write_text(text)
    return path


def write_lines(path: Path, lines: Sequence[str | bytes]) -> Path:
    """Write lines, text or raw."""
    path.write_bytes(b"\n".join(x.encode() if isinstance(x, str) else x for x in lines) + b"\n")
    return path
