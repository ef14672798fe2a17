"""Broker: RabbitMQ as the settings name it."""

from random import Random
from typing import Final, Protocol

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.gateway import GatewayConfig, GatewaySource
from order_adapters.messaging.rabbitmq.intake import RabbitIntake
from order_adapters.messaging.rabbitmq.publisher import RabbitPublisher
from order_adapters.venues.bybit.relayed import MakeRelay, RelayedStream
from order_domain.ports.views import Views
from order_service.choices import RABBITMQ, Choices
from order_service.settings import Problem, Settings, SettingsError

__all__ = [
    "RabbitIntake",
    "RabbitPublisher",
    "broker_config",
    "make_intake",
    "make_publisher",
    "make_relay",
]
_GATEWAY: Final = "is needed where ORDERMANAGER_EVENT_SOURCE is gateway"


class Readable(Protocol):
    """A store that can be read."""

    @property
    def views(self) -> Views:
        """The read side."""
        ...


def broker_config(settings: Settings) -> RabbitConfig:
    """Say the settings in the words of the adapter."""
    ours, rabbit = settings.ordermanager, settings.rabbitmq
    password = "guest" if rabbit.password is None else rabbit.password.get_secret_value()
    return RabbitConfig(
        host=rabbit.host,
        port=rabbit.port,
        user=rabbit.user or "guest",
        password=password,
        vhost=rabbit.vhost,
        heartbeat=rabbit.heartbeat,
        name=ours.service_name,
        signals=ours.signal_queue,
        exchange=ours.event_exchange,
        events=ours.event_queue,
        dead=ours.dead_letter_queue,
        partial_fills=ours.publish_partial_fills,
    )


def make_intake(settings: Settings, choices: Choices) -> RabbitIntake | None:
    """The broker's signals; None where signals come over HTTP alone."""
    if choices.bus != RABBITMQ:
        return None
    return RabbitIntake(broker_config(settings), Random())  # noqa: S311 -- jitter


def make_publisher(settings: Settings, choices: Choices, store: Readable) -> RabbitPublisher | None:
    """Where events go; None where they stay in the process."""
    if choices.bus != RABBITMQ:
        return None

    return RabbitPublisher(
        broker_config(settings),
        Random(),  # noqa: S311 -- jitter
        signals_of=store.views.signals,
        delivery_of=store.views.delivery,
        is_dry=choices.is_dry,
    )


def make_relay(settings: Settings) -> MakeRelay | None:
    """Who brings our orders where the ws-gateway does; None where Bybit's own stream does.

    Raises:
        SettingsError: The gateway's key or the broker is missing.
    """
    if settings.ordermanager.event_source != "gateway":
        return None
    gateway, key = settings.ws_gateway, settings.ws_gateway.api_key
    needed = {"WS_GATEWAY_API_KEY": key, "RABBITMQ_USER": settings.rabbitmq.user}
    missing = [Problem(name, _GATEWAY) for name, value in needed.items() if value is None]
    if missing or key is None:
        raise SettingsError(missing)
    config = GatewayConfig(
        url=f"http://{gateway.host}:{gateway.port}",
        api_key=key.get_secret_value(),
        service=settings.ordermanager.service_name,
        queue=gateway.order_queue,
        check_every=gateway.check_every,
    )

    def relay(sink: RelayedStream) -> GatewaySource:
        return GatewaySource(config, broker_config(settings), sink, Random())  # noqa: S311 -- jitter

    return relay
