"""Nothing that comes from outside is read by what would run it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNING = frozenset(
    {"cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "pickle", "shelve", "yaml"}
)
FILES = sorted(path for folder in ("apps", "packages") for path in (ROOT / folder).rglob("*.py"))


def imported(text: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_k17_no_module_imports_what_runs_what_it_reads() -> None:
    assert len(FILES) > 200
    assert [path.name for path in FILES if imported(path.read_text()) & RUNNING] == []


@pytest.mark.parametrize("source", ["import pickle", "from yaml import load", "import dill as d"])
def test_such_an_import_would_be_found(source: str) -> None:
    assert imported(source) & RUNNING
