"""Who tells of our orders: Bybit's own private stream, or the ws-gateway service."""

from typing import Any

import pytest

from order_adapters.messaging.rabbitmq.gateway import GatewayConfig, GatewaySource
from order_domain.errors import InvalidValue
from order_service.broker import broker_config, make_relay
from order_service.settings import Settings, SettingsError
from tests.builders import seconds

GATEWAY = {
    "ORDERMANAGER_EVENT_SOURCE": "gateway",
    "RABBITMQ_USER": "u",
    "WS_GATEWAY_HOST": "there",
    "WS_GATEWAY_API_KEY": "gateway-key",
    "WS_GATEWAY_ORDER_QUEUE": "some.orders",
    "WS_GATEWAY_CHECK_EVERY": "0.5",
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
    assert config.check_every == seconds(0.5)
    assert "gateway-key" not in repr(config)


def test_a_subscription_that_would_stay_lost_for_more_than_5_s_is_refused() -> None:
    assert GatewayConfig(url="", api_key="", check_every=seconds(3)).check_every == seconds(3)
    with pytest.raises(InvalidValue, match="at most 3 s"):
        GatewayConfig(url="", api_key="", check_every=seconds(3.1))
    with pytest.raises(SettingsError, match="WS_GATEWAY_CHECK_EVERY"):
        read(GATEWAY | {"WS_GATEWAY_CHECK_EVERY": "3.1"})


@pytest.mark.parametrize("name", ["WS_GATEWAY_API_KEY", "RABBITMQ_USER"])
def test_the_gateway_is_refused_without_its_key_or_a_broker(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        make_relay(read({key: value for key, value in GATEWAY.items() if key != name}))


def test_the_queues_have_the_names_their_neighbours_know() -> None:
    settings = read({})
    config = broker_config(settings)

    assert config.signals == "model-service.trading_signals"
    assert config.events == "order-manager.order_events"
    assert settings.ws_gateway.order_queue == "ws-gateway.order"
