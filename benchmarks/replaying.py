"""How fast `order-manager replay` goes through a generated market, from start to exit."""

import json
import resource
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import attrs

from order_adapters.intake.market_csv import HEADER, csv_row
from order_adapters.intake.synthetic import NATURES, SyntheticMarket

SNAPSHOT = {"price": 61200.0, "spread": 0.1, "volume_24h": 1000.0, "volatility": 0.01}


@attrs.frozen
class Replay:
    """One replay: CPU seconds of the whole process, and what it went through."""

    seconds: float
    rows: int
    signals: int
    executions: int


def write_market(path: Path, length: timedelta) -> int:
    """Write one symbol's synthetic market as a file that a replay reads; return its rows."""
    lines = [HEADER]
    lines += [csv_row(row) for row in SyntheticMarket(7, length, NATURES[:1])]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return len(lines) - 1


def write_signals(path: Path, start: datetime, length: timedelta, count: int) -> None:
    """Write signals at equal distances that buy and sell in turn."""
    gap = length / (count + 1)
    lines = []
    for number in range(count):
        at = (start + gap * (number + 1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        signal = {
            "signal_id": str(UUID(int=number + (4 << 76) + (2 << 62))),
            "strategy_id": "bench",
            "asset": "BTCUSDT",
            "signal_type": "sell" if number % 2 else "buy",
            "amount": 1000.0,
            "confidence": 0.95,
            "timestamp": at,
            "market_data_snapshot": SNAPSHOT,
        }
        lines.append(json.dumps(signal))
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def replay(signals: Path, market: Path, store: Path | None) -> Replay:
    """Run the command in a process of its own. Raises CalledProcessError when it fails."""
    command = [sys.executable, "-m", "order_cli", "replay", "--json"]
    command += ["--signals", str(signals), "--market", f"BTCUSDT={market}"]
    if store is not None:
        command += ["--store", f"sqlite:///{store}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.loads(done.stdout)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    rows = market.read_bytes().count(b"\n") - 1
    return Replay(spent, rows, told["signals"], told["executions"])
