"""Catalogue: trading rules of well-known USDT perpetuals, for a dry run that brings none."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from order_domain.model.instrument import Instrument


def _perpetual(
    base: str, tick: str, step: str, largest: str, largest_market: str, top: str
) -> Instrument:
    return Instrument(
        symbol=f"{base}USDT",
        base_coin=base.removeprefix("1000"),
        quote_coin="USDT",
        settle_coin="USDT",
        tick_size=Decimal(tick),
        quantity_step=Decimal(step),
        min_quantity=Decimal(step),
        max_quantity=Decimal(largest),
        max_market_quantity=Decimal(largest_market),
        min_notional=Decimal(5),
        max_price=Decimal(top),
    )


# Filters of the exchange's linear perpetuals; they move slowly, and `--instruments` overrides them.
_WELL_KNOWN: Final = (
    _perpetual("BTC", "0.10", "0.001", "1190", "500", "1999999.80"),
    _perpetual("ETH", "0.01", "0.01", "7240", "724", "199999.98"),
    _perpetual("SOL", "0.010", "0.1", "79770", "11760", "19999.980"),
    _perpetual("XRP", "0.0001", "0.1", "5000000", "300000", "199.9998"),
    _perpetual("BNB", "0.10", "0.01", "8600", "2000", "199999.80"),
    _perpetual("DOGE", "0.00001", "1", "27000000", "2500000", "19.99998"),
    _perpetual("ADA", "0.0001", "1", "8000000", "900000", "199.9998"),
    _perpetual("LINK", "0.001", "0.1", "150000", "27000", "1999.998"),
    _perpetual("AVAX", "0.001", "0.1", "130000", "30000", "1999.998"),
    _perpetual("DOT", "0.0001", "0.1", "380000", "90000", "199.9998"),
    _perpetual("LTC", "0.01", "0.1", "14000", "5000", "19999.98"),
    _perpetual("BCH", "0.05", "0.01", "1400", "400", "99999.90"),
    _perpetual("TRX", "0.00001", "1", "9800000", "1900000", "19.99998"),
    _perpetual("SUI", "0.00010", "10", "3300000", "330000", "199.99980"),
    _perpetual("1000PEPE", "0.0000001", "100", "220000000", "48000000", "0.1999998"),
)
CATALOGUE: Final[Mapping[str, Instrument]] = {each.symbol: each for each in _WELL_KNOWN}
