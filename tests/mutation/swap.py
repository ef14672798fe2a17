"""Swap: put a changed module's functions in the place of those that are imported already."""

import ast
import gc
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType


class CannotSwap(Exception):
    """A function closes over other names now, or two cannot be told apart."""


def swap(file: Path, tree: ast.Module) -> int:
    """Give every live function of a file the code that the tree has for it; return how many.

    Who imported a function, and who holds it in a table, has the changed one too. What the module
    did when it was imported stays done. Raises CannotSwap; some functions may be changed then.
    """
    fresh: dict[tuple[str, int], CodeType] = {}
    twice: set[tuple[str, int]] = set()
    for code in _codes(compile(tree, str(file), "exec")):
        if _key(code) in fresh:
            twice.add(_key(code))
        fresh[_key(code)] = code
    count = 0
    for function in _functions(file):
        key = _key(function.__code__)
        code = fresh.get(key, function.__code__)
        if key in twice or code.co_freevars != function.__code__.co_freevars:
            raise CannotSwap(f"{file.name}: {key}")
        function.__code__ = code
        count += 1
    return count


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _functions(file: Path) -> Iterator[FunctionType]:
    name = str(file)
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename == name:
            yield each
