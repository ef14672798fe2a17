"""ExitCode: what the command line says to scripts. Stable; the docs are made from here."""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """Stable exit codes; the text beside each is what the reference says."""

    text: str

    def __new__(cls, value: int, text: str) -> Self:
        """Keep the explanation on the member."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    DONE = 0, "Done."
    FAILURE = 1, "Something failed; the message says what."
    USAGE = 2, "The command line, or a file or value it names, cannot be used."
    REFUSED = 3, "Refused by a risk check, the trading state or the exchange; nothing was done."
    NOT_FOUND = 4, "No such order, signal or position."
    CONFIGURATION = 5, "A setting is missing or wrong, or the store belongs to another mode."
    UNKNOWN = 6, "The outcome is not known yet: the order may or may not be at the exchange."
    HALTED = 7, "Trading is halted; `resume` lifts it."
    INTERRUPTED = 130, "Stopped by Ctrl-C; what was committed stands."
