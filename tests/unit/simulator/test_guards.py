"""Take-profits, stop-losses and trailing stops: they begin with a position and end with it."""

from typing import Any

import attrs
import pytest

from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.stop import Bracket, Leg, Stop, StopKind, TriggerBy
from order_domain.model.enums import (
    Category,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.identifiers import InstrumentId
from order_domain.model.steps import SendCreate
from tests.builders import BTC, D, an_instrument
from tests.unit.simulator.bench import Bench

BUY, SELL = Side.BUY, Side.SELL
SPOT = InstrumentId("spot:BTCUSDT")
MARKET = {"order_type": OrderType.MARKET}
K = StopKind


def at(price: Any, limit: Any = None, by: TriggerBy = TriggerBy.LAST) -> Leg:
    return Leg(D(price), by, None if limit is None else D(limit))


def long(take: Any = 51000, stop: Any = 49000, **more: Any) -> Bracket:
    return Bracket(None if take is None else at(take), None if stop is None else at(stop), **more)


def shape(order: VenueOrder) -> tuple[Any, ...]:
    assert order.stop is not None
    return order.stop.kind, order.side, str(order.quantity), f"{order.stop.price.normalize():f}"


def shapes(bench: Bench) -> list[tuple[Any, ...]]:
    return [shape(order) for order in bench.waiting]


def endings(bench: Bench) -> list[tuple[Any, ...]]:
    """How the guards ended, oldest end first."""
    return [
        (bench.exchange.records.orders[report.venue_order_id].stop.kind, report.cancel_type)
        for report in bench.reports
        if not report.client_order_id and report.status is VenueStatus.DEACTIVATED
    ]


def test_the_fill_of_an_order_begins_its_guards() -> None:
    bench = Bench()

    order = bench.create_with(bracket=long(), quantity=D("0.2"), **MARKET)

    assert shapes(bench) == [
        (K.STOP_LOSS, SELL, "0.2", "49000"),
        (K.TAKE_PROFIT, SELL, "0.2", "51000"),
    ]
    for guard in bench.waiting:
        assert guard.stop is not None
        assert guard.reduce_only
        assert guard.stop.closes_on_trigger
        assert guard.stop.parent == order.client_order_id
    told = [(r.status, r.client_order_id) for r in bench.reports]
    assert told == [
        (VenueStatus.FILLED, order.client_order_id),
        (VenueStatus.UNTRIGGERED, ""),
        (VenueStatus.UNTRIGGERED, ""),
    ]


def test_the_exits_of_an_order_of_ours_are_its_guards() -> None:
    bench = Bench()

    terms = {"take_profit": D(51000), "stop_loss": D(49000)}
    for only in ("take_profit", "stop_loss"):
        order = bench.order(quantity=D("0.1"), **MARKET)
        order.terms = attrs.evolve(order.terms, **{only: terms[only]})
        bench.exchange.submit(SendCreate(order), bench.now)

    assert shapes(bench) == [
        (K.TAKE_PROFIT, SELL, "0.2", "51000"),
        (K.STOP_LOSS, SELL, "0.2", "49000"),
    ]


def test_a_short_takes_profit_below_and_stops_above() -> None:
    bench = Bench()

    bench.create_with(bracket=Bracket(at(49000), at(51000)), side=SELL, **MARKET)

    assert [(kind, side, price) for kind, side, _, price in shapes(bench)] == [
        (K.STOP_LOSS, BUY, "51000"),
        (K.TAKE_PROFIT, BUY, "49000"),
    ]
    assert [order.stop.rises for order in bench.waiting if order.stop] == [True, False]


def test_a_stop_loss_closes_the_position_and_the_take_profit_ends_with_it() -> None:
    bench = Bench()
    bench.create_with(bracket=long(), quantity=D("0.2"), **MARKET)

    bench.trade(49000, 1, SELL)

    assert bench.exchange.positions(bench.now) == []
    assert endings(bench) == [(K.TAKE_PROFIT, "CancelByTpSlTsClear")]
    assert bench.waiting == []
    assert bench.exchange.open_orders == []


def test_a_position_closed_by_hand_takes_its_guards_with_it() -> None:
    bench = Bench()
    bench.create_with(bracket=long(), quantity=D("0.2"), **MARKET)

    bench.sell("0.2")

    assert endings(bench) == [
        (K.STOP_LOSS, "CancelByTpSlTsClear"),
        (K.TAKE_PROFIT, "CancelByTpSlTsClear"),
    ]


def test_a_position_turned_around_takes_its_guards_with_it_and_brings_new_ones() -> None:
    bench = Bench()
    bench.create_with(bracket=long(), quantity=D("0.2"), **MARKET)

    bench.create_with(bracket=Bracket(at(48000), None), side=SELL, quantity=D("0.5"), **MARKET)

    assert len(endings(bench)) == 2
    assert shapes(bench) == [(K.TAKE_PROFIT, BUY, "0.3", "48000")]


def test_guards_of_the_whole_follow_its_size_up_and_down() -> None:
    bench = Bench()
    bench.create_with(bracket=long(), quantity=D("0.2"), **MARKET)

    bench.buy("0.3")
    assert [shape[2] for shape in shapes(bench)] == ["0.5", "0.5"]
    bench.buy("0.1", 49990)
    bench.trade(49989, 9, SELL)
    assert [shape[2] for shape in shapes(bench)] == ["0.6", "0.6"]
    bench.sell("0.4")

    assert [shape[2] for shape in shapes(bench)] == ["0.2", "0.2"]
    assert [r.quantity for r in bench.reports if not r.client_order_id][-2:] == [D("0.2")] * 2


def test_a_second_order_changes_the_guards_of_the_whole() -> None:
    bench = Bench()
    bench.create_with(bracket=long(), quantity=D("0.2"), **MARKET)
    first = bench.waiting

    bench.create_with(bracket=long(52000, None), quantity=D("0.2"), **MARKET)

    assert bench.waiting == first
    assert [shape[3] for shape in shapes(bench)] == ["49000", "52000"]


def test_an_order_that_only_reduces_begins_no_guards() -> None:
    bench = Bench()
    bench.buy("0.5")

    bench.create_with(bracket=Bracket(at(48000), None), side=SELL, quantity=D("0.2"), **MARKET)

    assert bench.waiting == []


def test_a_resting_order_begins_its_guards_with_its_first_fill() -> None:
    bench = Bench()
    bench.create_with(bracket=long(), price=D(49995), quantity=D("0.2"))
    assert bench.waiting == []

    bench.trade(49995, "0.05", SELL)
    assert [shape[2] for shape in shapes(bench)] == ["0.05", "0.05"]
    bench.trade(49995, "0.15", SELL)

    assert [shape[2] for shape in shapes(bench)] == ["0.20", "0.20"]


def test_a_limit_order_that_takes_at_once_begins_its_guards_at_once() -> None:
    bench = Bench()

    bench.create_with(bracket=long(), price=D(50000), quantity=D("0.2"))

    assert [shape[2] for shape in shapes(bench)] == ["0.2", "0.2"]


def test_a_conditional_order_brings_its_guards() -> None:
    bench = Bench()
    bench.wait(Stop(D(50100), rises=True), bracket=long(), quantity=D("0.2"))

    bench.trade(50100, 1, BUY)

    assert [shape[0] for shape in shapes(bench)] == [K.STOP_LOSS, K.TAKE_PROFIT]


def test_partial_guards_are_as_large_as_what_their_order_filled() -> None:
    bench = Bench()
    bench.buy("0.5")
    bracket = Bracket(at(51000, 51000), at(49000), whole=False)
    bench.create_with(bracket=bracket, price=D(49995), quantity=D("0.2"))

    bench.trade(49995, "0.05", SELL)
    bench.trade(49995, "0.15", SELL)

    assert shapes(bench) == [
        (K.PARTIAL_STOP_LOSS, SELL, "0.20", "49000"),
        (K.PARTIAL_TAKE_PROFIT, SELL, "0.20", "51000"),
    ]
    assert [order.order_type for order in bench.waiting] == [OrderType.MARKET, OrderType.LIMIT]


def test_of_two_partial_guards_the_one_that_triggers_ends_the_other() -> None:
    bench = Bench()
    bench.create_with(bracket=long(whole=False), quantity=D("0.2"), **MARKET)
    bench.buy("0.3")

    bench.trade(51000, 1, BUY)

    assert endings(bench) == [(K.PARTIAL_STOP_LOSS, "CancelByOCOSlCanceledByTpTriggered")]
    assert bench.exchange.positions(bench.now)[0].size == D("0.3")


def test_the_stop_loss_of_two_partial_guards_ends_the_take_profit() -> None:
    bench = Bench()
    bench.create_with(bracket=long(whole=False), quantity=D("0.2"), **MARKET)
    bench.buy("0.3")

    bench.trade(49000, 1, SELL)

    assert endings(bench) == [(K.PARTIAL_TAKE_PROFIT, "CancelByOCOTpCanceledBySlTriggered")]


def test_a_limit_take_profit_rests_and_only_reduces() -> None:
    bench = Bench()
    bracket = Bracket(at(51000, 51010), None, whole=False)
    bench.create_with(bracket=bracket, quantity=D("0.2"), **MARKET)

    bench.trade(51000, 1, BUY)
    resting = bench.exchange.open_orders[0]
    assert (resting.status, resting.price, resting.reduce_only) == (
        VenueStatus.NEW,
        D(51010),
        True,
    )
    bench.sell("0.2")

    assert bench.reports[-1].cancel_type == "CancelByReduceOnly"


def test_a_partial_guard_never_takes_more_than_the_position() -> None:
    bench = Bench()
    bench.create_with(bracket=long(None, 49000, whole=False), quantity=D("0.5"), **MARKET)
    bench.sell("0.4")
    assert [shape[2] for shape in shapes(bench)] == ["0.5"]

    bench.trade(49000, 1, SELL)

    assert bench.executions[-1].quantity == D("0.1")
    assert bench.exchange.positions(bench.now) == []


@pytest.mark.parametrize(
    ("bracket", "changes", "code"),
    [
        (long(50000), {"price": D(50000)}, 10001),
        (long(49000), {}, 10001),
        (long(None, 51000), {}, 10001),
        (long("51000.05"), {}, 10001),
        (Bracket(at(51000, -1), None), {}, 10001),
        (Bracket(at(48000), at(51000)), {}, 10001),
        (Bracket(at(51000), None), {"side": SELL}, 10001),
        (long(), {"reduce_only": True}, 10001),
        (long(), {"quantity": D("0.0001")}, 10001),
    ],
)
def test_guards_on_the_wrong_side_are_refused(
    bracket: Bracket, changes: dict[str, Any], code: int
) -> None:
    bench = Bench()

    bench.create_with(bracket=bracket, **changes)

    assert bench.answers[-1].code == code
    assert bench.exchange.open_orders == []


def test_the_guards_of_a_conditional_market_order_are_measured_from_its_trigger() -> None:
    bench = Bench()

    bench.wait(Stop(D(52000), rises=True), bracket=long(51000, None))
    bench.wait(Stop(D(52000), rises=True), bracket=long(53000, 51000))

    assert [answer.code for answer in bench.answers] == [10001, 0]


def test_twenty_partial_guards_of_a_kind_are_enough() -> None:
    bench = Bench()
    bench.buy("1")

    for _ in range(20):
        bench.guard(whole=False, take=at(51000), size=D("0.01"))
    bench.guard(110061, whole=False, take=at(51000), size=D("0.01"))
    bench.create_with(bracket=long(51000, None, whole=False), **MARKET)

    assert bench.answers[-1].code == 110061


def test_guards_are_changed_until_the_first_fill_and_not_after_it() -> None:
    bench = Bench()
    order = bench.create_with(bracket=long(), price=D(49995), quantity=D("0.2"))

    bench.amend_with(order, bracket=long(52000, None), rebrackets=True)
    assert bench.answers[-1].code == 0
    bench.amend_with(order, bracket=long(), rebrackets=True, quantity=D("0.3"))
    assert (bench.answers[-1].code, bench.reports[-1].quantity) == (0, D("0.3"))
    bench.amend_with(order, bracket=long(40000), rebrackets=True)
    assert bench.answers[-1].code == 10001
    bench.amend_with(order, bracket=None, rebrackets=True)
    assert bench.answers[-1].code == 0
    bench.amend_with(order, bracket=long(52000, None), rebrackets=True)
    bench.trade(49995, "0.05", SELL)
    assert [shape[3] for shape in shapes(bench)] == ["52000"]
    bench.amend_with(order, bracket=None, rebrackets=True)

    assert bench.answers[-1].code == 110059


def test_the_guards_of_a_waiting_order_are_changed_with_its_trigger() -> None:
    bench = Bench()
    order = bench.wait(Stop(D(50100), rises=True), bracket=long(), quantity=D("0.2"))

    bench.amend_with(order, trigger_price=D(50200), bracket=long(53000, None), rebrackets=True)
    bench.trade(50200, 1, BUY)

    assert shapes(bench) == [(K.TAKE_PROFIT, SELL, "0.2", "53000")]


def test_a_guard_is_amended_but_not_its_quantity() -> None:
    bench = Bench()
    bench.create_with(bracket=long(None, 49000), quantity=D("0.2"), **MARKET)
    guard = bench.waiting[0]
    ours = bench.order()
    ours.venue_order_id = guard.venue_order_id
    bench.amend_with(ours, quantity=D("0.1"))
    assert bench.answers[-1].code == 10001
    bench.amend_with(ours, trigger_price=D(49500))

    assert bench.answers[-1].code == 0
    assert shapes(bench) == [(K.STOP_LOSS, SELL, "0.2", "49500")]


def test_trading_stop_sets_changes_and_takes_away() -> None:
    bench = Bench()
    bench.buy("0.2")

    bench.guard(take=at(51000), stop=at(49000, by=TriggerBy.MARK))
    assert shapes(bench) == [
        (K.STOP_LOSS, SELL, "0.2", "49000"),
        (K.TAKE_PROFIT, SELL, "0.2", "51000"),
    ]
    bench.guard(stop=at(49500))
    assert [shape[3] for shape in shapes(bench)] == ["49500", "51000"]
    bench.guard(take=at(0))
    assert endings(bench) == [(K.TAKE_PROFIT, "CancelByUser")]

    bench.guard(34040, stop=at(49500))
    bench.guard(34040, take=at(0))
    bench.guard(34040)


def test_trading_stop_only_adds_partial_guards() -> None:
    bench = Bench()
    bench.buy("0.5")

    bench.guard(whole=False, take=at(51000), stop=at(49000), size=D("0.2"))
    bench.guard(whole=False, take=at(52000))
    bench.guard(34040, whole=False)

    assert shapes(bench) == [
        (K.PARTIAL_STOP_LOSS, SELL, "0.2", "49000"),
        (K.PARTIAL_TAKE_PROFIT, SELL, "0.2", "51000"),
        (K.PARTIAL_TAKE_PROFIT, SELL, "0.5", "52000"),
    ]
    bench.trade(51000, 1, BUY)
    assert endings(bench) == [(K.PARTIAL_STOP_LOSS, "CancelByOCOSlCanceledByTpTriggered")]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"take": at(49000)}, 10001),
        ({"stop": at(51000)}, 10001),
        ({"position_side": PositionSide.LONG}, 10001),
        ({"whole": False, "take": at(51000), "size": D(1)}, 10001),
        ({"whole": False, "take": at(51000), "size": D("0.0005")}, 10001),
        ({"whole": False, "take": at(51000), "size": D(0)}, 10001),
        ({"trailing": D("0.05")}, 10001),
        ({"trailing": D(-1)}, 10001),
        ({"trailing": D(60000)}, 10001),
        ({"trailing": D(100), "activation": D(49000)}, 10001),
        ({"trailing": D(100), "activation": D("51000.05")}, 10001),
        ({"instrument_id": InstrumentId("linear:NOPE")}, 10001),
    ],
)
def test_a_wrong_trading_stop_is_refused_and_changes_nothing(
    wanted: dict[str, Any], code: int
) -> None:
    bench = Bench()
    bench.buy("0.2")

    bench.guard(code, **wanted)

    assert bench.waiting == []


