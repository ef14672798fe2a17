"""Traffic: what the world brings besides faults. A market that walks, signals, people."""

import json
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Final

from order_adapters.simulator import MarketTrade
from order_domain.model.enums import OrderType, Side, Trading
from order_domain.model.identifiers import ClientOrderId, InstrumentId, SignalId
from order_domain.model.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClosePosition,
    Flatten,
    Operator,
    PlaceOrder,
    RequestSweep,
    RetrySignal,
    SetTradingState,
)
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.model.rows import SignalRow, TradingStateRow

BTC: Final = InstrumentId("linear:BTCUSDT")
STRATEGIES: Final = ("trend", "revert")
QUIET_SHARE: Final = 0.4
"""Of the seeds: there orders rest, and fill bit by bit."""


def instruments() -> tuple[Instrument, ...]:
    """Two contracts."""
    return (
        _instrument("BTCUSDT", "BTC", "0.1", "0.001"),
        _instrument("ETHUSDT", "ETH", "0.01", "0.01"),
    )


def _instrument(symbol: str, coin: str, tick: str, step: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        base_coin=coin,
        quote_coin="USDT",
        settle_coin="USDT",
        tick_size=Decimal(tick),
        quantity_step=Decimal(step),
        min_quantity=Decimal(step),
        max_quantity=Decimal(100),
        max_market_quantity=Decimal(50),
        min_notional=Decimal(5),
    )


class Market:
    """A random walk of every instrument: mostly wild, or quiet, with many small trades."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed}:market")
        is_quiet = self._random.random() < QUIET_SHARE
        self._reach, self._widest = (1, 2) if is_quiet else (40, 30)
        self._largest, self._deepest = (8, 4) if is_quiet else (60, 90)
        self.trade_chance = 0.95 if is_quiet else 0.4
        self.instruments = instruments()
        self._mids = {"BTCUSDT": 500_000, "ETHUSDT": 300_000}  # in ticks

    def next_quotes(self, at: datetime) -> list[Quote]:
        return [self._next(each, at) for each in self.instruments]

    def next_trade(self, quote: Quote, at: datetime) -> MarketTrade:
        buys = self._random.random() < 0.5
        step = next(
            each.quantity_step for each in self.instruments if each.id == quote.instrument_id
        )
        return MarketTrade(
            instrument_id=quote.instrument_id,
            price=quote.ask if buys else quote.bid,
            size=step * self._random.randint(1, self._largest),
            taker_side=Side.BUY if buys else Side.SELL,
            at=at,
        )

    def wait(self) -> float:
        return self._random.uniform(0.3, 1.2)

    def _next(self, instrument: Instrument, at: datetime) -> Quote:
        random, symbol = self._random, instrument.symbol
        self._mids[symbol] += random.randint(-self._reach, self._reach)
        mid, half = self._mids[symbol], random.randint(1, self._widest)
        tick = instrument.tick_size
        return Quote(
            instrument.id,
            (mid - half) * tick,
            instrument.quantity_step * random.randint(1, self._deepest),
            (mid + half) * tick,
            instrument.quantity_step * random.randint(1, self._deepest),
            at,
        )


class Model:
    """The model service: writes signals, some of them wrong, some of them twice."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed}:model")
        self._number = 0
        self.bodies: dict[str, bytes] = {}
        self.invalid = 0

    def signals(self, at: datetime, count: int) -> list[bytes]:
        """Write some at once; half the time all of them want the same."""
        alike = count > 1 and self._random.random() < 0.5
        theme = ("ETHUSDT", self._random.choice(("buy", "sell"))) if alike else ("", "")
        return [self._signal(at, *theme) for _ in range(count)]

    def _signal(self, at: datetime, asset: str, side: str) -> bytes:
        random = self._random
        self._number += 1
        name = f"00000000-0000-4000-8000-{self._number:012d}"
        closes = random.random() < 0.15
        body = {
            "signal_id": name,
            "strategy_id": random.choice(STRATEGIES),
            "asset": asset or random.choice(("BTCUSDT", "BTCUSDT", "ETHUSDT")),
            "signal_type": side or random.choice(("buy", "sell")),
            "amount": round(random.uniform(0.001, 0.05), 3)
            if closes
            else random.randint(50, 4_000),
            "confidence": random.choice((0.5, 0.7, 0.95)),
            "timestamp": at.isoformat(),
            "action": "close" if closes else "open",
            "metadata": {"urgency": random.random() < 0.1},
            "market_data_snapshot": {"price": 50_000, "spread": 0.01},
        }
        raw = json.dumps(body).encode()
        self.bodies[name] = raw
        return raw

    def conflicting(self) -> bytes:
        """The id of an earlier signal with another body."""
        body = json.loads(self._random.choice(list(self.bodies.values())))
        body["amount"] = 77
        return json.dumps(body).encode()

    def wrong(self) -> bytes:
        self.invalid += 1
        return self._random.choice((b"{", b"[]", b'{"signal_id": "x"}', b"\xff\xfe"))

    def earlier(self) -> bytes:
        return self._random.choice(list(self.bodies.values()))


