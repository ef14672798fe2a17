"""The picture of the demo is what the demo shows."""

from scripts.record_demo import PICTURE, picture, said_on_a_terminal


def test_the_recorded_demo_is_the_demo_of_today() -> None:
    drawn = picture(said_on_a_terminal("demo"))

    assert drawn == PICTURE.read_text(encoding="utf-8"), "make recording draws it again"


def test_the_picture_fetches_nothing_and_is_small() -> None:
    text = PICTURE.read_text(encoding="utf-8")

    assert "url(http" not in text
    assert 'url("http' not in text
    assert len(text) < 40_000
