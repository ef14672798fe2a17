"""Orders that take: what is displayed at the touch, once."""

import pytest

from order_domain.model.enums import AnswerOutcome, OrderType, TimeInForce, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.reports import Answer, OrderReport, WalletReport
from tests.builders import D
from tests.unit.simulator.bench import Bench, ms


def test_a_market_order_is_answered_executed_reported_and_paid_in_this_order() -> None:
    bench = Bench()

    bench.buy("0.02")

    assert [type(m) for m in bench.got] == [Answer, Execution, OrderReport, WalletReport]
    assert bench.answers[0].outcome is AnswerOutcome.ACCEPTED
    assert bench.answers[0].venue_order_id == bench.executions[0].venue_order_id
    fill = bench.executions[0]
    assert (fill.price, fill.quantity, fill.fee, fill.fee_coin, fill.is_maker) == (
        D(50000),
        D("0.02"),
        D("0.55"),
        "USDT",
        False,
    )
    assert bench.reports[0].status is VenueStatus.FILLED
    assert bench.wallets[0].balances[0].wallet == D("99999.45")


def test_a_sell_takes_the_bid() -> None:
    bench = Bench()

    bench.sell("0.02")

    assert bench.executions[0].price == D(49990)


def test_what_the_touch_cannot_give_is_cancelled() -> None:
    bench = Bench()
    bench.quote(ask_size=D("0.015"))

    bench.buy("0.02")

    last = bench.reports[-1]
    assert bench.executions[0].quantity == D("0.015")
    assert (last.status, last.cum_quantity) == (VenueStatus.CANCELLED, D("0.015"))
    assert last.reject_reason == "EC_NoImmediateQtyToFill"


def test_what_is_displayed_is_taken_once_until_it_is_raised() -> None:
    bench = Bench()
    bench.quote(ask_size=D("0.02"))

    bench.buy("0.015")
    bench.quote(ask_size=D("0.02"))
    bench.buy("0.015")
    bench.quote(ask_size=D("0.03"))
    bench.buy("0.015")

    assert [fill.quantity for fill in bench.executions] == [D("0.015"), D("0.005"), D("0.01")]


def test_a_new_price_at_the_touch_is_new_volume() -> None:
    bench = Bench()
    bench.quote(ask_size=D("0.02"))
    bench.buy("0.02")
    bench.quote(ask=D(50001), ask_size=D("0.02"))
    bench.quote(ask_size=D("0.02"))

    bench.buy("0.02")

    assert bench.reports[-1].status is VenueStatus.FILLED


def test_less_displayed_means_less_to_take() -> None:
    bench = Bench()
    bench.quote(ask_size=D("0.1"))
    bench.buy("0.01")
    bench.quote(ask_size=D("0.004"))

    bench.buy("0.02")

    assert bench.executions[-1].quantity == D("0.004")


def test_a_walk_takes_assumed_levels_behind_the_touch() -> None:
    bench = Bench(walk_levels=2)
    bench.quote(ask_size=D("0.01"))

    bench.buy("0.025")
    bench.buy("0.02")

    assert [(fill.price, fill.quantity) for fill in bench.executions] == [
        (D("50000"), D("0.01")),
        (D("50000.1"), D("0.01")),
        (D("50000.2"), D("0.005")),
        (D("50000.2"), D("0.005")),
    ]
    assert bench.reports[-1].status is VenueStatus.CANCELLED


def test_slippage_bounds_a_walk() -> None:
    bench = Bench(walk_levels=5)
    bench.quote(ask_size=D("0.01"))

    bench.buy("0.04", slippage=D("0.000002"))

    assert [fill.price for fill in bench.executions] == [D("50000"), D("50000.1")]


def test_without_a_quote_a_market_order_finds_nobody() -> None:
    bench = Bench(quote=False)

    bench.buy("0.02")

    assert bench.answers[0].outcome is AnswerOutcome.ACCEPTED
    assert bench.reports[-1].status is VenueStatus.CANCELLED
    assert bench.executions == []


