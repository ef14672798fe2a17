"""Faults between us and the exchange, injected into its bytes, its account or its answers."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import attrs
import pytest

from order_adapters.bybit_server.catalogue import INSTRUMENTS
from order_adapters.simulator import Fault, FaultKind
from order_adapters.venues.bybit.link import LinkTiming
from order_domain.model.enums import AnswerOutcome, InstrumentStatus, OrderStatus, Side
from order_domain.model.execution import Execution
from order_domain.model.instrument import Instrument
from order_domain.model.reports import OrderReport, SweepResult
from order_domain.model.signal import SignalIntent
from order_domain.model.steps import SendAmend, Sweep
from order_domain.ports.venue import Fact
from tests.builders import BTC, D, seconds
from tests.integration.bybit_world import FAST, World, a_world
from tests.integration.test_bybit_runtime import trading
from tests.unit.bybit.raw import http
from tests.unit.bybit.rows import an_execution_row, an_order_row

UNKNOWN, ACCEPTED = AnswerOutcome.UNKNOWN, AnswerOutcome.ACCEPTED
BY_REST = {"trades_by_socket": False}


@pytest.fixture(params=["socket", "rest"])
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Both ways that an order can go."""
    return {"trades_by_socket": request.param == "socket"}


def push(world: World, topic: str, *rows: Any) -> None:
    """Have the exchange push something on the private stream."""
    message = {"id": "1", "topic": topic, "creationTime": 1_700_000_000_000, "data": list(rows)}
    for session in world.account.publisher.sessions:
        session.put(json.dumps(message))


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>bad gateway</html>", "502 Bad Gateway"),
        http(b"<html>everything is fine</html>"),
        http(b'{"retCode":0,"retMsg":"OK","result":{"orderId":"1'),
        http(
            b'{"retCode":0,"result":{"orderId":"1","orderLinkId":"om-1"}}',
            "500 Internal Server Error",
        ),
        http(b"\xff\xfe\x00"),
        http(b'{"retCode":0,"retMsg":"OK","result":{"orderId":"1","orderLinkId":"another"}}'),
        b"no HTTP at all\r\n\r\n",
    ],
)
async def test_x4_whatever_an_answer_by_rest_says_that_is_none_it_is_unknown(answer: bytes) -> None:
    async with a_world(**BY_REST) as world:
        world.wire.forge("http", b"", answer)
        first = await world.venue.send(world.a_create("om-1"))
        world.wire.forgery = None
        await world.until(lambda: world.orders_at_exchange("om-1"))
        second = await world.venue.send(world.a_create("om-1", attempt=2))

    assert first.outcome is UNKNOWN
    assert second.outcome is AnswerOutcome.EXISTS


@pytest.mark.parametrize("new", [b'"retCode":x', b'"retCode"=0', b'"retcode":0', b'"retCode":['])
async def test_x4_a_reply_of_the_socket_that_cannot_be_read_is_unknown(new: bytes) -> None:
    async with a_world(answer_within=2.6) as world:
        world.wire.forge("trade", b'"retCode":0', new)
        first = await world.venue.send(world.a_create("om-1"))
        world.wire.forgery = None
        second = await world.venue.send(world.a_create("om-1", attempt=2))

    assert first.outcome is UNKNOWN
    assert second.outcome is AnswerOutcome.EXISTS


async def test_x17_an_amend_whose_answer_is_lost_shows_and_the_next_one_is_absolute_too(
    way: dict[str, Any],
) -> None:
    lost = Fault(kind=FaultKind.LOSE_ANSWER, request="amend")
    async with a_world(lost, answer_within=2.6, **way) as world:
        create = world.a_create("om-1")
        await world.venue.send(create)
        values, later = (D(45900), D("0.03")), (D(45800), D("0.01"))
        first = await world.venue.send(SendAmend(create.order, 1, 1, world.exchange_now(), *values))
        found = await world.venue.look_up(world.a_look_up(create))
        await world.connected()
        second = await world.venue.send(SendAmend(create.order, 2, 1, world.exchange_now(), *later))
        after = await world.venue.look_up(world.a_look_up(create))

    assert (first.outcome, second.outcome) == (UNKNOWN, ACCEPTED)
    assert found.order is not None
    assert after.order is not None
    assert (found.order.price, found.order.quantity) == values
    assert (after.order.price, after.order.quantity) == later


