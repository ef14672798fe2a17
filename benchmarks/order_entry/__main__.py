"""`python -m benchmarks.order_entry`: measure in interleaved rounds, write the page."""

import argparse
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs

from benchmarks import report, results
from benchmarks.measure import middle
from benchmarks.peers.runner import ENVIRONMENTS, ROOT, UV
from benchmarks.results import Figure, figure

PAGE = ROOT / "docs" / "benchmarks-order-entry.md"
HERE = Path(__file__).parent
PEERS = ENVIRONMENTS / "order-entry"
REQUIREMENTS = ("aiohttp", "ccxt==4.5.22", "nautilus_trader==1.221.0", "pybit==5.13.0")
PATIENCE = 300
Figures = dict[str, dict[str, float]]

INTRODUCTION = """\
# Benchmarks: order entry

`make bench-order-entry` writes this page: the same limit order, created and taken by the same
local Bybit, one after another and {in_flight} at a time. Server and each client are processes of
their own; every round runs every client once, and a ratio is taken inside its round with the bare
connection of the same transport (asyncio streams, our own framing, the order signed with `hmac`).
Latency is what the client sees, so it holds the server's own time and the machine's load; CPU is
the client's alone. Cells are `median [min..max]` over the rounds.

Ours is the venue adapter as the runtime calls it: the domain's command, its body, the reply
classified by the table. Its private stream and its rate budget are off, as nobody else here has
them. Only ours and the bare socket use the trade socket.

The targets: over the trade socket, p50 and CPU at most 1.5 times the bare socket; over REST, better
than ccxt in both. Where a ratio below says otherwise, the target is not met.
"""


@attrs.frozen
class Client:
    """One client: what it is called, what it is compared with, and how it is run."""

    name: str
    floor: str
    command: tuple[str, ...]


OWN, OTHER = sys.executable, str(PEERS / "bin" / "python")
RAW_SOCKET, RAW_REST = "bare socket", "bare REST"
CLIENTS = (
    Client(RAW_SOCKET, RAW_SOCKET, (OWN, str(HERE / "raw.py"), "socket")),
    Client("ours, trade socket", RAW_SOCKET, (OWN, "-m", "benchmarks.order_entry.ours", "socket")),
    Client(RAW_REST, RAW_REST, (OWN, str(HERE / "raw.py"), "rest")),
    Client("ours, REST", RAW_REST, (OWN, "-m", "benchmarks.order_entry.ours", "rest")),
    *(
        Client(name, RAW_REST, (OTHER, str(HERE / "others.py"), name))
        for name in ("aiohttp", "nautilus", "ccxt", "pybit")
    ),
)


def install() -> None:
    """Make the others' environment unless it stands. CalledProcessError says why not."""
    marker = PEERS / ".installed"
    wanted = "\n".join(REQUIREMENTS)
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(PEERS, ignore_errors=True)
    subprocess.run([str(UV), "venv", "-q", "--python", "3.11", str(PEERS)], check=True)
    subprocess.run([str(UV), "pip", "install", "-q", "--python", OTHER, *REQUIREMENTS], check=True)
    marker.write_text(wanted, encoding="utf-8")


@contextmanager
def a_server() -> Iterator[str]:
    """A fresh local Bybit; gives its place as JSON."""
    command = [sys.executable, "-m", "benchmarks.order_entry.server"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        yield process.stdout.readline().strip()
        process.stdin.close()


def run(client: Client, orders: int, place: str) -> Figures:
    """One run of one client."""
    command = [*client.command, str(orders), place]
    done = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE
    )
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def rounds_of(
    rounds: int, orders: int, clients: Sequence[Client] = CLIENTS
) -> dict[str, list[Figures]]:
    """Every client once a round, each on a server of its own, by client."""
    found: dict[str, list[Figures]] = {client.name: [] for client in clients}
    for number in range(rounds):
        for client in clients:
            with a_server() as place:
                found[client.name].append(run(client, orders, place))
            print(number, client.name, found[client.name][-1], flush=True)
    return found


def figures_of(
    found: dict[str, list[Figures]], clients: Sequence[Client] = CLIENTS
) -> dict[str, dict[str, dict[str, Figure]]]:
    """What is kept for the report: by way of sending and by client."""
    kept: dict[str, dict[str, dict[str, Figure]]] = {"alone": {}, "together": {}}
    for way, by_client in kept.items():
        for client in clients:
            runs = [each[way] for each in found[client.name]]
            floors = [each[way] for each in found[client.floor]]
            mine = {key: figure([each[key] for each in runs]) for key in ("p50", "p99", "cpu")}
            for key in ("p50", "cpu"):
                pairs = zip(runs, floors, strict=True)
                mine[f"{key}_ratio"] = figure([ours[key] / base[key] for ours, base in pairs])
            by_client[client.name] = mine
    return kept


def span(values: list[float], places: int) -> str:
    low, mid, high = (f"{each:,.{places}f}" for each in (min(values), middle(values), max(values)))
    return f"{mid} [{low}..{high}]"


def table(found: dict[str, list[Figures]], way: str) -> str:
    """Rows of one way of sending."""
    lines = [
        "| client | p50 us | p99 us | CPU us/order | p50 ratio | CPU ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for client in CLIENTS:
        runs = [each[way] for each in found[client.name]]
        floors = [each[way] for each in found[client.floor]]
        cells = [span([each[key] for each in runs], 0) for key in ("p50", "p99", "cpu")]
        for key in ("p50", "cpu"):
            pairs = zip(runs, floors, strict=True)
            cells.append(span([mine[key] / base[key] for mine, base in pairs], 2))
        lines.append(f"| {client.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.order_entry", description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--orders", type=int, default=500, help="per run and way")
    asked = words.parse_args()
    install()
    found = rounds_of(asked.rounds, asked.orders)
    when = datetime.now(UTC).date().isoformat()
    said = (
        f"{when}, Python {platform.python_version()}, {asked.rounds} rounds of {asked.orders} "
        f"orders; {', '.join(REQUIREMENTS[1:])}."
    )
    parts = (
        INTRODUCTION.format(in_flight=32),
        said,
        "## One after another",
        table(found, "alone"),
        "## 32 in flight",
        table(found, "together"),
    )
    PAGE.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")
    results.keep("order_entry", figures_of(found))
    report.write()
    print(f"written: {PAGE}, {report.PAGE}")


if __name__ == "__main__":
    main()
