"""The report: docs/benchmarks.md with its charts, written from the kept results alone."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import chart, results
from benchmarks.measure import Series
from benchmarks.peers.runner import ROOT
from benchmarks.results import Figure

PAGE: Final = ROOT / "docs" / "benchmarks.md"
BAR, GOAL = 26, 13
HTTP_BAR = 0.4
Found = Mapping[str, Any]

INTRODUCTION = """\
# Benchmarks

Every figure stands beside a floor that ran in the same minutes: the least that the same work can
cost. A **ratio** compares the two, and ratios are what to look at: machines differ, and one machine
differs from minute to minute. Unless it says otherwise, what is compared is CPU time of one
process, each run lies between two runs of its floor, and the ratio is taken with their mean. Cells
are `median [lowest..highest]` over the rounds.

This page is made from `benchmarks.json` beside it, in which each command puts its own part; each
part says when it was measured, and how loaded the machine was.
"""
COMMANDS = """\
| command | measures |
|---|---|
| `make bench` | orders, ticks and decisions in one process, a million orders, imports, storage |
| `make bench-peers` | the same loops in other people's backtesters |
| `make bench-order-entry` | the way of one order to a local exchange, beside other clients |
| `make bench-pipeline` | signals a second through RabbitMQ and PostgreSQL |
| `make bench-restart` | a restart with 10,000 open orders and a million closed ones |
| `make bench-http` | the listing of orders over HTTP |
| `make bench-nightly` | our ratios anew; fails, and names the case, where one got worse by 10 % |

The nightly comparison takes medians over rounds, and measures once more what looks worse before it
fails; other people's figures are not part of it.
"""
ORDERS = """\
## Orders

The floor is a bare Python loop with one slotted object, two Decimals parsed from text, one dict
insert and one transition per order; the ratio is how many times dearer something is. Python looks
for cycles as rarely as in a driver (`order_service.heap`), for the floor too; each run begins with
a collection.

One order is: a quote to engine and simulator, a signal, the decision under every default rule with
its trace, the order's rows and events (four for a market order, five for one that rests), the
command to the simulated exchange with its own checks, matching and account, then answer, execution,
order report and wallet back through the engine into ledger and position. Every order swings the
position from long to short or back, so no rule is skipped as it would be for a mere reduction.
Nothing is stored. After every run it is checked that all orders were filled and that the position
equals the exchange's; before the rounds, that each order has exactly its events.
"""
PEERS = """\
## Peers

Each in its own environment and process, the floor before and after each run, in the peer's own
interpreter. They do less: vnpy and backtesting.py use floats and have no risk rules, no ledger and
no trace; hftbacktest is a compiled strategy over a compiled exchange, with floats and no order in
Python at all; nautilus_trader has a risk engine, and its core is compiled.
"""
STEPS = """\
## Where the time goes

Wall clock around every call of the market-order loop; shares of one order, not figures to compare.
"""
MEMORY = """\
## A million orders

One account that a store has never seen keeps orders for its retention (15 minutes of virtual time,
8 orders a second) and forgets them after it; so does the simulated exchange, after 5 minutes, with
the ids it must refuse a second time. Nothing of either grows with the number of orders done.
"""
ENTRY = """\
## Order entry

The client's part of an order's way to a local Bybit, beside a bare connection of the same transport
in the same round. [All of it](benchmarks-order-entry.md), other clients and latencies too.
"""
PIPELINE = """\
## The durable pipeline

From RabbitMQ over PostgreSQL to the exchange and back to RabbitMQ, beside the *shared* floor: a
straight line without logic, one statement for all signals that wait.
[All of it](benchmarks-pipeline.md), other floors and latencies too.
"""
RESTART = """\
## Restart

The service as its container makes it, opened on a store with 10,000 open orders, until it takes
signals: lease, load, fence, a reading of the whole account from an exchange that holds the same
orders (in our process, without a round trip; its own CPU was below 1 % of ours). *Acts* is when
the first order of a signal after that leaves; no rate budget is assumed for the first second, which
is part of it. The floor is the bare driver, which reads the same open rows (orders, their signals
and commands) into slotted objects, with Decimals and times. A process of its own for each run; what
a process costs before it has opened anything is told apart. CPU of a database server is not
counted, but its time is in the wall clock.

The closed orders are 30 days old, a few as the engine left them and the rest copies of these made
by the database. None of them is read at a restart: the CPU beside a million must be that beside
none. (Read are also the newest signals of each strategy on each instrument; the closed orders are
of the same ten thousand pairs as the open ones.)
"""
READS = """\
Reading the same stores: the first page of `GET /api/v1/orders` (20 of all, newest first, with their
number) over HTTP, and `order-manager explain ID --store ...` of a closed order, a process of its
own.
"""
HTTP = """\
## HTTP

