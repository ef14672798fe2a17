"""Mutants are small mistakes, one at a time; the tests of their module notice them or do not."""

import ast
from pathlib import Path
from random import Random

import pytest

from tests.mutation.equivalent import EQUIVALENT, find
from tests.mutation.mutants import mutants_of, mutated
from tests.mutation.sample import choose
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