async def test_x19_while_the_exchange_is_maintained_nothing_is_taken_and_after_it_all_is(
    way: dict[str, Any],
) -> None:
    upkeep = Fault(kind=FaultKind.MAINTENANCE, request="create", count=2)
    async with a_world(upkeep, **way) as world:
        answers = []
        for attempt in (1, 2, 3):
            await world.connected()
            answers.append(await world.venue.send(world.a_create("om-1", attempt=attempt)))
        orders = world.orders_at_exchange("om-1")

    refused = (AnswerOutcome.NOT_ACCEPTED, 10019)
    assert [(each.outcome, each.code) for each in answers] == [refused, refused, (ACCEPTED, 0)]
    assert orders == 1


async def test_x19_what_is_no_longer_listed_is_told_to_be_closed_and_open_when_it_is_again() -> (
    None
):
    async with a_world(refresh_interval=0.05) as world:
        board = world.server.services.boards.of(BTC)
        listed = board.instrument
        board.instrument = attrs.evolve(listed, status=InstrumentStatus.DELIVERING)
        await world.until(lambda: len(world.of(Instrument)) == 1)
        board.instrument = listed
        await world.until(lambda: len(world.of(Instrument)) == 2)

    closed, again = world.of(Instrument)
    assert (closed.id, closed.status) == (BTC, InstrumentStatus.CLOSED)
    assert again == attrs.evolve(closed, status=InstrumentStatus.TRADING)


async def test_x15_a_large_close_is_one_order_of_at_most_the_largest() -> None:
    largest = D("0.02")
    rules = attrs.evolve(INSTRUMENTS[0], max_market_quantity=largest)
    async with trading(server={"instruments": (rules,)}) as desk:
        admin = desk.world.account.exchange.admin
        for _ in range(3):
            admin.place(BTC, Side.BUY, largest, desk.world.account.exchange_now())
        desk.world.account.pump()
        await desk.until(lambda: desk.position == 3 * largest)
        await desk.signal(1, side=Side.SELL, amount=D("0.06"), intent=SignalIntent.CLOSE)
        await desk.until(lambda: any(o.status is OrderStatus.FILLED for o in desk.ours))
        await desk.until(lambda: desk.position == desk.at_exchange)
        names = {order.terms.client_order_id for order in desk.ours}
        made = [
            order
            for order in desk.world.account.exchange.records.orders.values()
            if order.client_order_id
        ]

    assert {order.client_order_id for order in made} == names
    assert len(made) == len(names)
    assert all(order.quantity <= largest for order in made)


# -- the private stream ----------------------------------------------------------------------------


async def test_x25_what_makes_no_sense_is_put_aside_and_the_stream_goes_on() -> None:
    async with a_world() as world:
        push(world, "order", an_order_row(category="linear", orderStatus="Dreaming"))
        push(world, "execution", an_execution_row(execQty="-1"), an_execution_row(execPrice="NaN"))
        push(world, "order", 7, None, [])
        for session in world.account.publisher.sessions:
            session.put("no JSON")
        await world.venue.send(world.a_create("om-1"))
        await world.until(lambda: world.of(OrderReport))
        health = world.venue.health

    assert [each.client_order_id for each in world.of(OrderReport)] == ["om-1"]
    assert world.of(Execution) == []
    assert (health.stream, health.quarantines) == (True, 6)


async def test_w6_several_fills_of_one_time_and_number_in_one_message_are_all_told() -> None:
    rows = [an_execution_row(execId=f"e{number}") for number in range(5)]
    async with a_world() as world:
        push(world, "execution", *rows)
        await world.until(lambda: len(world.of(Execution)) == 5)

    assert [each.exec_id for each in world.of(Execution)] == [f"e{n}" for n in range(5)]


async def test_w2_a_connection_that_carries_nothing_any_more_is_found_and_made_anew() -> None:
    timing = LinkTiming(ping=0.1, dead=0.5, first_wait=0.02, longest_wait=0.1)
    async with a_world(link=timing) as world:
        world.wire.holes.add("private")
        await world.until(lambda: world.states() == [True, False])
        world.wire.holes.clear()
        await world.until(lambda: world.states() == [True, False, True])
        await world.venue.send(world.a_create("om-1"))
        await world.until(lambda: world.of(OrderReport))


@pytest.mark.parametrize("topic", range(4))
async def test_w3_a_topic_that_is_refused_leaves_the_stream_untrusted(topic: int) -> None:
    said = b'"success":true,"ret_msg":"","op":"subscribe"'
    async with a_world() as world:
        world.wire.forge("private", said, said.replace(b"true", b"null"), skip=topic)
        world.server.app.disconnect("private")
        await world.until(lambda: world.wire.forgery.count > topic)
        states = world.states()
        await asyncio.sleep(0.05)
        still = world.states()
        world.wire.forgery = None
        await world.until(lambda: world.states() == [True, False, True])

    assert states == still == [True, False]


