"""Findings: what the doctor says, one sentence about one thing."""

from enum import StrEnum

import attrs


class State(StrEnum):
    """How bad it is."""

    GOOD = "good"
    WARNING = "warning"
    """The service runs, but somebody should know."""
    WRONG = "wrong"
    """The service would not start, or would not trade."""
    NOT_TRIED = "not tried"


@attrs.frozen(slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: What was looked at, in a word or two.
        advice: What to do about it; empty where nothing is to be done.
    """

    about: str
    state: State
    text: str
    advice: str = ""


def good(about: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(about, State.GOOD, text)


def wrong(about: str, text: str, advice: str = "") -> Finding:
    """It must be changed."""
    return Finding(about, State.WRONG, text, advice)


def warning(about: str, text: str, advice: str = "") -> Finding:
    """It may stay, but should be known."""
    return Finding(about, State.WARNING, text, advice)


def not_tried(about: str, text: str) -> Finding:
    """It was not looked at, because something before it is wrong or it is not needed."""
    return Finding(about, State.NOT_TRIED, text)
