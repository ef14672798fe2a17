"""The table of invariants says of each where it is checked, and each place checks it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from order_domain.invariants import NAMES
from scripts.invariant_places import (
    ALSO,
    AUDITOR_CANNOT,
    AUDITOR_READS,
    EXCHANGE_COMPARES,
    MATRIX_WATCHES,
    SIMULATION_WATCHES,
    VERIFY_READS,
    places,
)
from tests.docs.pages import ROOT

SIMULATION: Final = ROOT / "tests" / "simulation"
MATRIX: Final = ROOT / "tests" / "crash_matrix" / "checks.py"
COMPARISON: Final = ROOT / "packages/order_domain/src/order_domain/invariants/exchange.py"
TELLS: Final = ("broken", "append", "holds", "equal")
_CODE: Final = re.compile(r"\bV\d+\b")
BY_PACE: Final = {"V20"}
"""The checker takes this code from the claim itself."""


def told(path: Path) -> Iterator[str]:
    """Codes that stand first in a call that tells of something broken."""
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in TELLS
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield from _CODE.findall(str(node.args[0].value))


def test_every_invariant_has_a_place() -> None:
    bare = [code for code in NAMES if not re.sub(r"[ |]", "", places(code))]

    assert bare == []
    assert ALSO.keys() <= NAMES.keys()


def test_what_the_auditor_does_not_read_has_a_reason() -> None:
    assert AUDITOR_READS.isdisjoint(AUDITOR_CANNOT)
    assert AUDITOR_READS | AUDITOR_CANNOT.keys() == NAMES.keys()


def test_the_simulation_watches_what_the_table_says() -> None:
    found = {code for path in SIMULATION.glob("*.py") for code in told(path)} | BY_PACE

    assert found == SIMULATION_WATCHES


def test_the_comparison_with_the_exchange_tells_what_the_table_says() -> None:
    assert set(told(COMPARISON)) == EXCHANGE_COMPARES


def test_the_crash_matrix_watches_what_the_table_says() -> None:
    assert set(_CODE.findall(MATRIX.read_text())) == MATRIX_WATCHES
    assert "audit_store(" in MATRIX.read_text()


def test_what_nobody_else_checks_has_a_test_or_an_alert() -> None:
    checked = SIMULATION_WATCHES | VERIFY_READS | EXCHANGE_COMPARES
    named = {code for code, places in ALSO.items() if any("::" in each for each in places)}

    assert NAMES.keys() - checked - named == {"V17"}
    assert "alert OrderUnknown" in ALSO["V17"]


@pytest.mark.parametrize("named", sorted({each for found in ALSO.values() for each in found}))
def test_what_the_table_names_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    rules = yaml.safe_load((ROOT / "docker/prometheus/alerts.yml").read_text())["groups"][0]
    alerts = {rule["alert"] for rule in rules["rules"]}

    if name:
        assert f"def {name}(" in (ROOT / path).read_text()
    if named.startswith("alert"):
        assert set(re.findall(r"[A-Z]\w+", named)) <= alerts