async def test_w4_w5_reports_twice_and_in_any_order_make_the_same_books() -> None:
    twice = Fault(kind=FaultKind.DUPLICATE_REPORT, count=0)
    mixed = Fault(kind=FaultKind.REORDER_REPORTS, count=0, by=timedelta(milliseconds=30))
    async with trading(twice, mixed) as desk:
        await desk.signal(1)
        await desk.signal(2, side=Side.SELL, amount=D(500))
        await desk.signal(3)
        await desk.until(lambda: len(desk.ledger) == 3)
        await desk.until(lambda: {order.status for order in desk.orders} == {OrderStatus.FILLED})
        await asyncio.sleep(0.2)
        ids = [entry.execution.exec_id for entry in desk.ledger]

    assert len(ids) == len(set(ids)) == 3
    assert desk.position == desk.at_exchange


async def test_w9_a_reader_that_falls_behind_costs_the_stream_and_no_fill() -> None:
    async with a_world(opens=False, facts=3, **BY_REST) as world:
        await world.venue.open()
        facts = world.venue.facts()
        seen: list[Fact] = []
        while not world.venue.health.stream:
            seen.append(await anext(facts))
        began_at = world.exchange_now() - seconds(5)
        for number in range(4):
            await world.venue.send(world.a_market(f"om-{number}"))
        await world.until(lambda: not world.venue.health.stream)
        reader = asyncio.create_task(_keep_reading(facts, world.facts))
        await world.until(lambda: world.venue.health.stream)
        sweep = await world.venue.sweep(Sweep("RECONNECT", began_at))
        await world.venue.close()
        await reader

    assert [each.client_order_id for each in sweep.executions] == [f"om-{n}" for n in range(4)]


async def _keep_reading(facts: Any, seen: list[Fact]) -> None:
    async for fact in facts:
        seen.append(fact)  # noqa: PERF401 -- seen while it grows


async def test_w10_an_exchange_that_is_not_there_is_not_stormed() -> None:
    """Three links for a second: doubled waits of at least half of 20, 40, 80, 100, 100 ... ms."""
    async with a_world(link=FAST) as world:
        world.wire.is_shut = True
        for path in ("private", "public", "trade"):
            world.server.app.disconnect(path)
        await asyncio.sleep(1.0)
        tries = world.wire.refused
        world.wire.is_shut = False
        await world.connected()

    assert 3 <= tries <= 3 * 22


async def test_w11_with_a_clock_far_off_the_stream_is_authenticated_again_after_a_cut() -> None:
    skew = Fault(kind=FaultKind.CLOCK_SKEW, by=timedelta(seconds=20), after=timedelta(0))
    async with a_world(skew) as world:
        world.server.app.disconnect("private")
        await world.until(lambda: world.states() == [True, False, True])


async def test_w14_orders_on_their_way_when_the_exchange_restarts_are_answered() -> None:
    slow = Fault(
        kind=FaultKind.DELAY_ANSWER, request="create", prefix="slow", by=timedelta(milliseconds=400)
    )
    restart = Fault(kind=FaultKind.ANSWER_CODE, request="create", prefix="hit", code=10019)
    async with a_world(slow, restart) as world:
        before = asyncio.create_task(world.venue.send(world.a_create("slow")))
        await world.until(lambda: world.orders_at_exchange("slow"))
        hit = await world.venue.send(world.a_create("hit"))
        await world.connected()
        after = await world.venue.send(world.a_create("after"))
        still_waits = not before.done()
        answer = await before

    assert (hit.outcome, hit.code) == (AnswerOutcome.NOT_ACCEPTED, 10019)
    assert still_waits
    assert (answer.outcome, after.outcome) == (ACCEPTED, ACCEPTED)


async def test_w7_a_sweep_that_lags_behind_the_stream_takes_nothing_back() -> None:
    """The stream told the fill; REST does not know it yet when the account is read after a cut."""
    late = Fault(kind=FaultKind.HIDE, by=timedelta(seconds=60))
    async with trading(late) as desk:
        sweeps: list[SweepResult] = []
        reader = desk.world.venue._reader
        read = reader.sweep

        async def sweep(query: Sweep) -> SweepResult:
            sweeps.append(await read(query))
            return sweeps[-1]

        reader.sweep = sweep  # type: ignore[method-assign]
        await desk.signal(1)
        await desk.until(lambda: any(o.status is OrderStatus.FILLED for o in desk.orders))
        desk.world.server.app.disconnect("private")
        await desk.until(lambda: len(sweeps) > 0)
        await asyncio.sleep(0.2)
        (order,) = desk.orders

    assert sweeps[0].complete
    assert sweeps[0].executions == ()
    assert order.status is OrderStatus.FILLED
    assert len(desk.ledger) == 1
