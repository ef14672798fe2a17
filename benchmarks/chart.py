"""Charts of the report, as SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams.update({"svg.hashsalt": "benchmarks", "font.size": 10, "svg.fonttype": "path"})

from matplotlib import pyplot as plt  # noqa: E402 -- after the backend is chosen
from matplotlib import ticker  # noqa: E402

OURS, THEIRS, LINE = "#1b6ca8", "#b0b7bf", "#c8553d"


def ratios(path: Path, rows: Sequence[Mapping[str, Any]], bar: float, goal: float) -> None:
    """Ratios to the floor, ours and theirs, on a logarithmic scale, with their range."""
    figure, axes = plt.subplots(figsize=(8, 0.55 * len(rows) + 1.3), layout="constrained")
    names = [row["name"] for row in rows]
    values = [row["ratio"][0] for row in rows]
    lows, highs = ([row["ratio"][at] for row in rows] for at in (1, 2))
    spread = [
        [value - low for value, low in zip(values, lows, strict=True)],
        [high - value for value, high in zip(values, highs, strict=True)],
    ]
    colours = [THEIRS if ":" in name else OURS for name in names]
    axes.barh(names, values, xerr=spread, color=colours, ecolor="#555555", height=0.62)
    for row, value in enumerate(values):
        axes.text(highs[row] * 1.08, row, f"{value:.{1 if value < 10 else 0}f}", va="center")
    for limit, word in ((bar, "bar"), (goal, "goal")):
        axes.axvline(limit, color=LINE, linestyle="--", linewidth=1)
        axes.text(limit * 1.03, -0.75, f"{word} {limit:g}", color=LINE, fontsize=9)
    axes.set(
        xscale="log",
        xlim=(min(1, *lows) / 1.2, max(values) * 2.2),
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


def restarts(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """CPU of a restart and of its floor, beside few closed orders and beside many."""
    figure, axes = plt.subplots(figsize=(8, 0.9 * len(rows) + 1), layout="constrained")
    names = [f"{row['store']}, {row['closed']:,} closed" for row in rows]
    for key, word, colour, shift in (
        ("cpu_ms", "restart", OURS, -0.2),
        ("floor_cpu_ms", "floor: the driver reads the open rows", THEIRS, 0.2),
    ):
        values = [row[key][0] for row in rows]
        spread = [
            [row[key][0] - row[key][1] for row in rows],
            [row[key][2] - row[key][0] for row in rows],
        ]
        places = [at + shift for at in range(len(rows))]
        axes.barh(places, values, 0.36, xerr=spread, color=colour, ecolor="#555555", label=word)
    axes.set(xlabel="ms of CPU", yticks=range(len(rows)), yticklabels=names)
    axes.invert_yaxis()
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