def test_a_flat_position_has_no_guards() -> None:
    bench = Bench()

    bench.guard(10001, take=at(51000))
    bench.buy("0.2")
    bench.sell("0.2")
    bench.guard(10001, take=at(51000))


def test_each_side_of_a_hedged_position_has_its_own_guards() -> None:
    bench = Bench(hedge_mode=True)
    for side, where in ((BUY, PositionSide.LONG), (SELL, PositionSide.SHORT)):
        bench.send(side=side, quantity=D("0.2"), position_side=where, **MARKET)

    bench.guard(position_side=PositionSide.LONG, stop=at(49000))
    bench.guard(position_side=PositionSide.SHORT, stop=at(51000))
    bench.trade(49000, 1, SELL)

    held = [(p.position_side, p.size) for p in bench.exchange.positions(bench.now)]
    assert held == [(PositionSide.SHORT, D("-0.2"))]
    assert shapes(bench) == [(K.STOP_LOSS, BUY, "0.2", "51000")]


@pytest.mark.parametrize(
    ("side", "prices", "closes"),
    [
        (BUY, (50100, 50300, 50201), False),
        (BUY, (50100, 50300, 50200), True),
        (BUY, (49895,), True),
        (SELL, (49900, 49700, 49799), False),
        (SELL, (49900, 49700, 49800), True),
    ],
)
def test_a_trailing_stop_stays_behind_the_best_price(
    side: Side, prices: tuple[int, ...], closes: bool
) -> None:
    bench = Bench()
    bench.send(side=side, quantity=D("0.2"), **MARKET)
    bench.guard(trailing=D(100))

    for price in prices:
        bench.trade(price, 1, BUY)

    assert (bench.exchange.positions(bench.now) == []) is closes


