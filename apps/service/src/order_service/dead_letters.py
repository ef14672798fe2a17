"""Dead letters of the broker that the settings name."""

from order_adapters.messaging.rabbitmq.dead_letters import (
    BrokerAway,
    DeadLetter,
    DeadLetters,
    named,
)
from order_service.broker import broker_config
from order_service.settings import Settings

__all__ = ["BrokerAway", "DeadLetter", "DeadLetters", "dead_letters", "named"]


def dead_letters(settings: Settings) -> DeadLetters:
    """Make the access; nothing is connected yet."""
    return DeadLetters(broker_config(settings))
