"""The simulator in a recorded market: nothing fills that the market did not give."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from order_adapters.simulator import MarketTrade, SimulatedExchange, SimulatorConfig
from order_domain.model.enums import OrderType, Side, TimeInForce
from order_domain.model.execution import Execution
from order_domain.model.quote import Quote
from order_domain.model.steps import SendCancel, SendCreate
from tests.builders import BTC, D, an_instrument, an_order

TICK = D("0.1")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIDES = {"buy": Side.BUY, "sell": Side.SELL}


def recorded(folder: Path) -> Iterator[Quote | MarketTrade]:
    for path in sorted((folder / "market-data").glob("*.csv.gz")):
        with gzip.open(path, "rt") as lines:
            for row in csv.DictReader(lines):
                at = EPOCH + timedelta(milliseconds=int(row["exchange_time_ms"]))
                if row["kind"] == "quote":
                    values = (D(row[name]) for name in ("bid", "bid_size", "ask", "ask_size"))
                    yield Quote(BTC, *values, at)
                else:
                    side = SIDES[row["taker_side"]]
                    yield MarketTrade(BTC, D(row["price"]), D(row["size"]), side, at)


class Trader:
    """Places a random order every few events and cancels old ones, by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.exchange = SimulatedExchange(
            instruments=[an_instrument()],
            config=SimulatorConfig(
                seed=seed, latency=timedelta(0), rate_limit=None, balances={"USDT": D(10**9)}
            ),
        )
        self.count = 0
        self.resting: list[object] = []

    def act(self, quote: Quote) -> None:
        self.count += 1
        side = self.random.choice(list(Side))
        quantity = self.random.randint(1, 400) * D("0.001")
        values: dict[str, object] = {"order_type": OrderType.MARKET}
        if self.random.random() < 0.8:
            away = self.random.randint(-2, 12) * TICK
            price = quote.bid - away if side is Side.BUY else quote.ask + away
            values = {"price": price, "time_in_force": TimeInForce.GTC}
        order = an_order(
            client_order_id=f"order-{self.count}",
            side=side,
            quantity=quantity,
            attempt=1,
            **values,
        )
        self.exchange.submit(SendCreate(order), quote.at)
        if "price" in values:
            self.resting.append(order)
        if len(self.resting) > 20:
            oldest = self.resting.pop(0)
            self.exchange.submit(SendCancel(oldest, 1, 1, quote.at), quote.at)

    def fills(self, now: datetime) -> list[Execution]:
        return [m for m in self.exchange.poll(now) if isinstance(m, Execution)]


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_fills_that_the_market_did_not_give(shared_data: Path, seed: int) -> None:
    trader = Trader(seed)
    quote: Quote | None = None
    kinds: Counter[str] = Counter()

    for number, event in enumerate(recorded(shared_data)):
        if isinstance(event, MarketTrade):
            trader.exchange.on_trade(event, event.at)
            fills = trader.fills(event.at)
            check_trade(event, fills)
            kinds["by trade"] += len(fills)
            continue
        quote = event
        trader.exchange.on_quote(event, event.at)
        fills = trader.fills(event.at)
        for fill in fills:
            assert fill.is_maker
            assert fill.price >= event.ask if fill.side is Side.BUY else fill.price <= event.bid
        kinds["by quote"] += len(fills)
        if number % 25 == 0:
            trader.act(quote)
            for fill in trader.fills(event.at):
                assert not fill.is_maker
                touch, size = (
                    (quote.ask, quote.ask_size)
                    if fill.side is Side.BUY
                    else (quote.bid, quote.bid_size)
                )
                assert fill.price == touch
                assert fill.quantity <= size
                kinds["taken"] += 1

    assert min(kinds["by trade"], kinds["by quote"], kinds["taken"]) > 20, kinds


def check_trade(trade: MarketTrade, fills: list[Execution]) -> None:
    """A trade fills its other side only, at its price or better, and no more than its size."""
    assert sum((fill.quantity for fill in fills), Decimal(0)) <= trade.size
    for fill in fills:
        assert fill.is_maker
        assert fill.side is trade.taker_side.opposite
        better = fill.price - trade.price
        assert better >= 0 if fill.side is Side.BUY else better <= 0


def test_the_same_seed_trades_the_recorded_market_twice_alike(shared_data: Path) -> None:
    def run() -> list[Execution]:
        trader = Trader(3)
        fills: list[Execution] = []
        for number, event in enumerate(recorded(shared_data)):
            if number > 20_000:
                break
            if isinstance(event, MarketTrade):
                trader.exchange.on_trade(event, event.at)
            else:
                trader.exchange.on_quote(event, event.at)
                if number % 40 == 0:
                    trader.act(event)
            fills += trader.fills(event.at)
        return fills

    first = run()
    assert first == run()
    assert len(first) > 50
