"""The example in `examples/`, run as a reader would run it."""

import re
import subprocess
import sys
from pathlib import Path

from matplotlib import image

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "backtest.py"


def run_example(*words: str | Path) -> dict[str, str]:
    """Lines of the report by their first word."""
    command = [sys.executable, str(EXAMPLE), *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""
    return dict(re.split(r" {2,}", line, maxsplit=1) for line in done.stdout.splitlines())


def assert_is_a_picture(path: Path) -> None:
    """Not blank: of a fair size, with lines and at least the colours of both sides."""
    pixels = image.imread(path)
    height, width = pixels.shape[:2]
    colours = {tuple(pixel[:3]) for row in (pixels * 255).astype(int) for pixel in row}
    inked = (pixels[..., :3].min(axis=-1) < 0.9).mean()

    assert height > 400
    assert width > 600
    assert inked > 0.01
    assert {(26, 138, 90), (192, 57, 43)} <= colours


def test_a_generated_market_gives_trades_a_result_and_a_chart(tmp_path: Path) -> None:
    told = run_example("--chart", tmp_path / "chart.png")

    assert int(told["fills"].split()[0]) > 20
    assert "filled" in told["orders"]
    assert re.fullmatch(r"[+-]\d+\.\d\d USDT", told["net PnL"])
    assert_is_a_picture(tmp_path / "chart.png")


def test_the_same_seed_gives_the_same_result(tmp_path: Path) -> None:
    first = run_example("--seed", "5", "--chart", tmp_path / "chart.png")
    second = run_example("--seed", "5", "--chart", tmp_path / "chart.png")
    other = run_example("--seed", "6", "--chart", tmp_path / "chart.png")

    assert first == second
    assert other["net PnL"] != first["net PnL"]


def test_a_recorded_market_runs_too(shared_data: Path, tmp_path: Path) -> None:
    (market,) = (shared_data / "market-data").glob("btcusdt*.csv.gz")
    told = run_example(market, "--fast", "10", "--slow", "40", "--chart", tmp_path / "chart.png")

    assert told["market"] == "2024-08-08 23:54:16 to 00:00:00 UTC"
    assert int(told["fills"].split()[0]) > 2
    assert_is_a_picture(tmp_path / "chart.png")
