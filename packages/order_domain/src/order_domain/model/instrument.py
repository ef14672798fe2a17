"""Instrument: the trading rules of one symbol, with exact rounding to tick and step."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import attrs

from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, InstrumentStatus, OrderType, Side
from order_domain.model.identifiers import InstrumentId, instrument_id

_INVERSE: Final = Category.INVERSE
_SPOT: Final = Category.SPOT
_MARKET: Final = OrderType.MARKET
ZERO = Decimal(0)
ONE = Decimal(1)
_PRODUCT_DIGITS = 26
"""Digits of price and quantity together, so that their product is exact in a 28-digit context."""


@attrs.frozen(slots=True, kw_only=True)
class Instrument:
    """Trading rules of one symbol. Source: Bybit v5 instruments-info and fee-rate.

    Attributes:
        tick_size: Quote units; every price is a multiple.
        quantity_step: Base units (contracts for inverse); every quantity is a multiple.
        min_quantity: Smallest order, base units.
        max_quantity: Largest limit order, base units.
        max_market_quantity: Largest market order, base units.
        min_notional: Smallest order value, quote units. Does not bind reduce-only orders.
        initial_margin_rate: Margin per unit of notional (1 / leverage); 1 for spot.
        taker_fee_rate, maker_fee_rate: Fee per unit of notional; a negative maker rate is a rebate.
    """

    category: Category = Category.LINEAR
    symbol: str
    base_coin: str
    quote_coin: str
    settle_coin: str
    tick_size: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal
    max_price: Decimal = Decimal(10_000_000)
    status: InstrumentStatus = InstrumentStatus.TRADING
    initial_margin_rate: Decimal = Decimal("0.1")
    taker_fee_rate: Decimal = Decimal("0.00055")
    maker_fee_rate: Decimal = Decimal("0.0002")
    id: InstrumentId = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "id", instrument_id(self.category, self.symbol))
        for name in (
            "tick_size",
            "quantity_step",
            "min_quantity",
            "max_quantity",
            "max_market_quantity",
            "max_price",
        ):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise InvalidValue(field=name, rule="finite and > 0", value=value)
        for name in ("min_notional", "initial_margin_rate", "taker_fee_rate", "maker_fee_rate"):
            if not getattr(self, name).is_finite():
                raise InvalidValue(field=name, rule="finite", value=getattr(self, name))
        digits = _digits(self.max_price, self.tick_size) + _digits(
            self.max_quantity, self.quantity_step
        )
        if digits > _PRODUCT_DIGITS:
            raise InvalidValue(
                field="max_quantity",
                rule=f"price and quantity within {_PRODUCT_DIGITS} digits",
                value=digits,
            )

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """Round towards zero to the step. Never more than was asked for."""
        return quantity // self.quantity_step * self.quantity_step

    def round_price_passive(self, price: Decimal, side: Side) -> Decimal:
        """Round to the tick away from crossing: buys down, sells up."""
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        return (price / self.tick_size).to_integral_value(rounding) * self.tick_size

    def is_on_tick(self, price: Decimal) -> bool:
        """Tell whether the exchange would take this price."""
        return price % self.tick_size == 0

    def is_on_step(self, quantity: Decimal) -> bool:
        """Tell whether the exchange would take this quantity."""
        return quantity % self.quantity_step == 0

    def notional(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Value of a quantity: settle-coin units (quote for linear and spot, base for inverse)."""
        return notional_of(self.category, price, quantity)

    def spent_coin(self, side: Side) -> str:
        """The coin an opening order holds: the settle coin, on spot the coin that is given away."""
        if self.category is not _SPOT:
            return self.settle_coin
        return self.quote_coin if side is Side.BUY else self.base_coin

    def max_order_quantity(self, order_type: OrderType) -> Decimal:
        """Largest single order of a type, base units."""
        return self.max_market_quantity if order_type is _MARKET else self.max_quantity


def notional_of(category: str, price: Decimal, quantity: Decimal) -> Decimal:
    """Value of a quantity at a price: quote units for linear and spot, base units for inverse."""
    return quantity / price if category == _INVERSE else price * quantity


def _digits(largest: Decimal, step: Decimal) -> int:
    return (largest / step).adjusted() + 1
