"""Chart: a curve drawn with block characters, for a terminal or a text file."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_FULL: Final = len(_BLOCKS) - 1


def sparkline(values: Sequence[Decimal]) -> str:
    """Draw values in one row, the lowest as the lowest block."""
    if not values:
        return ""
    low, span = min(values), max(values) - min(values)
    return "".join(_BLOCKS[1 + _scaled(value - low, span, _FULL - 1)] for value in values)


def area(values: Sequence[Decimal], height: int) -> list[str]:
    """Draw values as columns over the lowest of them (or zero), one text per row, top first."""
    if not values:
        return []
    low = min(*values, Decimal(0))
    span = max(*values, Decimal(0)) - low
    eighths = [_scaled(value - low, span, height * _FULL) for value in values]
    return [
        "".join(_BLOCKS[min(_FULL, max(0, each - row * _FULL))] for each in eighths)
        for row in reversed(range(height))
    ]


def _scaled(part: Decimal, span: Decimal, largest: int) -> int:
    if not span:
        return 0
    return int((part / span * largest).to_integral_value(ROUND_FLOOR))
