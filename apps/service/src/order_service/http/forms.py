"""Forms: bodies that ask for something. Unknown fields are refused, numbers come as strings."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from order_domain.errors import InvalidValue
from order_domain.model.enums import PositionSide, TimeInForce, Trading

Symbol = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{4,20}$", examples=["BTCUSDT"])]
Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,18})?$", examples=["0.01"])]
Reason = Annotated[str, msgspec.Meta(max_length=200)]
ScopeName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(account|strategy:[!-~]{1,100}|symbol:[A-Z0-9]{4,20})$",
        examples=["account", "strategy:momentum_v1", "symbol:BTCUSDT"],
    ),
]


class Form(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What every form shares."""


class PlaceForm(Form):
    """An order. Without a price it is a market order.

    Attributes:
        quantity: Base units.
        price, take_profit, stop_loss: Quote units.
    """

    asset: Symbol
    side: Literal["buy", "sell"]
    quantity: Number
    price: Number | None = None
    time_in_force: TimeInForce | None = None
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    take_profit: Number | None = None
    stop_loss: Number | None = None


class AmendForm(Form):
    """New absolute values; what has filled is part of the quantity."""

    price: Number | None = None
    quantity: Number | None = None


class ScopedForm(Form):
    """One symbol, or everything."""

    asset: Symbol | None = None


class CloseForm(Form):
    """How much of a position: a part above 0 up to 1."""

    part: Number = "1"
    position_side: PositionSide = PositionSide.BOTH


class HaltForm(Form):
    """What may be opened no more."""

    scope: ScopeName = "account"
    reason: Reason = ""


class ResumeForm(Form):
    """Which cause is lifted; with a version only if it is still the one that was seen."""

    scope: ScopeName = "account"
    cause: Annotated[str, msgspec.Meta(max_length=40)] = "OPERATOR"
    version: int | None = None
    reason: Reason = ""


class TradingStateForm(Form):
    """A restriction of the operator."""

    state: Trading
    scope: ScopeName = "account"
    reason: Reason = ""


class SyncForm(Form):
    """What is told of the reading; everything is read."""

    scope: Literal["orders", "positions", "active", "all"] = "all"


def number_of(text: str | None, field: str) -> Decimal | None:
    """Read a number of a form. Raises InvalidValue for zero."""
    if text is None:
        return None
    value = Decimal(text)
    if not value:
        raise InvalidValue(field=field, rule="above 0", value=text)
    return value