@pytest.mark.parametrize(
    ("side", "activation", "before", "after"),
    [(BUY, 51000, (50000, 49000, 50999), (51000, 50900)),
     (SELL, 49000, (50000, 51000, 49001), (49000, 49100))],
)  # fmt: skip
def test_a_trailing_stop_begins_at_its_activation(
    side: Side, activation: int, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    bench = Bench()
    bench.send(side=side, quantity=D("0.2"), **MARKET)
    bench.guard(trailing=D(100), activation=D(activation))

    for price in before:
        bench.trade(price, 1, BUY)
    assert len(bench.waiting) == 1
    for price in after:
        bench.trade(price, 1, BUY)

    assert bench.exchange.positions(bench.now) == []


def test_a_trailing_stop_is_replaced_and_taken_away() -> None:
    bench = Bench()
    bench.buy("0.2")
    bench.guard(trailing=D(100))

    bench.guard(34040, trailing=D(100))
    bench.guard(trailing=D(200))
    assert shapes(bench) == [(K.TRAILING, SELL, "0.2", "49795")]
    bench.guard(trailing=D(0))
    bench.guard(34040, trailing=D(0))

    assert endings(bench) == [(K.TRAILING, "CancelByUser")] * 2


def test_what_a_trailing_stop_has_reached_is_kept() -> None:
    bench = Bench()
    bench.buy("0.2")
    bench.guard(trailing=D(100))
    bench.exchange.changes()
    assert bench.exchange.changes() is None

    bench.trade(50500, 1, BUY)

    changed = bench.exchange.changes()
    assert changed is not None
    assert [row["stop"]["price"] for row in changed.orders] == ["50400"]


def a_spot_bench() -> Bench:
    bench = Bench(an_instrument(category=Category.SPOT), quote=False)
    bench.quote(instrument_id=SPOT)
    return bench


def test_a_filled_spot_order_leaves_a_pair_that_sells_what_it_bought() -> None:
    bench = a_spot_bench()

    order = bench.create_with(
        bracket=Bracket(at(51000, 51000), at(49000)),
        instrument_id=SPOT,
        price=D(50000),
        quantity=D("0.2"),
    )

    assert shapes(bench) == [
        (K.OCO, SELL, "0.199", "49000"),
        (K.OCO, SELL, "0.199", "51000"),
    ]
    assert {each.stop.parent for each in bench.waiting if each.stop} == {order.client_order_id}
    # What both would sell is kept back once.
    assert bench.exchange.account.wallets["BTC"].held == D("0.199")
    bench.trade(49000, 1, SELL, SPOT)
    assert bench.executions[-1].quantity == D("0.199")
    assert endings(bench) == [(K.OCO, "CancelByOCOTpCanceledBySlTriggered")]
    assert bench.exchange.account.wallets["BTC"].held == 0


def test_the_second_of_a_spot_pair_pays_with_what_the_first_kept_back() -> None:
    bench = a_spot_bench()
    bench.create_with(bracket=long(), instrument_id=SPOT, price=D(50000), quantity=D("0.2"))

    bench.trade(51000, 1, BUY, SPOT)

    assert bench.executions[-1].quantity == D("0.199")


def test_cancelling_one_of_a_spot_pair_ends_both() -> None:
    bench = a_spot_bench()
    bench.create_with(bracket=long(), instrument_id=SPOT, price=D(50000), quantity=D("0.2"))

    bench.exchange.admin.cancel(bench.waiting[0].venue_order_id, bench.now)
    bench.read()

    assert endings(bench) == [(K.OCO, "CancelByUser")] * 2
    assert bench.waiting == []


def test_a_lone_spot_guard_waits_until_its_order_has_filled() -> None:
    bench = a_spot_bench()
    bench.create_with(
        bracket=long(None, 49000), instrument_id=SPOT, price=D(49995), quantity=D("0.2")
    )

    bench.trade(49995, "0.1", SELL, SPOT)
    assert bench.waiting == []
    bench.trade(49995, "0.1", SELL, SPOT)

    assert [shape[0] for shape in shapes(bench)] == [K.SPOT_TPSL]


def test_a_spot_sale_is_guarded_by_purchases() -> None:
    bench = a_spot_bench()
    bench.buy("0.5", instrument_id=SPOT)
    bench.create_with(
        bracket=Bracket(at(49000), at(51000)),
        side=SELL,
        instrument_id=SPOT,
        price=D(49990),
        quantity=D("0.2"),
    )

    assert [(side, quantity) for _, side, quantity, _ in shapes(bench)] == [(BUY, "0.200")] * 2
    assert bench.exchange.account.wallets["USDT"].held == D("0.2") * 51000


def test_spot_coins_too_few_for_a_step_are_not_guarded() -> None:
    bench = a_spot_bench()
    bench.exchange.set_instrument(
        an_instrument(category=Category.SPOT, min_notional=D(0), taker_fee_rate=D("0.5"))
    )

    bench.create_with(bracket=long(), instrument_id=SPOT, price=D(50000), quantity=D("0.001"))

    assert (len(bench.executions), bench.waiting) == (1, [])


def test_a_spot_market_order_brings_no_guards() -> None:
    bench = a_spot_bench()

    bench.create_with(bracket=long(), instrument_id=SPOT, quantity=D("0.2"), **MARKET)

    assert bench.answers[-1].code == 10001


def test_guards_of_an_order_that_fails_its_fills_never_begin() -> None:
    bench = Bench()

    bench.create_with(
        bracket=long(),
        price=D(49500),
        quantity=D("0.2"),
        time_in_force=TimeInForce.IOC,
    )

    assert (bench.reports[-1].status, bench.waiting) == (VenueStatus.CANCELLED, [])


def test_a_pre_check_leaves_nothing_behind() -> None:
    bench = Bench()
    before = (bench.exchange.open_orders, bench.exchange.wallet(bench.now))

    draft, refusal = bench.exchange.pre_check(bench.order(quantity=D("0.2")), bench.now)
    assert (draft.quantity, refusal) == (D("0.2"), None)
    _, refusal = bench.exchange.pre_check(bench.order(quantity=D(40)), bench.now)
    assert refusal[0] == 110007
    nothing, refusal = bench.exchange.pre_check(
        bench.order(instrument_id=InstrumentId("linear:NOPE")), bench.now
    )

    assert (nothing, refusal[0]) == (None, 10001)
    assert (bench.exchange.open_orders, bench.exchange.wallet(bench.now)) == before
    assert bench.exchange.records.orders == {}


def test_the_guards_of_a_position_are_told_apart_from_what_else_waits() -> None:
    bench = Bench()
    bench.create_with(bracket=long(), **MARKET)
    bench.wait(Stop(D(52000), rises=True))

    position = bench.exchange.account.positions[BTC, PositionSide.BOTH]
    market = bench.exchange.account.markets[BTC]
    guards = dict(bench.exchange.guards_of(market, position))

    assert {kind: str(stop.price) for kind, stop in guards.items()} == {
        K.STOP_LOSS: "49000",
        K.TAKE_PROFIT: "51000",
    }
