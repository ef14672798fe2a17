"""The demo as a replay: its files written where a person can look at them, and its settings."""

from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs

from order_adapters.intake.demo import make_demo
from order_adapters.simulator import parse_faults
from order_domain.config import EngineConfig
from order_service.replay.plan import ReplayPlan

STORE: Final = "orders.sqlite"
SIGNALS: Final = "signals.jsonl"
FAULTS: Final = "faults.jsonl"


@attrs.frozen(slots=True)
class DemoFiles:
    """What was written, relative to the folder."""

    folder: Path
    markets: dict[str, Path]

    @property
    def signals(self) -> Path:
        """The signals, one a line."""
        return self.folder / SIGNALS

    @property
    def faults(self) -> Path:
        """What goes wrong on the exchange."""
        return self.folder / FAULTS

    @property
    def store_url(self) -> str:
        """Where the rows are."""
        return f"sqlite:///{self.folder / STORE}"


def write_demo(folder: Path, seed: int) -> DemoFiles:
    """Write market, signals and faults of a seed; remove the store of an earlier demo.

    Raises:
        OSError: The folder cannot be written.
    """
    demo = make_demo(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{STORE}*"):
        old.unlink()
    markets = {symbol: folder / f"{symbol.lower()}.csv" for symbol in demo.markets}
    for symbol, path in markets.items():
        path.write_text(demo.markets[symbol], "utf-8")
    (folder / SIGNALS).write_text(demo.signals, "utf-8")
    (folder / FAULTS).write_text(demo.faults, "utf-8")
    return DemoFiles(folder, markets)


def demo_plan(files: DemoFiles, config: EngineConfig, seed: int, points: int) -> ReplayPlan:
    """Make the replay of a demo; the demo changes some limits of `config`."""
    decides_by = attrs.evolve(
        config,
        enable_order_splitting=True,
        max_single_order_size=Decimal(5_000),
        max_exposure=Decimal(60_000),
        max_position_size=Decimal(1),
        max_position_size_by_symbol={"ETHUSDT": Decimal(15), "SOLUSDT": Decimal(200)},
    )
    return ReplayPlan(
        signals=files.signals,
        markets=files.markets,
        config=decides_by,
        store_url=files.store_url,
        seed=seed,
        faults=parse_faults(files.faults.read_text("utf-8").splitlines()),
        points=points,
    )
