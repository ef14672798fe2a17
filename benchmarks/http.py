"""`python -m benchmarks.http`: the listing of 20 orders beside a bare route of the framework.

Both run on the same server, in processes of their own, and are asked by the same client over kept
connections, in turns. CPU is what the server's process spent, so a busy machine changes it little;
latency is what the client saw, so it is changed.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks import report, results
from benchmarks.measure import middle
from order_adapters.stores.postgres.migrator import migrate
from order_adapters.stores.postgres.place import Place

ROWS: Final = 20
KEY: Final = "key-of-the-bench"
CONNECTIONS: Final = 8
STORED: Final = 200
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_BARE: Final = """
import json, sys
from litestar import Litestar, get
import uvicorn
rows = json.load(open(sys.argv[2]))
@get("/rows")
async def listed() -> dict: return rows
@get("/one")
async def one() -> dict: return {"ok": True}
app = Litestar([listed, one], logging_config=None, openapi_config=None)
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="error")
"""


def main() -> None:
    """Measure, print, keep, and write the page anew."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.http", description=main.__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--requests", type=int, default=3_000, help="per round and route")
    words.add_argument("--postgres", metavar="URL", help="a server on which a database is made")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as made:
        stores = {"SQLite": "sqlite:///bench.sqlite"}
        if asked.postgres:
            stores["PostgreSQL"] = made.enter_context(database(asked.postgres))
        found = measure(Path(name), stores, asked.rounds, asked.requests)
    results.keep("http", found)
    report.write()
    for each in found:
        print(each)


def measure(
    folder: Path, stores: Mapping[str, str], rounds: int, requests: int
) -> list[dict[str, Any]]:
    """Ask each route in turns; the first turn only warms up."""
    with ExitStack() as running:
        listings = {}
        for name, url in stores.items():
            pid, port = running.enter_context(_service(folder, url))
            (folder / "rows.json").write_bytes(_filled(port))
            path = f"/api/v1/orders?limit={ROWS}"
            listings[f"`GET /api/v1/orders`, {ROWS} rows, {name}"] = (pid, port, path)
        bare, port = running.enter_context(_bare(folder))
        routes = {
            "bare route, nothing in it": (bare, port, "/one"),
            f"bare route, {ROWS} ready rows": (bare, port, "/rows"),
            **listings,
        }
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in routes}
        for _ in range(rounds + 1):
            for name, (process, at, path) in routes.items():
                turns[name].append(asyncio.run(_turn(process, at, path, requests)))
    return [
        {
            "name": name,
            "per_second": middle([1 / cpu for cpu, _ in found[1:]]),
            "p99_ms": middle([p99 * 1000 for _, p99 in found[1:]]),
        }
        for name, found in turns.items()
    ]


@contextmanager
def database(server: str) -> Iterator[str]:
    """A database of its own for as long as the block runs, with our tables."""
    name = f"order_manager_bench_{os.getpid()}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    asyncio.run(_administer(server, f"CREATE DATABASE {name}"))
    try:
        asyncio.run(migrate(Place.of(url)))
        yield url
    finally:
        asyncio.run(_administer(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _administer(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def _service(folder: Path, store: str) -> Iterator[tuple[int, int]]:
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ORDERMANAGER_")}
    settings = {
        "ORDERMANAGER_API_KEY": KEY,
        "ORDERMANAGER_API_RATE": "10000",
        "ORDERMANAGER_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "order_cli", "serve", "--dry-run", "--port", str(port)]
    with _running([*command, "--store", store], folder, clean | settings, port, "/ready") as pid:
        yield pid, port


@contextmanager
def _bare(folder: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [sys.executable, "-c", _BARE, str(port), "rows.json"]
    with _running(command, folder, dict(os.environ), port, "/one") as pid:
        yield pid, port


@contextmanager
def _running(
    command: list[str], folder: Path, environment: dict[str, str], port: int, ready: str
) -> Iterator[int]:
    process = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        for _ in range(600):
            if _status(port, ready) == 200:
                break
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _status(port: int, path: str) -> int:
    try:
        line = HTTPConnection("127.0.0.1", port, timeout=5)
        line.request("GET", path)
        return line.getresponse().status
    except OSError:
        return 0


def _filled(port: int) -> bytes:
    """Place orders; return the listing as it then is."""
    line = HTTPConnection("127.0.0.1", port)
    for number in range(STORED):
        body = {
            "signal_id": f"00000000-0000-4000-8000-{number:012d}",
            "signal_type": "buy" if number % 2 else "sell",
            "asset": "BTCUSDT",
            "amount": 1000,
            "confidence": 0.95,
            "timestamp": datetime.now(UTC).isoformat(),
            "strategy_id": f"bench{number}",
            "market_data_snapshot": {"price": 61200, "spread": 0.1, "volume_24h": 1000},
        }
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        line.request("POST", "/api/v1/signals", json.dumps(body), headers)
        line.getresponse().read()
    line.request("GET", f"/api/v1/orders?limit={ROWS}", headers={"X-API-Key": KEY})
    rows = line.getresponse().read()
    if len(json.loads(rows)["orders"]) != ROWS:
        raise RuntimeError("the listing is not full")
    return rows


async def _turn(process: int, port: int, path: str, requests: int) -> tuple[float, float]:
    """CPU seconds of the server per request, and the 99th percentile of the client's seconds."""
    before = _cpu_seconds(process)
    each = requests // CONNECTIONS
    found = await asyncio.gather(*(_ask(port, path, each) for _ in range(CONNECTIONS)))
    spent = _cpu_seconds(process) - before
    seconds = sorted(second for one in found for second in one)
    return spent / len(seconds), seconds[len(seconds) * 99 // 100]


async def _ask(port: int, path: str, requests: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: here\r\nX-API-Key: {KEY}\r\n\r\n".encode()
    found = []
    for _ in range(requests):
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(head.decode())
        (length,) = (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        await reader.readexactly(length)
        found.append(time.perf_counter() - began)
    writer.close()
    return found


def _cpu_seconds(process: int) -> float:
    """User and system time of all threads."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
