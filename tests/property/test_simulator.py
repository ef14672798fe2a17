"""The simulator on random tapes: against a naive matcher, the domain's books and itself."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from order_adapters.simulator import (
    FaultRates,
    FaultScript,
    MarketTrade,
    SimulatedExchange,
    SimulatorConfig,
)
from order_domain.model.enums import OrderType, PositionSide, Side, TimeInForce
from order_domain.model.execution import Execution
from order_domain.model.instrument import ZERO
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.reports import Answer
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep
from tests.builders import BTC, NOW, D, a_quote, an_instrument, an_order
from tests.property.naive_market import Fill, NaiveMarket

TICK, STEP, BASE = D("0.1"), D("0.001"), 500_000
SIDES = st.sampled_from(list(Side))
SIZES = st.integers(0, 6)
QUOTES = st.tuples(st.just("quote"), st.integers(-3, 3), st.integers(1, 2), SIZES, SIZES)
TRADES = st.tuples(st.just("trade"), st.integers(-4, 4), st.integers(1, 8), SIDES)
LIMITS = st.tuples(st.just("limit"), SIDES, st.integers(-4, 4), st.integers(1, 5))
MARKETS = st.tuples(st.just("market"), SIDES, st.integers(1, 8))
CANCELS = st.tuples(st.just("cancel"), st.integers(1, 12))
REDUCERS = st.tuples(st.just("reduce"), SIDES, st.integers(-4, 4), st.integers(1, 5))
AMENDS = st.tuples(st.just("amend"), st.integers(1, 12), st.integers(-4, 4), st.integers(1, 5))
# Few prices, and trades that reach them: orders that share a level are what is hard.
NEAR = st.integers(-1, 1)
MATCHING = st.lists(
    st.tuples(st.just("quote"), NEAR, st.just(1), SIZES, SIZES)
    | st.tuples(st.just("trade"), NEAR, st.integers(1, 9), SIDES)
    | st.tuples(st.just("limit"), SIDES, NEAR, st.integers(1, 4))
    | MARKETS
    | CANCELS,
    min_size=4,
    max_size=30,
)
EVENTS = QUOTES | TRADES | LIMITS | MARKETS | CANCELS | REDUCERS | AMENDS
TAPES = st.lists(EVENTS, min_size=3, max_size=60)


def price_of(ticks: int) -> Decimal:
    return (BASE + ticks) * TICK


class Tape:
    """Plays a tape into an exchange, one event a millisecond."""

    def __init__(self, faults: FaultScript | None = None, **config: Any) -> None:
        values = {"latency": timedelta(0), "rate_limit": None} | config
        self.exchange = SimulatedExchange(
            instruments=[an_instrument(min_notional=ZERO)],
            config=SimulatorConfig(**values),
            faults=faults,
        )
        self.now = NOW
        self.got: list[Any] = []
        self.orders: dict[int, Any] = {}
        self.play(("quote", 0, 1, 5, 5))

    def play(self, event: tuple[Any, ...]) -> list[Any]:
        self.now += timedelta(milliseconds=1)
        getattr(self, f"_{event[0]}")(*event[1:])
        messages = self.exchange.poll(self.now)
        self.got += messages
        return messages

    def rest(self) -> None:
        while (due := self.exchange.next_due) is not None:
            self.now = max(self.now, due)
            self.got += self.exchange.poll(self.now)

    def _quote(self, bid: int, spread: int, bid_size: int, ask_size: int) -> None:
        quote = a_quote(
            bid=price_of(bid),
            ask=price_of(bid + spread),
            bid_size=bid_size * STEP,
            ask_size=ask_size * STEP,
            at=self.now,
        )
        self.exchange.on_quote(quote, self.now)

    def _trade(self, price: int, size: int, taker: Side) -> None:
        trade = MarketTrade(BTC, price_of(price), size * STEP, taker, self.now)
        self.exchange.on_trade(trade, self.now)

    def _limit(self, side: Side, price: int, quantity: int, **more: Any) -> None:
        self._send(side, quantity, price=price_of(price), **more)

    def _reduce(self, side: Side, price: int, quantity: int) -> None:
        self._limit(side, price, quantity, reduce_only=True)

    def _market(self, side: Side, quantity: int) -> None:
        self._send(side, quantity, order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC)

    def _send(self, side: Side, quantity: int, **more: Any) -> None:
        self.exchange.submit(SendCreate(self._order(side, quantity, **more)), self.now)

    def _order(self, side: Side, quantity: int, **more: Any) -> Order:
        number = len(self.orders) + 1
        values = {"time_in_force": TimeInForce.GTC, "attempt": 1, "request_ts": self.now}
        order = an_order(
            **values | {"side": side, "quantity": quantity * STEP} | more,
            client_order_id=str(number),
        )
        self.orders[number] = order
        return order

    def _cancel(self, number: int) -> None:
        if number in self.orders:
            command = SendCancel(self.orders[number], 1, 1, self.now)
            self.exchange.submit(command, self.now)

    def _amend(self, number: int, price: int, quantity: int) -> None:
        if number in self.orders:
            command = SendAmend(
                self.orders[number], 1, 1, self.now, price_of(price), quantity * STEP
            )
            self.exchange.submit(command, self.now)

    def _ask(self, number: int) -> None:
        self.exchange.look_up(LookUp(str(number), 1), self.now)
        self.exchange.sweep(Sweep("PERIODIC", None), self.now)


def fills_in(messages: Iterable[Any]) -> list[Fill]:
    return [
        (
            int(m.client_order_id),
            int(m.price / TICK) - BASE,
            int(m.quantity / STEP),
            m.is_maker,
        )
        for m in messages
        if isinstance(m, Execution)
    ]


class Oracle:
    """Plays the same tape into the naive market."""

    def __init__(self) -> None:
        self.market = NaiveMarket()
        self.placed = 0
        self.play(("quote", 0, 1, 5, 5))

    def play(self, event: tuple[Any, ...]) -> list[Fill]:
        match event:
            case ("quote", bid, spread, bid_size, ask_size):
                return self.market.quote(bid, bid_size, bid + spread, ask_size)
            case ("trade", price, size, taker):
                return self.market.trade(price, size, taker)
            case ("limit", side, price, quantity):
                self.placed += 1
                return self.market.place(self.placed, side, price, quantity)
            case ("market", side, quantity):
                self.placed += 1
                return self.market.place(self.placed, side, None, quantity)
            case ("cancel", number):
                self.market.cancel(number)
        return []


@settings(max_examples=max(600, settings().max_examples))
@given(MATCHING)
def test_it_fills_exactly_as_the_naive_matcher_does(events: list[tuple[Any, ...]]) -> None:
    tape, oracle = Tape(), Oracle()

    for event in events:
        assert sorted(fills_in(tape.play(event))) == sorted(oracle.play(event)), event

    leaves = {
        int(r.client_order_id): (r.quantity - r.cum_quantity) / STEP
        for r in tape.exchange.open_orders
    }
    assert leaves == {number: order.leaves for number, order in oracle.market.orders.items()}


@given(TAPES)
def test_money_is_conserved_and_the_books_of_the_domain_agree(
    events: list[tuple[Any, ...]],
) -> None:
    tape = Tape()
    books = Position.flat(BTC, PositionSide.BOTH, NOW)
    start, cash = D(100_000), ZERO

    for event in events:
        for message in tape.play(event):
            if isinstance(message, Execution):
                books, _ = books.booked(message, tape.now)
                signed = message.quantity if message.side is Side.BUY else -message.quantity
                cash -= signed * message.price + message.fee
        account = tape.exchange.account
        position = account.positions.get((BTC, PositionSide.BOTH))
        quote = account.markets[BTC].quote
        assert quote is not None
        balance = tape.exchange.wallet(tape.now).balances[0]
        assert balance.equity == start + cash + books.size * quote.mid
        held = sum((order.held for order in tape.exchange.records.orders.values()), ZERO)
        assert account.wallets["USDT"].held == held
        assert all(o.is_open or not o.held for o in tape.exchange.records.orders.values())
        if position is not None:
            assert (position.size, position.cost) == (books.size, books.entry_value)
            assert (position.realized, position.fees) == (
                books.realized_pnl,
                books.fees.get("USDT", ZERO),
            )


@given(TAPES)
def test_an_order_says_what_its_executions_say_and_reduce_only_never_opens(
    events: list[tuple[Any, ...]],
) -> None:
    tape = Tape()
    size = ZERO

    for event in events:
        for message in tape.play(event):
            if isinstance(message, Execution):
                order = tape.exchange.records.orders[message.client_order_id]
                before = size
                size += message.quantity if message.side is Side.BUY else -message.quantity
                if order.reduce_only:
                    assert abs(size) < abs(before)
                    assert size * before >= 0

    for order in tape.exchange.records.orders.values():
        assert order.cum == sum((e.quantity for e in order.executions), ZERO)
        assert order.cum <= order.quantity
        assert order.newest is not None
        assert order.newest.cum_quantity == order.cum
        assert order.is_open is (order.venue_order_id in tape.exchange.records.open)


ASKS = st.tuples(st.just("ask"), st.integers(1, 5))
CHAOS = FaultRates(
    **dict.fromkeys(
        (
            "lose_request",
            "delay_request",
            "lose_answer",
            "delay_answer",
            "busy",
            "internal_error",
            "lose_report",
            "delay_report",
            "duplicate_report",
        ),
        150_000,
    )
)


@given(st.lists(EVENTS | ASKS, max_size=40), st.integers(0, 99))
def test_whatever_goes_wrong_each_request_is_answered_once_and_a_seed_repeats_it(
    events: list[tuple[Any, ...]], seed: int
) -> None:
    runs = []
    for _ in range(2):
        tape = Tape(
            FaultScript(rates=CHAOS),
            seed=seed,
            latency=timedelta(milliseconds=5),
            jitter=timedelta(milliseconds=9),
        )
        for event in events:
            tape.play(event)
        tape.rest()
        runs.append(tape)

    assert runs[0].got == runs[1].got
    answered = [(m.kind, m.client_order_id) for m in runs[0].got if isinstance(m, Answer)]
    creates = [name for kind, name in answered if kind == "create"]
    assert sorted(creates) == sorted(str(number) for number in runs[0].orders)
