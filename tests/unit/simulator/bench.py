"""One simulated account on a bench: send, look, and read what came, in a line each."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import attrs

from order_adapters.simulator import (
    FaultScript,
    MarketTrade,
    Message,
    SimulatedExchange,
    SimulatorConfig,
)
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.stop import AmendWith, Bracket, CreateWith, Stop, TradingStop
from order_domain.model.enums import OrderType, PositionSide, Side, TimeInForce
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult, WalletReport
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep
from tests.builders import BTC, NOW, D, a_quote, an_instrument, an_order

NO_TIME = timedelta(0)


def ms(number: int) -> timedelta:
    return timedelta(milliseconds=number)


class Bench:
    """A clock that is moved by hand and an exchange; `got` keeps everything that came."""

    def __init__(
        self,
        *instruments: Instrument,
        faults: FaultScript | None = None,
        quote: bool = True,
        **config: Any,
    ) -> None:
        config.setdefault("latency", NO_TIME)
        config.setdefault("rate_limit", None)
        self.now = NOW
        self.exchange = SimulatedExchange(
            instruments=instruments or (an_instrument(),),
            config=SimulatorConfig(**config),
            faults=faults,
        )
        self.got: list[Message] = []
        self.times: list[datetime] = []
        self._numbers = count(1)
        if quote:
            self.quote()

    def quote(self, **changes: Any) -> None:
        self.exchange.on_quote(a_quote(at=self.now, **changes), self.now)
        self.read()

    def trade(self, price: Any, size: Any, taker: Side, symbol: Any = BTC) -> None:
        trade = MarketTrade(symbol, D(price), D(size), taker, self.now)
        self.exchange.on_trade(trade, self.now)
        self.read()

    def order(self, **changes: Any) -> Order:
        """An order never sent yet; limit GTC to buy 0.02 at 49,990 unless told otherwise."""
        number = next(self._numbers)
        values: dict[str, Any] = {
            "client_order_id": ClientOrderId(f"order-{number}"),
            "time_in_force": TimeInForce.GTC,
            "request_ts": self.now,
            "attempt": 1,
        }
        if changes.get("order_type") is OrderType.MARKET:
            values["time_in_force"] = TimeInForce.IOC
        return an_order(**values | changes)

    def send(self, **changes: Any) -> Order:
        """Create an order and read what came of it."""
        order = self.order(**changes)
        self.exchange.submit(SendCreate(order), self.now)
        self.read()
        return order

    def buy(self, quantity: Any, price: Any = None, **changes: Any) -> Order:
        return self._trade_side(Side.BUY, quantity, price, changes)

    def sell(self, quantity: Any, price: Any = None, **changes: Any) -> Order:
        return self._trade_side(Side.SELL, quantity, price, changes)

    def _trade_side(self, side: Side, quantity: Any, price: Any, changes: dict[str, Any]) -> Order:
        values: dict[str, Any] = {"side": side, "quantity": D(quantity)}
        if price is None:
            values["order_type"] = OrderType.MARKET
        else:
            values["price"] = D(price)
        return self.send(**values | changes)

    def wait(self, stop: Stop, bracket: Bracket | None = None, **changes: Any) -> Order:
        """Create a conditional order; at market unless a price is told."""
        values: dict[str, Any] = {} if "price" in changes else {"order_type": OrderType.MARKET}
        return self.create_with(stop, bracket, **values | changes)

    def create_with(
        self, stop: Stop | None = None, bracket: Bracket | None = None, **changes: Any
    ) -> Order:
        order = self.order(**changes)
        self.exchange.submit(CreateWith(order, stop=stop, bracket=bracket), self.now)
        self.read()
        return order

    def guard(self, code: int = 0, **wanted: Any) -> None:
        """Change the guards of a position."""
        values = {"instrument_id": BTC, "position_side": PositionSide.BOTH, "whole": True}
        refusal = self.exchange.trading_stop(TradingStop(**values | wanted), self.now)
        self.read()
        assert (refusal or (0,))[0] == code

    def amend_with(self, order: Order, **values: Any) -> None:
        price, quantity = values.pop("price", None), values.pop("quantity", None)
        command = AmendWith(order, 1, 1, self.now, price, quantity, **values)
        self.exchange.submit(command, self.now)
        self.read()

    def cancel(self, order: Order, stamped: datetime | None = None) -> None:
        command = SendCancel(order, 1, 1, stamped or self.now)
        self.exchange.submit(command, self.now)
        self.read()

    def amend(self, order: Order, price: Any = None, quantity: Any = None) -> None:
        command = SendAmend(
            order,
            1,
            1,
            self.now,
            None if price is None else D(price),
            None if quantity is None else D(quantity),
        )
        self.exchange.submit(command, self.now)
        self.read()

    def look_up(self, name: str, attempt: int = 1) -> None:
        self.exchange.look_up(LookUp(ClientOrderId(name), attempt), self.now)
        self.read()

    def sweep(self, since: datetime | None = None, *, first: bool = False) -> None:
        self.exchange.sweep(Sweep("PERIODIC", since, first), self.now)
        self.read()

    def read(self) -> None:
        messages = self.exchange.poll(self.now)
        # What was handed out never changes afterwards.
        self.got += [attrs.evolve(message) for message in messages]
        self.times += [self.now] * len(messages)

    def run(self, span: timedelta) -> None:
        """Let time pass, stopping wherever something is due."""
        end = self.now + span
        while (due := self.exchange.next_due) is not None and due <= end:
            self.now = max(self.now, due)
            self.read()
        self.now = end

    def _of(self, kind: type) -> list[Any]:
        return [message for message in self.got if type(message) is kind]

    @property
    def answers(self) -> list[Answer]:
        return self._of(Answer)

    @property
    def reports(self) -> list[OrderReport]:
        return self._of(OrderReport)

    @property
    def executions(self) -> list[Execution]:
        return self._of(Execution)

    @property
    def wallets(self) -> list[WalletReport]:
        return self._of(WalletReport)

    @property
    def lookups(self) -> list[LookupResult]:
        return self._of(LookupResult)

    @property
    def sweeps(self) -> list[SweepResult]:
        return self._of(SweepResult)

    def reports_of(self, order: Order) -> list[OrderReport]:
        return [r for r in self.reports if r.client_order_id == order.client_order_id]

    @property
    def waiting(self) -> list[VenueOrder]:
        """What waits for its price, oldest first."""
        return [order for m in self.exchange._markets.values() for order in m.waiting]

    def clear(self) -> None:
        self.got.clear()
        self.times.clear()
