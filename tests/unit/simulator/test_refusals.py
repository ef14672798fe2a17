"""Every no of the exchange, with Bybit's code."""

from collections.abc import Callable

import pytest

from order_domain.model.enums import (
    AnswerOutcome,
    Category,
    InstrumentStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.instrument import Instrument
from tests.builders import D, an_instrument
from tests.unit.simulator.bench import Bench, ms

SPOT = "spot:BTCUSDT"


def spot(**changes: object) -> Instrument:
    return an_instrument(category=Category.SPOT, **changes)


@pytest.mark.parametrize(
    ("changes", "code", "spot_code"),
    [
        ({"quantity": D("0.0205")}, 10001, 170137),
        ({"quantity": D(0)}, 10001, 10001),
        ({"quantity": D("NaN")}, 10001, 10001),
        ({"quantity": D(101)}, 10001, 170124),
        ({"price": D("49990.05")}, 10001, 170134),
        ({"price": D(0)}, 10001, 10001),
        ({"price": None}, 10001, 10001),
        ({"price": D(55000)}, 110003, 170193),
        ({"price": D(44000), "side": Side.SELL}, 110003, 170194),
        ({"price": D("10000000.1")}, 110003, 170193),
        ({"price": D(1000), "quantity": D("0.004")}, 110094, 170140),
        ({"quantity": D(30)}, 110007, 170131),
        ({"client_order_id": "no spaces"}, 10001, 10001),
        ({"client_order_id": "x" * 37}, 10001, 10001),
        ({"client_order_id": "ümlaut"}, 10001, 10001),
        ({"position_side": PositionSide.LONG}, 10001, 10001),
        ({"reduce_only": True}, 110017, 10001),
        ({"instrument_id": "linear:NOPEUSDT"}, 10001, 10001),
    ],
)
def test_a_wrong_order_is_refused_with_its_code_and_nothing_else_happens(
    changes: dict[str, object], code: int, spot_code: int
) -> None:
    for instrument, expected in ((an_instrument(), code), (spot(), spot_code)):
        bench = Bench(instrument)
        bench.quote(instrument_id=instrument.id)

        bench.send(**{"instrument_id": instrument.id} | changes)

        assert [answer.code for answer in bench.answers] == [expected]
        assert bench.answers[0].venue_order_id == ""
        assert bench.answers[0].text
        assert len(bench.got) == 1


def test_a_minimum_quantity_binds() -> None:
    for instrument, code in ((an_instrument(), 10001), (spot(), 170136)):
        bench = Bench(attrs_evolve(instrument))
        bench.quote(instrument_id=instrument.id)

        bench.send(quantity=D("0.001"), instrument_id=instrument.id)

        assert bench.answers[0].code == code


def attrs_evolve(instrument: Instrument) -> Instrument:
    return an_instrument(category=instrument.category, min_quantity=D("0.005"))


@pytest.mark.parametrize(("build", "code"), [(an_instrument, 110072), (spot, 170141)])
def test_a_client_order_id_serves_once_as_long_as_its_order_is_remembered(
    build: Callable[[], Instrument], code: int
) -> None:
    instrument = build()
    bench = Bench(instrument, history_limit=ms(2000))
    bench.quote(instrument_id=instrument.id)
    order = bench.send(instrument_id=instrument.id, client_order_id="once")
    bench.cancel(order)

    bench.send(instrument_id=instrument.id, client_order_id="once")
    bench.now += ms(1000)
    other = bench.send(instrument_id=instrument.id)
    bench.cancel(other)
    bench.send(instrument_id=instrument.id, client_order_id="once")
    bench.now += ms(3000)
    bench.cancel(bench.send(instrument_id=instrument.id))
    bench.send(instrument_id=instrument.id, client_order_id="once")

    duplicates = [a for a in bench.answers if a.outcome is AnswerOutcome.EXISTS]
    assert [a.code for a in duplicates] == [code, code]


def test_a_refused_create_does_not_use_up_its_id() -> None:
    bench = Bench()
    bench.send(client_order_id="again", quantity=D(0))

    bench.send(client_order_id="again")

    assert bench.answers[-1].outcome is AnswerOutcome.ACCEPTED


def test_an_order_too_old_or_from_the_future_is_refused() -> None:
    bench = Bench()
    window = bench.exchange.config.recv_window

    bench.send(request_ts=bench.now - window)
    bench.send(request_ts=bench.now - window - ms(1))
    bench.send(request_ts=bench.now + ms(999))
    bench.send(request_ts=bench.now + ms(1000))

    assert [a.code for a in bench.answers] == [0, 10002, 0, 10002]
    assert bench.answers[1].outcome is AnswerOutcome.CLOCK


def test_the_rate_limit_counts_a_rolling_second_per_kind() -> None:
    bench = Bench(rate_limit=2)
    orders = [bench.send() for _ in range(3)]
    bench.cancel(orders[0])
    assert [a.code for a in bench.answers] == [0, 0, 10006, 0]
    assert bench.answers[2].outcome is AnswerOutcome.NOT_ACCEPTED

    bench.now += ms(1000)
    bench.send()

    assert bench.answers[-1].code == 0


@pytest.mark.parametrize(("build", "code"), [(an_instrument, 110020), (spot, 170810)])
def test_active_orders_are_limited(build: Callable[[], Instrument], code: int) -> None:
    instrument = build()
    bench = Bench(instrument, max_open_orders=2)
    bench.quote(instrument_id=instrument.id)

    for _ in range(3):
        bench.send(instrument_id=instrument.id)

    assert [a.code for a in bench.answers] == [0, 0, code]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (InstrumentStatus.CLOSED, 110074),
        (InstrumentStatus.PRE_LAUNCH, 110074),
        (InstrumentStatus.DELIVERING, 110023),
    ],
)
def test_a_symbol_that_does_not_trade_takes_no_opening_order(
    status: InstrumentStatus, code: int
) -> None:
    bench = Bench()
    bench.buy("0.02")
    bench.exchange.set_instrument(an_instrument(status=status))
    bench.send()
    assert bench.answers[-1].code == code

    bench.sell("0.02", reduce_only=True)

    assert bench.answers[-1].code == (0 if status is InstrumentStatus.DELIVERING else code)


