"""Mutants are small mistakes, one at a time; the tests of their module notice them or do not."""

import ast
import importlib.util
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from tests.mutation.equivalent import EQUIVALENT, find
from tests.mutation.mutants import Where, mutants_of, mutated
from tests.mutation.sample import choose
from tests.mutation.swap import CannotSwap, swap
from tests.mutation.targets import ROOT, TARGETS

SOURCE = '''
"""Doc."""
RATE: int = 2
def price(x: int, y: int | None = None) -> int:
    if x < 3 and not y:
        raise ValueError("no", 7)
    note(x)
    x += 1
    return x * RATE if x == 4 else -x
'''


def told() -> list[str]:
    return [mutant.text for mutant in mutants_of(SOURCE)]


@pytest.mark.parametrize(
    "text",
    [
        "x < 3 -> x <= 3",
        "x < 3 -> x > 3",
        "x < 3 and (not y) -> x < 3 or not y",
        "x < 3 and (not y) -> not y",
        "x < 3 and (not y) -> x < 3",
        "not y -> y",
        "if x < 3 and (not y): -> if False:",
        "if x < 3 and (not y): -> if True:",
        "note(x) -> pass",
        "x += 1 -> x -= 1",
        "1 -> 2",
        "x * RATE -> x + RATE",
        "x * RATE if x == 4 else -x -> x * RATE",
        "x == 4 -> x != 4",
        "-x -> x",
        "return x * RATE if x == 4 else -x -> return None",
        "2 -> 3",
    ],
)
def test_a_mistake_of_every_kind_is_made(text: str) -> None:
    assert text in told()


def test_texts_annotations_and_the_arguments_of_errors_are_left_alone() -> None:
    assert not any("Doc" in each or "|" in each or "7" in each for each in told())


def test_a_mutant_differs_from_its_module_at_one_place() -> None:
    right = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in mutants_of(SOURCE):
        wrong = ast.unparse(mutated(SOURCE, mutant)).splitlines()

        assert len(wrong) == len(right)
        assert sum(one != other for one, other in zip(right, wrong, strict=True)) == 1


def test_a_mutant_says_which_statement_and_function_it_is_in() -> None:
    where = {mutant.text: mutant.where for mutant in mutants_of(SOURCE)}

    assert where["x < 3 -> x <= 3"] == Where(5, 5, "price", is_late=True)
    assert where["note(x) -> pass"] == Where(7, 7, "price", is_late=True)
    assert where["2 -> 3"] == Where(3, 3, "", is_late=False)


def load(path: Path, source: str) -> ModuleType:
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HELD = """
def double(x):
    return x * 2
def adder(n):
    def add(x):
        return x + n
    return add
TABLE = {"double": double, "add": adder(1)}
class Box:
    @property
    def size(self):
        return 3
"""


def test_whoever_holds_a_function_has_the_changed_one(tmp_path: Path) -> None:
    path = tmp_path / "held.py"
    module = load(path, HELD)
    double, box = module.double, module.Box()

    swap(path, ast.parse(HELD.replace("x * 2", "x * 5").replace("x + n", "x - n")))
    swap(path, ast.parse(HELD.replace("x * 2", "x * 5").replace("x + n", "x - n") + "# again"))

    assert (double(2), module.TABLE["double"](2), module.TABLE["add"](2)) == (10, 10, 1)
    assert box.size == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(n):\n    return lambda: n\nF = f(1)", "def f(n):\n    return lambda: 1\nF = f(1)"),
        ("F = (lambda: 1, lambda: 2)", "F = (lambda: 1, lambda: 3)"),
    ],
    ids=["it closes over other names", "two look the same"],
)
def test_a_function_that_cannot_be_changed_in_place_is_not(
    before: str, after: str, tmp_path: Path
) -> None:
    path = tmp_path / "held.py"
    held = load(path, before)

    with pytest.raises(CannotSwap):
        swap(path, ast.parse(after))
    assert held.F is not None


def test_the_nearest_group_of_tests_is_asked_first() -> None:
    merge = TARGETS["merge"]
    engine = "tests/unit/domain/engine"

    assert merge.rank(f"{engine}/test_reports.py::test_a") == 0
    assert merge.rank(f"{engine}/test_sweeps.py::test_a") == 1
    assert merge.rank("tests/unit/risk/test_gates.py::test_a") is None


def test_the_same_seed_takes_the_same_mutants_of_every_target() -> None:
    one, other = (choose(TARGETS, 60, Random(3)) for _ in range(2))

    assert one == other
    assert len(choose(TARGETS, 0, Random(3))) > 1000
    assert {each.target for each in choose(TARGETS, 0, Random(3))} == TARGETS.keys()


def test_the_tests_of_every_target_are_there() -> None:
    named = [Path(each) for target in TARGETS.values() for group in target.tests for each in group]

    assert [each for each in named if not (ROOT / each).exists()] == []


def test_every_mutant_listed_as_equivalent_is_still_there_and_listed_once() -> None:
    every = choose(TARGETS, 0, Random(3))
    found = [find(each, every) for each in EQUIVALENT]

    assert [each for each, one in zip(EQUIVALENT, found, strict=True) if one is None] == []
    assert len(set(found)) == len(EQUIVALENT)
