"""Failures: how a request ends that is not carried out, with the exchange's codes and texts."""

from typing import Any, Final

PARAMETER: Final = 10001
INVALID_KEY: Final = (10003, "API key is invalid.")
NO_PERMISSION: Final = (10005, "Permission denied, please check your API key permissions.")
TOO_MANY_VISITS: Final = (10006, "Too many visits!")
BANNED: Final = (10403, "access too frequent")


class Refused(Exception):
    """The request is answered with this code. Codes of HTTP become the status of the answer."""

    def __init__(self, code: int, text: str, *, status: int = 200, result: Any = None) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = code if 400 <= code < 600 else status
        self.result: Any = {} if result is None else result


class NoAnswer(Exception):
    """A fault has eaten the answer: whoever waits for it sees its connection die."""


def invalid(text: str) -> Refused:
    """Refuse a parameter."""
    return Refused(PARAMETER, text)


def not_simulated(what: str) -> Refused:
    """Refuse what the exchange has and this server has not, rather than do something else."""
    return Refused(PARAMETER, f"{what} is not simulated")
