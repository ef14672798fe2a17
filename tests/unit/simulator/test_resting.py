"""Orders that rest: behind the queue, each traded volume given once."""

from order_domain.model.enums import Side, TimeInForce, VenueStatus
from tests.builders import D
from tests.unit.simulator.bench import Bench

SELL, BUY = Side.SELL, Side.BUY


def filled(bench: Bench) -> list[tuple[str, str]]:
    return [(str(fill.price), str(fill.quantity)) for fill in bench.executions]


def test_a_resting_order_is_reported_new_and_holds_its_margin() -> None:
    bench = Bench()

    bench.buy("0.1", 49990)

    assert bench.reports[-1].status is VenueStatus.NEW
    held = D(4999) * (D("0.1") + D("0.00055"))
    balance = bench.wallets[-1].balances[0]
    assert (balance.wallet, balance.available) == (D(100_000), D(100_000) - held)


def test_it_fills_only_after_the_queue_before_it_has_traded() -> None:
    bench = Bench()
    bench.buy("0.1", 49990)

    bench.trade(49990, 2, SELL)
    bench.trade(49990, 1, SELL)
    assert filled(bench) == []
    bench.trade(49990, "0.04", SELL)
    bench.trade(49990, 1, SELL)

    assert filled(bench) == [("49990", "0.04"), ("49990", "0.06")]
    assert all(fill.is_maker for fill in bench.executions)
    assert [r.status for r in bench.reports] == [
        VenueStatus.NEW,
        VenueStatus.PARTIALLY_FILLED,
        VenueStatus.FILLED,
    ]


def test_a_trade_on_the_other_side_moves_no_queue() -> None:
    bench = Bench()
    bench.buy("0.1", 49990)

    bench.trade(49990, 100, BUY)

    assert filled(bench) == []


def test_an_order_that_improves_the_touch_has_nobody_before_it() -> None:
    bench = Bench()
    bench.buy("0.1", 49995)

    bench.trade(49995, "0.03", SELL)

    assert filled(bench) == [("49995", "0.03")]


def test_a_trade_through_its_price_fills_it_without_its_queue() -> None:
    bench = Bench()
    bench.buy("0.1", 49990)

    bench.trade(49989, "0.03", SELL)

    assert filled(bench) == [("49990", "0.03")]


def test_a_quote_through_its_price_fills_it_whole_at_its_own_price() -> None:
    bench = Bench()
    bench.buy("0.1", 49990)

    bench.quote(bid=D(49980), ask=D(49985), ask_size=D("0.01"))

    assert filled(bench) == [("49990", "0.1")]


def test_a_quote_that_shows_less_shortens_the_queue() -> None:
    bench = Bench()
    bench.buy("0.1", 49990)

    bench.quote(bid_size=D("0.5"))
    bench.quote(bid_size=D(7))
    bench.trade(49990, "0.6", SELL)

    assert filled(bench) == [("49990", "0.1")]


def test_behind_the_touch_nobody_knows_the_queue_until_it_is_shown() -> None:
    bench = Bench()
    bench.buy("0.1", 49980)

    bench.trade(49980, 50, SELL)
    assert filled(bench) == []
    bench.quote(bid=D(49980), bid_size=D(2))
    bench.trade(49980, "2.03", SELL)

    assert filled(bench) == [("49980", "0.03")]


def test_one_trade_serves_two_orders_by_price_then_age_and_others_between_them() -> None:
    bench = Bench()
    first = bench.buy("0.1", 49990)
    bench.quote(bid_size=D(5))
    second = bench.buy("0.1", 49990)
    better = bench.buy("0.1", 49991)

    bench.trade(49990, "3.25", SELL)
    by_order = {fill.client_order_id: fill.quantity for fill in bench.executions}
    assert by_order == {
        better.client_order_id: D("0.1"),
        first.client_order_id: D("0.1"),
    }
    # 3.25 = 0.1 better + 3 others + 0.1 first + 0.05 of the two others that came between.
    bench.trade(49990, "2.0", SELL)

    assert bench.executions[-1].client_order_id == second.client_order_id
    assert bench.executions[-1].quantity == D("0.05")


def test_without_the_queue_model_the_first_trade_fills() -> None:
    bench = Bench(queue_model=False)
    bench.buy("0.1", 49990)

    bench.trade(49990, "0.04", SELL)

    assert filled(bench) == [("49990", "0.04")]


def test_sells_mirror_buys() -> None:
    bench = Bench()
    bench.sell("0.1", 50000)
    bench.trade(50000, "3.04", BUY)
    bench.quote(bid=D(50001), ask=D(50002))

    assert filled(bench) == [("50000", "0.04"), ("50000", "0.06")]


def test_a_cancel_ends_it_and_frees_its_margin() -> None:
    bench = Bench()
    order = bench.buy("0.1", 49990)

    bench.cancel(order)

    assert (bench.reports[-1].status, bench.reports[-1].cancel_type) == (
        VenueStatus.CANCELLED,
        "CancelByUser",
    )
    assert bench.wallets[-1].balances[0].available == D(100_000)
    bench.trade(49990, 100, SELL)
    assert filled(bench) == []


def test_a_smaller_quantity_keeps_the_place_and_a_new_price_does_not() -> None:
    bench = Bench()
    kept = bench.buy("0.1", 49990)
    bench.trade(49990, 2, SELL)
    bench.amend(kept, quantity="0.05")
    bench.trade(49990, "1.01", SELL)
    assert filled(bench) == [("49990", "0.01")]

    bench.quote(bid_size=D(3))
    bench.amend(kept, quantity="0.08")
    bench.trade(49990, 3, SELL)
    assert filled(bench) == [("49990", "0.01")]
    bench.amend(kept, price=49992)
    bench.trade(49992, "0.02", SELL)

    assert filled(bench)[-1] == ("49992", "0.02")
    assert bench.reports[-1].quantity == D("0.08")


def test_an_amend_that_crosses_takes_and_a_post_only_one_ends() -> None:
    bench = Bench()
    taker = bench.buy("0.02", 49990)
    maker = bench.buy("0.02", 49990, time_in_force=TimeInForce.POST_ONLY)

    bench.amend(taker, price=50000)
    bench.amend(maker, price=50000)

    assert bench.reports_of(taker)[-1].status is VenueStatus.FILLED
    assert not bench.executions[0].is_maker
    assert bench.reports_of(maker)[-1].reject_reason == "EC_PostOnlyWillTakeLiquidity"


def test_a_cancel_that_loses_to_a_fill_is_accepted_and_reported_as_lost() -> None:
    bench = Bench()
    order = bench.buy("0.02", 49990)
    stamped = bench.now
    bench.now += bench.exchange.config.recv_window / 2
    bench.quote(bid=D(49970), ask=D(49980))

    bench.cancel(order, stamped)

    last = bench.reports_of(order)[-2:]
    assert bench.answers[-1].code == 0
    assert [r.status for r in last] == [VenueStatus.FILLED, VenueStatus.FILLED]
    assert (last[1].reject_reason, last[1].cancel_type) == (
        "EC_OrigClOrdIDDoesNotExist",
        "CancelByUser",
    )
