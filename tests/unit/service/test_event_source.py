"""Who tells of our orders: Bybit's own private stream, or the ws-gateway service."""

from typing import Any

import pytest

from order_adapters.messaging.rabbitmq.gateway import GatewaySource
from order_service.broker import make_relay
from order_service.settings import Settings, SettingsError

GATEWAY = {
    "ORDERMANAGER_EVENT_SOURCE": "gateway",
    "RABBITMQ_USER": "u",
    "WS_GATEWAY_HOST": "there",
    "WS_GATEWAY_API_KEY": "gateway-key",
    "WS_GATEWAY_ORDER_QUEUE": "some.orders",
}


def read(environment: dict[str, str]) -> Settings:
    return Settings.from_environment(environment)


def test_unless_told_otherwise_it_is_the_exchanges_own_stream() -> None:
    assert make_relay(read({})) is None


def test_the_gateway_is_asked_where_and_as_the_settings_say() -> None:
    relay: Any = make_relay(read(GATEWAY))
    source = relay(None)  # nobody is told anything before it is opened
    config = source._config

    assert isinstance(source, GatewaySource)
    assert (config.url, config.api_key) == ("http://there:4400", "gateway-key")
    assert (config.queue, config.service) == ("some.orders", "order-manager")
    assert "gateway-key" not in repr(config)


@pytest.mark.parametrize("name", ["WS_GATEWAY_API_KEY", "RABBITMQ_USER"])
def test_the_gateway_is_refused_without_its_key_or_a_broker(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        make_relay(read({key: value for key, value in GATEWAY.items() if key != name}))
