"""Members of enums as plain class attributes, as Python 3.12 keeps them."""

from enum import Enum
from typing import TypeVar

_Kind = TypeVar("_Kind", bound=Enum)


def direct(kind: type[_Kind]) -> type[_Kind]:
    """Put the members into the class itself; a decorator.

    Python 3.11 finds `Side.BUY` through a descriptor written in Python, at the price of three
    Decimal additions, and an order asks for some hundred members on its way.
    """
    for name, member in kind.__members__.items():
        type.__setattr__(kind, name, member)
    return kind