class People:
    """Operators at the console. They see committed rows, as people do."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"{seed}:people")
        self._number = 0

    def request(
        self, orders: list[Order], signals: list[SignalRow], states: list[TradingStateRow]
    ) -> Operator:
        """Think of something to ask for."""
        random = self._random
        self._number += 1
        name = {"request_id": f"request-{self._number}", "actor": "ada"}
        live = [order for order in orders if not order.is_terminal]
        restricted = [row for row in states if row.state is not Trading.ACTIVE]
        if restricted and random.random() < 0.5:
            return _lift(random.choice(restricted), name)
        choice = random.randrange(10)
        if choice < 4:
            return self._about_the_account(choice, name)
        if choice == 4:
            signal_id = random.choice(signals).signal.signal_id if signals else "none"
            return RetrySignal(signal_id=SignalId(signal_id), **name)
        if choice > 5 and live:
            return self._change(random.choice(live), name)
        return PlaceOrder(
            instrument_id=BTC,
            side=random.choice((Side.BUY, Side.SELL)),
            quantity=Decimal(random.randint(1, 20)) / 1000,
            order_type=OrderType.MARKET,
            **name,
        )

    def _about_the_account(self, choice: int, name: dict[str, str]) -> Operator:
        random = self._random
        if choice == 0:
            state = random.choice((Trading.HALTED, Trading.REDUCE_ONLY, Trading.CANCEL_ONLY))
            return SetTradingState(scope="account", state=state, reason="to see", **name)
        if choice == 1:
            return CancelAll(include_external=random.random() < 0.5, **name)
        if choice == 2:
            part = Decimal(random.choice(("0.5", "1")))
            return ClosePosition(instrument_id=BTC, part=part, **name)
        return Flatten(**name) if random.random() < 0.3 else RequestSweep(**name)

    def _change(self, order: Order, name: dict[str, str]) -> CancelOrder | AmendOrder:
        if self._random.random() < 0.5:
            return CancelOrder(client_order_id=order.client_order_id, **name)
        return self._amend(order, name)

    def amend(self, order: Order) -> AmendOrder:
        """Change the quantity of an order."""
        self._number += 1
        return self._amend(order, {"request_id": f"request-{self._number}", "actor": "ada"})

    def _amend(self, order: Order, name: dict[str, str]) -> AmendOrder:
        more = self._random.choice((Decimal("0.5"), Decimal(2)))
        step = Decimal("0.01") if "ETH" in order.terms.instrument_id else Decimal("0.001")
        quantity = order.quantity * more // step * step or step
        return AmendOrder(
            client_order_id=ClientOrderId(order.client_order_id), quantity=quantity, **name
        )


def _lift(row: TradingStateRow, name: dict[str, str]) -> SetTradingState:
    return SetTradingState(
        scope=row.scope,
        state=Trading.ACTIVE,
        reason="seen",
        cause=row.cause,
        version=row.version,
        **name,
    )


def lifting(row: TradingStateRow, number: int) -> SetTradingState:
    """A person lifts a restriction."""
    return _lift(row, {"request_id": f"lift-{number}", "actor": "ada"})
