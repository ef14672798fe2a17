"""The pages that are made from code say what the code says."""

from collections.abc import Callable

import pytest

from scripts.generate_docs import PAGES, ROOT


@pytest.mark.parametrize(("name", "page"), PAGES.items(), ids=PAGES)
def test_the_committed_page_is_the_generated_one(name: str, page: Callable[[], str]) -> None:
    committed = (ROOT / name).read_text(encoding="utf-8")

    assert committed == page(), "run `make docs`"
