"""nautilus_trader: a Python strategy that sends one market order a tick. Prints JSON.

Netting account, its risk engine on with the rate limit raised, logging and analysis off.
"""

import json
import sys
import time
from decimal import Decimal

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
QUANTITY = Quantity.from_str("0.020")


class EveryTick(Strategy):
    """Buys and sells in turn, one order a tick, while `trades`."""

    def __init__(self, trades: bool) -> None:
        super().__init__(StrategyConfig())
        self.trades = trades
        self.fills = 0
        self.buys = True

    def on_start(self) -> None:
        self.subscribe_quote_ticks(INSTRUMENT.id)

    def on_quote_tick(self, _tick: QuoteTick) -> None:
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
        config=BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(max_order_submit_rate="1000000000/00:00:01"),
            run_analysis=False,
        )
    )
    engine.add_venue(
        venue=Venue("BINANCE"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USDT,
        starting_balances=[Money(Decimal(100_000_000), USDT)],
    )
    engine.add_instrument(INSTRUMENT)
    start = pd.Timestamp("2026-01-05", tz="UTC").value
    bid, ask, size = (
        Price.from_str("49990.0"),
        Price.from_str("50000.0"),
        Quantity.from_str("5.000"),
    )
    engine.add_data(
        [
            QuoteTick(INSTRUMENT.id, bid, ask, size, size, start + n * 10**9, start + n * 10**9)
            for n in range(count)
        ]
    )
    strategy = EveryTick(trades)
    engine.add_strategy(strategy)
    began = time.process_time()
    engine.run()
    spent = time.process_time() - began
    if trades and strategy.fills != count:
        raise AssertionError(f"{strategy.fills} fills of {count} orders")
    engine.dispose()
    return count / spent


if __name__ == "__main__":
    orders, ticks = int(sys.argv[1]), int(sys.argv[2])
    run(200, trades=True)
    print(json.dumps({"orders": run(orders, trades=True), "ticks": run(ticks, trades=False)}))