@pytest.mark.parametrize(
    ("build", "missing", "filled", "cancelled"),
    [(an_instrument, 110001, 110008, 110010), (spot, 170213, 170213, 170213)],
)
def test_what_is_not_open_is_not_amended_or_cancelled(
    build: Callable[[], Instrument], missing: int, filled: int, cancelled: int
) -> None:
    instrument = build()
    bench = Bench(instrument)
    bench.quote(instrument_id=instrument.id)
    never = bench.order(instrument_id=instrument.id)
    done = bench.buy("0.02", instrument_id=instrument.id)
    ended = bench.buy("0.02", 49990, instrument_id=instrument.id)
    bench.cancel(ended)
    bench.clear()

    for order in (never, done, ended):
        bench.cancel(order)
        bench.amend(order, quantity="0.03")

    expected = [missing, missing, filled, filled, cancelled, cancelled]
    assert [a.code for a in bench.answers] == expected
    assert {a.outcome for a in bench.answers} == {AnswerOutcome.NOT_FOUND}
    assert bench.reports == []


def test_an_order_is_not_found_under_another_symbol() -> None:
    bench = Bench(an_instrument(), an_instrument(symbol="ETHUSDT", base_coin="ETH"))
    order = bench.send()
    other = bench.order(client_order_id=order.client_order_id, instrument_id="linear:ETHUSDT")

    bench.cancel(other)

    assert bench.answers[-1].code == 110001


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, 10001),
        ({"price": "49990.05"}, 10001),
        ({"quantity": "0.1005"}, 10001),
        ({"quantity": "0.04"}, 110064),
        ({"price": "56000"}, 110003),
        ({"quantity": "30"}, 110007),
        ({"price": "40", "quantity": "0.06"}, 110094),
    ],
)
def test_a_wrong_amend_is_refused_and_changes_nothing(values: dict[str, str], code: int) -> None:
    bench = Bench()
    order = bench.buy("0.1", 49995)
    bench.trade(49995, "0.04", Side.SELL)
    before = bench.exchange.open_orders

    bench.amend(order, **values)

    assert bench.answers[-1].code == code
    assert bench.exchange.open_orders == before


def test_amending_a_spot_order_below_its_fills_has_its_own_code() -> None:
    bench = Bench(spot())
    bench.quote(instrument_id=SPOT)
    order = bench.buy("0.1", 49995, instrument_id=SPOT)
    bench.trade(49995, "0.04", Side.SELL, SPOT)

    bench.amend(order, quantity="0.03")

    assert bench.answers[-1].code == 170313


def test_amending_a_spot_order_to_its_fills_ends_it_filled() -> None:
    bench = Bench(spot())
    bench.quote(instrument_id=SPOT)
    order = bench.buy("0.1", 49995, instrument_id=SPOT)
    bench.trade(49995, "0.04", Side.SELL, SPOT)

    bench.amend(order, quantity="0.04")

    assert bench.answers[-1].code == 0
    last = bench.reports[-1]
    assert (last.status, last.quantity) == (VenueStatus.FILLED, D("0.04"))
    assert bench.exchange.open_orders == []


def test_hedge_mode_wants_a_position_side_and_one_way_mode_none() -> None:
    bench = Bench(hedge_mode=True)

    bench.send()
    bench.send(position_side=PositionSide.LONG)

    assert [a.code for a in bench.answers] == [10001, 0]


def test_an_unfilled_immediate_order_needs_its_money_all_the_same() -> None:
    bench = Bench(balances={"USDT": D(10)})

    bench.send(order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC)

    assert bench.answers[0].code == 110007
