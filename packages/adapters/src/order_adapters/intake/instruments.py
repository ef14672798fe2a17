"""Instruments: trading rules from a JSON file, the catalogue, or the grid that a market shows."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice
from math import gcd
from pathlib import Path
from typing import Any, Final

import attrs

from order_adapters.intake.catalogue import CATALOGUE
from order_adapters.intake.invalid import InputInvalid
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, InstrumentStatus
from order_domain.model.instrument import Instrument

SAMPLE_ROWS: Final = 50_000
"""Rows of a market file that tick and step are inferred from."""
_QUOTE_COINS: Final = ("USDT", "USDC", "USD")
_WORDS: Final = {"category": Category, "status": InstrumentStatus}
_TEXTS: Final = ("symbol", "base_coin", "quote_coin", "settle_coin")
_FIELDS: Final = {field.name: field for field in attrs.fields(Instrument) if field.init}


@attrs.frozen(slots=True)
class Grid:
    """Tick and step that the prices and sizes of a market lie on; `rows` were looked at."""

    tick_size: Decimal
    quantity_step: Decimal
    rows: int


def load_instruments(path: Path) -> Mapping[str, Instrument]:
    """Read trading rules from a JSON array of objects whose keys are the fields of Instrument.

    Returns:
        Instruments by symbol.

    Raises:
        InputInvalid: Names the field, the rule it breaks and its value.
        OSError: The file cannot be read.
    """
    try:
        document = json.loads(path.read_bytes(), parse_float=Decimal, parse_int=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise InputInvalid("instruments", "a file of valid JSON", error) from None
    if not isinstance(document, list) or not document:
        raise InputInvalid("instruments", "an array of objects", document)
    found: dict[str, Instrument] = {}
    for i, item in enumerate(document):
        instrument = _instrument(f"instruments[{i}]", item)
        if instrument.symbol in found:
            raise InputInvalid(f"instruments[{i}].symbol", "listed once", instrument.symbol)
        found[instrument.symbol] = instrument
    return found


def known_instrument(symbol: str) -> Instrument | None:
    """Look a symbol up in the catalogue."""
    return CATALOGUE.get(symbol)


def infer_grid(rows: Iterable[tuple[Iterable[Decimal], Iterable[Decimal]]]) -> Grid | None:
    """Find the coarsest 1, 2 or 5 x 10^n that all prices (and all sizes) are multiples of.

    Args:
        rows: (prices, sizes) of each row; the first 50,000 are looked at.

    Returns:
        None when there are no rows.
    """
    prices: set[Decimal] = set()
    sizes: set[Decimal] = set()
    count = 0
    for row_prices, row_sizes in islice(rows, SAMPLE_ROWS):
        prices.update(row_prices)
        sizes.update(row_sizes)
        count += 1
    if not count:
        return None
    return Grid(_coarsest(prices), _coarsest(sizes), count)


def inferred_instrument(symbol: str, grid: Grid) -> Instrument:
    """Make trading rules from an observed grid; what no market shows is set wide and usual."""
    quote = next(
        (coin for coin in _QUOTE_COINS if symbol.endswith(coin) and symbol != coin), "USDT"
    )
    largest = grid.quantity_step * 10**7
    return Instrument(
        symbol=symbol,
        base_coin=symbol.removesuffix(quote),
        quote_coin=quote,
        settle_coin=quote,
        tick_size=grid.tick_size,
        quantity_step=grid.quantity_step,
        min_quantity=grid.quantity_step,
        max_quantity=largest,
        max_market_quantity=largest,
        min_notional=Decimal(5),
        max_price=grid.tick_size * 10**9,
    )


def _coarsest(values: set[Decimal]) -> Decimal:
    places = max(0, *(-int(value.as_tuple().exponent) for value in values), 0)
    divisor = gcd(*(int(value.scaleb(places)) for value in values)) or 1
    best = 1
    for step in _round_steps(divisor):
        if divisor % step == 0:
            best = step
    return Decimal(best).scaleb(-places)


def _round_steps(limit: int) -> Iterable[int]:
    power = 1
    while power <= limit:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _instrument(place: str, item: object) -> Instrument:
    if not isinstance(item, dict):
        raise InputInvalid(place, "an object", item)
    for name in item:
        if name not in _FIELDS:
            raise InputInvalid(f"{place}.{name}", f"one of {', '.join(_FIELDS)}", item[name])
    for name, field in _FIELDS.items():
        if field.default is attrs.NOTHING and name not in item:
            raise InputInvalid(f"{place}.{name}", "present", None)
    values: dict[str, Any] = {n: _value(f"{place}.{n}", n, value) for n, value in item.items()}
    try:
        return Instrument(**values)
    except InvalidValue as error:
        details = error.details
        field_name = f"{place}.{details['field']}"
        raise InputInvalid(field_name, str(details["rule"]), details["value"]) from None


def _value(place: str, name: str, value: Any) -> object:
    if name in _TEXTS:
        if not isinstance(value, str) or not value.isalnum() or not value.isascii():
            raise InputInvalid(place, "letters and digits", value)
        return value
    if name in _WORDS:
        words = _WORDS[name]
        if value not in list(words):
            raise InputInvalid(place, f"one of {', '.join(words)}", value)
        return words(value)
    try:
        number = Decimal(value) if isinstance(value, str | Decimal) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise InputInvalid(place, "a finite number", value)
    return number
