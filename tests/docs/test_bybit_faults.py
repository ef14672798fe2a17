"""The page of Bybit's faults names every fault, and only tests that are there."""

import ast
import re
from typing import Final

import pytest

from tests.docs.pages import ROOT

PAGE: Final = ROOT / "docs" / "reference" / "bybit-faults.md"
FAULTS: Final = [f"X{number}" for number in range(1, 26)] + [
    f"W{number}" for number in range(1, 16)
]
NO_TEST_YET: Final[set[str]] = set()
_ROW: Final = re.compile(r"^\| ([XW]\d+) \|.*\| ([^|]*) \|$", re.MULTILINE)
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROWS: Final = _ROW.findall(PAGE.read_text(encoding="utf-8"))
TESTS: Final = sorted({found for _, cell in ROWS for found in _TEST.findall(cell)})


def test_each_fault_has_one_row() -> None:
    assert [name for name, _ in ROWS] == FAULTS


def test_each_fault_has_a_test_unless_it_is_said_that_it_has_none() -> None:
    assert {name for name, cell in ROWS if not _TEST.search(cell)} == NO_TEST_YET


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_test_that_is_named_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}
