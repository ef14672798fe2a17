"""Options: parameters that several commands share, with one help text each."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from cyclopts import Group, Parameter, Token

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
