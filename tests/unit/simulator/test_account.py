"""Money, positions and reduce-only: every amount by hand."""

import pytest

from order_domain.model.enums import Category, ExecutionKind, PositionSide, Side, VenueStatus
from order_domain.model.identifiers import InstrumentId
from tests.builders import BTC, NOW, D, an_instrument
from tests.unit.simulator.bench import Bench

SPOT = InstrumentId("spot:BTCUSDT")
INVERSE = InstrumentId("inverse:BTCUSD")
BOTH, LONG, SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT


def usdt(bench: Bench) -> tuple[str, str, str]:
    balance = bench.exchange.wallet(bench.now).balances[0]
    return tuple(
        str(amount.normalize()) for amount in (balance.wallet, balance.equity, balance.available)
    )


def size(bench: Bench, instrument: InstrumentId = BTC, side: PositionSide = BOTH) -> object:
    position = bench.exchange.account.positions.get((instrument, side))
    return None if position is None else position.size


def test_a_round_trip_costs_spread_and_fees() -> None:
    bench = Bench()

    bench.buy(1)
    bench.sell(1)

    # 50,000 x 0.00055 + 49,990 x 0.00055 in fees and 10 of spread.
    assert usdt(bench)[0] == str((D(100_000) - D("27.5") - D("27.4945") - 10).normalize())
    assert bench.exchange.positions(NOW) == []


def test_equity_follows_the_mark_and_margin_the_entry() -> None:
    bench = Bench()
    bench.buy(1)

    bench.quote(bid=D(50990), ask=D(51000), mark=D(51000))

    assert usdt(bench) == ("99972.5", "100972.5", "95972.5")


def test_a_flip_realises_the_old_side_and_opens_the_new_one() -> None:
    bench = Bench()
    bench.buy(1)

    bench.sell("1.5")

    report = bench.exchange.positions(NOW)[0]
    assert (report.size, report.average_price) == (D("-0.5"), D(49990))
    assert bench.exchange.account.positions[BTC, BOTH].realized == -10


def test_closing_needs_no_money() -> None:
    bench = Bench(balances={"USDT": D(5100)})
    bench.buy(1)
    bench.buy("0.1")
    assert bench.answers[-1].code == 110007

    bench.sell(1)

    assert bench.answers[-1].code == 0


def test_a_second_closing_order_counts_as_opening() -> None:
    bench = Bench(balances={"USDT": D(5100)})
    bench.buy(1)

    bench.sell(1, 50010)
    bench.sell(1, 50020)

    assert [a.code for a in bench.answers] == [0, 0, 110007]


def test_reduce_only_shrinks_to_the_position() -> None:
    bench = Bench()
    bench.buy("0.5")

    bench.sell(2, reduce_only=True)

    assert bench.reports[-1].quantity == D("0.5")
    assert bench.reports[-1].status is VenueStatus.FILLED
    assert size(bench) == 0


def test_reduce_only_on_the_same_side_or_flat_is_refused() -> None:
    bench = Bench()
    bench.sell("0.5", reduce_only=True)
    bench.buy("0.5")
    bench.buy("0.5", reduce_only=True)

    assert [a.code for a in bench.answers] == [110017, 0, 110017]


def test_resting_reduce_only_orders_shrink_and_end_with_their_position() -> None:
    bench = Bench()
    bench.buy(1)
    order = bench.sell(1, 50010, reduce_only=True)

    bench.sell("0.4")
    assert bench.reports_of(order)[-1].quantity == D("0.6")
    bench.sell("0.6")

    assert bench.reports_of(order)[-1].status is VenueStatus.CANCELLED
    assert bench.reports_of(order)[-1].cancel_type == "CancelByReduceOnly"


def test_reduce_only_may_be_amended_inside_its_position_only() -> None:
    bench = Bench()
    bench.buy(1)
    order = bench.sell("0.5", 50010, reduce_only=True)

    bench.amend(order, quantity=1)
    bench.amend(order, quantity="1.001")

    assert [a.code for a in bench.answers[-2:]] == [0, 110017]


def test_hedge_mode_keeps_two_positions() -> None:
    bench = Bench(hedge_mode=True)

    bench.buy(1, position_side=LONG)
    bench.sell("0.4", position_side=SHORT)
    bench.sell(3, position_side=LONG)
    bench.buy("0.1", position_side=SHORT)

    assert size(bench, side=LONG) == 0
    assert size(bench, side=SHORT) == D("-0.3")
    assert bench.reports[2].quantity == 1
    assert bench.reports[2].reduce_only


def test_a_hedged_close_without_a_position_is_refused() -> None:
    bench = Bench(hedge_mode=True)

    bench.sell(1, position_side=LONG)

    assert bench.answers[0].code == 110017


def test_a_spot_buy_spends_the_coin_in_full_and_pays_its_fee_in_what_it_receives() -> None:
    bench = Bench(an_instrument(category=Category.SPOT))
    bench.quote(instrument_id=SPOT)

    bench.buy(1, instrument_id=SPOT)
    bench.sell("0.5", instrument_id=SPOT)

    assert [(f.fee, f.fee_coin) for f in bench.executions] == [
        (D("0.00055"), "BTC"),
        (D("13.747250"), "USDT"),
    ]
    wallets = {b.coin: b.wallet for b in bench.wallets[-1].balances}
    assert wallets == {
        "USDT": D(50_000) + D(24_995) - D("13.74725"),
        "BTC": D("0.49945"),
    }
    assert bench.exchange.positions(NOW) == []


