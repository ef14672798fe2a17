"""Market files by symbol, and settings as a command reads them."""

from pathlib import Path

import pytest

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.wiring import engine_config, markets
from order_domain.model.enums import TimeInForce


def test_a_market_names_its_symbol_or_takes_that_of_the_signals() -> None:
    found = markets(["a.csv", "ETHUSDT=dir=x/b.csv"], lambda: "BTCUSDT")

    assert found == {"BTCUSDT": Path("a.csv"), "ETHUSDT": Path("dir=x/b.csv")}


def test_a_file_name_with_a_small_word_before_the_sign_is_no_symbol() -> None:
    assert markets(["run=1.csv"], lambda: "BTCUSDT") == {"BTCUSDT": Path("run=1.csv")}


def test_without_one_only_symbol_the_symbol_must_be_named() -> None:
    with pytest.raises(CommandError, match="SYMBOL=FILE") as caught:
        markets(["a.csv"], lambda: "")

    assert caught.value.code is ExitCode.USAGE


def test_a_symbol_has_one_file() -> None:
    with pytest.raises(CommandError, match="already"):
        markets(["BTCUSDT=a.csv", "b.csv"], lambda: "BTCUSDT")


def test_settings_come_from_the_environment() -> None:
    config = engine_config(
        {
            "ORDERMANAGER_ENABLE_ORDER_SPLITTING": "true",
            "ORDERMANAGER_LIMIT_TIME_IN_FORCE": "GTC",
            "ORDERMANAGER_MAX_POSITION_SIZE": "2,ETHUSDT=30",
        }
    )

    assert config.enable_order_splitting
    assert config.limit_time_in_force is TimeInForce.GTC
    assert config.position_limit("ETHUSDT") == 30


def test_an_unknown_setting_of_our_prefix_is_refused() -> None:
    with pytest.raises(CommandError, match="ORDERMANAGER_MAX_EXPOSUR") as caught:
        engine_config({"ORDERMANAGER_MAX_EXPOSUR": "5"})

    assert caught.value.code is ExitCode.CONFIGURATION
