"""`python -m benchmarks.restart`: measure restarts in interleaved rounds, keep, write the page."""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import attrs

from benchmarks import report, results
from benchmarks.http import free_port
from benchmarks.peers.runner import ROOT
from benchmarks.restart.databases import PostgresDatabase, SqliteFile
from benchmarks.restart.filling import TEMPLATES, Contents, Database, contents, fill
from benchmarks.restart.start import KEY
from benchmarks.results import figure
from order_adapters.codec.columns import Kind
from order_adapters.codec.tables import TABLE_OF
from order_adapters.stores.postgres.place import Place
from order_adapters.stores.sqlite.schema import OPEN_ORDER
from order_domain.model.command import Command
from order_domain.model.order import Order
from order_domain.model.rows import SignalRow

PATIENCE_S: Final = 300
PAGES: Final = 20
FIRST_PAGE: Final = "/api/v1/orders?limit=20"
STORES: Final[dict[str, Callable[[Path, str], Database]]] = {
    "SQLite": SqliteFile,
    "PostgreSQL": PostgresDatabase,
}
_OPEN: Final = f"SELECT client_order_id FROM orders WHERE {OPEN_ORDER}"
_OPEN_POSTGRES: Final = (
    "SELECT client_order_id FROM orders WHERE status NOT IN"
    " ('DENIED', 'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED') OR reported_cum > cum_quantity"
)


@attrs.define
class Filled:
    """One store that is measured.

    Attributes:
        closed: How many closed orders are in it.
        told: What the floor is told.
        known: A closed order that is as the engine left it.
    """

    store: str
    database: Database
    closed: int
    told: dict[str, Any]
    known: str
    floors: list[dict[str, float]] = attrs.Factory(list)
    starts: list[dict[str, Any]] = attrs.Factory(list)
    processes: list[dict[str, float]] = attrs.Factory(list)
    pages: list[float] = attrs.Factory(list)
    explained: list[dict[str, float]] = attrs.Factory(list)


def floor_of(store: str, database: Database) -> dict[str, Any]:
    """The queries of a floor, and which of its columns are amounts and times."""
    among = "IN ({})" if store == "SQLite" else "= ANY(ARRAY({}))"
    chosen = among.format(_OPEN if store == "SQLite" else _OPEN_POSTGRES)
    signals = among.format(f"SELECT signal_id FROM orders WHERE client_order_id {chosen}")
    where = {
        Order: f"client_order_id {chosen}",
        SignalRow: f"signal_id {signals}",
        Command: f"client_order_id {chosen}",
    }
    tables = []
    for row_type, condition in where.items():
        table = TABLE_OF[row_type]
        kinds = [column.kind for column in table.columns]
        names = [column.name for column in table.columns]
        tables.append(
            {
                "columns": names,
                "query": f"SELECT {', '.join(names)} FROM {table.name} WHERE {condition}",
                "texts": store == "SQLite",
                "amounts": [at for at, kind in enumerate(kinds) if kind is Kind.DECIMAL],
                "times": [at for at, kind in enumerate(kinds) if kind is Kind.TIME],
            }
        )
    if isinstance(database, SqliteFile):
        return {"path": str(database.path), "tables": tables}
    place = Place.of(database.url)
    return {"dsn": place.dsn, "schema": place.schema, "tables": tables}


def started(filled: Filled, exchange: Path, number: int) -> None:
    """One round of one store: the floor, the process alone, a restart, reads of the open store."""
    filled.floors.append(_run("benchmarks.restart.floor", filled.told))
    alone = {"alone": True, "spawned": time.time()}
    filled.processes.append(_run("benchmarks.restart.start", alone))
    port = free_port()
    where = {
        "store": filled.database.url,
        "exchange": str(exchange),
        "number": number,
        "port": port,
        "spawned": time.time(),
    }
    with _started(where) as figures:
        filled.starts.append(figures)
        filled.pages += _pages(port, filled.closed)
    filled.explained.append(_explain(filled))


def _run(module: str, told: dict[str, Any]) -> dict[str, float]:
    command = [sys.executable, "-m", module, json.dumps(told)]
    done = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


@contextmanager
def _started(where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A restarted service, until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.restart.start", json.dumps(where)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the service did not start")
        yield json.loads(line)
        process.stdin.close()
        if process.wait(PATIENCE_S):
            raise RuntimeError(f"the service ended with {process.returncode}")


