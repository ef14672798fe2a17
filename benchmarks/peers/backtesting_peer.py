"""backtesting.py: a strategy that sends one market order a bar. Prints JSON.

Bars instead of ticks, floats, a fixed size of one, statistics left out.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from backtesting import Strategy
from backtesting import backtesting as core

warnings.simplefilter("ignore")


class EveryBar(Strategy):
    """Buys and sells in turn, one order a bar, while `trades`."""

    trades = True

    def init(self) -> None:
        self.buys = True

    def next(self) -> None:
        if not self.trades:
            return
        (self.buy if self.buys else self.sell)(size=1)
        self.buys = not self.buys


def run(count: int, trades: bool) -> float:
    """Orders (or bars) a second of CPU."""
    closes = 50_000 + np.arange(count) % 7
    bars = pd.DataFrame(
        {"Open": closes, "High": closes + 5, "Low": closes - 5, "Close": closes, "Volume": 1},
        index=pd.date_range("2026-01-05", periods=count, freq="1min"),
    )
    closed = []

    def without_statistics(**found: object) -> pd.Series:
        closed.append(len(found["trades"]))
        return pd.Series(dtype=object)

    core.compute_stats = without_statistics
    test = core.Backtest(bars, EveryBar, cash=100_000_000, commission=0.00055, finalize_trades=True)
    began = time.process_time()
    test.run(trades=trades)
    spent = time.process_time() - began
    if trades and closed[0] < count // 2 - 2:
        raise AssertionError(f"{closed[0]} closed trades of {count} orders")
    return count / spent


if __name__ == "__main__":
    orders, ticks = int(sys.argv[1]), int(sys.argv[2])
    run(200, trades=True)
    print(json.dumps({"orders": run(orders, trades=True), "ticks": run(ticks, trades=False)}))
