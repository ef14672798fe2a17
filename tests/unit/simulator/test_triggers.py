"""Conditional orders: nothing before their price, an ordinary order after it."""

from typing import Any

import pytest

from order_adapters.simulator.stop import Stop, StopKind, TriggerBy
from order_domain.model.enums import (
    Category,
    InstrumentStatus,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.identifiers import InstrumentId
from tests.builders import BTC, D, an_instrument
from tests.unit.simulator.bench import Bench

BUY, SELL = Side.BUY, Side.SELL
SPOT = InstrumentId("spot:BTCUSDT")
S = VenueStatus


def rises(price: Any, **more: Any) -> Stop:
    return Stop(D(price), rises=True, **more)


def falls(price: Any, **more: Any) -> Stop:
    return Stop(D(price), rises=False, **more)


def statuses(bench: Bench, order: Any) -> list[VenueStatus]:
    return [report.status for report in bench.reports_of(order)]


def a_spot_bench(**config: Any) -> Bench:
    bench = Bench(an_instrument(category=Category.SPOT), quote=False, **config)
    bench.quote(instrument_id=SPOT)
    return bench


def test_a_conditional_order_waits_and_holds_nothing() -> None:
    bench = Bench()

    order = bench.wait(rises(50100))

    assert statuses(bench, order) == [S.UNTRIGGERED]
    assert [each.status for each in bench.exchange.open_orders] == [S.UNTRIGGERED]
    assert bench.wallets == []
    assert bench.exchange.account.wallets["USDT"].held == 0


def test_it_is_triggered_and_then_takes_like_a_market_order() -> None:
    bench = Bench()
    order = bench.wait(rises(50100), quantity=D("0.5"))

    bench.trade(50099.9, 1, BUY)
    assert bench.executions == []
    bench.trade(50100, 1, BUY)

    assert statuses(bench, order) == [S.UNTRIGGERED, S.TRIGGERED, S.FILLED]
    fill = bench.executions[0]
    assert (fill.price, fill.quantity, fill.is_maker) == (D(50000), D("0.5"), False)
    assert bench.exchange.open_orders == []


def test_a_limit_order_rests_behind_those_that_came_before_its_trigger() -> None:
    bench = Bench()
    first = bench.wait(falls(49990), price=D(49980), quantity=D("0.1"))
    second = bench.buy("0.1", 49980)
    bench.trade(49990, 1, SELL)
    assert statuses(bench, first) == [S.UNTRIGGERED, S.TRIGGERED, S.NEW]
    assert bench.exchange.account.wallets["USDT"].held > 0

    bench.quote(bid=D(49980), bid_size=D(0), ask=D(49990))
    bench.trade(49980, "0.1", SELL)

    assert [fill.client_order_id for fill in bench.executions] == [second.client_order_id]


@pytest.mark.parametrize("by", [TriggerBy.MARK, TriggerBy.INDEX])
def test_mark_and_index_are_looked_at_where_they_are_named(by: TriggerBy) -> None:
    bench = Bench()
    order = bench.wait(falls(49900, by=by))
    bench.trade(49800, 1, SELL)
    assert statuses(bench, order) == [S.UNTRIGGERED]

    bench.quote(bid=D(49990), ask=D(50000), mark=D(49900))

    assert statuses(bench, order)[-1] is S.FILLED


def test_the_last_price_is_the_mid_of_the_first_quote_until_there_is_a_trade() -> None:
    bench = Bench()
    order = bench.wait(falls(49900))

    bench.quote(bid=D(49000), ask=D(49010))

    assert statuses(bench, order) == [S.UNTRIGGERED]
    assert bench.exchange.account.markets[BTC].last == D(49995)


def test_without_any_price_nothing_waits() -> None:
    bench = Bench(quote=False)

    bench.wait(rises(50100))

    assert bench.answers[-1].code == 10001


def test_a_trade_before_the_first_quote_is_the_last_price() -> None:
    bench = Bench(quote=False)
    bench.trade(50050, 1, BUY)
    bench.quote()

    bench.wait(rises(50040))
    bench.wait(rises(50060))

    assert [answer.code for answer in bench.answers] == [110092, 0]


def test_a_restored_order_waits_for_the_first_mark_price() -> None:
    bench = Bench()
    bench.wait(rises(50100, by=TriggerBy.MARK))
    other = Bench(quote=False)
    other.exchange.restore(bench.exchange.state())

    other.trade(60000, 1, BUY)
    assert [order.status for order in other.waiting] == [S.UNTRIGGERED]
    other.quote(bid=D(50100), ask=D(50102))

    assert other.waiting == []


def test_orders_trigger_oldest_first() -> None:
    bench = Bench()
    names = [bench.wait(rises(price)).client_order_id for price in (50200, 50100)]

    bench.trade(50300, 1, BUY)

    assert [fill.client_order_id for fill in bench.executions] == names


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (rises(49995), 110092),
        (rises(49990), 110092),
        (falls(50000), 110093),
        (rises("50100.05"), 10001),
        (rises(0), 10001),
        (rises("Infinity"), 10001),
    ],
)
def test_a_condition_that_is_none_is_refused(stop: Stop, code: int) -> None:
    bench = Bench()

    bench.wait(stop)

    assert bench.answers[-1].code == code
    assert bench.waiting == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": D("0.0005")}, 10001),
        ({"price": None}, 10001),
        ({"price": D(56000)}, 110003),
        ({"price": D("49990.05")}, 10001),
        ({"quantity": D("0.001"), "price": D(4000)}, 110094),
        ({"position_side": PositionSide.LONG}, 10001),
    ],
)
def test_what_is_wrong_with_any_order_is_wrong_with_one_that_waits(
    changes: dict[str, Any], code: int
) -> None:
    bench = Bench(price_band=D(1) if changes.get("price") == D(4000) else D("0.1"))

    bench.wait(rises(50100), **changes)

    assert bench.answers[-1].code == code


