"""A backtest in one loop: a trend follower, the order manager and a simulated exchange.

    python examples/backtest.py                        # a generated market of two hours
    python examples/backtest.py market.csv.gz          # a recorded one, as `replay --market` takes

The strategy only says what it wants (a signal). Engine and exchange are the very ones of a dry run,
so order type, price, risk limits, queue position and fees are decided as they would be there.
"""

import argparse
import gc
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import attrs

from order_adapters.backtest import Backtest
from order_adapters.intake.catalogue import CATALOGUE
from order_adapters.intake.market_csv import MarketFile
from order_adapters.intake.synthetic import NATURES, SyntheticMarket
from order_adapters.schedule import MarketRow
from order_adapters.simulator import SimulatedExchange, SimulatorConfig
from order_domain.config import EngineConfig
from order_domain.model.enums import PositionSide, Side
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import SignalId, StrategyId
from order_domain.model.inputs import SignalDelivered
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.model.signal import TradingSignal

LENGTH = timedelta(hours=2)
# A spread is never below zero percent, so every order rests and earns the spread instead of paying.
CONFIG = EngineConfig(market_order_spread_threshold=Decimal(0))


class TrendFollower:
    """Long while the fast moving average is above the slow one, short while it is below."""

    def __init__(self, instrument: Instrument, *, fast: int, slow: int, amount: Decimal) -> None:
        self._instrument = instrument
        self._amount = amount
        self._weights = 2 / (fast + 1), 2 / (slow + 1)
        self._averages: tuple[float, float] | None = None
        self._warm_in = slow
        self._next: datetime | None = None
        self._side: Side | None = None

    def on_quote(self, quote: Quote, position: Decimal) -> TradingSignal | None:
        """Look at the market once a second; ask for what is missing when the trend has turned."""
        if self._next is not None and quote.at < self._next:
            return None
        self._next = quote.at + timedelta(seconds=1)
        mid = float(quote.mid)
        fast, slow = self._averages or (mid, mid)
        fast += (mid - fast) * self._weights[0]
        slow += (mid - slow) * self._weights[1]
        self._averages = fast, slow
        self._warm_in -= 1
        side = Side.BUY if fast > slow else Side.SELL
        if self._warm_in > 0 or side is self._side:
            return None
        self._side = side
        held = position * quote.mid
        missing = self._amount - held if side is Side.BUY else self._amount + held
        return self._signal(quote, side, missing) if missing > self._amount / 10 else None

    def _signal(self, quote: Quote, side: Side, amount: Decimal) -> TradingSignal:
        return TradingSignal(
            signal_id=SignalId(str(uuid5(NAMESPACE_OID, f"trend {quote.at}"))),
            strategy_id=StrategyId("trend"),
            instrument_id=self._instrument.id,
            side=side,
            amount=amount,
            confidence=Decimal("0.5"),
            timestamp=quote.at,
        )


@attrs.frozen
class Sample:
    """The account at one moment: what it has earned net of fees, open position at mid included."""

    at: datetime
    mid: Decimal
    position: Decimal
    pnl: Decimal


def run(backtest: Backtest, strategy: TrendFollower, market: Iterable[MarketRow]) -> list[Sample]:
    """Go through the market, instant by instant, and sample the account once a second."""
    samples: list[Sample] = []
    delivered = 0
    for number, (at, rows) in enumerate(groupby(market, key=lambda row: row.at)):
        instant = list(rows)
        if number == 0:
            backtest.begin(at)
        backtest.advance(at, instant)
        quote = next((row for row in reversed(instant) if isinstance(row, Quote)), None)
        if quote is None:
            continue
        now = sample(backtest, quote)
        if not samples or at - samples[-1].at >= timedelta(seconds=1):
            samples.append(now)
        signal = strategy.on_quote(quote, now.position)
        if signal is not None:
            delivered += 1
            backtest.deliver(SignalDelivered(delivered, signal))
    backtest.finish()
    return samples


def sample(backtest: Backtest, quote: Quote) -> Sample:
    """Value the position at mid."""
    position = backtest.engine.book.positions.get((quote.instrument_id, PositionSide.BOTH))
    if position is None:
        return Sample(quote.at, quote.mid, Decimal(0), Decimal(0))
    pnl = position.realized_pnl + position.unrealized_pnl(quote.mid) - sum(position.fees.values())
    return Sample(quote.at, quote.mid, position.size, pnl)


