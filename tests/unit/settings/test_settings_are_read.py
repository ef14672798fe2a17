"""No setting is dead: each field is read by code that acts, not only by the code that checks it.

What a setting changes is shown in `test_settings_in_decisions` and by the parts that use it.
This only keeps a variable from standing on the page without anybody asking for it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs
import pytest

from order_domain.config import EngineConfig
from order_service.settings import variables
from order_service.settings.model import _RENAMED
from scripts.generate_docs import ROOT

CHECKING = "order_service/settings/"
IN_THE_ENGINE = {ours: engines for engines, ours in _RENAMED.items()}


@cache
def sources(folder: str) -> tuple[Path, ...]:
    found = (ROOT / folder).glob("**/src/**/*.py")
    return tuple(path for path in found if CHECKING not in path.as_posix())


@cache
def read_in(folder: str) -> frozenset[str]:
    """Names of attributes that are asked for, those asked for when an object is made left out."""
    return frozenset(name for path in sources(folder) for name in _read(path))


def _read(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    making = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("__")
        for each in ast.walk(node)
        if node.name != "__init__"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in making:
            yield node.attr


def is_read(group: str, field: str) -> bool:
    if field in read_in("apps/service"):
        return True
    name = IN_THE_ENGINE.get(field, field)
    of_the_engine = {each.name for each in attrs.fields(EngineConfig)}
    return group == "ordermanager" and name in of_the_engine and name in read_in("packages")


@pytest.mark.parametrize("variable", sorted(variables()))
def test_a_setting_is_read_by_what_acts_on_it(variable: str) -> None:
    assert is_read(*variables()[variable])


def test_a_setting_that_nobody_reads_would_be_found() -> None:
    assert not is_read("ordermanager", "tp_sl_trigger_by")
    assert not is_read("bybit", "max_exposure_of_nothing")
