"""vnpy: its CTA backtester; a strategy sends one marketable limit order a tick. Prints JSON.

Float prices, no account, no margin, no risk manager: that is all there is in its backtester.
"""

import json
import sys
import time
from datetime import datetime, timedelta

from vnpy.trader.constant import Exchange, Interval, Status
from vnpy.trader.object import TickData
from vnpy_ctastrategy import CtaTemplate
from vnpy_ctastrategy.backtesting import BacktestingEngine
from vnpy_ctastrategy.base import BacktestingMode

START = datetime(2026, 1, 5)  # noqa: DTZ001 -- the peer's own times are naive


class EveryTick(CtaTemplate):
    """Buys and sells in turn, one order a tick, while `trades`."""

    trades = True
    parameters = ["trades"]  # noqa: RUF012 -- the peer reads it so

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.buys = True

    def on_init(self) -> None:
        """Nothing to load."""

    def on_start(self) -> None:
        """Nothing to prepare."""

    def on_tick(self, tick: TickData) -> None:
        if not self.trades:
            return
        if self.buys:
            self.buy(tick.ask_price_1 + 5, 0.02)
        else:
            self.sell(tick.bid_price_1 - 5, 0.02)
        self.buys = not self.buys


def run(count: int, trades: bool) -> float:
    """Orders (or ticks) a second of CPU."""
    engine = BacktestingEngine()
    engine.output = lambda _text: None
    engine.set_parameters(
        vt_symbol="BTCUSDT.GLOBAL",
        interval=Interval.TICK,
        start=START,
        rate=0.00055,
        slippage=0,
        size=1,
        pricetick=0.1,
        capital=100_000_000,
        end=START + timedelta(days=30),
        mode=BacktestingMode.TICK,
    )
    engine.add_strategy(EveryTick, {"trades": trades})
    engine.history_data = [
        TickData(
            gateway_name="BACKTESTING",
            symbol="BTCUSDT",
            exchange=Exchange.GLOBAL,
            datetime=START + timedelta(seconds=n),
            bid_price_1=49990.0,
            ask_price_1=50000.0,
            bid_volume_1=5,
            ask_volume_1=5,
            last_price=49995.0,
        )
        for n in range(count)
    ]
    began = time.process_time()
    engine.run_backtesting()
    spent = time.process_time() - began
    filled = sum(order.status is Status.ALLTRADED for order in engine.get_all_orders())
    if trades and filled < count - 2:
        raise AssertionError(f"{filled} fills of {count} orders")
    return count / spent


if __name__ == "__main__":
    orders, ticks = int(sys.argv[1]), int(sys.argv[2])
    run(200, trades=True)
    print(json.dumps({"orders": run(orders, trades=True), "ticks": run(ticks, trades=False)}))
