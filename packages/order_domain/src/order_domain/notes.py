"""Notes.

What a decision remarks in its trace besides its checks; each says how an input was read or changed.
"""

from enum import StrEnum
from typing import Self

from order_domain.model.members import direct


@direct
class Note(StrEnum):
    """Names of trace entries that are not checks: (name, parameter, value, True)."""

    text: str

    def __new__(cls, value: str, text: str) -> Self:
        """Keep the explanation on the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    SPREAD = "SPREAD", "Spread in percent, and where it was read: the live quote or the signal."
    ORDER_TYPE = "ORDER_TYPE", "The order type, and what decided it."
    AMOUNT = "AMOUNT", "The signal's amount, and the unit it was read in."
    WARM_UP = "WARM_UP", "A warm-up signal: its amount was multiplied by this factor."
    RESIZED = "RESIZED", "The quantity before, and what the limit above left of it."
    REPLACES = (
        "REPLACES",
        "Orders to be cancelled first, and the base units they leave to this one.",
    )
    SPLIT = "SPLIT", "The largest child, and the number of children."
    REQUOTE = "REQUOTE", "The re-quoted order, and the price at the touch."
