"""nautilus_trader 2: a Python strategy on its Rust engine, one market order a tick. Prints JSON.

As the peer of the first version: netting account, its risk engine on with the rate limit raised,
logging and analysis off.
"""

import json
import sys
import time
from decimal import Decimal

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.model import (
    AccountType,
    Currency,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    Venue,
)
from nautilus_trader.risk import RiskEngineConfig
from nautilus_trader.testkit.providers import TestInstrumentProvider
from nautilus_trader.trading import Strategy

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
QUANTITY = Quantity.from_str("0.020")
START_NS = 1_767_571_200 * 10**9


class EveryTick(Strategy):
    """Buys and sells in turn, one order a tick, while `trades`."""

    trades = True

    def __init__(self) -> None:
        super().__init__()
        self.fills = self.ticks = 0
        self.buys = True

    def on_start(self) -> None:
        self.subscribe_quotes(INSTRUMENT.id)

    def on_quote(self, _quote: QuoteTick) -> None:
        self.ticks += 1
        if not self.trades:
            return
        side = OrderSide.BUY if self.buys else OrderSide.SELL
        self.buys = not self.buys
        self.submit_order(self.order_factory.market(INSTRUMENT.id, side, QUANTITY))

    def on_order_filled(self, _event: object) -> None:
        self.fills += 1


def run(count: int, trades: bool) -> float:
    """Orders (or ticks) a second of CPU."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggerConfig(bypass_logging=True),
            run_analysis=False,
            risk_engine=RiskEngineConfig(max_order_submit_rate="1000000000/00:00:01"),
        )
    )
    usdt = Currency.from_str("USDT")
    engine.add_venue(
        venue=Venue("BINANCE"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=usdt,
        starting_balances=[Money(100_000_000, usdt)],
        fee_model=MakerTakerFeeModel(Decimal("0.0002"), Decimal("0.00055")),
    )
    engine.add_instrument(INSTRUMENT)
    bid, ask = Price.from_str("49990.0"), Price.from_str("50000.0")
    size = Quantity.from_str("5.000")
    times = [START_NS + number * 10**9 for number in range(count)]
    engine.add_data([QuoteTick(INSTRUMENT.id, bid, ask, size, size, at, at) for at in times])
    strategy = EveryTick()
    strategy.trades = trades
    engine.add_strategy(strategy)
    began = time.process_time()
    engine.run()
    spent = time.process_time() - began
    done = strategy.fills if trades else strategy.ticks
    if done != count:
        raise AssertionError(f"{strategy.ticks} ticks and {strategy.fills} fills of {count}")
    engine.dispose()
    return count / spent


if __name__ == "__main__":
    orders, ticks = int(sys.argv[1]), int(sys.argv[2])
    run(200, trades=True)
    print(json.dumps({"orders": run(orders, trades=True), "ticks": run(ticks, trades=False)}))
