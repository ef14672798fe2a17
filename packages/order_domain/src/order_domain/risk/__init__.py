"""Why not to order: the rules in their order. A new rule is one file and one line here."""

from typing import Final

from order_domain.codes import Code
from order_domain.risk import (
    allowed_strategy,
    allowed_symbol,
    available_balance,
    duplicate_window,
    instrument_status,
    max_daily_loss,
    max_exposure,
    max_open_orders,
    max_order_quantity,
    max_order_value,
    max_orders_per_signal,
    max_position,
    min_notional,
    min_quantity,
    out_of_order,
    price_collar,
    price_filter,
    quantity_step,
    quote_age,
    reduction,
    signal_age,
    trading_state,
)
from order_domain.risk.base import Rule

GATES: Final = (
    Rule(trading_state.check, (Code.TRADING_STATE,)),
    Rule(allowed_symbol.check, (Code.SYMBOL_NOT_ALLOWED,)),
    Rule(allowed_strategy.check, (Code.STRATEGY_NOT_ALLOWED,)),
    Rule(instrument_status.check, (Code.UNKNOWN_INSTRUMENT, Code.INSTRUMENT_NOT_TRADING)),
    Rule(signal_age.check, (Code.SIGNAL_EXPIRED, Code.SIGNAL_FROM_FUTURE), binds_again=False),
    Rule(out_of_order.check, (Code.SUPERSEDED,), binds_again=False),
    Rule(quote_age.check, (Code.QUOTE_MISSING, Code.QUOTE_STALE), binds_reductions=False),
)
"""Asked before price and quantity are known."""
LIMITS: Final = (
    Rule(max_orders_per_signal.check, (Code.MAX_ORDERS_PER_SIGNAL,), binds_again=False),
    Rule(
        duplicate_window.check,
        (Code.DUPLICATE_WINDOW,),
        binds_reductions=False,
        binds_again=False,
    ),
    Rule(reduction.check, (Code.NOTHING_TO_CLOSE, Code.FLIP_NOT_ALLOWED), reduction.cap),
    Rule(max_order_value.check, (Code.ORDER_VALUE_ABOVE_MAX,), max_order_value.cap),
    Rule(max_order_quantity.check, (Code.QUANTITY_ABOVE_MAX,), max_order_quantity.cap),
    Rule(price_collar.check, (Code.PRICE_COLLAR,)),
    Rule(max_position.check, (Code.MAX_POSITION,), max_position.cap, binds_reductions=False),
    Rule(max_exposure.check, (Code.MAX_EXPOSURE,), max_exposure.cap, binds_reductions=False),
    Rule(max_open_orders.check, (Code.MAX_OPEN_ORDERS,)),
    Rule(max_daily_loss.check, (Code.MAX_DAILY_LOSS,), binds_reductions=False),
    Rule(
        available_balance.check,
        (Code.INSUFFICIENT_BALANCE, Code.BALANCE_MISSING),
        available_balance.cap,
        binds_reductions=False,
    ),
    Rule(price_filter.check, (Code.PRICE_OFF_TICK,)),
    Rule(quantity_step.check, (Code.QUANTITY_OFF_STEP,)),
    Rule(min_quantity.check, (Code.QUANTITY_BELOW_MIN,)),
    Rule(min_notional.check, (Code.NOTIONAL_BELOW_MIN,), binds_reductions=False),
)
"""Asked of the sized order, after what may be resized has been."""
RULES: Final = GATES + LIMITS
