"""Trading rules: from a file, from the catalogue, or from the grid of a market."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.intake.catalogue import CATALOGUE
from order_adapters.intake.instruments import (
    Grid,
    infer_grid,
    inferred_instrument,
    known_instrument,
    load_instruments,
)
from order_adapters.intake.invalid import InputInvalid

D = Decimal


def an_item(**changes: Any) -> dict[str, Any]:
    item = {
        "symbol": "BTCUSDT",
        "base_coin": "BTC",
        "quote_coin": "USDT",
        "settle_coin": "USDT",
        "tick_size": "0.10",
        "quantity_step": "0.001",
        "min_quantity": "0.001",
        "max_quantity": "1190",
        "max_market_quantity": 500,
        "min_notional": 5,
    }
    return item | changes


def a_file(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "instruments.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_a_file_gives_instruments_by_symbol_with_exact_numbers(tmp_path: Path) -> None:
    found = load_instruments(a_file(tmp_path, [an_item(taker_fee_rate=0.0006)]))

    assert list(found) == ["BTCUSDT"]
    assert found["BTCUSDT"].tick_size == D("0.10")
    assert found["BTCUSDT"].taker_fee_rate == D("0.0006")
    assert found["BTCUSDT"].maker_fee_rate == D("0.0002")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tick_size": 0}, "tick_size"),
        ({"tick_size": "NaN"}, "tick_size"),
        ({"tick_size": "x"}, "tick_size"),
        ({"tick_size": None}, "tick_size"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": 5}, "symbol"),
        ({"category": "option"}, "category"),
        ({"status": []}, "status"),
        ({"leverage": 10}, "leverage"),
        ({"max_quantity": "9" * 25}, "max_quantity"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputInvalid) as caught:
        load_instruments(a_file(tmp_path, [an_item(**changes)]))

    assert caught.value.field == f"instruments[0].{field}"


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    item = an_item()
    del item["tick_size"]

    with pytest.raises(InputInvalid, match=r"instruments\[0\].tick_size, rule=present"):
        load_instruments(a_file(tmp_path, [item]))


@pytest.mark.parametrize("document", ["", "{", [], {}, [5], [an_item(), an_item()]])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, document: object) -> None:
    with pytest.raises(InputInvalid):
        load_instruments(a_file(tmp_path, document))


def test_well_known_perpetuals_are_in_the_catalogue() -> None:
    assert {"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "BNBUSDT"} <= set(CATALOGUE)
    assert known_instrument("BTCUSDT") is CATALOGUE["BTCUSDT"]
    assert known_instrument("NOBODYUSDT") is None


@given(
    st.sampled_from(["0.1", "0.5", "0.0001", "2", "10", "0.00002"]),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=50),
)
def test_every_price_lies_on_the_inferred_tick_and_the_tick_is_no_finer_than_the_true_one(
    tick: str, multiples: list[int]
) -> None:
    prices = [D(tick) * multiple for multiple in [1, *multiples]]

    grid = infer_grid([((price,), (D(1),)) for price in prices])

    assert grid is not None
    assert all(price % grid.tick_size == 0 for price in prices)
    assert grid.tick_size == D(tick)


@pytest.mark.parametrize(
    ("symbol", "base", "quote"),
    [("ABCUSDT", "ABC", "USDT"), ("ABCUSDC", "ABC", "USDC"), ("ABCUSD", "ABC", "USD")],
)
def test_an_inferred_instrument_takes_its_coins_from_the_symbol(
    symbol: str, base: str, quote: str
) -> None:
    instrument = inferred_instrument(symbol, Grid(D("0.01"), D("0.1"), 5))

    assert (instrument.base_coin, instrument.quote_coin) == (base, quote)
    assert (instrument.tick_size, instrument.min_quantity) == (D("0.01"), D("0.1"))