def report(backtest: Backtest, samples: list[Sample]) -> Iterator[str]:
    """What came of it, line by line."""
    orders = {row.client_order_id: row for row in backtest.changes if isinstance(row, Order)}
    fills = [row for row in backtest.changes if isinstance(row, LedgerEntry)]
    fees = sum((fill.execution.fee for fill in fills), Decimal(0))
    made = sum(fill.execution.is_maker for fill in fills)
    statuses: dict[str, int] = {}
    for order in orders.values():
        statuses[order.status.lower()] = statuses.get(order.status.lower(), 0) + 1
    highest, drawdown = Decimal(0), Decimal(0)
    for each in samples:
        highest = max(highest, each.pnl)
        drawdown = max(drawdown, highest - each.pnl)
    yield f"market        {samples[0].at:%Y-%m-%d %H:%M:%S} to {samples[-1].at:%H:%M:%S} UTC"
    yield f"signals       {len(backtest.replies)}"
    yield f"orders        {len(orders)} ({', '.join(f'{n} {s}' for s, n in statuses.items())})"
    yield f"fills         {len(fills)} ({made} as maker)"
    yield f"fees          {fees:.2f} USDT"
    yield f"net PnL       {samples[-1].pnl:+.2f} USDT"
    yield f"max drawdown  {drawdown:.2f} USDT"
    yield f"position      {samples[-1].position}"


def draw(backtest: Backtest, samples: list[Sample], path: Path) -> None:
    """Price with fills, position and PnL over time."""
    import matplotlib as mpl  # noqa: PLC0415 -- only the picture needs it

    mpl.use("Agg")
    from matplotlib import dates  # noqa: PLC0415
    from matplotlib import pyplot as plt  # noqa: PLC0415

    times = [each.at for each in samples]
    figure, (price, held, earned) = plt.subplots(
        3, 1, figsize=(11, 7.5), sharex=True, height_ratios=(3, 1, 1.4), layout="constrained"
    )
    price.plot(times, [float(each.mid) for each in samples], color="#5b6770", lw=0.9, label="mid")
    for side, marker, colour in ((Side.BUY, "^", "#1a8a5a"), (Side.SELL, "v", "#c0392b")):
        fills = [
            row.execution
            for row in backtest.changes
            if isinstance(row, LedgerEntry) and row.execution.side is side
        ]
        price.scatter(
            [fill.executed_at for fill in fills],
            [float(fill.price) for fill in fills],
            marker=marker,
            color=colour,
            s=26,
            zorder=3,
            label=f"{side.lower()} ({len(fills)} fills)",
        )
    price.legend(loc="best", frameon=False, ncols=3)
    price.set(ylabel="price, USDT", title="Two moving averages")
    position = [float(each.position) for each in samples]
    held.fill_between(times, position, step="post", color="#8fa8c0")
    held.set(ylabel="position")
    pnl = [float(each.pnl) for each in samples]
    earned.plot(times, pnl, color="#1b6ca8", lw=1.2)
    earned.fill_between(times, pnl, color="#1b6ca8", alpha=0.15)
    earned.set(ylabel="net PnL, USDT")
    for axes in (price, held, earned):
        axes.set_axisbelow(True)
        axes.grid(axis="y", color="#e8ebee")
        axes.spines[["top", "right"]].set_visible(False)
    locator = dates.AutoDateLocator()
    earned.xaxis.set_major_locator(locator)
    earned.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    figure.savefig(path, dpi=110)


def main() -> None:
    """Read the command line, run, print, draw."""
    # nothing here is part of a cycle, and looking for some costs an eighth of the time
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    words = argparse.ArgumentParser(description="Backtest two moving averages.")
    words.add_argument("market", nargs="?", type=Path, help="market CSV, plain or gzip")
    words.add_argument("--symbol", default="BTCUSDT", help="a symbol of the built-in catalogue")
    words.add_argument("--seed", type=int, default=1, help="of the generated market")
    words.add_argument("--fast", type=int, default=20, help="seconds of the fast average")
    words.add_argument("--slow", type=int, default=90, help="seconds of the slow average")
    words.add_argument("--amount", type=Decimal, default=Decimal(2000), help="USDT per signal")
    words.add_argument("--chart", type=Path, default=Path("backtest.png"))
    asked = words.parse_args()
    instrument = CATALOGUE[asked.symbol]
    market: Iterable[MarketRow]
    if asked.market is None:
        natures = [nature for nature in NATURES if nature.symbol == asked.symbol]
        market = SyntheticMarket(asked.seed, LENGTH, natures)
    else:
        market = MarketFile(asked.market, instrument.id)
    exchange = SimulatedExchange(instruments=[instrument], config=SimulatorConfig())
    backtest = Backtest(CONFIG, exchange)
    strategy = TrendFollower(instrument, fast=asked.fast, slow=asked.slow, amount=asked.amount)
    samples = run(backtest, strategy, market)
    print("\n".join(report(backtest, samples)))
    draw(backtest, samples, asked.chart)
    print(f"chart         {asked.chart}")


if __name__ == "__main__":
    main()
