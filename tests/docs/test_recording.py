"""The picture of the demo is what the demo shows."""

import re

from scripts.record_demo import PICTURE, picture, said_on_a_terminal


def without_counts(drawn: str) -> str:
    """How many invariants are checked grows with every one that is added: no reason to draw."""
    return re.sub(r"[\d,]+(?=&#160;checked)", "so many", drawn)


def test_the_recorded_demo_is_the_demo_of_today() -> None:
    drawn = picture(said_on_a_terminal("demo"))
    kept = PICTURE.read_text(encoding="utf-8")

    assert "&#160;checked" in kept
    assert without_counts(drawn) == without_counts(kept), "make recording draws it again"


def test_the_picture_fetches_nothing_and_is_small() -> None:
    text = PICTURE.read_text(encoding="utf-8")

    assert "url(http" not in text
    assert 'url("http' not in text
    assert len(text) < 40_000
