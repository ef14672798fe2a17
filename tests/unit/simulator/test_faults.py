"""Everything that can be told to go wrong, and that nothing else does."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_adapters.simulator import (
    Fault,
    FaultKind,
    FaultRates,
    FaultScript,
    parse_faults,
)
from order_domain.errors import InvalidValue
from order_domain.model.enums import AnswerOutcome, ExecutionKind, Side, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.inputs import StreamState
from order_domain.model.reports import Answer, OrderReport
from tests.builders import BTC, D
from tests.unit.simulator.bench import Bench, ms

K = FaultKind
TIMEOUT = ms(4000)


def a_bench(*faults: Fault, rates: FaultRates | None = None, **config: Any) -> Bench:
    script = FaultScript(faults=faults, rates=rates or FaultRates())
    return Bench(faults=script, **config)


def test_a_script_without_faults_changes_nothing_but_the_path() -> None:
    plain, scripted = Bench(), a_bench()

    for bench in (plain, scripted):
        order = bench.buy("0.02", 49990)
        bench.buy("0.03")
        bench.amend(order, price=49991)
        bench.trade(49991, "0.01", Side.SELL)
        bench.look_up(order.client_order_id)
        bench.sweep()
        bench.cancel(order)

    assert scripted.got == plain.got


def test_a_lost_request_never_happened_and_is_unknown_after_the_time_out() -> None:
    bench = a_bench(Fault(kind=K.LOSE_REQUEST, request="create"))
    order = bench.buy("0.02")
    start = bench.now

    bench.run(ms(5000))

    assert [m for m in bench.got if not isinstance(m, Answer)] == []
    assert [a.outcome for a in bench.answers] == [AnswerOutcome.UNKNOWN]
    assert bench.times == [start + TIMEOUT]
    assert not bench.exchange.records.knows(order.client_order_id)


def test_a_lost_answer_leaves_the_order_alive() -> None:
    bench = a_bench(Fault(kind=K.LOSE_ANSWER))
    order = bench.buy("0.02", 49990)

    bench.run(ms(5000))

    assert [a.outcome for a in bench.answers] == [AnswerOutcome.UNKNOWN]
    assert [r.status for r in bench.reports] == [VenueStatus.NEW]
    bench.look_up(order.client_order_id)
    assert bench.lookups[0].order == bench.reports[0]


def test_a_delayed_answer_comes_late_and_after_the_time_out_never() -> None:
    bench = a_bench(
        Fault(kind=K.DELAY_ANSWER, nth=1, by=ms(3000)),
        Fault(kind=K.DELAY_ANSWER, nth=2, by=ms(4001)),
    )
    start = bench.now
    bench.buy("0.02", 49990)
    bench.buy("0.02", 49990)

    bench.run(ms(9000))

    assert [a.outcome for a in bench.answers] == [
        AnswerOutcome.ACCEPTED,
        AnswerOutcome.UNKNOWN,
    ]
    arrived = [t - start for t, m in zip(bench.times, bench.got, strict=True) if type(m) is Answer]
    assert arrived == [ms(3000), ms(4000)]


def test_a_delayed_request_is_born_late_inside_its_window_and_not_outside() -> None:
    bench = a_bench(
        Fault(kind=K.DELAY_REQUEST, nth=1, by=ms(2400)),
        Fault(kind=K.DELAY_REQUEST, nth=2, by=ms(2600)),
        Fault(kind=K.DELAY_REQUEST, nth=3, by=ms(6000)),
    )
    for _ in range(3):
        bench.buy("0.02", 49990)

    bench.run(ms(9000))

    assert sorted(a.code for a in bench.answers) == [0, 0, 10002]
    assert [a.outcome for a in bench.answers].count(AnswerOutcome.UNKNOWN) == 1
    assert len(bench.reports) == 1


@pytest.mark.parametrize("accepted", [True, False])
def test_a_server_error_says_nothing_about_what_happened(accepted: bool) -> None:
    bench = a_bench(Fault(kind=K.ANSWER_CODE, code=10016, accepted=accepted))

    bench.buy("0.02")

    assert (bench.answers[0].code, bench.answers[0].outcome) == (10016, AnswerOutcome.UNKNOWN)
    assert bench.answers[0].venue_order_id == ""
    assert len(bench.executions) == accepted


def test_a_burst_of_too_many_visits_refuses_so_many() -> None:
    bench = a_bench(Fault(kind=K.ANSWER_CODE, code=10006, nth=2, count=2))

    for _ in range(4):
        bench.buy("0.02")

    assert [a.code for a in bench.answers] == [0, 10006, 10006, 0]
    assert bench.answers[1].outcome is AnswerOutcome.NOT_ACCEPTED


@pytest.mark.parametrize(
    ("kind", "code", "outcome"),
    [
        (K.BAN, 403, AnswerOutcome.UNKNOWN),
        (K.MAINTENANCE, 10019, AnswerOutcome.NOT_ACCEPTED),
    ],
)
def test_a_ban_and_a_maintenance_refuse_everything_for_their_time(
    kind: FaultKind, code: int, outcome: AnswerOutcome
) -> None:
    bench = a_bench(Fault(kind=kind, after=ms(100), until=ms(200)))
    order = bench.buy("0.02", 49990)

    bench.run(ms(100))
    bench.buy("0.02")
    bench.cancel(order)
    bench.look_up(order.client_order_id)
    bench.sweep()
    assert [a.code for a in bench.answers] == [0, code, code]
    assert bench.answers[-1].outcome is outcome
    assert not bench.lookups[0].complete
    assert not bench.sweeps[0].complete

    bench.run(ms(100))
    bench.cancel(order)
    assert bench.answers[-1].code == 0


def test_a_lost_question_is_an_incomplete_answer() -> None:
    bench = a_bench(
        Fault(kind=K.LOSE_REQUEST, request="look_up"),
        Fault(kind=K.LOSE_ANSWER, request="sweep"),
    )
    bench.look_up("x")
    bench.sweep()

    bench.run(ms(5000))

    assert [m.complete for m in bench.got] == [False, False]
    assert bench.times[0] - bench.lookups[0].sent_at == TIMEOUT


def test_an_accepted_order_may_be_rejected_by_report() -> None:
    bench = a_bench(Fault(kind=K.REJECT_LATER, request="create", reason="EC_ReachRiskPriceLimit"))

    bench.buy("0.02")

    assert bench.answers[0].outcome is AnswerOutcome.ACCEPTED
    assert [(r.status, r.reject_reason) for r in bench.reports] == [
        (VenueStatus.REJECTED, "EC_ReachRiskPriceLimit")
    ]


def test_a_lost_report_is_still_true() -> None:
    bench = a_bench(Fault(kind=K.LOSE_REPORT, report="execution"))
    order = bench.buy("0.02")

    bench.look_up(order.client_order_id)

    assert bench.executions == []
    assert bench.reports[0].status is VenueStatus.FILLED
    assert len(bench.lookups[0].executions) == 1


def test_a_report_may_come_late_or_twice() -> None:
    bench = a_bench(
        Fault(kind=K.DELAY_REPORT, report="execution", by=ms(300)),
        Fault(kind=K.DUPLICATE_REPORT, report="order", by=ms(200)),
    )
    bench.buy("0.02")

    bench.run(ms(400))

    kinds = [type(m) for m in bench.got if type(m) in (OrderReport, Execution)]
    assert kinds == [OrderReport, OrderReport, Execution]
    assert bench.reports[0] == bench.reports[1]


def test_reports_may_change_places_and_nothing_is_missing() -> None:
    faults = Fault(kind=K.REORDER_REPORTS, count=0, by=ms(50))
    bench, plain = a_bench(faults), Bench()
    for each in (bench, plain):
        order = each.buy("0.02", 49990)
        each.quote(bid=D(49991))
        each.buy("0.03")
        each.cancel(order)
        each.run(ms(100))

    assert bench.reports != plain.reports
    by_text = lambda reports: sorted(map(str, reports))  # noqa: E731
    assert by_text(bench.reports) == by_text(plain.reports)
    assert by_text(bench.executions) == by_text(plain.executions)


def test_a_silent_stream_loses_reports_while_rest_shows_the_truth() -> None:
    bench = a_bench(Fault(kind=K.SILENT_STREAM, after=ms(100), until=ms(200)))
    bench.run(ms(150))
    order = bench.buy("0.02")
    bench.sweep(since=None)
    assert bench.answers[0].outcome is AnswerOutcome.ACCEPTED
    assert (bench.reports, bench.executions, bench.wallets) == ([], [], [])
    assert bench.sweeps[0].executions[0].client_order_id == order.client_order_id

    bench.run(ms(50))
    bench.buy("0.02")

    assert len(bench.reports) == 1


def test_a_disconnect_is_a_silence_that_is_told() -> None:
    bench = a_bench(Fault(kind=K.DISCONNECT, after=ms(100), until=ms(200)))
    bench.run(ms(150))
    bench.buy("0.02")
    bench.run(ms(150))

    states = [m.healthy for m in bench.got if isinstance(m, StreamState)]
    assert states == [False, True]
    assert bench.reports == []


def test_a_skewed_clock_stamps_and_refuses_by_its_own_time() -> None:
    bench = a_bench(Fault(kind=K.CLOCK_SKEW, after=ms(0), until=ms(1000), by=ms(3000)))
    start = bench.now
    bench.buy("0.02")
    bench.buy("0.02", request_ts=bench.now + ms(3000))

    assert [a.code for a in bench.answers] == [10002, 0]
    assert bench.executions[0].executed_at == start + ms(3000)
    assert bench.exchange.exchange_time(start) == start + ms(3000)
    assert set(bench.times) == {start}
    bench.sweep()
    assert bench.sweeps[0].began_at == start + ms(3000)
    bench.run(ms(1000))
    bench.buy("0.02")
    assert bench.answers[-1].code == 0


def test_a_hidden_order_is_found_later() -> None:
    bench = a_bench(Fault(kind=K.HIDE, prefix="order-1", by=ms(500)))
    order = bench.buy("0.02", 49990)
    bench.look_up(order.client_order_id)
    bench.sweep()
    bench.run(ms(500))
    bench.look_up(order.client_order_id)

    assert [found.order is not None for found in bench.lookups] == [False, True]
    assert all(found.complete for found in bench.lookups)
    assert bench.sweeps[0].orders == ()


def test_look_ups_lag_by_the_visibility_of_the_account() -> None:
    bench = Bench(visibility=ms(200))
    order = bench.buy("0.02", 49990)
    bench.run(ms(200))
    bench.trade(49980, "0.01", Side.SELL)
    bench.cancel(order)

    bench.look_up(order.client_order_id)
    bench.sweep()
    bench.run(ms(200))
    bench.look_up(order.client_order_id)
    bench.sweep()

    early, late = bench.lookups
    assert (early.order.status, early.executions) == (VenueStatus.NEW, ())
    assert (late.order.status, len(late.executions)) == (VenueStatus.CANCELLED, 1)
    assert [len(s.orders) for s in bench.sweeps] == [1, 0]
    assert [len(s.executions) for s in bench.sweeps] == [0, 1]


def test_a_foreign_order_appears_by_itself() -> None:
    bench = a_bench(
        Fault(kind=K.FOREIGN_ORDER, after=ms(100), symbol="BTCUSDT", quantity=D(1)),
        Fault(kind=K.FOREIGN_ORDER, after=ms(100), symbol="BTCUSDT", quantity=D(90)),
    )
    bench.run(ms(200))

    assert [(f.client_order_id, f.quantity) for f in bench.executions] == [("", D(1))]


def test_a_liquidation_comes_when_it_is_due() -> None:
    bench = a_bench(Fault(kind=K.LIQUIDATION, after=ms(100), symbol="BTCUSDT"))
    bench.buy(1)

    bench.run(ms(200))

    assert bench.executions[-1].kind is ExecutionKind.LIQUIDATION
    assert bench.exchange.positions(bench.now) == []


def test_a_fault_meets_only_what_it_names() -> None:
    bench = a_bench(
        Fault(kind=K.LOSE_ANSWER, prefix="order-2"),
        Fault(kind=K.LOSE_ANSWER, symbol="ETHUSDT", count=0),
        Fault(kind=K.LOSE_ANSWER, request="cancel", count=0),
    )
    orders = [bench.buy("0.02", 49990) for _ in range(3)]
    bench.cancel(orders[0])

    bench.run(ms(5000))

    assert [(a.kind, a.client_order_id) for a in bench.answers if a.outcome == "unknown"] == [
        ("create", orders[1].client_order_id),
        ("cancel", orders[0].client_order_id),
    ]


def test_rates_repeat_with_the_seed_and_lose_no_answer() -> None:
    rates = FaultRates(
        lose_request=100_000,
        delay_request=100_000,
        lose_answer=100_000,
        delay_answer=100_000,
        busy=100_000,
        internal_error=100_000,
        lose_report=100_000,
        delay_report=100_000,
        duplicate_report=100_000,
    )

    def run(seed: int) -> Bench:
        bench = a_bench(rates=rates, seed=seed)
        for _ in range(200):
            bench.buy("0.002")
            bench.run(ms(10))
        bench.run(timedelta(seconds=20))
        return bench

    first = run(7)
    assert first.got == run(7).got
    assert first.got != run(8).got
    assert len(first.answers) == 200
    assert {a.code for a in first.answers} == {0, 10002, 10006, 10016}
    held = first.exchange.account.positions[BTC, "Both"].size
    assert held == sum(f.quantity for f in first.exchange.records.executions)


FOREIGN = """{"fault": "foreign_order", "after_ms": 5, "symbol": "BTCUSDT",
    "side": "Sell", "quantity": "0.1", "price": "51000"}"""


def test_a_script_is_read_from_lines() -> None:
    script = parse_faults(
        [
            "# the second create loses its answer",
            '{"fault": "lose_answer", "request": "create", "nth": 2}',
            "",
            '{"fault": "ban", "after_ms": 100, "until_ms": 200}',
            FOREIGN,
            '{"fault": "rates", "lose_report": 1000, "longest_ms": 50}',
        ]
    )

    assert script.faults == (
        Fault(kind=K.LOSE_ANSWER, request="create", nth=2),
        Fault(kind=K.BAN, after=ms(100), until=ms(200)),
        Fault(
            kind=K.FOREIGN_ORDER,
            after=ms(5),
            symbol="BTCUSDT",
            side=Side.SELL,
            quantity=Decimal("0.1"),
            price=Decimal(51000),
        ),
    )
    assert script.rates == FaultRates(lose_report=1000, longest=ms(50))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", "line"),
        ("[]", "line"),
        ('{"fault": "fire"}', "fault"),
        ('{"request": "create"}', "fault"),
        ('{"fault": ["ban"]}', "fault"),
        ('{"fault": "ban", "when": 1}', "when"),
        ('{"fault": "ban", "after_ms": "1"}', "after_ms"),
        ('{"fault": "ban", "nth": true}', "nth"),
        ('{"fault": "ban", "nth": 0}', "nth"),
        ('{"fault": "ban", "count": -1}', "count"),
        ('{"fault": "ban", "request": "wish"}', "request"),
        ('{"fault": "ban", "report": "wish"}', "report"),
        ('{"fault": "ban", "by_ms": -1}', "by"),
        ('{"fault": "ban", "prefix": 5}', "prefix"),
        ('{"fault": "answer_code", "accepted": 1}', "accepted"),
        ('{"fault": "foreign_order", "after_ms": 1, "symbol": "B"}', "quantity"),
        ('{"fault": "foreign_order", "symbol": "B"}', "after"),
        ('{"fault": "liquidation", "after_ms": 1}', "symbol"),
        ('{"fault": "foreign_order", "quantity": "many"}', "quantity"),
        ('{"fault": "foreign_order", "side": "buy"}', "side"),
        ('{"fault": "rates", "lose_report": 1000001}', "lose_report"),
        ('{"fault": "rates", "lose_reports": 1}', "lose_reports"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number_and_field(line: str, field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_faults(["", line])

    assert (refused.value.details["field"], refused.value.details["line"]) == (field, 2)


def test_every_kind_of_fault_is_tried_here() -> None:
    text = Path(__file__).read_text()

    assert [kind for kind in FaultKind if f"K.{kind.name}" not in text] == []
