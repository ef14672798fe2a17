"""`doctor`, `cancel-all --direct` and `config`, against a local Bybit and real servers."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aio_pika import Message

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_cli import __main__ as command_line
from tests.integration.live_service import KEY, SECRET, LocalBybit, local_bybit
from tests.integration.service_process import OURS
from tests.rabbitmq_server import channel_to

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def bybit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path_factory.mktemp("bybit")) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an environment and a folder of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(OURS):
            monkeypatch.delenv(name)

    def run(environment: dict[str, str], *words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with monkeypatch.context() as here:
            for name, text in environment.items():
                here.setenv(name, text)
            code = command_line.run(words)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def findings(run: Run, environment: dict[str, str], code: int) -> dict[str, dict[str, Any]]:
    ended, told, errors = run(environment, "doctor", "--json")
    assert ended == code, told + errors
    return {each["about"]: each for each in json.loads(told)["findings"]}


def test_a_live_service_that_would_trade_is_well(
    run: Run, bybit: LocalBybit, emptied_postgres: str
) -> None:
    found = findings(run, bybit.settings | {"ORDERMANAGER_STORE_URL": emptied_postgres}, 0)

    assert {about: each["state"] for about, each in found.items()} == {
        "settings": "good",
        "store": "good",
        "broker": "not tried",
        "clock": "good",
        "key": "good",
        "account": "good",
        "position mode": "good",
        "instruments": "good",
        "streams": "good",
    }


def test_a_database_without_our_tables_is_told_with_the_command_that_makes_them(
    run: Run, bybit: LocalBybit, emptied_postgres: str
) -> None:
    store = {"ORDERMANAGER_STORE_URL": f"{emptied_postgres}?schema=never_made"}
    found = findings(run, bybit.settings | store, 1)

    assert found["store"]["state"] == "wrong"
    assert "order-manager db migrate" in found["store"]["advice"]
    assert found["streams"]["state"] == "good"


@pytest.mark.parametrize(
    ("changed", "about", "said"),
    [
        ({"BYBIT_API_SECRET": "another"}, "key", "10004"),
        ({"BYBIT_USER_ID": "7"}, "key", "not 7"),
        ({"BYBIT_HEDGE_MODE": "true"}, "position mode", "one-way"),
        ({"BYBIT_SYMBOLS": "BTCUSDT,NOSUCHUSDT"}, "instruments", "NOSUCHUSDT"),
        ({"BYBIT_REST_URL": "http://127.0.0.1:9"}, "clock", "/v5/market/time"),
        ({"RABBITMQ_USER": "guest", "RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": "9",
          "ORDERMANAGER_BUS": "rabbitmq"}, "broker", "127.0.0.1:9"),
        ({"ORDERMANAGER_STORE_URL": "postgresql://nobody@127.0.0.1:9/x"}, "store", "127.0.0.1:9"),
        ({"BYBIT_API_KEY": ""}, "settings", "BYBIT_API_KEY"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_what_to_do_about_it(
    run: Run, bybit: LocalBybit, changed: dict[str, str], about: str, said: str
) -> None:
    found = findings(run, bybit.settings | changed, 1)

    assert found[about]["state"] == "wrong"
    assert said in found[about]["text"]
    assert found[about]["advice"]
    assert SECRET not in str(found)


async def test_the_broker_is_looked_at_and_refused_signals_that_lie_there_are_told(
    run: Run, rabbit: RabbitConfig
) -> None:
    environment = {
        "ORDERMANAGER_ENABLE_DRY_RUN": "true",
        "ORDERMANAGER_SIGNAL_QUEUE": rabbit.signals,
        "ORDERMANAGER_EVENT_QUEUE": rabbit.events,
        "ORDERMANAGER_DEAD_LETTER_QUEUE": rabbit.dead,
        "RABBITMQ_HOST": rabbit.host,
        "RABBITMQ_PORT": str(rabbit.port),
        "RABBITMQ_USER": rabbit.user,
        "RABBITMQ_PASSWORD": rabbit.password,
        "RABBITMQ_VHOST": rabbit.vhost,
    }
    async with channel_to(rabbit) as channel:
        await channel.declare_queue(rabbit.dead, durable=True)
        await channel.default_exchange.publish(Message(b"{}"), rabbit.dead)
        code, told, _ = await asyncio.to_thread(run, environment, "doctor")

    assert code == 0
    assert "lets us in" in told
    assert f"1 refused signals lie in {rabbit.dead}" in told
    assert f"the queue {rabbit.signals} is not there" in told


def test_a_dry_run_needs_nothing_and_the_doctor_makes_no_file(run: Run, tmp_path: Path) -> None:
    code, told, _ = run({"ORDERMANAGER_ENABLE_DRY_RUN": "true"}, "doctor")

    assert code == 0
    assert "a dry run trades on no exchange" in told
    assert list(tmp_path.iterdir()) == []


def test_every_order_is_cancelled_by_the_exchange_alone(run: Run, bybit: LocalBybit) -> None:
    for price in ("1000", "1001", "1002"):
        bybit.post("order", symbol="BTCUSDT", side="Buy", qty="0.01", price=price)
    gone = {
        "ORDERMANAGER_STORE_URL": "postgresql://nobody@127.0.0.1:9/x",
        "RABBITMQ_USER": "x",
        "RABBITMQ_HOST": "nowhere.invalid",
    }
    before = bybit.state()["openOrders"]
    ended = run(bybit.settings | gone, "cancel-all", "--direct", "--json")

    assert before == 3
    assert (ended[0], json.loads(ended[1])) == (0, {"open": 0})
    assert bybit.state()["openOrders"] == 0


def test_one_symbol_is_cancelled_and_the_others_stay(run: Run, bybit: LocalBybit) -> None:
    bybit.post("order", symbol="BTCUSDT", side="Buy", qty="0.01", price="1000")
    ended = run(bybit.settings, "cancel-all", "ethusdt", "--direct")
    left = bybit.state()["openOrders"]
    run(bybit.settings, "cancel-all", "btcusdt", "--direct")

    assert ended[0] == 0
    assert left == 1
    assert bybit.state()["openOrders"] == 0


@pytest.mark.parametrize(
    ("changed", "options", "code"),
    [
        ({}, (), 2),
        ({"ORDERMANAGER_ENABLE_DRY_RUN": "true"}, ("--direct",), 5),
        ({"BYBIT_API_KEY": ""}, ("--direct",), 5),
        ({"BYBIT_API_SECRET": "another"}, ("--direct",), 1),
        ({"BYBIT_USER_ID": "7"}, ("--direct",), 1),
        ({"BYBIT_REST_URL": "http://127.0.0.1:9"}, ("--direct", "--wait", "2"), 6),
    ],
)
def test_what_cannot_be_cancelled_directly_is_never_said_to_be_done(
    run: Run,
    bybit: LocalBybit,
    changed: dict[str, str],
    options: tuple[str, ...],
    code: int,
) -> None:
    ended, told, errors = run(bybit.settings | changed, "cancel-all", *options)

    assert ended == code, errors
    assert told == ""
    assert SECRET not in errors


def test_the_settings_of_a_live_service_are_checked_and_its_secrets_never_shown(
    run: Run, tmp_path: Path, bybit: LocalBybit
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    environment = bybit.settings | {
        "BYBIT_API_SECRET": "",
        "BYBIT_API_SECRET_FILE": str(secret),
        "ORDERMANAGER_STORE_URL": "postgresql://us:a-password@127.0.0.1:9/x",
        "ORDERMANAGER_TP_ENABLED": "true",
    }
    (tmp_path / ".env").write_text("ORDERMANAGER_MAX_EXPOSURE=7\nORDERMANAGER_BUS=rabbitmq\n")
    checked = run(environment, "config", "check", "--json")
    shown = run(environment, "config", "show", "--json")
    only_set = run(environment, "config", "show", "--set")
    settings = json.loads(shown[1])["settings"]

    assert json.loads(checked[1])["without_effect"] == ["ORDERMANAGER_TP_ENABLED"]
    assert json.loads(checked[1])["store"] == "postgresql://127.0.0.1:9/x"
    assert settings["BYBIT_API_SECRET"] == {"value": "***", "source": "environment"}
    assert settings["ORDERMANAGER_MAX_EXPOSURE"] == {"value": "7", "source": ".env"}
    assert settings["ORDERMANAGER_BUS"] == {"value": "in-process", "source": "environment"}
    assert settings["ORDERMANAGER_PORT"] == {"value": "4600", "source": "default"}
    assert "ORDERMANAGER_PORT" not in only_set[1]
    for each in (*checked, *shown, *only_set):
        for hidden in (KEY, SECRET, "a-password"):
            assert hidden not in str(each)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ORDERMANAGER_MAX_EXPOSURE": "-1"}, "ORDERMANAGER_MAX_EXPOSURE"),
        ({"ORDERMANAGER_MAX_EXPOSUR": "1"}, "did you mean ORDERMANAGER_MAX_EXPOSURE"),
        ({"BYBIT_API_KEY": ""}, "BYBIT_API_KEY"),
        ({"BYBIT_REST_URL": "http://example.com"}, "BYBIT_REST_URL"),
        ({"ORDERMANAGER_BUS": ""}, "RABBITMQ_USER"),
    ],
)
def test_settings_that_a_start_would_refuse_end_with_5_and_their_names(
    run: Run, bybit: LocalBybit, changed: dict[str, str], said: str
) -> None:
    code, told, errors = run(bybit.settings | changed, "config", "check")

    assert (code, told) == (5, "")
    assert said in errors
