"""Splitting: children equal up to the step, whose sum is the parent exactly."""

from decimal import Decimal


def split(quantity: Decimal, legs: int, step: Decimal) -> list[Decimal]:
    """Cut a quantity on the step into so many parts; the first ones take what does not divide."""
    steps, rest = divmod(int(quantity / step), legs)
    small = steps * step
    return [small + step] * rest + [small] * (legs - rest)
