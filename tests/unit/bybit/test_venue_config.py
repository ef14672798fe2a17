"""Settings that would break the protocol are refused."""

from datetime import timedelta
from typing import Any

import pytest

from order_adapters.venues.bybit.config import BybitConfig, Retry
from order_adapters.venues.bybit.hosts import HOSTS
from order_adapters.venues.bybit.transport import HttpTiming
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category
from tests.unit.bybit.sockets import KEY


def a_config(**changes: Any) -> BybitConfig:
    return BybitConfig(**{"hosts": HOSTS["testnet"], "credentials": KEY} | changes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("categories", ()),
        ("instruments", ("spot:BTCUSDT",)),
        ("recv_window", timedelta(0)),
        ("recv_window", timedelta(seconds=61)),
        ("answer_within", 2.5),
        ("http", HttpTiming(whole=2.5)),
        ("penalty", 599.0),
        ("share", 0.0),
        ("share", 1.1),
        ("retry", Retry(attempts=0)),
        ("smp_type", "CancelEverything"),
        ("facts", 0),
    ],
)
def test_a_setting_outside_its_rule_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as refused:
        a_config(**{field: value})

    assert str(refused.value.details["field"]).startswith(field)


def test_the_usual_settings_are_taken_and_hide_the_secret() -> None:
    config = a_config(categories=tuple(Category), instruments=("spot:BTCUSDT",))

    assert config.recv_window_ms == 2500
    assert KEY.secret not in repr(config)