def test_a_resting_spot_order_holds_what_it_pays_with() -> None:
    bench = Bench(an_instrument(category=Category.SPOT), balances={"USDT": D(60_000), "BTC": D(1)})
    bench.quote(instrument_id=SPOT)
    bench.buy(1, 49990, instrument_id=SPOT)
    bench.sell("0.7", 50010, instrument_id=SPOT)

    available = {b.coin: b.available for b in bench.wallets[-1].balances}
    assert available == {"USDT": D(10_010), "BTC": D("0.3")}
    bench.buy("0.3", 49990, instrument_id=SPOT)
    bench.sell("0.4", 50010, instrument_id=SPOT)
    assert [a.code for a in bench.answers[-2:]] == [170131, 170131]


def test_a_partly_filled_spot_order_that_ends_has_its_own_status() -> None:
    bench = Bench(an_instrument(category=Category.SPOT))
    bench.quote(instrument_id=SPOT, ask_size=D("0.5"))

    bench.buy(1, instrument_id=SPOT)

    assert bench.reports[-1].status is VenueStatus.PARTIALLY_FILLED_CANCELLED


def test_a_spot_rebate_is_paid_in_the_other_coin() -> None:
    bench = Bench(an_instrument(category=Category.SPOT, maker_fee_rate=D("-0.0001")))
    bench.quote(instrument_id=SPOT)
    bench.buy(1, 49995, instrument_id=SPOT)

    bench.trade(49995, 1, Side.SELL, SPOT)

    assert (bench.executions[0].fee, bench.executions[0].fee_coin) == (D("-4.9995"), "USDT")
    wallets = {b.coin: b.wallet for b in bench.wallets[-1].balances}
    assert wallets == {"USDT": D(50_005) + D("4.9995"), "BTC": D(1)}


def test_an_inverse_contract_is_worth_coin() -> None:
    bench = Bench(
        an_instrument(
            category=Category.INVERSE,
            symbol="BTCUSD",
            quote_coin="USD",
            settle_coin="BTC",
            quantity_step=D(1),
            min_quantity=D(1),
            max_quantity=D(1_000_000),
            max_market_quantity=D(1_000_000),
        ),
        balances={"BTC": D(1)},
    )
    bench.quote(instrument_id=INVERSE, ask_size=D(100_000), bid_size=D(100_000))
    bench.buy(50_000, instrument_id=INVERSE)
    bench.quote(
        instrument_id=INVERSE,
        bid=D(62_500),
        ask=D(62_501),
        ask_size=D(100_000),
        bid_size=D(100_000),
        mark=D(62_500),
    )

    assert bench.executions[0].fee == D("0.00055")
    assert bench.exchange.wallet(NOW).balances[0].equity == D("0.99945") + D("0.2")
    bench.sell(50_000, instrument_id=INVERSE)
    assert bench.exchange.wallet(NOW).balances[0].wallet == D("0.99945") + D("0.2") - D("0.00044")


def test_funding_is_paid_by_longs_and_received_by_shorts() -> None:
    bench = Bench(hedge_mode=True)
    bench.buy(1, position_side=LONG)
    bench.sell("0.5", position_side=SHORT)
    bench.quote(mark=D(50_000))
    before = bench.exchange.account.wallets["USDT"].total

    bench.exchange.admin.fund(BTC, D("0.0001"), bench.now)
    bench.read()

    funding = [f for f in bench.executions if f.kind is ExecutionKind.FUNDING]
    assert [(f.position_side, f.fee, f.quantity) for f in funding] == [
        (LONG, D("5.0000"), D(0)),
        (SHORT, D("-2.50000"), D(0)),
    ]
    assert bench.exchange.account.wallets["USDT"].total == before - D("2.5")


def test_a_liquidation_cancels_and_closes_by_orders_nobody_sent() -> None:
    bench = Bench()
    bench.buy(1)
    resting = bench.buy(1, 49000)
    bench.quote(mark=D(48_000))

    bench.exchange.admin.liquidate(BTC, bench.now)
    bench.read()

    last = bench.executions[-1]
    assert (last.kind, last.price, last.quantity, last.client_order_id) == (
        ExecutionKind.LIQUIDATION,
        D(48_000),
        D(1),
        "",
    )
    assert bench.reports_of(resting)[-1].cancel_type == "CancelAllBeforeLiq"
    assert bench.exchange.positions(NOW) == []


def test_a_deleveraging_leaves_the_orders_alone() -> None:
    bench = Bench()
    bench.buy(1)
    bench.buy(1, 49000)

    bench.exchange.admin.liquidate(BTC, bench.now, kind=ExecutionKind.ADL)
    bench.read()

    assert bench.executions[-1].kind is ExecutionKind.ADL
    assert len(bench.exchange.open_orders) == 1


def test_somebody_else_places_and_cancels_orders_of_the_account() -> None:
    bench = Bench()
    admin = bench.exchange.admin

    order_id = admin.place(BTC, Side.BUY, D(1), bench.now, price=D(49000))
    bench.read()
    assert (bench.reports[-1].client_order_id, bench.reports[-1].venue_order_id) == ("", order_id)
    assert admin.cancel(order_id, bench.now)
    assert not admin.cancel(order_id, bench.now)


def test_a_foreign_order_the_exchange_refuses_says_why() -> None:
    bench = Bench()

    with pytest.raises(ValueError, match="110007"):
        bench.exchange.admin.place(BTC, Side.BUY, D(40), bench.now)


def test_an_order_without_client_id_is_cancelled_by_its_venue_id() -> None:
    bench = Bench()
    order_id = bench.exchange.admin.place(BTC, Side.BUY, D(1), bench.now, price=D(49000))

    bench.cancel(bench.order(client_order_id="adopted", venue_order_id=order_id))

    assert bench.answers[-1].code == 0
    assert bench.exchange.open_orders == []
