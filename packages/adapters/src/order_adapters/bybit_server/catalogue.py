"""Catalogue: the instruments of a server that is given none."""

from decimal import Decimal
from typing import Final

from order_adapters.intake.catalogue import CATALOGUE
from order_domain.model.enums import Category
from order_domain.model.instrument import Instrument

_SPOT_FEE: Final = Decimal("0.001")


def _spot(base: str, step: str, largest: str, largest_market: str) -> Instrument:
    return Instrument(
        category=Category.SPOT,
        symbol=f"{base}USDT",
        base_coin=base,
        quote_coin="USDT",
        settle_coin="USDT",
        tick_size=CATALOGUE[f"{base}USDT"].tick_size,
        quantity_step=Decimal(step),
        min_quantity=Decimal(step),
        max_quantity=Decimal(largest),
        max_market_quantity=Decimal(largest_market),
        min_notional=Decimal(5),
        max_price=CATALOGUE[f"{base}USDT"].max_price,
        initial_margin_rate=Decimal(1),
        taker_fee_rate=_SPOT_FEE,
        maker_fee_rate=_SPOT_FEE,
    )


_USDC_PERPETUAL: Final = Instrument(
    symbol="BTCPERP",
    base_coin="BTC",
    quote_coin="USDC",
    settle_coin="USDC",
    tick_size=Decimal("0.1"),
    quantity_step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(165),
    max_market_quantity=Decimal(25),
    min_notional=Decimal(5),
)
_INVERSE: Final = Instrument(
    category=Category.INVERSE,
    symbol="BTCUSD",
    base_coin="BTC",
    quote_coin="USD",
    settle_coin="BTC",
    tick_size=Decimal("0.5"),
    quantity_step=Decimal(1),
    min_quantity=Decimal(1),
    max_quantity=Decimal(25_000_000),
    max_market_quantity=Decimal(5_000_000),
    min_notional=Decimal(1),
)
INSTRUMENTS: Final = (
    CATALOGUE["BTCUSDT"],
    CATALOGUE["ETHUSDT"],
    CATALOGUE["SOLUSDT"],
    _USDC_PERPETUAL,
    _INVERSE,
    _spot("BTC", "0.000001", "83", "41.5"),
    _spot("ETH", "0.00001", "1300", "650"),
)
