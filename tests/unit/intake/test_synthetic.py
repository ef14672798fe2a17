"""The synthetic market and the demo made of it: the same for a seed, and fit to be traded."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from order_adapters.intake.demo import make_demo
from order_adapters.intake.market_csv import MarketFile
from order_adapters.intake.signal_json import read_delivery
from order_adapters.intake.synthetic import SyntheticMarket
from order_adapters.simulator.fault_lines import parse_faults
from order_adapters.simulator.trade import MarketTrade
from order_domain.model.identifiers import instrument_id
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.quote import Quote

MINUTE = timedelta(minutes=1)


def test_the_same_seed_gives_the_same_market() -> None:
    assert list(SyntheticMarket(7, MINUTE)) == list(SyntheticMarket(7, MINUTE))


def test_another_seed_gives_another_market() -> None:
    assert list(SyntheticMarket(7, MINUTE)) != list(SyntheticMarket(8, MINUTE))


def test_rows_come_in_time_order_and_inside_the_length() -> None:
    market = SyntheticMarket(7, MINUTE)
    times = [row.at for row in market]

    assert times == sorted(times)
    assert market.start <= times[0]
    assert times[-1] <= market.end


@pytest.mark.parametrize("seed", range(5))
def test_every_row_is_on_tick_and_step_and_no_quote_is_crossed(seed: int) -> None:
    market = SyntheticMarket(seed, MINUTE)
    rules = {each.id: each for each in market.instruments}
    for row in market:
        instrument = rules[row.instrument_id]
        if isinstance(row, Quote):
            assert row.bid < row.ask
            assert all(instrument.is_on_tick(price) for price in (row.bid, row.ask))
            assert all(
                size > 0 and instrument.is_on_step(size) for size in (row.bid_size, row.ask_size)
            )
        else:
            assert isinstance(row, MarketTrade)
            assert row.size > 0
            assert instrument.is_on_tick(row.price)
            assert instrument.is_on_step(row.size)


def test_the_usual_spread_makes_the_default_policy_choose_limit_orders() -> None:
    quotes = [row for row in SyntheticMarket(7, MINUTE) if isinstance(row, Quote)]

    assert sum(quote.spread_percent >= 0.1 for quote in quotes) > len(quotes) * 0.9


def test_the_demo_is_the_same_for_the_same_seed() -> None:
    assert make_demo(7) == make_demo(7)
    assert make_demo(7) != make_demo(8)


def test_the_files_of_the_demo_are_read_without_a_bad_row(tmp_path: Path) -> None:
    demo = make_demo(7)
    for symbol, content in demo.markets.items():
        path = tmp_path / f"{symbol}.csv"
        path.write_text(content)
        file = MarketFile(path, instrument_id("linear", symbol))

        assert file.span() is not None
        assert (file.rows > 1000, file.bad) == (True, 0)

    assert parse_faults(demo.faults.splitlines()).faults


def test_the_signals_of_the_demo_hold_one_of_each_kind() -> None:
    deliveries = [read_delivery(i, line) for i, line in enumerate(make_demo(7).signals.split("\n"))]
    signals = [each.signal for each in deliveries if isinstance(each, SignalDelivered)]
    ids = Counter(signal.signal_id for signal in signals)

    assert sum(isinstance(each, DeliveryInvalid) for each in deliveries) >= 5
    assert max(ids.values()) > 1
    assert any(signal.urgent for signal in signals)
    assert {signal.intent for signal in signals} == {"open", "close"}
    assert len({signal.strategy_id for signal in signals}) >= 3
