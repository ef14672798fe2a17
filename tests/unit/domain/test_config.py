"""Settings of the engine: each within its bounds, each fault by field, rule and value."""

from typing import Any

import pytest

from order_domain.config import EngineConfig
from order_domain.errors import InvalidValue
from order_domain.model.enums import TimeInForce
from tests.builders import D, seconds


def test_the_defaults_are_valid() -> None:
    assert EngineConfig().quarantine == seconds(12.75)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("environment", "paper"),
        ("market_order_confidence_threshold", D("1.1")),
        ("max_position_size", D(0)),
        ("max_orders_per_second", D(0)),
        ("retry_max_attempts", 0),
        ("recv_window", seconds(0)),
        ("duplicate_window", seconds(901)),
        ("retention", seconds(179)),
        ("limit_time_in_force", TimeInForce.IOC),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as error:
        EngineConfig(**{field: value})

    assert error.value.details["field"] == field


def test_what_is_off_has_no_bounds() -> None:
    assert EngineConfig(max_daily_loss=None, duplicate_window=None).max_daily_loss is None


def test_a_symbol_may_have_a_position_limit_of_its_own() -> None:
    config = EngineConfig(max_position_size_by_symbol={"BTCUSDT": D(2)})

    assert (config.position_limit("BTCUSDT"), config.position_limit("ETHUSDT")) == (D(2), D(1))
