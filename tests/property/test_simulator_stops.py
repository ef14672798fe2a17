"""Conditional orders and guards of positions on random tapes."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from order_adapters.simulator import SimulatedExchange
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.stop import (
    WHOLE,
    AmendWith,
    Bracket,
    CreateWith,
    Leg,
    Stop,
    StopKind,
    TradingStop,
    TriggerBy,
)
from order_domain.model.enums import OrderType, PositionSide, Side, TimeInForce, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.instrument import ZERO
from order_domain.model.reports import OrderReport
from tests.builders import BTC
from tests.property.test_simulator import (
    EVENTS,
    MARKETS,
    QUOTES,
    SIDES,
    TICK,
    TRADES,
    Tape,
    price_of,
)

TICKS = st.integers(-3, 3)
WHERE = st.none() | TICKS
BY = st.sampled_from((TriggerBy.LAST, TriggerBy.MARK))
UNITS = st.integers(1, 6)
WAITS = st.tuples(st.just("wait"), SIDES, TICKS, st.booleans(), BY, UNITS, st.booleans(), WHERE)
BRACKETED = st.tuples(st.just("bracketed"), SIDES, WHERE, UNITS, WHERE, WHERE, st.booleans())
GUARDED = st.tuples(
    st.just("guard"), st.booleans(), WHERE, WHERE, st.none() | st.integers(0, 4), WHERE
)
MOVED = st.tuples(st.just("move"), st.integers(1, 12), TICKS)
STOPS = st.lists(
    QUOTES | TRADES | MARKETS | WAITS | BRACKETED | GUARDED | MOVED, min_size=6, max_size=40
)
TAPES = STOPS | st.lists(EVENTS | WAITS | BRACKETED | GUARDED | MOVED, min_size=3, max_size=60)


class StopTape(Tape):
    """A tape with conditional orders and guards; it keeps the prices that conditions look at.

    Attributes:
        last, mark: As everybody saw them.
        placed: Trigger price of each conditional order that was taken, by its number.
    """

    def __init__(self, **config: Any) -> None:
        self.last: Decimal | None = None
        self.mark = ZERO
        self.placed: dict[str, Decimal] = {}
        super().__init__(**config)

    def price(self, by: TriggerBy) -> Decimal:
        assert self.last is not None
        return self.last if by is TriggerBy.LAST else self.mark

    def _quote(self, bid: int, spread: int, bid_size: int, ask_size: int) -> None:
        self.mark = (price_of(bid) + price_of(bid + spread)) / 2
        if self.last is None:
            self.last = self.mark - self.mark % TICK
        super()._quote(bid, spread, bid_size, ask_size)

    def _trade(self, price: int, size: int, taker: Side) -> None:
        self.last = price_of(price)
        super()._trade(price, size, taker)

    def _wait(
        self, side: Side, trigger: int, rises: bool, by: TriggerBy, quantity: int, reduces: bool,
        limit: int | None,
    ) -> None:  # fmt: skip
        stop = Stop(price_of(trigger), rises=rises, by=by)
        name = self._create(side, quantity, limit, stop=stop, reduce_only=reduces)
        if name in self.exchange.records.orders:
            self.placed[name] = stop.price

    def _bracketed(
        self, side: Side, limit: int | None, quantity: int, take: int | None, stop: int | None,
        whole: bool,
    ) -> None:  # fmt: skip
        self._create(side, quantity, limit, bracket=Bracket(leg(take), leg(stop), whole))

    def _guard(
        self, whole: bool, take: int | None, stop: int | None, trailing: int | None,
        activation: int | None,
    ) -> None:  # fmt: skip
        wanted = TradingStop(
            instrument_id=BTC,
            position_side=PositionSide.BOTH,
            whole=whole,
            take=leg(take),
            stop=leg(stop),
            trailing=None if trailing is None else trailing * TICK,
            activation=None if activation is None else price_of(activation),
        )
        self.exchange.trading_stop(wanted, self.now)

    def _move(self, number: int, trigger: int) -> None:
        if number not in self.orders:
            return
        command = AmendWith(
            self.orders[number], 1, 1, self.now, None, None, trigger_price=price_of(trigger)
        )
        self.exchange.submit(command, self.now)
        order = self.exchange.records.orders.get(str(number))
        if order is not None and order.waits and order.stop is not None:
            self.placed[str(number)] = order.stop.price

    def _create(
        self,
        side: Side,
        quantity: int,
        limit: int | None,
        *,
        stop: Stop | None = None,
        bracket: Bracket | None = None,
        reduce_only: bool = False,
    ) -> str:
        terms: dict[str, Any] = {"reduce_only": reduce_only}
        if limit is None:
            terms |= {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}
        else:
            terms["price"] = price_of(limit)
        order = self._order(side, quantity, **terms)
        self.exchange.submit(CreateWith(order, stop, bracket), self.now)
        return order.client_order_id

    @property
    def waiting(self) -> list[tuple[VenueOrder, Stop]]:
        market = self.exchange.account.markets[BTC]
        return [(order, order.stop) for order in market.waiting if order.stop is not None]

    @property
    def size(self) -> Decimal:
        position = self.exchange.account.positions.get((BTC, PositionSide.BOTH))
        return ZERO if position is None else position.size


def leg(ticks: int | None) -> Leg | None:
    return None if ticks is None else Leg(price_of(ticks))


def is_due(stop: Stop, price: Decimal) -> bool:
    """Whether it should have triggered by now, or trailed the price more closely."""
    if stop.activation is not None:
        return price >= stop.activation if not stop.rises else price <= stop.activation
    if stop.distance is not None and abs(price - stop.price) > stop.distance:
        return True
    return price >= stop.price if stop.rises else price <= stop.price


@settings(max_examples=max(300, settings().max_examples))
@given(TAPES)
def test_nothing_fills_before_its_trigger_and_nothing_waits_beyond_it(
    events: list[tuple[Any, ...]],
) -> None:
    tape = StopTape()
    triggered: set[str] = set()

    for event in events:
        before = {order.venue_order_id: stop.price for order, stop in tape.waiting}
        for message in tape.play(event):
            if isinstance(message, OrderReport) and message.status is VenueStatus.TRIGGERED:
                found = tape.exchange.records.find(message.client_order_id, message.venue_order_id)
                assert found is not None
                assert found.stop is not None
                price = tape.price(found.stop.by)
                # One that began with this very event is due at once if it is met already.
                trigger = before.get(message.venue_order_id, found.stop.price)
                if found.stop.kind is not StopKind.TRAILING:
                    assert trigger == tape.placed.get(message.client_order_id, trigger)
                assert price >= trigger if found.stop.rises else price <= trigger
                triggered.add(message.venue_order_id)
            elif isinstance(message, Execution):
                order = tape.exchange.records.find(message.client_order_id, message.venue_order_id)
                assert order is not None
                assert order.stop is None or message.venue_order_id in triggered
        if event[0] in ("quote", "trade"):
            assert not [stop for _, stop in tape.waiting if is_due(stop, tape.price(stop.by))]


@settings(max_examples=max(300, settings().max_examples))
@given(TAPES)
def test_guards_only_ever_shrink_their_position_and_end_with_it(
    events: list[tuple[Any, ...]],
) -> None:
    tape = StopTape()
    size = ZERO

    for event in events:
        for message in tape.play(event):
            if isinstance(message, Execution):
                order = tape.exchange.records.find(message.client_order_id, message.venue_order_id)
                before = size
                size += message.quantity if message.side is Side.BUY else -message.quantity
                assert order is not None
                if order.stop is not None and (order.stop.is_guard or order.reduce_only):
                    assert abs(size) < abs(before)
                    assert size * before >= 0
        guards = [(order, stop) for order, stop in tape.waiting if stop.is_guard]
        assert size == tape.size
        assert size or not guards
        for order, stop in guards:
            assert order.buys is (size < 0)
            assert stop.kind not in WHOLE or order.quantity == abs(size)
        whole = [stop.kind for _, stop in guards if stop.kind in WHOLE]
        assert len(whole) == len(set(whole))
        market = tape.exchange.account.markets[BTC]
        resting = sum(order.reduce_only for order in (*market.buys, *market.sells))
        assert market.reducers == resting + len(guards)
        held = sum((order.held for order in tape.exchange.records.orders.values()), ZERO)
        assert tape.exchange.account.wallets["USDT"].held == held
        assert all(order.held == 0 for order, _ in tape.waiting)
        opened = {name for name, o in tape.exchange.records.open.items() if o.is_open}
        assert opened == set(tape.exchange.records.open)


@given(TAPES)
def test_the_same_tape_gives_the_same_and_a_stored_account_is_the_same(
    events: list[tuple[Any, ...]],
) -> None:
    tapes = [StopTape(seed=3) for _ in range(2)]

    for event in events:
        first, second = (tape.play(event) for tape in tapes)
        assert first == second

    state = tapes[0].exchange.state()
    assert state == tapes[1].exchange.state()
    other = SimulatedExchange(
        instruments=tapes[0].exchange.instruments, config=tapes[0].exchange.config
    )
    other.restore(state)
    assert other.state() == state
