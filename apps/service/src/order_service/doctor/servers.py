"""Servers: the store and the broker, looked at without changing anything in them."""

from typing import Final

from order_adapters.clock import SystemClock
from order_adapters.messaging.rabbitmq.dead_letters import BrokerAway
from order_adapters.messaging.rabbitmq.probe import look
from order_domain.errors import OrderManagerError
from order_service.broker import broker_config
from order_service.choices import RABBITMQ, Choices
from order_service.doctor.findings import Finding, good, not_tried, warning, wrong
from order_service.settings import Settings
from order_service.stores import file_of, open_store

STORE: Final = "store"
BROKER: Final = "broker"
_ADVICE: Final = {
    "WRONG_SCHEMA": "run `order-manager db migrate`",
    "STORE_NOT_DURABLE": "switch on what it names in postgresql.conf, for this database too",
    "STORE_UNAVAILABLE": "start the server, or correct POSTGRES_* or ORDERMANAGER_STORE_URL",
}


async def look_at_store(choices: Choices) -> Finding:
    """Connect, and let it check durability and schema."""
    path = file_of(choices.store)
    if path is not None and not path.is_file():
        if path.absolute().parent.is_dir():
            return good(STORE, f"{choices.shown_store} will be made by the first start")
        return wrong(STORE, f"the folder of {choices.shown_store} is not there", "make it")
    store = open_store(choices.store, SystemClock())
    try:
        await store.open()
        head = await store.journal.look()
    except OrderManagerError as error:
        return wrong(STORE, str(error), _ADVICE.get(error.code, ""))
    finally:
        await store.close()
    if head.account and head.account != choices.account:
        text = (
            f"{choices.shown_store} belongs to {head.account}, the settings say {choices.account}"
        )
        return wrong(STORE, text, "name another store: one is never shared by two accounts")
    owner = f", owned by {head.url or head.owner}" if head.owner else ""
    return good(STORE, f"{choices.shown_store} is durable and has our schema{owner}")


async def look_at_broker(settings: Settings, choices: Choices) -> list[Finding]:
    """Connect, and look which of our queues are there."""
    if choices.bus != RABBITMQ:
        text = "there is none: signals come over HTTP, events stay in the service"
        return [not_tried(BROKER, text)]
    config = broker_config(settings)
    try:
        waiting = await look(config)
    except BrokerAway as error:
        text = f"{config.shown} cannot be used: {error.details['reason']}"
        return [wrong(BROKER, text, "start it, or correct RABBITMQ_*")]
    found = [good(BROKER, f"{config.shown} lets us in")]
    if waiting[config.dead]:
        text = f"{waiting[config.dead]} refused signals lie in {config.dead}"
        found.append(warning(BROKER, text, "look at them by `order-manager dlq list`"))
    if waiting[config.signals] is None:
        text = f"the queue {config.signals} is not there; the start makes it"
        found.append(
            warning(BROKER, text, "check ORDERMANAGER_SIGNAL_QUEUE if models send already")
        )
    return found
