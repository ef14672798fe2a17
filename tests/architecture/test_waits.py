"""No wait of ours hides that it was cancelled."""

import ast
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def waits(source: str) -> list[int]:
    """Lines that use `asyncio.wait_for`; before Python 3.12 it can swallow a cancellation."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "wait_for"
            and isinstance(node.value, ast.Name)
            and node.value.id == "asyncio"
        )
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "asyncio"
            and any(each.name == "wait_for" for each in node.names)
        )
    ]


def test_a_limit_of_time_is_a_timeout_block_and_never_a_wait_for() -> None:
    files = [path for place in ("packages", "apps") for path in (ROOT / place).rglob("src/**/*.py")]

    assert files
    assert [path for path in files if waits(path.read_text())] == []


def test_each_way_to_wait_for_is_found() -> None:
    assert waits("import asyncio\nawait asyncio.wait_for(x, 1)") == [2]
    assert waits("from asyncio import wait_for") == [1]
    assert waits("await condition.wait_for(y)") == []
