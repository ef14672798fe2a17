"""Peers: their environments, and one run of each, beside the floor."""

import json
import shutil
import subprocess
from pathlib import Path

import attrs

from benchmarks.measure import Series, floor_speed

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".bench"
UV = ROOT / "scripts" / "uv"


@attrs.frozen
class Peer:
    """One peer.

    Attributes:
        requirements: Exact versions, so that figures can be compared later.
        orders, ticks: How many of each one run makes.
    """

    name: str
    requirements: tuple[str, ...]
    orders: int
    ticks: int
    unit: str = "ticks"

    @property
    def script(self) -> Path:
        """What runs in its environment."""
        return Path(__file__).with_name(f"{self.name}_peer.py")

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return ENVIRONMENTS / self.name / "bin" / "python"


PEERS = (
    Peer("vnpy", ("vnpy==4.5.0", "vnpy_ctastrategy==1.4.1"), 20_000, 40_000),
    Peer("backtesting", ("backtesting==0.6.6",), 4_000, 40_000, "bars"),
    Peer("nautilus", ("nautilus_trader==1.221.0",), 4_000, 40_000),
)


def install(peer: Peer) -> str:
    """Make its environment unless it stands; return why that failed, empty when it did not."""
    marker = ENVIRONMENTS / peer.name / ".installed"
    wanted = "\n".join(peer.requirements)
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return ""
    shutil.rmtree(ENVIRONMENTS / peer.name, ignore_errors=True)
    commands = (
        ("venv", "--quiet", "--python", "3.11", str(ENVIRONMENTS / peer.name)),
        ("pip", "install", "--quiet", "--python", str(peer.python), *peer.requirements),
    )
    for command in commands:
        done = subprocess.run([str(UV), *command], check=False, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
    marker.write_text(wanted, encoding="utf-8")
    return ""


def run(peer: Peer) -> dict[str, float]:
    """One run in its own process: orders and ticks (or bars) a second of CPU."""
    command = [str(peer.python), str(peer.script), str(peer.orders), str(peer.ticks)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(rounds: int) -> tuple[list[Series], dict[str, str]]:
    """Every peer that installs, once a round, the floor before and after each run."""
    faults = {peer.name: fault for peer in PEERS if (fault := install(peer))}
    peers = [peer for peer in PEERS if peer.name not in faults]
    orders = {peer.name: Series(f"{peer.name}: market orders", "orders") for peer in peers}
    ticks = {peer.name: Series(f"{peer.name}: {peer.unit} only", peer.unit) for peer in peers}
    for _ in range(rounds):
        before = floor_speed()
        for peer in peers:
            figures = run(peer)
            after = floor_speed()
            for series, key in ((orders[peer.name], "orders"), (ticks[peer.name], "ticks")):
                series.per_second.append(figures[key])
                series.floors.append((before + after) / 2)
            before = after
    found = [series for peer in peers for series in (orders[peer.name], ticks[peer.name])]
    return found, faults
