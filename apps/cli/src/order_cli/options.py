"""Options: parameters that several commands share, with one help text each."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import uuid4

from cyclopts import Group, Parameter, Token

from order_cli import output
from order_domain.model.enums import EventKind

_AMEND_ENDS = (EventKind.ORDER_AMENDED, EventKind.AMEND_REFUSED)
OUTPUT = Group("Output", sort_key=90)

DEFAULT_STORE = "sqlite:///order-manager.sqlite"
StoreUrl = Annotated[
    str,
    Parameter(
        name="--store",
        env_var="ORDERMANAGER_STORE_URL",
        help="Where the rows are.",
    ),
]
Json = Annotated[bool, Parameter(name="--json", group=OUTPUT, help="Print one JSON object.")]
Wait = Annotated[float, Parameter(help="Seconds to follow the order for.")]
RequestId = Annotated[
    str, Parameter(help="The same id again does nothing new and answers the same.")
]
Seed = Annotated[int, Parameter(name="--seed", help="Of everything random on the exchange.")]


def exact(type_: Any, tokens: list[Token] | tuple[Token, ...]) -> Decimal:
    """Read a decimal number without going through a binary one.

    Raises:
        ValueError: It is none, or not finite.
    """
    del type_
    text, name = tokens[0].value, (tokens[0].keyword or "quantity").lstrip("-")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an ArithmeticError, which the command line would not catch
        raise ValueError(f"{name} must be a decimal number, got {text!r}") from None
    if not number.is_finite():
        raise ValueError(f"{name} must be a finite number, got {text!r}")
    return number


Number = Annotated[Decimal, Parameter(converter=exact, n_tokens=1, accepts_keys=False)]
"""Prices and quantities. Only a quantity is ever given without its name."""


def request(given: str) -> str:
    """The id of a request: the one given, else a new one, which is told before anything is done."""
    if given:
        return given
    made = str(uuid4())
    output.note(f"request {made}")
    return made


def end_of_amend(kinds: Iterable[str], number: int) -> str:
    """How an amend of an order ended; empty while it has not.

    Asked again later, for the same amend, it says the same.

    Args:
        kinds: Of the order's events, by sequence.
        number: Which amend of the order it is, from 1.
    """
    asked = 0
    for kind in kinds:
        if kind == EventKind.AMEND_REQUESTED:
            asked += 1
        elif asked >= number and kind in _AMEND_ENDS:
            return str(kind)
    return ""
