"""hftbacktest: a numba strategy that sends one market order a second and waits for its answer.

Its exchange is Rust and its strategy compiled: floats, no order in Python, no risk rules, no
account; compiled before it is measured. Prints JSON.
"""

import json
import sys
import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    event_dtype,
)
from numba import njit

SECOND = 1_000_000_000


def depth(count: int) -> np.ndarray:
    """A bid and an ask once a second, whose sizes change."""
    rows = np.zeros(2 * count, dtype=event_dtype)
    seen = EXCH_EVENT | LOCAL_EVENT | DEPTH_EVENT
    rows["ev"][0::2], rows["ev"][1::2] = seen | BUY_EVENT, seen | SELL_EVENT
    at = 1_767_571_200 * SECOND + np.arange(count, dtype=np.int64) * SECOND
    for name in ("exch_ts", "local_ts"):
        rows[name][0::2], rows[name][1::2] = at, at
    rows["px"][0::2], rows["px"][1::2] = 49990.0, 50000.0
    size = 5.0 + np.arange(count) % 7
    rows["qty"][0::2], rows["qty"][1::2] = size, size
    return rows


def a_backtest(rows: np.ndarray) -> HashMapMarketDepthBacktest:
    """Its exchange over a market, with the fees of ours and no latency to speak of.

    It reads the rows where they are: whoever made them must keep them until it is closed.
    """
    asset = (
        BacktestAsset()
        .data([rows])
        .linear_asset(1.0)
        .constant_order_latency(1_000, 1_000)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.00055)
        .tick_size(0.1)
        .lot_size(0.001)
    )
    return HashMapMarketDepthBacktest([asset])


@njit
def trade(test: HashMapMarketDepthBacktest, count: int) -> int:  # pragma: no cover -- compiled
    """Buy and sell in turn, one order a second; return how many were sent."""
    sent = 0
    while sent < count and test.elapse(1_000_000_000) == 0:
        sent += 1
        if sent % 2:
            test.submit_buy_order(0, sent, 50000.0, 0.02, GTC, MARKET, True)
        else:
            test.submit_sell_order(0, sent, 49990.0, 0.02, GTC, MARKET, True)
        test.clear_inactive_orders(0)
    return sent


@njit
def watch(test: HashMapMarketDepthBacktest) -> int:  # pragma: no cover -- compiled
    """Take the market second by second, two events each; return how many seconds that were."""
    seen = 0
    while test.elapse(1_000_000_000) == 0:
        seen += 1
    return seen


def run_orders(count: int) -> float:
    """Orders a second of CPU."""
    rows = depth(count + 10)
    test = a_backtest(rows)
    began = time.process_time()
    sent = trade(test, count)
    spent = time.process_time() - began
    state = test.state_values(0)
    if sent != count or state.num_trades != count:
        raise AssertionError(f"{state.num_trades} fills of {sent} orders, wanted {count}")
    test.close()
    del rows
    return count / spent


def run_ticks(count: int) -> float:
    """Events of the market a second of CPU."""
    rows = depth(count // 2)
    test = a_backtest(rows)
    began = time.process_time()
    seen = watch(test)
    spent = time.process_time() - began
    if seen < count // 2 - 2:
        raise AssertionError(f"{seen} seconds of {count} events")
    test.close()
    del rows
    return count / spent


if __name__ == "__main__":
    orders, ticks = int(sys.argv[1]), int(sys.argv[2])
    run_orders(200)
    run_ticks(200)
    print(json.dumps({"orders": run_orders(orders), "ticks": run_ticks(ticks)}))
