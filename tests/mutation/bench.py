"""Bench: tests collected once; every mutant is tried in a fork, by the tests that run its line."""

import ast
import os
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import attrs
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Mutant, mutated
from tests.mutation.reach import OPTIONS
from tests.mutation.sample import source_of
from tests.mutation.swap import CannotSwap, swap

PASSED, FAILED, CANNOT = 0, 1, 2
Told = Callable[[int, int], None]
"""Takes the number of a trial and its end: PASSED, FAILED, CANNOT, or minus a signal's number."""
LEAST_SECONDS: Final = 5
"""What a mutant may take at least; beyond, ten times what its tests take."""


@attrs.frozen(slots=True)
class Trial:
    """One mutant, or modules as they are, and the tests it must face, in this order.

    Attributes:
        files: What is compiled again; the mutant is in the first.
        seconds: How long these tests take when nothing is wrong.
    """

    number: int
    files: tuple[Path, ...]
    mutant: Mutant | None
    tests: tuple[str, ...]
    seconds: float


class Bench:
    """A pytest plugin: instead of running the tests it tries mutants, and tells how each ended."""

    def __init__(self, trials: Sequence[Trial], told: Told) -> None:
        self._trials = trials
        self._told = told

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for trial in self._trials:
            self._told(trial.number, _try(trial, [items[name] for name in trial.tests]))
        return True


def run(tests: Sequence[str], trials: Sequence[Trial], told: Told) -> None:
    """Collect the tests and try everything."""
    pytest.main([*OPTIONS, *tests], plugins=[Bench(trials, told)])


def _try(trial: Trial, items: Sequence[pytest.Item]) -> int:
    child = os.fork()
    if child == 0:
        code = CANNOT
        try:
            code = _face(trial, items)
        except CannotSwap:
            code = CANNOT
        except BaseException:  # noqa: BLE001 -- a mutant may raise anything
            code = FAILED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _face(trial: Trial, items: Sequence[pytest.Item]) -> int:
    allowed = round(max(LEAST_SECONDS, 10 * trial.seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, allowed))
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for at, file in enumerate(trial.files):
        source = source_of(file)
        mutant = trial.mutant if at == 0 else None
        swap(file, ast.parse(source) if mutant is None else mutated(source, mutant))
    for item in items:
        if any(report.failed for report in runtestprotocol(item, nextitem=None, log=False)):
            return FAILED
    return PASSED