def test_the_band_of_a_waiting_limit_is_measured_from_its_trigger() -> None:
    bench = Bench()

    bench.wait(rises(60000), price=D(61000))

    assert bench.answers[-1].code == 0


def test_ten_orders_wait_for_one_symbol_and_no_more() -> None:
    bench = Bench()

    for _ in range(11):
        bench.wait(rises(50100))

    assert [answer.code for answer in bench.answers] == [0] * 10 + [110009]


def test_thirty_orders_of_a_kind_wait_for_one_spot_symbol_and_no_more() -> None:
    bench = a_spot_bench()

    for _ in range(31):
        bench.wait(rises(50100), instrument_id=SPOT)
    bench.wait(rises(50100, kind=StopKind.SPOT_TPSL), instrument_id=SPOT)

    assert [answer.code for answer in bench.answers] == [0] * 30 + [170810, 0]


def test_they_count_among_the_open_orders_of_spot() -> None:
    bench = a_spot_bench(max_open_orders=1)
    bench.wait(rises(50100), instrument_id=SPOT)

    bench.buy("0.1", 49000, instrument_id=SPOT)
    bench.wait(rises(50200), instrument_id=SPOT)

    assert [answer.code for answer in bench.answers] == [0, 170810, 170810]


def test_a_waiting_order_is_cancelled_as_deactivated() -> None:
    bench = Bench()
    order = bench.wait(rises(50100))

    bench.cancel(order)
    bench.trade(50200, 1, BUY)

    last = bench.reports_of(order)[-1]
    assert (last.status, last.cancel_type) == (S.DEACTIVATED, "CancelByUser")
    assert bench.executions == []
    bench.cancel(order)
    assert bench.answers[-1].code == 110010


def test_a_waiting_order_is_amended_and_waits_for_its_new_price() -> None:
    bench = Bench()
    order = bench.wait(rises(50100))

    bench.amend_with(order, trigger_price=D(50200), trigger_by=TriggerBy.MARK, quantity=D("0.3"))
    assert bench.answers[-1].code == 0
    assert (bench.reports[-1].status, bench.reports[-1].quantity) == (S.UNTRIGGERED, D("0.3"))
    bench.trade(50200, 1, BUY)
    assert bench.executions == []
    bench.quote(bid=D(50199), ask=D(50201))

    assert [(fill.price, fill.quantity) for fill in bench.executions] == [(D(50201), D("0.3"))]


