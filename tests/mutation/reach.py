"""Reach: which test runs which line, so that a mutant meets only tests that can notice it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import coverage
import pytest

from tests.mutation.mutants import Where
from tests.mutation.targets import DOMAIN

OPTIONS: Final = ("-q", "-s", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0")
BEFORE: Final = ""
"""Stands for what runs before the first test: imports, and what the tests are made of."""


@attrs.frozen(slots=True)
class Reach:
    """What ran where.

    Attributes:
        lines: Of every file, and of every line of it that ran: the tests that ran it.
        seconds: How long each test took, in the order in which they ran.
    """

    lines: Mapping[str, Mapping[int, frozenset[str]]]
    seconds: Mapping[str, float]

    def tests_of(self, file: Path, where: Where) -> frozenset[str]:
        """Every test that ran a statement; with BEFORE if it ran before them all."""
        lines = self.lines.get(str(file), {})
        ran = [lines.get(line, frozenset()) for line in range(where.first, where.last + 1)]
        return frozenset().union(*ran)


def measure(tests: Sequence[str]) -> Reach:
    """Run tests and watch. Raises RuntimeError if one of them fails: nothing was changed yet."""
    watch = coverage.Coverage(data_file=None, config_file=False, source=[str(DOMAIN)])
    plugin = _Watches(watch)
    watch.start()
    code = pytest.main([*OPTIONS, "-x", *tests], plugins=[plugin])
    watch.stop()
    if code:
        raise RuntimeError("the tests fail without any mutant")
    found = watch.get_data()
    lines = {
        file: {line: frozenset(names) for line, names in found.contexts_by_lineno(file).items()}
        for file in found.measured_files()
    }
    return Reach(lines, plugin.seconds)


class _Watches:
    """Tells the measuring whose turn it is."""

    def __init__(self, watch: coverage.Coverage) -> None:
        self._watch = watch
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        self._watch.switch_context(item.nodeid)
        began_at = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - began_at
        return result
