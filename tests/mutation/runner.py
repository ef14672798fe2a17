"""Runner: every mutant in a process of its own, changed in place or imported anew."""

import ast
import importlib.abc
import importlib.util
import multiprocessing
import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import partial
from importlib.machinery import ModuleSpec
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from tests.mutation.bench import CANNOT, PASSED, Trial, run
from tests.mutation.mutants import mutated
from tests.mutation.reach import BEFORE, OPTIONS, Reach, measure
from tests.mutation.sample import Chosen, source_of
from tests.mutation.targets import DOMAIN, ROOT, TARGETS

CPU_SECONDS: Final = 60
"""A mutant that runs longer does not end; the tests of the slowest target take five."""


UNCHANGED: Final = -1
"""Number of the trial of the modules as they are."""


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
    """Try mutants, some at once.

    What runs when a function is called is changed in place, and meets the tests that run its line.
    What runs when its module is imported, or before the first test, is imported anew. Raises
    RuntimeError if the tests fail without any mistake: then nothing they notice means anything.
    """
    if any(name.partition(".")[0] == "order_domain" for name in sys.modules):
        raise RuntimeError("the code to be changed is imported already")
    tests = _tests_of({each.target: None for each in chosen})
    reach: Reach = next(_parallel([lambda send: send(measure(tests))]))
    anew = [each for each in chosen if not each.mutant.where.is_late]
    trials = _trials(chosen, reach)
    for number, end in _at_benches(tests, trials, jobs):
        each = chosen[number]
        ran_before = BEFORE in reach.tests_of(each.file, each.mutant.where)
        if end == CANNOT or (end == PASSED and ran_before):
            anew.append(each)
        else:
            yield each, _verdict(end)
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs) as pool:
        yield from pool.imap_unordered(try_anew, anew, chunksize=1)


def _tests_of(targets: Iterable[str]) -> list[str]:
    """Every test file and folder that these targets name."""
    return list(
        dict.fromkeys(path for name in targets for group in TARGETS[name].tests for path in group)
    )


def _trials(chosen: Sequence[Chosen], reach: Reach) -> list[Trial]:
    """What is to be tried in place, and by which tests: the nearest first, then the quickest."""
    trials = []
    for number, each in enumerate(chosen):
        if each.mutant.where.is_late:
            rank = TARGETS[each.target].rank
            facing = [
                (near, reach.seconds[test], test)
                for test in reach.tests_of(each.file, each.mutant.where)
                if (near := rank(test)) is not None
            ]
            tests = tuple(test for _, _, test in sorted(facing))
            seconds = sum(seconds for _, seconds, _ in facing)
            trials.append(Trial(number, (each.file,), each.mutant, tests, seconds))
    return trials


def _at_benches(
    tests: Sequence[str], trials: Sequence[Trial], jobs: int
) -> Iterator[tuple[int, int]]:
    """Deal trials out to processes; each tries the modules as they are first."""
    works = []
    for at in range(jobs):
        mine = trials[at::jobs]
        files = tuple(dict.fromkeys(file for each in mine for file in each.files))
        faced = tuple(dict.fromkeys(test for each in mine for test in each.tests))
        unchanged = Trial(UNCHANGED, files, None, faced, CPU_SECONDS)
        works.append(partial(_bench, tests, [unchanged, *mine]))
    for number, end in _parallel(works):
        if number != UNCHANGED:
            yield number, end
        elif end != PASSED:
            raise RuntimeError("the tests fail at a bench without any mutant")


def _bench(tests: Sequence[str], trials: Sequence[Trial], send: Callable[[object], None]) -> None:
    run(tests, trials, lambda number, end: send((number, end)))


def _parallel(works: Sequence[Callable[[Callable[[object], None]], None]]) -> Iterator[Any]:
    """Run each in a fork; yield what they send. Raises RuntimeError if one of them dies."""
    context = multiprocessing.get_context("fork")
    running: dict[Connection, Any] = {}
    for work in works:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_send_all, args=(work, theirs))
        process.start()
        theirs.close()
        running[ours] = process
    while running:
        for ready in wait(list(running)):
            assert isinstance(ready, Connection)
            try:
                yield ready.recv()
            except EOFError:
                process = running.pop(ready)
                process.join()
                if process.exitcode:
                    raise RuntimeError(f"a process died: {process.exitcode}") from None


def _send_all(work: Callable[[Callable[[object], None]], None], answers: Connection) -> None:
    work(answers.send)


def _verdict(code: int) -> Verdict:
    if code < 0:
        return Verdict.ENDLESS
    return Verdict.NOTICED if code else Verdict.SURVIVED


def try_anew(each: Chosen) -> tuple[Chosen, Verdict]:
    """Import a changed module and run the tests of its target, in forks, group by group."""
    for tests in TARGETS[each.target].tests:
        code = _forked(tests, each)
        if code:
            return each, _verdict(code)
    return each, Verdict.SURVIVED


def _forked(tests: Sequence[str], planted: Chosen) -> int:
    """Run in a fork; return the exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            code = _run(tests, planted)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def module_of(file: Path) -> str:
    """The dotted name of a file of the domain."""
    parts = file.relative_to(DOMAIN).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _run(tests: Sequence[str], planted: Chosen) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.chdir(ROOT)
    tree = mutated(source_of(planted.file), planted.mutant)
    sys.meta_path.insert(0, Planted(module_of(planted.file), tree, planted.file))
    return int(pytest.main([*OPTIONS, "-x", *tests]))
