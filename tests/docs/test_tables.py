"""Tables of the reference that name tests: each of them is there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PAGES = sorted(
    page for page in (ROOT / "docs/reference").glob("*.md") if "::test_" in page.read_text()
)
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_a_table_names_is_there(page: Path) -> None:
    missing = []
    for file, name in _NAMED.findall(page.read_text()):
        path = ROOT / file
        if not path.exists() or f"def {name}(" not in path.read_text():
            missing.append(f"{file}::{name}")

    assert missing == []


def test_there_is_a_row_for_each_inherited_defect() -> None:
    text = (ROOT / "docs/reference/inherited-defects.md").read_text()

    assert re.findall(r"^\| D(\d+) ", text, re.MULTILINE) == [str(n) for n in range(1, 63)]
