"""Sizing: spot orders sized in quote coin, and how far a market order may slip."""

from decimal import Decimal
from typing import Final

from order_adapters.bybit_server.failures import Refused, invalid
from order_adapters.bybit_server.rest.params import Params
from order_adapters.simulator import refusals
from order_adapters.simulator.market import Market
from order_domain.model.enums import OrderType, Side
from order_domain.model.instrument import ZERO

LEVELS: Final = 200
_AMOUNT_DECIMALS: Final = 8
_PERCENT: Final = (Decimal("0.01"), Decimal(10))
_TICKS: Final = (Decimal(1), Decimal(10_000))
_HUNDRED: Final = Decimal(100)


def base_quantity(market: Market, side: Side, amount: Decimal) -> Decimal:
    """Base units that an amount of quote coin buys or sells at what is displayed.

    Raises:
        Refused: There is no price, or the amount is too small or too finely divided.
    """
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _AMOUNT_DECIMALS:
        raise Refused(170148, "Market order amount decimal too long.")
    if amount < market.instrument.min_notional:
        raise Refused(*refusals.SPOT_BELOW_MIN_NOTIONAL)
    touch = market.touch(side is Side.BUY)
    if touch is None:
        raise invalid("no price for a market order")
    deeper = (level[1:] for level in market.levels(side is Side.BUY, LEVELS))
    quantity, left = ZERO, amount
    for price, size in (touch, *deeper):
        taken = min(size, left / price)
        quantity += taken
        left -= taken * price
        if left <= 0:
            break
    cut = market.instrument.floor_quantity(quantity)
    if not cut:
        raise Refused(*refusals.SPOT_BELOW_MIN_NOTIONAL)
    return cut


def slippage_ratio(
    params: Params, market: Market, side: Side, order_type: OrderType
) -> Decimal | None:
    """How far beyond the touch a market order may go, as a ratio; None leaves it open.

    Raises:
        Refused: 110108 and 110109 out of range, 10001 where there is no such thing.
    """
    kind = params.text("slippageToleranceType")
    if not kind or kind == "UNKNOWN":
        return None
    value = params.amount("slippageTolerance")
    if order_type is not OrderType.MARKET or value is None:
        raise invalid("params error: slippageTolerance invalid")
    if kind == "Percent":
        if not _PERCENT[0] <= value <= _PERCENT[1] or (value * _HUNDRED) % 1:
            raise Refused(110109, "Slippage tolerance out of range.")
        return value / _HUNDRED
    if kind != "TickSize":
        raise invalid("params error: slippageToleranceType invalid")
    if not _TICKS[0] <= value <= _TICKS[1] or value % 1:
        raise Refused(110108, "Slippage tolerance out of range.")
    touch = market.touch(side is Side.BUY)
    return None if touch is None else value * market.instrument.tick_size / touch[0]
