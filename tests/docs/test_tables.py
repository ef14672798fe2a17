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


PEER_BUGS = {
    *(f"nautilus_trader #{n}" for n in (4215, 4958, 3493, 5000, 3878, 3869)),
    *(f"freqtrade #{n}" for n in (8175, 13399)),
    *(f"hummingbot #{n}" for n in (1142, 493)),
    *(f"aio-pika #{n}" for n in (231, 577, 636)),
    *(f"asyncpg #{n}" for n in (1356, 1247, 519)),
    "rabbitmq-server #17317",
}
_PEER_ROW = re.compile(r"^\| \[([\w -]+ #\d+)\]\(.*\| ([^|]*) \|$", re.MULTILINE)


def test_there_is_a_row_with_a_test_for_each_bug_of_a_peer() -> None:
    rows = dict(_PEER_ROW.findall((ROOT / "docs/reference/peer-bugs.md").read_text()))

    assert rows.keys() >= PEER_BUGS
    assert [name for name, cell in rows.items() if not _NAMED.search(cell)] == []


def test_every_control_of_the_security_list_is_shown_by_a_test() -> None:
    rows = re.findall(
        r"^\| K(\d+) \|.*\| ([^|]+) \|$",
        (ROOT / "docs/reference/security.md").read_text(),
        re.MULTILINE,
    )

    assert [int(number) for number, _ in rows] == [*range(1, 15), *range(16, 20), 21, 24]
    assert [number for number, shown in rows if not _NAMED.search(shown)] == []
