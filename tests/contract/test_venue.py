"""What every venue must keep: the simulated exchange, and Bybit by either way of an order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from order_adapters.simulator import FaultKind
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    ExecutionKind,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.execution import Execution
from order_domain.model.inputs import StreamState
from order_domain.model.quote import Quote
from order_domain.model.reports import OrderReport, WalletReport
from order_domain.model.steps import Sweep
from tests.builders import BTC, D, seconds
from tests.contract.venues import VENUES, Bench, look_up

ACCEPTED, UNKNOWN = AnswerOutcome.ACCEPTED, AnswerOutcome.UNKNOWN


@pytest.fixture(params=VENUES)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with VENUES[request.param]() as made:
        yield made


async def test_it_tells_its_instruments_and_their_quotes(bench: Bench) -> None:
    instruments = {each.id: each for each in await bench.venue.instruments()}
    quotes = await bench.told(Quote)

    assert instruments[BTC].quantity_step == D("0.001")
    assert quotes[0].instrument_id == BTC
    assert quotes[0].bid < quotes[0].ask


async def test_the_stream_is_healthy_from_the_first_fact_of_the_account_on(bench: Bench) -> None:
    await bench.venue.send(bench.a_create("a"))
    await bench.told(OrderReport)
    kinds = (StreamState, OrderReport, Execution, WalletReport)
    private = [fact for fact in bench.facts if isinstance(fact, kinds)]

    assert isinstance(private[0], StreamState)
    assert bench.states() == [True]


async def test_a_resting_order_is_answered_told_found_and_swept(bench: Bench) -> None:
    create = bench.a_create("a")
    answer = await bench.venue.send(create)
    (report,) = await bench.told(OrderReport)
    found = await bench.venue.look_up(look_up(create))
    sweep = await bench.venue.sweep(Sweep("PERIODIC", bench.exchange_now()))

    assert (answer.client_order_id, answer.kind, answer.number, answer.attempt) == (
        "a",
        CommandKind.CREATE,
        0,
        1,
    )
    assert answer.outcome is ACCEPTED
    assert (found.complete, found.attempt, found.executions) == (True, 1, ())
    assert sweep.complete
    for shown in (report, found.order, *sweep.orders):
        assert shown.client_order_id == "a"
        assert shown.venue_order_id == answer.venue_order_id
        assert (shown.status, shown.price, shown.quantity, shown.cum_quantity) == (
            VenueStatus.NEW,
            D(46000),
            D("0.02"),
            D(0),
        )
    assert len(sweep.orders) == 1


async def test_a_fill_is_told_once_with_its_fee_and_moves_position_and_wallet(
    bench: Bench,
) -> None:
    began_at = bench.exchange_now() - seconds(5)
    create = bench.a_market("a")
    await bench.venue.send(create)
    (execution,) = await bench.told(Execution)
    await bench.until(lambda: any(r.status is VenueStatus.FILLED for r in bench.of(OrderReport)))
    await bench.told(WalletReport)
    found = await bench.venue.look_up(look_up(create))
    sweep = await bench.venue.sweep(Sweep("PERIODIC", began_at))

    assert (execution.client_order_id, execution.side) == ("a", Side.BUY)
    assert (execution.kind, execution.quantity) == (ExecutionKind.TRADE, D("0.02"))
    assert execution.fee > 0
    assert execution.fee_coin == "USDT"
    assert [each.exec_id for each in found.executions] == [execution.exec_id]
    assert [each.exec_id for each in sweep.executions] == [execution.exec_id]
    assert [(p.instrument_id, p.size) for p in sweep.positions] == [(BTC, D("0.02"))]
    assert sweep.wallet is not None
    assert {each.coin for each in sweep.wallet.balances} >= {"USDT"}
    assert sweep.orders == ()


async def test_executions_before_the_wanted_time_are_left_out(bench: Bench) -> None:
    await bench.venue.send(bench.a_market("a"))
    await bench.told(Execution)
    sweep = await bench.venue.sweep(Sweep("PERIODIC", bench.exchange_now() + seconds(60)))

    assert (sweep.complete, sweep.executions) == (True, ())


async def test_an_id_is_taken_once(bench: Bench) -> None:
    first = await bench.venue.send(bench.a_create("a"))
    second = await bench.venue.send(bench.a_create("a", attempt=2))

    assert first.outcome is ACCEPTED
    assert (second.outcome, second.attempt) == (AnswerOutcome.EXISTS, 2)
    assert bench.orders_of("a") == 1


async def test_an_amend_sets_absolute_values(bench: Bench) -> None:
    create = bench.a_create("a")
    await bench.venue.send(create)
    amend = bench.an_amend(create.order, price=D(45900), quantity=D("0.03"))
    answers = [await bench.venue.send(amend) for _ in range(2)]
    found = await bench.venue.look_up(look_up(create))

    assert (answers[0].kind, answers[0].number, answers[0].outcome) == (
        CommandKind.AMEND,
        1,
        ACCEPTED,
    )
    assert found.order is not None
    assert (found.order.price, found.order.quantity) == (D(45900), D("0.03"))


async def test_a_cancel_ends_an_order_and_a_second_one_finds_none(bench: Bench) -> None:
    create = bench.a_create("a")
    await bench.venue.send(create)
    first = await bench.venue.send(bench.a_cancel(create.order, 1))
    reports = await bench.told(OrderReport, 2)
    second = await bench.venue.send(bench.a_cancel(create.order, 2))

    assert (first.outcome, first.kind, first.number) == (ACCEPTED, CommandKind.CANCEL, 1)
    assert reports[-1].status is VenueStatus.CANCELLED
    assert (second.outcome, second.number) == (AnswerOutcome.NOT_FOUND, 2)


async def test_what_is_refused_is_refused_with_a_code_and_made_no_order(bench: Bench) -> None:
    answer = await bench.venue.send(bench.a_create("a", quantity=D(90)))

    assert (answer.outcome, answer.code) == (AnswerOutcome.REFUSED, 110007)
    assert bench.orders_of("a") == 0


async def test_post_only_is_acknowledged_and_then_cancelled_where_it_would_take(
    bench: Bench,
) -> None:
    create = bench.a_create("a", price=D(50100), time_in_force=TimeInForce.POST_ONLY)
    answer = await bench.venue.send(create)
    reports = await bench.told(OrderReport)

    assert answer.outcome is ACCEPTED
    assert reports[-1].status is VenueStatus.CANCELLED
    assert reports[-1].reject_reason == "EC_PostOnlyWillTakeLiquidity"


async def test_a_lost_answer_is_unknown_and_the_order_is_found(bench: Bench) -> None:
    bench.break_(FaultKind.LOSE_ANSWER, request="create")
    create = bench.a_create("a")
    answer = await bench.venue.send(create)
    found = await bench.venue.look_up(look_up(create))

    assert answer.outcome is UNKNOWN
    assert found.order is not None
    assert found.order.status is VenueStatus.NEW


async def test_a_lost_request_is_unknown_and_nothing_is_found(bench: Bench) -> None:
    bench.break_(FaultKind.LOSE_REQUEST, request="create")
    create = bench.a_create("a")
    answer = await bench.venue.send(create)
    found = await bench.venue.look_up(look_up(create))

    assert answer.outcome is UNKNOWN
    assert (found.complete, found.order, found.executions) == (True, None, ())
    assert bench.orders_of("a") == 0


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (10006, AnswerOutcome.NOT_ACCEPTED),
        (10002, AnswerOutcome.CLOCK),
        (10016, UNKNOWN),
        (424242, UNKNOWN),
    ],
)
async def test_a_code_proves_what_its_table_says(
    bench: Bench, code: int, outcome: AnswerOutcome
) -> None:
    bench.break_(FaultKind.ANSWER_CODE, request="create", code=code)
    answer = await bench.venue.send(bench.a_create("a"))

    assert (answer.outcome, answer.code) == (outcome, code)


async def test_a_lost_stream_is_told_and_so_is_the_new_one(bench: Bench) -> None:
    bench.break_(FaultKind.DISCONNECT, after=seconds(0), until=seconds(0.2))
    bench.pump()
    await bench.until(lambda: len(bench.states()) >= 3)

    assert bench.states()[:3] == [True, False, True]


async def test_a_duplicate_report_is_the_readers_to_see_through(bench: Bench) -> None:
    bench.break_(FaultKind.DUPLICATE_REPORT, report="execution")
    await bench.venue.send(bench.a_market("a"))
    first, second = await bench.told(Execution, 2)

    assert first.exec_id == second.exec_id


async def test_a_foreign_order_is_told_and_swept(bench: Bench) -> None:
    bench.core.admin.place(BTC, Side.SELL, D("0.01"), bench.exchange_now(), price=D(54000))
    bench.pump()
    reports = await bench.told(OrderReport)
    sweep = await bench.venue.sweep(Sweep("PERIODIC", bench.exchange_now()))

    assert [each.venue_order_id for each in sweep.orders] == [reports[0].venue_order_id]


async def test_many_at_once_get_each_its_own_answer(bench: Bench) -> None:
    names = [f"a{number}" for number in range(8)]
    answers = await asyncio.gather(
        *(bench.venue.send(bench.a_create(name, quantity=D("0.001"))) for name in names)
    )

    assert [answer.client_order_id for answer in answers] == names
    assert {answer.outcome for answer in answers} == {ACCEPTED}


async def test_closing_ends_the_facts_and_tells_whoever_waits_that_nothing_is_known(
    bench: Bench,
) -> None:
    bench.break_(FaultKind.LOSE_ANSWER, request="create")
    waiting: asyncio.Task[Any] = asyncio.create_task(bench.venue.send(bench.a_create("a")))
    await bench.until(lambda: bench.orders_of("a") == 1)
    await bench.venue.close()
    answer = await waiting
    rest = [fact async for fact in bench.venue.facts()]

    assert answer.outcome is UNKNOWN
    assert rest == []