Requests a second of CPU of the server's process, and the 99th percentile a client saw over eight
kept connections. The bare routes are the framework's, on the same server, with neither keys nor
limits, store or log; the listing checks its key, counts the request against its rate and reads the
store every time. Nobody trades meanwhile, so the orders stay as they are and each is shown once;
the CPU of a database server is not counted.
"""
IMPORTS = """\
## Imports

CPU of one import in a new interpreter, beside what that interpreter had used before it.
"""


def write(path: Path = PAGE) -> None:
    """Write the page and its charts from everything measured so far."""
    found = results.load()
    parts = [INTRODUCTION, COMMANDS]
    for name, tell in _TELLERS.items():
        if name in found:
            told = tell(found[name]["found"])
            parts += [told[0], f"Measured {found[name]['measured']}.", *told[1:]]
    _charts(path, found)
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    path.write_text(text, encoding="utf-8")


def _charts(path: Path, found: Found) -> None:
    ours = found["ours"]["found"] if "ours" in found else []
    peers = found["peers"]["found"]["series"] if "peers" in found else []
    if ours and peers:
        chart.ratios(path.with_name("benchmarks-ratios.svg"), [*ours[:2], *peers[::2]], BAR, GOAL)
    if "memory" in found:
        chart.memory(path.with_name("benchmarks-memory.svg"), found["memory"]["found"]["samples"])
    if "restart" in found:
        chart.restarts(path.with_name("benchmarks-restart.svg"), found["restart"]["found"])


def table(series: Sequence[Series]) -> str:
    """Figures a second and ratios of what was just measured."""
    return _series(results.rows_of(series))


def _series(rows: Sequence[Found]) -> str:
    lines = ["| run | per second | ratio |", "|---|---:|---:|"]
    lines += [
        f"| {row['name']} ({row['unit']}) | {cell(row['per_second'], ',.0f')} "
        f"| {cell(row['ratio'], '.1f')} |"
        for row in rows
    ]
    return "\n".join(lines)


def cell(found: Figure, form: str) -> str:
    """Write a figure."""
    mid, low, high = found
    return f"{mid:{form}} [{low:{form}}..{high:{form}}]"


def _orders(ours: Sequence[Found]) -> list[str]:
    return [ORDERS, _series(ours), _verdict(ours)]


def _verdict(ours: Sequence[Found]) -> str:
    ratio = next(row["ratio"][0] for row in ours if row["name"].startswith("market"))
    word = "met" if ratio <= BAR else "not met"
    return (
        f"Where the floor does 1.3 million orders a second, that is {1_300_000 / ratio:,.0f} "
        f"market orders a second. Bar: ratio {BAR} (50,000 a second), {word}; goal: {GOAL}."
    )


def _peers(peers: Found) -> list[str]:
    faults = [f"{name} could not be measured: {why}" for name, why in peers["faults"].items()]
    image = "![Ratios to the floor](benchmarks-ratios.svg)"
    return [PEERS, _series(peers["series"]), *faults, image]


def _steps(shares: Sequence[Found]) -> list[str]:
    lines = ["| call | per order | us each | us per order | share |", "|---|---:|---:|---:|---:|"]
    total = sum(share["order"] for share in shares)
    lines += [
        f"| {share['name']} | {share['calls']:.2f} | {share['each']:.1f} | {share['order']:.1f} "
        f"| {share['order'] / total:.0%} |"
        for share in shares
        if share["order"] >= total / 200
    ]
    return [STEPS, "\n".join(lines)]


def _memory(found: Found) -> list[str]:
    samples = found["samples"]
    lines = ["| orders done | orders/s | ratio | resident MiB |", "|---:|---:|---:|---:|"]
    lines += [
        f"| {each['orders']:,} | {each['per_second']:,.0f} "
        f"| {each['floor'] / each['per_second']:.1f} | {each['mib']:.0f} |"
        for each in samples[:: max(1, len(samples) // 10)]
    ]
    kept = f"{found['retained_orders']:,} orders are in the book at the end."
    return [MEMORY, "\n".join(lines), kept, "![Pace and memory](benchmarks-memory.svg)"]


def _entry(found: Found) -> list[str]:
    lines = [
        "| client | CPU us/order | CPU ratio | p50 ratio | CPU ratio, 32 in flight |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {cell(alone['cpu'], ',.0f')} | {cell(alone['cpu_ratio'], '.2f')} "
        f"| {cell(alone['p50_ratio'], '.2f')} "
        f"| {cell(found['together'][name]['cpu_ratio'], '.2f')} |"
        for name, alone in found["alone"].items()
    ]
    return [ENTRY, "\n".join(lines)]


def _pipeline(found: Found) -> list[str]:
    lines = [
        "| load | signals/s | of the floor's | CPU ms/signal | times the floor's | to wire, p50 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {runs['ours']['rate'][0]:,.0f} | {cell(runs['ours']['ratio'], '.2f')} "
        f"| {cell(runs['ours']['cpu'], '.2f')} | {cell(runs['ours']['cpu_ratio'], '.1f')} "
        f"| {runs['ours']['bytes_p50'][0]:.1f} ms |"
        for name, runs in found.items()
    ]
    return [PIPELINE, "\n".join(lines)]


def _restart(found: Sequence[Found]) -> list[str]:
    heads = (
        *("store, closed orders", "floor CPU ms", "restart CPU ms", "ratio"),
        *("restart wall ms", "acts, wall ms", "floor MiB", "MiB"),
    )
    lines = [f"| {' | '.join(heads)} |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    reads = ["| store, closed orders | page, wall ms | explain CPU ms | wall ms |"]
    reads.append("|---|---:|---:|---:|")
    alone: list[str] = []
    for each in found:
        name = f"{each['store']}, {each['closed']:,}"
        lines.append(
            f"| {name} | {cell(each['floor_cpu_ms'], ',.0f')} | {cell(each['cpu_ms'], ',.0f')} "
            f"| {cell(each['ratio'], '.1f')} | {cell(each['wall_ms'], ',.0f')} "
            f"| {cell(each['acts_wall_ms'], ',.0f')} | {each['floor_mib'][0]:.0f} "
            f"| {each['mib'][0]:.0f} |"
        )
        reads.append(
            f"| {name} | {cell(each['page_ms'], ',.0f')} | {cell(each['explain_cpu_ms'], ',.0f')} "
            f"| {cell(each['explain_wall_ms'], ',.0f')} |"
        )
        cpu, wall = (cell(each[f"process_{what}_ms"], ",.0f") for what in ("cpu", "wall"))
        alone = [f"The process alone, before it opens anything: {cpu} ms CPU, {wall} ms wall."]
    image = "![CPU of a restart](benchmarks-restart.svg)"
    grown = "\n\n".join(_growth(found))
    return [RESTART, "\n".join(lines), *alone, grown, image, READS, "\n".join(reads)]


def _growth(found: Sequence[Found]) -> list[str]:
    """What a million closed orders add, by the ratios: the floors have felt the same minutes."""
    said = []
    for store in dict.fromkeys(each["store"] for each in found):
        ratios = {each["closed"]: each["ratio"][0] for each in found if each["store"] == store}
        least, most = min(ratios), max(ratios)
        said.append(
            f"{store}: beside {most:,} closed orders {ratios[most] / ratios[least]:.2f} times the "
            f"restart beside {least:,}."
        )
    return said


def _http(found: Sequence[Found]) -> list[str]:
    lines = ["| route | requests/s of CPU | p99 |", "|---|---:|---:|"]
    lines += [f"| {r['name']} | {r['per_second']:,.0f} | {r['p99_ms']:.0f} ms |" for r in found]
    for name, ratio in listing_ratios(found).items():
        word = "met" if ratio >= HTTP_BAR else "not met"
        lines.append(f"\n{name}: {ratio:.2f} of the bare route; bar {HTTP_BAR}, {word}.")
    return [HTTP, "\n".join(lines)]


def listing_ratios(found: Sequence[Found]) -> dict[str, float]:
    """Each listing's rate as a part of the bare route's with as many rows."""
    bare = next(r["per_second"] for r in found if r["name"].startswith("bare route, 20"))
    return {r["name"]: r["per_second"] / bare for r in found if "/orders" in r["name"]}


def _imports(found: Sequence[Found]) -> list[str]:
    lines = ["| import | CPU ms | ratio | resident MiB |", "|---|---:|---:|---:|"]
    lines += [
        f"| {each['name']} | {cell(each['cpu_ms'], ',.0f')} | {cell(each['ratio'], '.1f')} "
        f"| {each['mib'][0]:.0f} |"
        for each in found
    ]
    return [IMPORTS, "\n".join(lines)]


def _others(others: Sequence[Found]) -> list[str]:
    lines = ["| what | figure |", "|---|---:|"]
    lines += [f"| {each['what']} | {each['figure']} |" for each in others]
    return ["## Around it", "\n".join(lines)]


_TELLERS: Final[Mapping[str, Callable[[Any], list[str]]]] = {
    "ours": _orders,
    "peers": _peers,
    "steps": _steps,
    "order_entry": _entry,
    "pipeline": _pipeline,
    "restart": _restart,
    "memory": _memory,
    "imports": _imports,
    "http": _http,
    "other": _others,
}

if __name__ == "__main__":
    write()
