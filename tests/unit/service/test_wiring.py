"""Settings that a part takes when it is made, and what the part was then given."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from dependency_injector import providers

from order_service import guarding
from order_service.broker import make_relay
from order_service.container import Container
from order_service.settings import Settings
from tests.integration.service_process import a_body

DRY: Final = {"ORDERMANAGER_ENABLE_DRY_RUN": "true", "ORDERMANAGER_STORE_URL": "memory:"}
LIVE: Final = {
    "BYBIT_API_KEY": "k",
    "BYBIT_API_SECRET": "s",
    "ORDERMANAGER_BUS": "in-process",
    "ORDERMANAGER_STORE_URL": "postgresql://db/orders",
    "GUARDIAN_API_KEY": "g",
    "GUARDIAN_API_SECRET": "h",
}
GATEWAY: Final = {
    "ORDERMANAGER_EVENT_SOURCE": "gateway",
    "RABBITMQ_USER": "u",
    "WS_GATEWAY_API_KEY": "k",
}


def read(environment: Mapping[str, str]) -> Settings:
    return Settings.from_environment(environment)


def container(environment: Mapping[str, str]) -> Container:
    return Container(settings=providers.Object(read(environment)))


def run_by(environment: Mapping[str, str]) -> Any:
    return container(DRY | environment).runtime()._workers._config


def venue(environment: Mapping[str, str]) -> Any:
    return container(DRY | environment).venue()


def shared(environment: Mapping[str, str]) -> Any:
    return container(LIVE | environment).shared()


def gateway(environment: Mapping[str, str]) -> Any:
    relay: Any = make_relay(read(GATEWAY | environment))
    return relay(None)._config


def symbol_read_by(environment: Mapping[str, str]) -> Any:
    delivery: Any = container(DRY | environment).desk().read(json.dumps(a_body(1)).encode())
    return delivery.signal.instrument_id


def guardian(environment: Mapping[str, str]) -> Any:
    made, _, _ = guarding._made(read(LIVE | environment), print)
    return made


ROWS: Final[tuple[tuple[str, str, Callable[[Mapping[str, str]], Any], Any, Any], ...]] = (
    # variable, its text, what is looked at, what it is usually, what it is once that is set
    (
        "ORDERMANAGER_SHUTDOWN_TIMEOUT",
        "7",
        lambda given: run_by(given).drain,
        timedelta(seconds=20),
        timedelta(seconds=7),
    ),
    (
        "ORDERMANAGER_LEASE_TTL",
        "30",
        lambda given: run_by(given).ttl,
        timedelta(seconds=10),
        timedelta(seconds=30),
    ),
    (
        "ORDERMANAGER_INSTRUMENT_INFO_REFRESH_INTERVAL",
        "60",
        lambda given: venue(given)._interval,
        timedelta(hours=1),
        timedelta(minutes=1),
    ),
    ("ORDERMANAGER_OWNS_POSITIONS", "no", lambda given: shared(given)._owns_positions, True, False),
    (
        "ORDERMANAGER_SHARED_SCHEMA",
        "theirs",
        lambda given: shared(given)._schema,
        '"public"',
        '"theirs"',
    ),
    ("BYBIT_MARKET_CATEGORY", "inverse", symbol_read_by, "linear:BTCUSDT", "inverse:BTCUSDT"),
    ("BYBIT_ASSET_CATEGORIES", "BTCUSDT=spot", symbol_read_by, "linear:BTCUSDT", "spot:BTCUSDT"),
    (
        "WS_GATEWAY_PORT",
        "4401",
        lambda given: gateway(given).url,
        "http://ws-gateway:4400",
        "http://ws-gateway:4401",
    ),
    (
        "GUARDIAN_URL",
        "http://om:4600",
        lambda given: guardian(given)._signs._url,
        "",
        "http://om:4600",
    ),
    (
        "GUARDIAN_FILE",
        "kept.jsonl",
        lambda given: guardian(given)._records._path,
        Path("guardian.jsonl"),
        Path("kept.jsonl"),
    ),
    (
        "GUARDIAN_STALE_AFTER",
        "40",
        lambda given: guardian(given)._config.stale_after,
        timedelta(seconds=15),
        timedelta(seconds=40),
    ),
)


@pytest.mark.parametrize(
    ("name", "text", "look", "without", "with_it"), ROWS, ids=[row[0] for row in ROWS]
)
async def test_a_variable_reaches_the_part_that_acts_on_it(
    name: str, text: str, look: Callable[[Mapping[str, str]], Any], without: Any, with_it: Any
) -> None:
    assert look({}) == without
    assert look({name: text}) == with_it