def test_a_plain_amend_changes_price_and_quantity_of_what_waits() -> None:
    bench = Bench()
    order = bench.wait(rises(50100), price=D(50050))

    bench.amend(order, price=50060, quantity="0.4")

    assert bench.answers[-1].code == 0
    assert (bench.reports[-1].price, bench.reports[-1].quantity) == (D(50060), D("0.4"))
    assert bench.waiting[0].price == D(50060)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, 10001),
        ({"trigger_price": D(49000)}, 110092),
        ({"trigger_price": D("50100.01")}, 10001),
        ({"quantity": D("0.0001")}, 10001),
        ({"price": D(70000)}, 110003),
    ],
)
def test_a_wrong_amend_of_what_waits_changes_nothing(values: dict[str, Any], code: int) -> None:
    bench = Bench()
    order = bench.wait(rises(50100), price=D(50050))
    before = bench.exchange.state().orders

    bench.amend_with(order, **values)

    assert bench.answers[-1].code == code
    assert bench.exchange.state().orders == before


def test_a_trigger_price_means_nothing_to_an_order_that_rests() -> None:
    bench = Bench()
    order = bench.buy("0.1", 49990)

    bench.amend_with(order, trigger_price=D(50100), price=D(49980))

    assert bench.answers[-1].code == 0
    assert (bench.reports[-1].status, bench.reports[-1].price) == (S.NEW, D(49980))


def test_one_that_nobody_can_pay_is_cancelled_when_its_price_comes() -> None:
    bench = Bench(balances={"USDT": D(100)})
    order = bench.wait(rises(50100), quantity=D("0.5"))

    bench.trade(50100, 1, BUY)

    assert statuses(bench, order) == [S.UNTRIGGERED, S.TRIGGERED, S.CANCELLED]
    assert bench.reports[-1].cancel_type == "CancelByCannotAffordOrderCost"
    assert bench.executions == []


def test_a_reducer_takes_no_more_than_there_is_when_its_price_comes() -> None:
    bench = Bench()
    order = bench.wait(falls(49900), side=SELL, quantity=D("0.5"), reduce_only=True)
    bench.buy("0.2")

    bench.trade(49900, 1, SELL)

    assert bench.executions[-1].quantity == D("0.2")
    assert bench.reports_of(order)[-1].quantity == D("0.2")
    assert bench.exchange.positions(bench.now) == []


def test_a_reducer_without_a_position_is_cancelled_when_its_price_comes() -> None:
    bench = Bench()
    order = bench.wait(falls(49900), side=SELL, reduce_only=True)

    bench.trade(49900, 1, SELL)

    last = bench.reports_of(order)[-1]
    assert (last.status, last.cancel_type) == (S.CANCELLED, "CancelByReduceOnly")


def test_the_closing_side_of_a_hedged_position_only_reduces_it() -> None:
    bench = Bench(hedge_mode=True)
    bench.buy("0.2", position_side=PositionSide.LONG)
    bench.wait(falls(49900), side=SELL, quantity=D("0.5"), position_side=PositionSide.LONG)

    bench.trade(49900, 1, SELL)

    assert bench.executions[-1].quantity == D("0.2")


def test_a_position_that_closes_leaves_a_users_own_conditional_order_waiting() -> None:
    bench = Bench()
    bench.buy("0.2")
    order = bench.wait(falls(49900), side=SELL, reduce_only=True)

    bench.sell("0.2")

    assert [each.client_order_id for each in bench.waiting] == [order.client_order_id]


@pytest.mark.parametrize("status", [InstrumentStatus.CLOSED, InstrumentStatus.DELIVERING])
def test_a_contract_that_trades_no_more_rejects_what_is_triggered(
    status: InstrumentStatus,
) -> None:
    bench = Bench()
    order = bench.wait(rises(50100))
    bench.exchange.set_instrument(an_instrument(status=status))

    bench.trade(50100, 1, BUY)

    last = bench.reports_of(order)[-1]
    assert (last.status, last.reject_reason) == (S.REJECTED, "EC_InvalidSymbolStatus")


def test_a_delivering_contract_lets_a_triggered_reducer_close() -> None:
    bench = Bench()
    bench.buy("0.2")
    bench.wait(falls(49900), side=SELL, quantity=D("0.2"), reduce_only=True)
    bench.exchange.set_instrument(an_instrument(status=InstrumentStatus.DELIVERING))

    bench.trade(49900, 1, SELL)

    assert bench.exchange.positions(bench.now) == []


def test_an_order_worth_too_little_by_then_is_rejected() -> None:
    bench = Bench()
    order = bench.wait(falls(49900), quantity=D("0.001"))
    bench.exchange.set_instrument(an_instrument(min_notional=D(100)))

    bench.trade(49900, 1, SELL)

    last = bench.reports_of(order)[-1]
    assert (last.status, last.reject_reason) == (S.REJECTED, "EC_Others")