@pytest.mark.parametrize(
    ("price", "status", "filled"),
    [
        ("50000", VenueStatus.FILLED, "0.02"),
        ("49999.9", VenueStatus.CANCELLED, "0"),
    ],
)
def test_ioc_takes_at_once_or_ends(price: str, status: VenueStatus, filled: str) -> None:
    bench = Bench()

    bench.buy("0.02", price, time_in_force=TimeInForce.IOC)

    assert (bench.reports[-1].status, bench.reports[-1].cum_quantity) == (status, D(filled))
    assert bench.exchange.open_orders == []


def test_fok_takes_all_or_nothing() -> None:
    bench = Bench()
    bench.quote(ask_size=D("0.019"))

    bench.buy("0.02", 50000, time_in_force=TimeInForce.FOK)
    assert bench.executions == []
    assert bench.reports[-1].reject_reason == "EC_CancelForNoFullFill"

    bench.buy("0.019", 50000, time_in_force=TimeInForce.FOK)
    assert bench.reports[-1].status is VenueStatus.FILLED


def test_a_limit_that_crosses_takes_the_touch_and_rests_with_the_remainder() -> None:
    bench = Bench()
    bench.quote(ask_size=D("0.01"))

    bench.buy("0.03", 50005)

    assert bench.executions[0].price == D(50000)
    assert bench.reports[-1].status is VenueStatus.PARTIALLY_FILLED
    assert bench.exchange.open_orders == [bench.reports[-1]]


def test_the_remainder_of_a_cross_takes_only_what_is_newly_shown() -> None:
    bench = Bench()
    bench.quote(ask_size=D("0.01"))
    bench.buy("0.03", 50005)

    bench.quote(ask_size=D("0.01"))
    assert len(bench.executions) == 1
    bench.quote(ask_size=D("0.015"))
    assert (bench.executions[-1].price, bench.executions[-1].quantity) == (D(50005), D("0.005"))


@pytest.mark.parametrize("price", ["50000", "50001"])
def test_a_post_only_order_that_would_take_is_cancelled_by_report(price: str) -> None:
    bench = Bench()

    bench.buy("0.02", price, time_in_force=TimeInForce.POST_ONLY)

    assert bench.answers[0].outcome is AnswerOutcome.ACCEPTED
    assert [r.status for r in bench.reports] == [VenueStatus.CANCELLED]
    assert bench.reports[0].reject_reason == "EC_PostOnlyWillTakeLiquidity"
    assert bench.executions == []


def test_latency_is_paid_half_on_the_way_and_half_on_the_way_back() -> None:
    bench = Bench(latency=ms(20))
    bench.buy("0.02")
    assert bench.got == []
    sent = bench.now

    bench.run(ms(20))

    assert [type(m) for m in bench.got] == [Answer, Execution, OrderReport, WalletReport]
    assert bench.executions[0].executed_at == sent + ms(10)
    assert set(bench.times) == {sent + ms(20)}


def test_an_order_on_its_way_meets_the_quote_of_its_arrival() -> None:
    bench = Bench(latency=ms(20))
    bench.buy("0.02")

    bench.now += ms(10)
    bench.quote(ask=D(50010))
    bench.run(ms(20))

    assert bench.executions[0].price == D(50010)


def test_an_order_that_arrived_before_a_quote_meets_the_old_one() -> None:
    bench = Bench(latency=ms(20))
    bench.buy("0.02")

    bench.now += ms(11)
    bench.quote(ask=D(50010))
    bench.run(ms(20))

    assert bench.executions[0].price == D(50000)


def test_jitter_repeats_with_the_seed_and_never_reorders_the_stream() -> None:
    def times(seed: int) -> list[object]:
        bench = Bench(latency=ms(20), jitter=ms(15), seed=seed)
        for _ in range(5):
            bench.buy("0.02")
            bench.now += ms(3)
        bench.run(ms(100))
        stamps = [fill.executed_at for fill in bench.executions]
        assert stamps == sorted(stamps)
        return [bench.times, bench.got]

    assert times(1) == times(1)
    assert times(1) != times(2)


def test_a_market_order_is_never_post_only() -> None:
    bench = Bench()

    bench.send(order_type=OrderType.MARKET, time_in_force=TimeInForce.POST_ONLY)

    assert bench.answers[0].code == 10001
