"""One run: a database, queues, a stub and a process that is measured, all of its own."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aio_pika
import asyncpg
import attrs

from benchmarks.peers.runner import ENVIRONMENTS, ROOT
from benchmarks.pipeline.load import Load, Run
from benchmarks.pipeline.place import cpu_ns, host_and_port, summary
from order_adapters.stores.postgres.migrator import migrate
from order_adapters.stores.postgres.place import Place

SERVER = os.environ.get("TEST_POSTGRES_DSN", "postgresql://postgres@127.0.0.1:5432/postgres")
BROKER = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")
FLOOR_ENVIRONMENT = ENVIRONMENTS / "pipeline"
OWN, OTHER = sys.executable, str(FLOOR_ENVIRONMENT / "bin" / "python")
OURS = "ours"
COMMANDS = {
    OURS: (OWN, "-m", "benchmarks.pipeline.ours"),
    **{
        name: (OTHER, "-m", "benchmarks.pipeline.floor", name)
        for name in ("shared", "told", "lean", "simple")
    },
}
Figures = dict[str, float]


@attrs.frozen
class Shape:
    """One kind of load.

    Attributes:
        in_flight: Signals kept in flight; 0 with a rate.
        rate: Signals a second; 0 with a number in flight.
        symbols: Over how many instruments they are spread.
    """

    name: str
    signals: int
    in_flight: int = 0
    rate: float = 0
    symbols: int = 64
    warm_up: int = 100


def measure(name: str, shape: Shape, profile: str = "") -> Figures:
    """One run of ours or of a floor."""
    with ExitStack() as opened:
        where = opened.enter_context(_a_place(name))
        where["in_flight"] = shape.in_flight or 64
        where["profile"] = profile
        where["stub"] = int(
            opened.enter_context(_a_process((OWN, "-m", "benchmarks.pipeline.stub")))()
        )
        load = opened.enter_context(
            Load(host_and_port(BROKER), where["signals"], where["heard_at"])
        )
        process, read, write = opened.enter_context(
            _a_candidate((*COMMANDS[name], json.dumps(where)))
        )
        if read() != "ready":
            raise RuntimeError(f"{name} did not become ready")
        load.closed(shape.warm_up, shape.in_flight or 16, shape.symbols)
        write("begin")
        cpu = cpu_ns(process.pid)
        run = _loaded(load, shape)
        cpu = cpu_ns(process.pid) - cpu
        write(f"end {min(run.sent)} {max(run.sent)}")
        to_bytes = json.loads(read())
        return _figures(run, cpu, to_bytes)


def _loaded(load: Load, shape: Shape) -> Run:
    if shape.rate:
        return load.open(shape.signals, shape.rate, shape.symbols)
    return load.closed(shape.signals, shape.in_flight, shape.symbols)


def _figures(run: Run, cpu: int, to_bytes: Figures) -> Figures:
    signals, end = len(run.done), summary(run.latencies)
    return {
        "rate": signals / run.seconds,
        "p50": end["p50"],
        "p99": end["p99"],
        "bytes_p50": to_bytes["p50"],
        "bytes_p99": to_bytes["p99"],
        "cpu": cpu / 1e6 / signals,
    }


@contextmanager
def _a_place(name: str) -> Iterator[dict[str, Any]]:
    tail = uuid4().hex[:12]
    database = f"om_bench_{tail}"
    dsn = urlunsplit(urlsplit(SERVER)._replace(path=f"/{database}"))
    where: dict[str, Any] = {
        "dsn": dsn,
        "store": dsn,
        "amqp": BROKER,
        **{each: f"bench.{each}.{tail}" for each in ("signals", "events", "exchange", "dead")},
    }
    asyncio.run(_execute(f"CREATE DATABASE {database}"))
    try:
        if name == OURS:
            asyncio.run(migrate(Place.of(dsn)))
        asyncio.run(_queues(where))
        with tempfile.TemporaryDirectory() as folder:
            where["heard_at"] = str(Path(folder) / "done")
            yield where
    finally:
        asyncio.run(_no_queues(where))
        asyncio.run(_execute(f"DROP DATABASE {database} WITH (FORCE)"))


async def _execute(sql: str) -> None:
    connection = await asyncpg.connect(SERVER)
    await connection.execute(sql)
    await connection.close()


async def _queues(where: dict[str, Any]) -> None:
    connection = await aio_pika.connect(where["amqp"])
    async with connection, connection.channel() as channel:
        for each in ("signals", "events"):
            await channel.declare_queue(where[each], durable=True)


async def _no_queues(where: dict[str, Any]) -> None:
    connection = await aio_pika.connect(where["amqp"])
    async with connection, connection.channel() as channel:
        for each in ("signals", "events", "dead"):
            await channel.queue_delete(where[each])
        await channel.exchange_delete(where["exchange"])


@contextmanager
def _a_process(command: tuple[str, ...]) -> Iterator[Callable[[], str]]:
    with _a_candidate(command) as (_, read, _):
        yield read


@contextmanager
def _a_candidate(
    command: tuple[str, ...],
) -> Iterator[tuple["subprocess.Popen[str]", Callable[[], str], Callable[[str], None]]]:
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("no pipes")

        def write(line: str) -> None:
            print(line, file=stdin, flush=True)

        try:
            yield process, lambda: stdout.readline().strip(), write
        finally:
            stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
