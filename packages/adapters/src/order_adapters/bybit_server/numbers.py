"""Numbers: amounts and times in the text that Bybit writes and reads."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
_AMOUNT: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,18})?")
_WHOLE: Final = re.compile(r"[0-9]{1,18}")
_QUANTUM: Final = Decimal("1e-12")


def milliseconds(moment: datetime) -> int:
    """Since 1970, rounded down."""
    return (moment - EPOCH) // MILLISECOND


def stamp(moment: datetime) -> str:
    """Milliseconds since 1970 as text."""
    return str((moment - EPOCH) // MILLISECOND)


def moment_of(number: int) -> datetime:
    """The moment so many milliseconds after 1970."""
    return EPOCH + number * MILLISECOND


def text(value: Decimal) -> str:
    """Write an amount without exponent; zero is `0`."""
    return format(value, "f") if value else "0"


def rounded(value: Decimal) -> str:
    """Write the result of a division: at most twelve decimals, none of them idle."""
    short = value.quantize(_QUANTUM, ROUND_HALF_EVEN).normalize()
    return format(short, "f") if short else "0"


def amount(value: object) -> Decimal | None:
    """Read an amount from a string or a whole number; None if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Decimal(value)
    return None


def whole(value: object) -> int | None:
    """Read a whole number from itself or from its digits; None if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    return None
