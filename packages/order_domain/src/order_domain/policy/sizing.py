"""Sizing: a signal's amount as a quantity on the step, never lifted."""

from decimal import Decimal, InvalidOperation
from typing import Final

from order_domain.config import EngineConfig
from order_domain.model.instrument import ONE
from order_domain.model.signal import SignalIntent, TradingSignal
from order_domain.notes import Note
from order_domain.policy.order_type import Notes

_AMOUNT: Final = Note.AMOUNT
_CLOSE: Final = SignalIntent.CLOSE
_WARM_UP: Final = Note.WARM_UP


def size(
    signal: TradingSignal, unit: Decimal, step: Decimal, config: EngineConfig, notes: Notes
) -> Decimal | None:
    """Base units asked for; None without a price to divide by, or beyond all arithmetic.

    Args:
        unit: Quote units of one base unit; zero when no price is known.
    """
    amount = signal.amount
    if signal.is_warmup:
        amount *= config.warmup_size_factor
        notes.append((_WARM_UP, config.warmup_size_factor, amount, True))
    if signal.intent is _CLOSE and config.close_amount_is_base:
        notes.append((_AMOUNT, "base", amount, True))
        unit = ONE
    else:
        notes.append((_AMOUNT, "quote", amount, True))
    return floor_amount(amount, unit, step) if unit else None


def floor_amount(amount: Decimal, unit: Decimal, step: Decimal) -> Decimal | None:
    """The most steps worth at most the amount, exactly; None when they take over 28 digits."""
    try:
        return amount // (unit * step) * step
    except InvalidOperation:
        return None