def test_a_triggered_post_only_order_that_would_take_is_cancelled() -> None:
    bench = Bench()
    order = bench.wait(rises(50100), price=D(50100), time_in_force=TimeInForce.POST_ONLY)

    bench.trade(50100, 1, BUY)

    assert statuses(bench, order) == [S.UNTRIGGERED, S.TRIGGERED, S.CANCELLED]


def test_a_liquidation_ends_what_waits() -> None:
    bench = Bench()
    bench.buy("0.2")
    order = bench.wait(rises(50100))

    bench.exchange.admin.liquidate(BTC, bench.now)
    bench.read()

    last = bench.reports_of(order)[-1]
    assert (last.status, last.cancel_type) == (S.DEACTIVATED, "CancelAllBeforeLiq")


def test_a_spot_stop_locks_on_its_trigger_and_a_tpsl_order_at_once() -> None:
    bench = a_spot_bench()
    usdt = bench.exchange.account.wallets["USDT"]

    bench.wait(rises(50100), instrument_id=SPOT, quantity=D("0.1"))
    assert usdt.held == 0
    locking = bench.wait(
        rises(50100, kind=StopKind.SPOT_TPSL, locks=True), instrument_id=SPOT, quantity=D("0.1")
    )
    assert usdt.held == D(5010)
    bench.amend_with(locking, trigger_price=D(50200))
    assert usdt.held == D(5020)
    bench.cancel(locking)

    assert usdt.held == 0
    assert bench.reports_of(locking)[-1].status is S.DEACTIVATED


def test_a_tpsl_order_pays_with_what_it_locked() -> None:
    bench = a_spot_bench(balances={"USDT": D(5020)})
    usdt = bench.exchange.account.wallets["USDT"]
    bench.wait(
        rises(50100, kind=StopKind.SPOT_TPSL, locks=True), instrument_id=SPOT, quantity=D("0.1")
    )

    bench.trade(50100, 1, BUY, SPOT)

    assert (usdt.total, usdt.held) == (D(20), 0)


@pytest.mark.parametrize("values", [{}, {"price": D(50100)}])
def test_a_tpsl_order_that_cannot_be_locked_is_refused(values: dict[str, Any]) -> None:
    bench = a_spot_bench(balances={"USDT": D(5000)})

    bench.wait(
        rises(50100, kind=StopKind.SPOT_TPSL, locks=True),
        instrument_id=SPOT,
        quantity=D("0.1"),
        **values,
    )

    assert bench.answers[-1].code == 170131


def test_a_tpsl_order_is_not_amended_beyond_the_wallet() -> None:
    bench = a_spot_bench(balances={"USDT": D(5020)})
    order = bench.wait(
        rises(50100, kind=StopKind.SPOT_TPSL, locks=True), instrument_id=SPOT, quantity=D("0.1")
    )

    bench.amend_with(order, trigger_price=D(50300))

    assert bench.answers[-1].code == 170131
    assert bench.exchange.account.wallets["USDT"].held == D(5010)


def test_a_spot_trigger_may_be_amended_to_the_other_side_of_the_market() -> None:
    bench = a_spot_bench()
    order = bench.wait(rises(50100), instrument_id=SPOT, quantity=D("0.1"))

    bench.amend_with(order, trigger_price=D(49900))
    bench.trade(50100, 1, BUY, SPOT)
    assert bench.executions == []
    bench.trade(49900, 1, SELL, SPOT)

    assert len(bench.executions) == 1


def test_a_spot_stop_without_money_is_cancelled_when_its_price_comes() -> None:
    bench = a_spot_bench(balances={"USDT": D(100)})
    order = bench.wait(rises(50100), instrument_id=SPOT, quantity=D("0.1"))

    bench.trade(50100, 1, BUY, SPOT)

    last = bench.reports_of(order)[-1]
    assert (last.status, last.cancel_type) == (S.CANCELLED, "CancelByCannotAffordOrderCost")


def test_a_spot_stop_worth_too_little_has_its_own_code() -> None:
    bench = a_spot_bench(price_band=D(1))

    bench.wait(rises(50100), instrument_id=SPOT, quantity=D("0.001"), price=D(4000))
    bench.wait(rises(49995), instrument_id=SPOT, quantity=D("0.001"))

    assert [answer.code for answer in bench.answers] == [170140, 10001]
