"""The report: docs/benchmarks.md with its two charts, written from the last results."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import chart, results
from benchmarks.measure import Series, middle
from benchmarks.peers.runner import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BAR, GOAL = 26, 13
HTTP_BAR = 0.4

INTRODUCTION = """\
# Benchmarks

`make bench` measures this project, `make bench-peers` the others; both write this page.

Everything is CPU time of one process. A **ratio** is how many times dearer something is than the
floor: a bare Python loop with one slotted object, two Decimals parsed from text, one dict insert
and one transition per order. Machines differ, and one machine differs from minute to minute, so
compare ratios, not absolute figures. Each run lies between two runs of the floor, and its ratio is
taken with their mean. Python looks for cycles as rarely as in a driver (`order_service.heap`), for
the floor too; each run begins with a collection. Cells are `median [min..max]` over the rounds.
"""
ORDERS = """\
## Orders

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

Each in its own environment and process, the floor before and after each run. They do less: vnpy and
backtesting.py use floats and have no risk rules, no ledger and no trace; nautilus_trader has a risk
engine, and its core is compiled.
"""
STEPS = """\
## Where the time goes

Wall clock around every call of the market-order loop; shares of one order, not figures to compare.
"""
MEMORY = """\
## A million orders

One account that a store has never seen keeps orders for its retention (15 minutes of virtual time,
8 orders a second) and forgets them after it; so does the simulated exchange, after 5 minutes.
"""

HTTP = """\
## HTTP

`python -m benchmarks.http`: requests a second of CPU of the server's process, and the 99th
percentile a client saw over eight kept connections. The bare routes are the framework's, on the
same server, with neither keys nor limits, store or log; the listing checks its key, counts the
request against its rate and reads the store every time. Nobody trades meanwhile, so the orders stay
as they are and each is shown once; the CPU of a database server is not counted.
"""


def write(path: Path = PAGE) -> None:
    """Write the page and its charts from everything measured so far."""
    found = results.load()
    ours, peers = results.series_of("ours"), results.series_of("peers")
    parts = [INTRODUCTION, _machine(), ORDERS, table(ours)]
    if ours:
        parts.append(_verdict(ours))
    if peers:
        chart.ratios(path.with_name("benchmarks-ratios.svg"), [*ours[:2], *peers[::2]], BAR, GOAL)
        parts += [PEERS, table(peers), "![Ratios to the floor](benchmarks-ratios.svg)"]
    if "steps" in found:
        parts += [STEPS, _steps(found["steps"])]
    if "memory" in found:
        samples = found["memory"]["samples"]
        chart.memory(path.with_name("benchmarks-memory.svg"), samples)
        parts += [MEMORY, _memory(found["memory"]), "![Pace and memory](benchmarks-memory.svg)"]
    if "http" in found:
        parts += [HTTP, _http(found["http"])]
    if "other" in found:
        parts += ["## Around it", _others(found["other"])]
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    path.write_text(text, encoding="utf-8")


def table(series: Sequence[Series]) -> str:
    """Figures a second and ratios."""
    lines = ["| run | per second | ratio |", "|---|---:|---:|"]
    for one in series:
        speed, ratio = _cell(one.per_second, ",.0f"), _cell(one.ratios, ".1f")
        lines.append(f"| {one.name} ({one.unit}) | {speed} | {ratio} |")
    return "\n".join(lines)


def _cell(values: Sequence[float], form: str) -> str:
    return f"{middle(values):{form}} [{min(values):{form}}..{max(values):{form}}]"


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    when = datetime.now(UTC).date().isoformat()
    return f"Measured {when} on {model}, {platform.system()}, Python {platform.python_version()}."


def _verdict(ours: Sequence[Series]) -> str:
    market = next(series for series in ours if series.name.startswith("market"))
    ratio = middle(market.ratios)
    at_floor = 1_300_000 / ratio
    word = "met" if ratio <= BAR else "not met"
    return (
        f"Where the floor does 1.3 million orders a second, that is {at_floor:,.0f} market orders "
        f"a second. Bar: ratio {BAR} (50,000 a second), {word}; goal: {GOAL}."
    )


def _steps(shares: Sequence[dict[str, Any]]) -> str:
    lines = ["| call | per order | us each | us per order | share |", "|---|---:|---:|---:|---:|"]
    total = sum(share["order"] for share in shares)
    lines += [
        f"| {share['name']} | {share['calls']:.2f} | {share['each']:.1f} | {share['order']:.1f} "
        f"| {share['order'] / total:.0%} |"
        for share in shares
        if share["order"] >= total / 200
    ]
    return "\n".join(lines)


def _memory(found: dict[str, Any]) -> str:
    samples = found["samples"]
    lines = [
        "| orders done | orders/s | ratio | resident MiB |",
        "|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {each['orders']:,} | {each['per_second']:,.0f} "
        f"| {each['floor'] / each['per_second']:.1f} | {each['mib']:.0f} |"
        for each in samples[:: max(1, len(samples) // 10)]
    ]
    lines.append(f"\n{found['retained_orders']:,} orders are in the book at the end.")
    return "\n".join(lines)


def _http(found: Sequence[dict[str, Any]]) -> str:
    lines = ["| route | requests/s of CPU | p99 |", "|---|---:|---:|"]
    lines += [f"| {r['name']} | {r['per_second']:,.0f} | {r['p99_ms']:.0f} ms |" for r in found]
    bare = next(r["per_second"] for r in found if r["name"].startswith("bare route, 20"))
    for listing in found:
        if "/orders" in listing["name"]:
            ratio = listing["per_second"] / bare
            word = "met" if ratio >= HTTP_BAR else "not met"
            lines.append(
                f"\n{listing['name']}: {ratio:.2f} of the bare route; bar {HTTP_BAR}, {word}."
            )
    return "\n".join(lines)


def _others(others: Sequence[dict[str, Any]]) -> str:
    lines = ["| what | figure |", "|---|---:|"]
    lines += [f"| {each['what']} | {each['figure']} |" for each in others]
    return "\n".join(lines)
