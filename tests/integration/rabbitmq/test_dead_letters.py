"""`order-manager dlq`: refused signals looked at, sent again, thrown away; none lost on the way."""

import asyncio
import json
import threading
from typing import Any

import aio_pika
import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from tests.integration.command_line import CommandLine
from tests.rabbitmq_server import channel_to, drain, settings_of

BODIES = [b'{"asset":"x"}', b"not json", b"\xff\xfe"]


def wait_for(coroutine: Any) -> Any:
    """Run something of the broker beside the command, which has a loop of its own."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(coroutine)))
    thread.start()
    thread.join()
    return found[0] if found else None


async def _bury(config: RabbitConfig) -> None:
    async with channel_to(config) as channel:
        await channel.declare_queue(config.dead, durable=True)
        for number, body in enumerate(BODIES, 1):
            headers = {"x-reason-code": "BODY_INVALID", "x-delivery": str(number)}
            message = aio_pika.Message(body, message_id=f"id-{number}", headers=headers)
            await channel.default_exchange.publish(message, config.dead)


@pytest.fixture
def broker(rabbit: RabbitConfig, monkeypatch: pytest.MonkeyPatch) -> RabbitConfig:
    values = {
        "RABBITMQ_HOST": rabbit.host,
        "RABBITMQ_PORT": str(rabbit.port),
        "RABBITMQ_USER": rabbit.user,
        "RABBITMQ_PASSWORD": rabbit.password,
        "ORDERMANAGER_SIGNAL_QUEUE": rabbit.signals,
        "ORDERMANAGER_DEAD_LETTER_QUEUE": rabbit.dead,
    }
    for name, text in values.items():
        monkeypatch.setenv(name, text)
    wait_for(_bury(rabbit))
    return rabbit


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def deliveries(command: CommandLine) -> list[str]:
    return [each["delivery"] for each in command.json("dlq", "list")["letters"]]


def test_looking_takes_nothing_and_keeps_the_order(
    command: CommandLine, broker: RabbitConfig
) -> None:
    looks = [deliveries(command) for _ in range(3)]

    assert looks == [["1", "2", "3"]] * 3


def test_one_is_shown_with_its_reason_and_body(command: CommandLine, broker: RabbitConfig) -> None:
    shown = json.loads(command("dlq", "show", "2"))

    assert shown["code"] == "BODY_INVALID"
    assert shown["body"] == "not json"
    command("dlq", "show", "9", code=4)


def test_a_replayed_letter_lies_in_the_signal_queue_unchanged(
    command: CommandLine, broker: RabbitConfig
) -> None:
    command("dlq", "replay", "id-1")
    (again,) = wait_for(drain(broker, broker.signals))

    assert again.body == BODIES[0]
    assert again.delivery_mode == 2
    assert deliveries(command) == ["2", "3"]


def test_all_are_replayed_in_their_order(command: CommandLine, broker: RabbitConfig) -> None:
    command("dlq", "replay", "--all")
    again = wait_for(drain(broker, broker.signals))

    assert [message.body for message in again] == BODIES
    assert deliveries(command) == []


def test_dropping_needs_a_yes_and_takes_only_what_is_named(
    command: CommandLine, broker: RabbitConfig
) -> None:
    command("dlq", "drop", "2", code=2)
    command("dlq", "drop", "2", "--yes")

    assert deliveries(command) == ["1", "3"]


def test_a_name_that_is_not_there_ends_with_not_found(
    command: CommandLine, broker: RabbitConfig
) -> None:
    command("dlq", "replay", "1", "99", code=4)

    assert deliveries(command) == ["2", "3"]


@pytest.mark.parametrize("words", [(), ("1", "--all")])
def test_it_must_be_said_which(
    command: CommandLine, broker: RabbitConfig, words: tuple[str, ...]
) -> None:
    command("dlq", "replay", *words, code=2)

    assert deliveries(command) == ["1", "2", "3"]


def test_without_a_broker_it_says_so(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_HOST", "127.0.0.1")
    monkeypatch.setenv("RABBITMQ_PORT", str(settings_of(port=1).port))
    command("dlq", "list", code=1)

    assert "amqp://127.0.0.1:1" in command.errors
