"""Runner: every mutant in a process of its own, forked from one that knows no code of ours."""

import ast
import importlib.abc
import importlib.util
import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from tests.mutation.mutants import mutated
from tests.mutation.sample import Chosen
from tests.mutation.targets import DOMAIN, ROOT, TARGETS

CPU_SECONDS: Final = 60
"""A mutant that runs longer does not end; the tests of the slowest target take five."""
_OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0")


class Verdict(Enum):
    """What became of a mutant."""

    NOTICED = "noticed"
    ENDLESS = "endless"
    SURVIVED = "survived"


class Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module with a mistake in it, all others as they are."""

    def __init__(self, name: str, tree: ast.Module, file: Path) -> None:
        self._name = name
        self._tree = tree
        self._file = file

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        is_package = self._file.name == "__init__.py"
        places = [str(self._file.parent)] if is_package else None
        return importlib.util.spec_from_file_location(
            name, self._file, loader=self, submodule_search_locations=places
        )

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._file), "exec"), vars(module))


def judge(chosen: Sequence[Chosen], jobs: int) -> Iterator[tuple[Chosen, Verdict]]:
    """Try mutants, some at once."""
    if any(name.partition(".")[0] == "order_domain" for name in sys.modules):
        raise RuntimeError("the code to be changed is imported already")
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs) as pool:
        yield from pool.imap_unordered(try_one, chosen, chunksize=1)


def check_tests(targets: Iterable[str]) -> None:
    """Without a mistake the tests pass; else nothing that they notice means anything."""
    for name in targets:
        for tests in TARGETS[name].tests:
            code, said = _forked(tests, None)
            if code:
                raise RuntimeError(f"the tests of {name} fail without any mutant:\n{said}")


def try_one(each: Chosen) -> tuple[Chosen, Verdict]:
    """Run the tests of a mutant's target in forks, group by group."""
    for tests in TARGETS[each.target].tests:
        code, _ = _forked(tests, each)
        if code:
            return each, Verdict.ENDLESS if code < 0 else Verdict.NOTICED
    return each, Verdict.SURVIVED


def _forked(tests: Sequence[str], planted: Chosen | None) -> tuple[int, str]:
    """Run in a fork; return the exit code, negative for a signal, and what it said."""
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            code = 3
            try:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                code = _run(tests, planted)
            finally:
                sys.stdout.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read()


def module_of(file: Path) -> str:
    """The dotted name of a file of the domain."""
    parts = file.relative_to(DOMAIN).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _run(tests: Sequence[str], planted: Chosen | None) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.chdir(ROOT)
    if planted is not None:
        tree = mutated(planted.file.read_text(), planted.mutant)
        sys.meta_path.insert(0, Planted(module_of(planted.file), tree, planted.file))
    return int(pytest.main([*_OPTIONS, *tests]))
