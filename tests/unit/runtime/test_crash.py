"""A crash point kills without clean-up at the pass it is armed for, and never otherwise."""

import ast
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import order_adapters
import order_service
from order_adapters import passing
from order_domain.errors import InvalidValue
from order_service.runtime import crash
from order_service.runtime.passes import _AFTER, _BEFORE

NAME = "signal.received"

SCRIPT = """
from order_service.runtime.crash import arm, crash_point
import atexit
atexit.register(print, "cleaned up")
arm("signal.received:3")
for number in range(5):
    crash_point("signal.after_ack")
    print(number, flush=True)
    crash_point("signal.received")
"""


def test_the_process_dies_at_the_nth_pass() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60
    )

    assert result.returncode == -signal.SIGKILL
    assert result.stdout.split() == ["0", "1", "2"]


@pytest.mark.parametrize(
    "spec", [f"{NAME}{rest}" for rest in ("", ":", ":0", ":x", ":-1")] + [":1", "nowhere:1"]
)
def test_a_malformed_order_to_crash_is_refused(spec: str) -> None:
    with pytest.raises(InvalidValue):
        crash.arm(spec)
    assert not crash.is_armed()


def test_an_unarmed_point_is_passed() -> None:
    crash.arm(f"{NAME}:1")
    assert crash.is_armed()
    crash.arm("")

    crash.crash_point(NAME)
    assert not crash.is_armed()


def named_in(package: str) -> Iterator[str]:
    """Every text inside a call of `crash_point` or `passing` in a package."""
    for file in Path(package).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="crash_point" | "passing")):
                    for inner in ast.walk(node):
                        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                            yield inner.value


def test_the_points_that_are_listed_are_those_in_the_code() -> None:
    places = [order_service.__file__, order_adapters.__file__]
    named = {name for place in places if place for name in named_in(place)}

    # `_attempt` looks at its kind between two names, the look-ups of a flush fall back on none
    assert named - {""} | set(_BEFORE.values()) | set(_AFTER.values()) == set(crash.POINTS)


def test_a_moment_inside_an_adapter_is_told_to_whoever_asked() -> None:
    told: list[str] = []
    passing.passing("submit.after_send")
    passing.watch(told.append)
    assert passing.is_watched()
    passing.passing("submit.after_send")
    passing.watch(None)
    passing.passing("submit.mid_send")

    assert told == ["submit.after_send"]
    assert not passing.is_watched()
