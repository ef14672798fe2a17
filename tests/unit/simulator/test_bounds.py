"""What the simulated exchange refuses to be told, forgets, and does not need to know."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_adapters.simulator import MarketTrade, SimulatedExchange, SimulatorConfig
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, PositionSide, Side, TimeInForce, VenueStatus
from order_domain.model.identifiers import InstrumentId
from tests.builders import BTC, NOW, D, a_quote, an_instrument
from tests.unit.simulator.bench import Bench, ms

DAY = timedelta(days=1)
INVERSE = InstrumentId("inverse:BTCUSD")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment", "moon"),
        ("latency", ms(-1)),
        ("jitter", ms(-1)),
        ("visibility", ms(-1)),
        ("recv_window", ms(0)),
        ("answer_timeout", ms(0)),
        ("history_limit", ms(0)),
        ("walk_levels", -1),
        ("price_band", D("-0.1")),
        ("max_open_orders", 0),
        ("rate_limit", 0),
        ("balances", {"USDT": D(-1)}),
        ("balances", {"USDT": Decimal("NaN")}),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as refused:
        SimulatorConfig(**{name: value})

    assert refused.value.details["field"] == name


def test_news_of_other_symbols_is_not_ours() -> None:
    bench = Bench()
    bench.exchange.on_quote(a_quote(instrument_id="linear:NOPE"), bench.now)
    bench.exchange.on_trade(
        MarketTrade(InstrumentId("linear:NOPE"), D(1), D(1), Side.BUY, bench.now), bench.now
    )

    assert bench.exchange.poll(bench.now) == []


def test_an_amend_or_cancel_of_an_unknown_symbol_is_refused() -> None:
    bench = Bench()

    bench.cancel(bench.order(instrument_id="linear:NOPE"))

    assert bench.answers[0].code == 10001


def test_orders_rest_and_are_refused_without_a_quote() -> None:
    bench = Bench(quote=False)

    bench.buy("0.02", 49990)
    bench.buy("0.02", 49990, time_in_force=TimeInForce.FOK)
    bench.trade(49990, 5, Side.SELL)
    bench.trade(49980, "0.02", Side.SELL)

    assert [r.status for r in bench.reports] == [
        VenueStatus.NEW,
        VenueStatus.CANCELLED,
        VenueStatus.FILLED,
    ]


def test_funding_and_liquidation_need_a_mark_and_a_position() -> None:
    bench = Bench()
    bench.exchange.admin.liquidate(BTC, bench.now)
    bench.exchange.admin.fund(BTC, D("0.01"), bench.now)
    assert bench.exchange.poll(bench.now) == []

    bench.buy(1)
    restored = SimulatedExchange(instruments=bench.exchange.instruments)
    restored.restore(bench.exchange.state())
    with pytest.raises(InvalidValue, match="quote"):
        restored.admin.fund(BTC, D("0.01"), bench.now)


def test_what_ended_unfilled_is_found_for_a_day_only() -> None:
    bench = Bench()
    order = bench.buy("0.02", 49990)
    bench.cancel(order)
    filled = bench.buy("0.02")

    bench.now += DAY
    bench.look_up(order.client_order_id)
    bench.now += ms(1)
    bench.look_up(order.client_order_id)
    bench.look_up(filled.client_order_id)

    assert [found.order is not None for found in bench.lookups] == [True, False, True]


def test_a_sweep_begins_where_it_is_told() -> None:
    bench = Bench()
    bench.buy("0.02")
    bench.now += ms(10)
    later = bench.buy("0.02")

    bench.sweep(since=bench.now)
    bench.sweep()

    assert [e.client_order_id for e in bench.sweeps[0].executions] == [later.client_order_id]
    assert len(bench.sweeps[1].executions) == 2


def test_a_first_sweep_shows_what_filled_the_orders_that_are_still_open() -> None:
    bench = Bench()
    bench.buy("0.02")
    bench.now += ms(10)
    resting = bench.buy("0.1", 49990)
    for size in (2, 1, "0.04"):
        bench.trade(49990, size, Side.SELL)
    bench.now += ms(10)

    bench.sweep(since=bench.now)
    bench.sweep(since=bench.now, first=True)

    assert bench.sweeps[0].executions == ()
    shown = bench.sweeps[1]
    assert [each.client_order_id for each in shown.orders] == [resting.client_order_id]
    assert [each.client_order_id for each in shown.executions] == [resting.client_order_id]


def test_history_is_bounded_when_it_is_told_to_be() -> None:
    bench = Bench(history_limit=ms(100))
    for _ in range(300):
        bench.buy("0.001")
        bench.now += ms(1)

    records = bench.exchange.records
    assert len(records.orders) <= 102
    assert len(records.executions) <= 102


def test_a_part_of_an_inverse_position_takes_its_share_of_the_cost() -> None:
    instrument = an_instrument(
        category=Category.INVERSE,
        symbol="BTCUSD",
        quote_coin="USD",
        settle_coin="BTC",
        quantity_step=D(1),
        min_quantity=D(1),
        max_quantity=D(1_000_000),
        max_market_quantity=D(1_000_000),
    )
    bench = Bench(instrument, balances={"BTC": D(10)})
    sizes = {"ask_size": D(10**6), "bid_size": D(10**6), "instrument_id": INVERSE}
    bench.quote(**sizes)
    bench.sell(30_000, instrument_id=INVERSE)
    bench.quote(bid=D(40_000), ask=D(40_001), **sizes)

    bench.buy(10_000, instrument_id=INVERSE)
    bench.buy(20_001, instrument_id=INVERSE)

    position = bench.exchange.account.positions[INVERSE, PositionSide.BOTH]
    entry = (D(30_000) / D(49_990)).quantize(D("1e-12"))
    exits = (D(10_000) / D(40_001)).quantize(D("1e-12")) + (D(20_000) / D(40_001)).quantize(
        D("1e-12")
    )
    assert position.size == 1
    assert position.realized == exits - entry
    assert position.average_price() == D(1) / position.cost
    wallet = bench.exchange.wallet(NOW).balances[0].wallet
    assert wallet == 10 + position.realized - position.fees


def test_a_walk_stops_at_the_bottom_of_prices_and_fok_counts_it() -> None:
    bench = Bench(walk_levels=3, price_band=D(1))
    bench.quote(bid=D("0.2"), ask=D("0.3"), bid_size=D(10), ask_size=D(10))
    bench.sell(30)
    assert [(f.price, f.quantity) for f in bench.executions] == [
        (D("0.2"), D(10)),
        (D("0.1"), D(10)),
    ]

    bench.clear()
    bench.quote(bid=D("100.2"), ask=D("100.3"), bid_size=D(10), ask_size=D(10))
    bench.buy(25, "100.5", time_in_force=TimeInForce.FOK)
    bench.buy(25, "100.4", time_in_force=TimeInForce.FOK)

    assert [f.quantity for f in bench.executions] == [D(10), D(10), D(5)]
    assert bench.reports[-1].reject_reason == "EC_CancelForNoFullFill"