def _pages(port: int, closed: int) -> list[float]:
    """Milliseconds of some requests for the first page; each must be full and count them all."""
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    found = []
    for turn in range(PAGES + 1):
        began = time.perf_counter()
        for _ in range(200):
            try:
                line.request("GET", FIRST_PAGE, headers={"X-API-Key": KEY})
                break
            except ConnectionRefusedError:
                line.close()
                time.sleep(0.05)
                began = time.perf_counter()
        answer = json.loads(line.getresponse().read())
        if len(answer["orders"]) != 20 or answer["total"] < closed:
            raise RuntimeError(f"not the first page: {len(answer['orders'])}, {answer['total']}")
        if turn:
            found.append((time.perf_counter() - began) * 1000)
    line.close()
    return found


def _explain(filled: Filled) -> dict[str, float]:
    command = [sys.executable, "-m", "order_cli", "explain", filled.known, "--json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [*command, "--store", filled.database.url],
        check=True, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if filled.known not in done.stdout:
        raise RuntimeError("explained another order")
    return {
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": wall,
    }


def row(filled: Filled) -> dict[str, Any]:
    """What is kept of one store."""
    pairs = list(zip(filled.starts, filled.floors, strict=True))

    def ms(values: list[float]) -> list[float]:
        return figure([value * 1000 for value in values])

    return {
        "store": filled.store,
        "closed": filled.closed,
        "open": filled.starts[0]["orders"],
        "floor_cpu_ms": ms([floor["cpu"] for floor in filled.floors]),
        "floor_wall_ms": ms([floor["wall"] for floor in filled.floors]),
        "floor_mib": figure([floor["mib"] for floor in filled.floors]),
        "process_cpu_ms": ms([each["cpu"] for each in filled.processes]),
        "process_wall_ms": ms([each["wall"] for each in filled.processes]),
        "cpu_ms": ms([start["ready"]["cpu"] for start in filled.starts]),
        "exchange_cpu_ms": ms([start["exchange_cpu"] for start in filled.starts]),
        "wall_ms": ms([start["ready"]["wall"] for start in filled.starts]),
        "acts_wall_ms": ms([start["acted"]["wall"] for start in filled.starts]),
        "ratio": figure([start["ready"]["cpu"] / floor["cpu"] for start, floor in pairs]),
        "mib": figure([start["mib"] for start in filled.starts]),
        "page_ms": figure(filled.pages),
        "explain_cpu_ms": ms([each["cpu"] for each in filled.explained]),
        "explain_wall_ms": ms([each["wall"] for each in filled.explained]),
    }


def measure(
    folder: Path, made: Contents, stores: list[str], closed: list[int], rounds: int
) -> list[dict[str, Any]]:
    """Fill every store with every number of closed orders; measure them in turns."""
    exchange = folder / "exchange.json"
    exchange.write_text(json.dumps(attrs.asdict(made.exchange)), encoding="utf-8")
    known = next(change.client_order_id for change in made.closed if isinstance(change, Order))
    filled: list[Filled] = []
    try:
        for store in stores:
            for count in closed:
                copies = max(0, count // TEMPLATES)
                database = STORES[store](folder, str(copies))
                filled.append(
                    Filled(
                        store, database, TEMPLATES * (copies + 1), floor_of(store, database), known
                    )
                )
                asyncio.run(database.create())
                began = time.perf_counter()
                asyncio.run(fill(database.url, database, made, copies))
                took = time.perf_counter() - began
                print(f"filled: {store}, {filled[-1].closed:,} closed, {took:.0f} s", flush=True)
        for number in range(1, rounds + 1):
            for each in filled:
                started(each, exchange, number)
                start, floor = each.starts[-1]["ready"], each.floors[-1]
                print(number, each.store, each.closed, start, floor, flush=True)
        return [row(each) for each in filled]
    finally:
        for each in filled:
            asyncio.run(each.database.drop())


def run(
    stores: list[str], closed: list[int], open_orders: int, rounds: int
) -> list[dict[str, Any]]:
    """Measure in a folder of its own, which needs some gigabytes."""
    began = time.perf_counter()
    made = contents(open_orders)
    print(f"made: {open_orders:,} open orders, {time.perf_counter() - began:.0f} s", flush=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        return measure(Path(folder), made, stores, closed, rounds)


def main() -> None:
    """Measure, print, keep, and write the page anew."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.restart", description=__doc__)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--open", type=int, default=10_000, help="open orders")
    words.add_argument("--closed", type=int, default=1_000_000, help="closed ones, beside none")
    words.add_argument("--only", choices=STORES, help="one store alone; nothing is kept")
    asked = words.parse_args()
    stores = [asked.only] if asked.only else list(STORES)
    found = run(stores, [0, asked.closed], asked.open, asked.rounds)
    for each in found:
        print(each)
    if not asked.only and asked.open == 10_000 and asked.closed == 1_000_000:
        results.keep("restart", found)
        report.write()
        print(f"written: {report.PAGE}")


if __name__ == "__main__":
    main()
