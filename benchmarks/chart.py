"""Charts of the report, as SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.measure import Series, middle

mpl.use("Agg")
mpl.rcParams.update({"svg.hashsalt": "benchmarks", "font.size": 10, "svg.fonttype": "path"})

from matplotlib import pyplot as plt  # noqa: E402 -- after the backend is chosen
from matplotlib import ticker  # noqa: E402

OURS, THEIRS, LINE = "#1b6ca8", "#b0b7bf", "#c8553d"


def ratios(path: Path, series: Sequence[Series], bar: float, goal: float) -> None:
    """Ratios to the floor, ours and theirs, on a logarithmic scale, with their range."""
    figure, axes = plt.subplots(figsize=(8, 0.55 * len(series) + 1.3), layout="constrained")
    names = [one.name for one in series]
    values = [middle(one.ratios) for one in series]
    spread = [
        [value - min(one.ratios) for value, one in zip(values, series, strict=True)],
        [max(one.ratios) - value for value, one in zip(values, series, strict=True)],
    ]
    colours = [THEIRS if ":" in name else OURS for name in names]
    axes.barh(names, values, xerr=spread, color=colours, ecolor="#555555", height=0.62)
    for row, value in enumerate(values):
        axes.text(max(one for one in series[row].ratios) * 1.08, row, f"{value:.0f}", va="center")
    for limit, word in ((bar, "bar"), (goal, "goal")):
        axes.axvline(limit, color=LINE, linestyle="--", linewidth=1)
        axes.text(limit * 1.03, -0.75, f"{word} {limit:g}", color=LINE, fontsize=9)
    axes.set(
        xscale="log",
        xlim=(1, max(values) * 2.2),
        xlabel="times the bare Python floor (less is better)",
    )
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def memory(path: Path, samples: Sequence[dict[str, Any]]) -> None:
    """Ratio and resident memory over the orders of one account."""
    done = [each["orders"] / 1e6 for each in samples]
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 4), sharex=True, layout="constrained")
    pace = [each["floor"] / each["per_second"] for each in samples]
    above.plot(done, pace, color=OURS, marker="o", ms=3)
    above.set(ylabel="ratio to the floor", ylim=(0, max(pace) * 1.15))
    whole = [each["mib"] for each in samples]
    below.plot(done, whole, color=OURS, marker="o", ms=3)
    below.set(ylabel="resident MiB", xlabel="million orders", ylim=(0, max(whole) * 1.25))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e4e7ea")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
