"""The specification's page: a row for all that was asked for, shown by a test or replaced."""

import re

import pytest

from tests.docs.pages import ROOT

PAGE = ROOT / "docs/reference/specification.md"
ROWS = re.findall(r"^\| S(\d+) \| (.+?) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
ASKED_FOR = 33
"""Rows of the acceptance list that the specification was turned into."""


def test_there_is_a_row_for_each_thing_that_was_asked_for() -> None:
    assert [number for number, _, _ in ROWS] == [str(n) for n in range(1, ASKED_FOR + 1)]


@pytest.mark.parametrize(("number", "shown"), [(row[0], row[2]) for row in ROWS])
def test_a_row_is_shown_by_a_test_or_says_what_took_its_place(number: str, shown: str) -> None:
    assert re.search(r"`tests/[\w/]+\.py::test_\w+`", shown) or shown.startswith("replaced: ")


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`(tests/[\w/]+\.py)::", PAGE.read_text())))
)
def test_no_test_of_the_page_may_be_skipped(path: str) -> None:
    assert not re.search(
        r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b", (ROOT / path).read_text()
    )


@pytest.mark.parametrize("folder", ["unit", "integration", "contract"])
def test_each_folder_that_was_asked_for_has_a_command_of_its_own(folder: str) -> None:
    makefile = (ROOT / "Makefile").read_text()

    assert re.search(
        rf"^{folder}: setup .+\n\t\$\(PYTEST\) tests/{folder} ", makefile, re.MULTILINE
    )
    assert list((ROOT / "tests" / folder).rglob("test_*.py"))
