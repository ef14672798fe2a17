"""Canaries in every secret, through a service on servers that ask for them: none is seen again.

They are told by the environment and by files; what goes wrong is what would show them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest

from order_service.http.keys import Scope, make_key
from tests.faults.servers import PrivatePostgres, PrivateRabbit
from tests.integration.live_service import LocalBybit, local_bybit, until
from tests.integration.service_process import OURS, ServiceProcess, a_body
from tests.integration.test_live_broker import on
from tests.rabbitmq_server import channel_to, send, settings_of

CANARIES: Final = {
    # the tails are changed by an address, by JSON, or by both
    "ORDERMANAGER_API_KEY": 'canary-of-the-api-4d1"+/',
    "BYBIT_API_KEY": "canary-of-the-exchange-key-77b",
    "BYBIT_API_SECRET": "canary-of-the-exchange-secret-0c9",
    "POSTGRES_PASSWORD": 'canary-of-the-database-e15"/\\',
    "RABBITMQ_PASSWORD": "canary-of-the-broker-b33/+",
    "WS_GATEWAY_API_KEY": "canary-of-the-gateway-a66",
    "GUARDIAN_API_KEY": "canary-of-the-guardian-key-f02",
    "GUARDIAN_API_SECRET": "canary-of-the-guardian-secret-d18",
}
ORDER: Final = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"}
FAULTS: Final = (
    '{"fault": "answer_code", "request": "create", "code": 10016}',
    '{"fault": "answer_code", "request": "create", "code": 110007}',
    '{"fault": "lose_answer", "request": "create"}',
)
READ_ONLY: Final = (("config", "show"), ("config", "check"), ("doctor",), ("dlq", "list"))


def seen_in(text: str) -> list[str]:
    """The canaries of a text, however their tails are written there."""
    return [name for name, secret in CANARIES.items() if secret.rstrip('"+/\\') in text]


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PrivatePostgres]:
    with PrivatePostgres(CANARIES["POSTGRES_PASSWORD"]) as server:
        yield server


@pytest.fixture(scope="module")
def own_rabbitmq() -> Iterator[PrivateRabbit]:
    with PrivateRabbit(CANARIES["RABBITMQ_PASSWORD"]) as server:
        yield server


@pytest.fixture(scope="module")
def bybit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBybit]:
    key, secret = CANARIES["BYBIT_API_KEY"], CANARIES["BYBIT_API_SECRET"]
    with local_bybit(tmp_path_factory.mktemp("bybit"), key=key, secret=secret) as server:
        yield server


def environment(
    folder: Path,
    database: PrivatePostgres,
    broker: PrivateRabbit,
    bybit: LocalBybit,
    *,
    by_files: bool,
) -> dict[str, str]:
    """Settings of a live service, its secrets as text or as files."""
    queues = on(settings_of(port=broker.port, password=CANARIES["RABBITMQ_PASSWORD"]))
    settings = bybit.settings | queues
    settings |= {
        "ORDERMANAGER_LOG_LEVEL": "DEBUG",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(database.port),
        "POSTGRES_DB": "postgres",
        "POSTGRES_USER": "postgres",
    }
    for name, secret in CANARIES.items():
        settings[name] = "" if by_files else secret
        if by_files:
            file = folder / f"{name}.secret"
            file.write_text(secret + "\n")
            settings[f"{name}_FILE"] = str(file)
    return settings


def command(folder: Path, settings: Mapping[str, str], *words: str) -> str:
    """Everything a command says."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    ran = subprocess.run(
        [sys.executable, "-m", "order_cli", *words],
        cwd=folder,
        env=clean | dict(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr


def provoked(http: httpx.Client, other_key: str, first: int) -> str:
    """Answers to right and wrong requests, headers included."""
    once = {"Idempotency-Key": f"request-{first}"}
    wrong = {"X-API-Key": CANARIES["GUARDIAN_API_KEY"]}
    answers = [
        http.post("/api/v1/signals", json=a_body(first, trace_id="trace-2")),
        *(http.get(path) for path in ("/health", "/ready", "/metrics", "/schema/openapi.json")),
        *(http.get(f"/api/v1/{path}") for path in ("orders", "balances", "events", "signals")),
        http.get("/api/v1/orders", headers=wrong),
        http.get("/api/v1/orders", headers={"X-API-Key": other_key}),
        http.get("/api/v1/nowhere"),
        http.get("/api/v1/orders", params={"limit": CANARIES["ORDERMANAGER_API_KEY"]}),
        http.post("/api/v1/orders", json=ORDER, headers={"X-API-Key": other_key} | once),
        http.post("/api/v1/orders", json=ORDER, headers=once),
        http.post("/api/v1/orders", json=ORDER | {"quantity": "0.02"}, headers=once),
        http.post("/api/v1/orders", json=ORDER | {"quantity": "no"}, headers=once),
        http.post("/api/v1/signals", content=b"not json"),
        http.post("/api/v1/signals", json=a_body(first + 1, amount=-1)),
        http.post("/api/v1/signals", content=b" " * 100_000),
        http.delete("/api/v1/orders"),
    ]
    statuses = {each.status_code for each in answers}
    assert statuses >= {200, 202, 400, 401, 403, 404, 405, 409, 413, 422}, [
        (each.request.url.path, each.status_code, each.text[:300]) for each in answers
    ]
    return "\n".join(f"{each.headers}\n{each.text}" for each in answers)


def arguments_of(service: ServiceProcess) -> str:
    return Path(f"/proc/{service.process.pid}/cmdline").read_text()


def files_of(folder: Path) -> str:
    """What the service has left in its folder; the secrets' own files are the test's."""
    ours = {f"{name}.secret" for name in CANARIES}
    kept = [each for each in folder.iterdir() if each.name not in ours]
    return "".join(each.read_text(errors="replace") for each in kept)


async def everything_kept(database: PrivatePostgres) -> str:
    """Every column of every row of every table that is ours, as text."""
    connection = await asyncpg.connect(database.url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        rows = [
            str(row)
            for (table,) in tables
            for (row,) in await connection.fetch(f"SELECT kept::text FROM {table} AS kept")
        ]
    finally:
        await connection.close()
    assert len(rows) > 20
    return "\n".join(rows)


async def everything_sent(settings: Mapping[str, str]) -> str:
    """Every message that lies at the broker, with its properties."""
    rabbit = settings_of(
        port=int(settings["RABBITMQ_PORT"]), password=CANARIES["RABBITMQ_PASSWORD"]
    )
    found = []
    async with channel_to(rabbit) as channel:
        for name in ("ORDERMANAGER_EVENT_QUEUE", "ORDERMANAGER_DEAD_LETTER_QUEUE", "all"):
            queue = await channel.get_queue(settings.get(name, name))
            while (message := await queue.get(no_ack=True, fail=False)) is not None:
                found.append(f"{message.info()} {message.headers} {message.body.decode()}")
    assert len(found) > 10
    return "\n".join(found)


async def listen_to_everything(settings: Mapping[str, str], broker: PrivateRabbit) -> None:
    rabbit = settings_of(port=broker.port, password=CANARIES["RABBITMQ_PASSWORD"])
    async with channel_to(rabbit) as channel:
        exchange = await channel.get_exchange(settings["ORDERMANAGER_EVENT_EXCHANGE"])
        queue = await channel.declare_queue("all", durable=True)
        await queue.bind(exchange, "#")


async def cut_every_connection(database: PrivatePostgres) -> None:
    connection = await asyncpg.connect(database.url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    await connection.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("by_files", [False, True], ids=["by environment", "by files"])
async def test_k12_no_secret_is_in_a_log_an_answer_a_table_or_a_message(
    tmp_path: Path,
    own_postgres: PrivatePostgres,
    own_rabbitmq: PrivateRabbit,
    bybit: LocalBybit,
    by_files: bool,
) -> None:
    settings = environment(tmp_path, own_postgres, own_rabbitmq, bybit, by_files=by_files)
    first = 200 if by_files else 100  # the two share the servers
    other_key, line = make_key("reader", [Scope.READ], None)
    (tmp_path / "keys.jsonl").write_text(line)
    settings["ORDERMANAGER_API_KEYS_FILE"] = "keys.jsonl"
    said = command(tmp_path, settings, "db", "migrate")
    with ServiceProcess(tmp_path, (), **settings) as service:
        service.ready()
        service.http.headers["X-API-Key"] = CANARIES["ORDERMANAGER_API_KEY"]
        until(lambda: service.http.get("/ready").status_code == 200)
        arguments = arguments_of(service)
        await listen_to_everything(settings, own_rabbitmq)
        bybit.http.post("/admin/faults", content="\n".join(FAULTS)).raise_for_status()
        answers = provoked(service.http, other_key, first)
        rabbit = settings_of(
            port=own_rabbitmq.port,
            password=CANARIES["RABBITMQ_PASSWORD"],
            signals=settings["ORDERMANAGER_SIGNAL_QUEUE"],
        )
        for number in range(first + 2, first + 7):
            body = json.dumps(a_body(number, strategy_id=f"s{number}")).encode()
            await send(rabbit, b"not json", body)
        await cut_every_connection(own_postgres)
        until(lambda: service.http.get("/api/v1/signals").text.count('"verdict"') >= 6)
        said += "".join(command(tmp_path, settings, *words) for words in READ_ONLY)
        until(lambda: service.http.get("/ready").status_code == 200)
        answers += service.http.get("/metrics").text
        service.stop()
    places: dict[str, str] = {
        "log": json.dumps(service.log, ensure_ascii=False) + str(service.log),
        "commands": said,
        "arguments": arguments,
        "answers": answers,
        "tables": await everything_kept(own_postgres),
        "messages": await everything_sent(settings),
        "files": files_of(tmp_path),
    }

    assert len(service.log) > 30
    assert {place: seen_in(text) for place, text in places.items() if seen_in(text)} == {}


WRONG: Final[dict[str, dict[str, Any]]] = {
    "another password of the database": {"POSTGRES_PASSWORD": 'another-canary/"'},
    "another password of the broker": {"RABBITMQ_PASSWORD": 'another-canary/"'},
    "another secret of the exchange": {"BYBIT_API_SECRET": "another-canary"},
    "nobody is there": {
        "BYBIT_REST_URL": "http://127.0.0.1:9",
        "ORDERMANAGER_STORE_URL": "postgresql://postgres:another-canary@127.0.0.1:9/postgres",
        "RABBITMQ_PORT": "9",
    },
    "a setting beside it that breaks its rule": {"ORDERMANAGER_PORT": "x"},
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_k12_no_secret_is_told_when_the_service_cannot_work(
    tmp_path: Path,
    own_postgres: PrivatePostgres,
    own_rabbitmq: PrivateRabbit,
    bybit: LocalBybit,
    wrong: str,
) -> None:
    settings = (
        environment(tmp_path, own_postgres, own_rabbitmq, bybit, by_files=False) | WRONG[wrong]
    )
    clean = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    with subprocess.Popen(
        [sys.executable, "-m", "order_cli", "serve", "--port", "0"],
        cwd=tmp_path,
        env=clean | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        try:
            said, _ = run.communicate(timeout=7)
        except subprocess.TimeoutExpired:
            run.terminate()
            said, _ = run.communicate()
    said += command(tmp_path, settings, "doctor")

    assert len(said) > 300
    assert seen_in(said) == []
    assert "another-canary" not in said
