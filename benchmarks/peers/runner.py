"""Peers: their environments, and one run of each, beside the floor."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import attrs

from benchmarks.measure import FLOOR_ORDERS, Series

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".bench"
UV = ROOT / "scripts" / "uv"
FLOOR = ROOT / "benchmarks" / "floor.py"


@attrs.frozen
class Peer:
    """One peer.

    Attributes:
        requirements: Exact versions, so that figures can be compared later.
        orders, ticks: How many of each one run makes.
        version: Of Python, found by uv; where it has none, among those that pyenv has.
    """

    name: str
    requirements: tuple[str, ...]
    orders: int
    ticks: int
    unit: str = "ticks"
    version: str = "3.11"

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
    # the newest pre-release of the second version; none of them is made for Python 3.11
    Peer("nautilus2", ("nautilus_trader==2.0.0rc7",), 10_000, 100_000, version="3.13"),
    Peer("hftbacktest", ("hftbacktest==2.4.4",), 500_000, 1_000_000, "events"),
)


def interpreter(version: str) -> str:
    """What uv takes for a Python: one of pyenv's, whose shims it cannot ask, else the version."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else version


def install(peer: Peer) -> str:
    """Make its environment unless it stands; return why that failed, empty when it did not."""
    marker = ENVIRONMENTS / peer.name / ".installed"
    wanted = "\n".join(peer.requirements)
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return ""
    shutil.rmtree(ENVIRONMENTS / peer.name, ignore_errors=True)
    commands = (
        ("venv", "--quiet", "--python", interpreter(peer.version), str(ENVIRONMENTS / peer.name)),
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


def floor_of(peer: Peer) -> float:
    """Bare orders a second, in a process of the peer's interpreter."""
    command = [str(peer.python), str(FLOOR), str(FLOOR_ORDERS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return float(done.stdout)


def measure(rounds: int) -> tuple[list[Series], dict[str, str]]:
    """Every peer that installs, once a round, the floor before and after each run.

    A peer that does not install, or does not run, is told with its reason and measured no more.
    """
    faults = {peer.name: fault for peer in PEERS if (fault := install(peer))}
    orders = {peer.name: Series(f"{peer.name}: market orders", "orders") for peer in PEERS}
    ticks = {peer.name: Series(f"{peer.name}: {peer.unit} only", peer.unit) for peer in PEERS}
    for number in range(rounds):
        for peer in PEERS:
            if peer.name in faults:
                continue
            try:
                before, figures, after = floor_of(peer), run(peer), floor_of(peer)
            except subprocess.SubprocessError as error:
                faults[peer.name] = _reason(error)
                continue
            for series, key in ((orders[peer.name], "orders"), (ticks[peer.name], "ticks")):
                series.per_second.append(figures[key])
                series.floors.append((before + after) / 2)
            print(number + 1, peer.name, figures, flush=True)
    measured = [peer for peer in PEERS if peer.name not in faults]
    found = [series for peer in measured for series in (orders[peer.name], ticks[peer.name])]
    return found, faults


def _reason(error: subprocess.SubprocessError) -> str:
    told = (getattr(error, "stderr", "") or "").strip().splitlines()
    return told[-1] if told else str(error)
