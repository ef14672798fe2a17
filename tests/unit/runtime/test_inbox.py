"""One order of inputs: answers, facts, requests of people, deliveries."""

import asyncio

from order_domain.model.inputs import RequestSweep, SignalDelivered, StreamState, Tick
from order_domain.model.reports import WalletReport
from order_service.runtime.inbox import Inbox
from tests.builders import NOW, a_signal
from tests.unit.runtime.parts import turns


def a_delivery(number: int) -> SignalDelivered:
    return SignalDelivered(number, a_signal())


async def test_facts_come_before_people_and_people_before_deliveries() -> None:
    woken: list[int] = []
    inbox = Inbox(lambda: woken.append(1))
    request, fact, answer = RequestSweep(request_id="r", actor="a"), StreamState(True), Tick()
    await inbox.deliver(a_delivery(1))
    await inbox.request(request)
    await inbox.fact(fact)
    inbox.answer(answer)

    assert len(woken) == 4
    assert inbox.has_facts
    assert [inbox.take_fact(), inbox.take_fact(), inbox.take_fact()] == [answer, fact, None]
    assert inbox.take_request() is request
    assert not inbox.has_facts
    assert inbox.deliveries == 1
    assert inbox.take_delivery() == a_delivery(1)
    assert inbox.take_delivery() is None


async def test_within_a_lane_the_order_of_arrival_holds() -> None:
    inbox = Inbox(lambda: None)
    for number in range(3):
        await inbox.deliver(a_delivery(number))
        await inbox.fact(WalletReport(NOW, ()))

    assert [inbox.take_delivery() for _ in range(3)] == [a_delivery(n) for n in range(3)]


async def test_a_producer_waits_while_its_lane_is_full() -> None:
    inbox = Inbox(lambda: None, deliveries=2)
    for number in range(2):
        await inbox.deliver(a_delivery(number))
    third = asyncio.create_task(inbox.deliver(a_delivery(2)))
    await turns()

    assert not third.done()
    assert inbox.take_delivery() == a_delivery(0)
    await turns()

    assert third.done()
    assert inbox.deliveries == 2


async def test_full_lanes_of_deliveries_hold_no_fact_back() -> None:
    inbox = Inbox(lambda: None, deliveries=1)
    await inbox.deliver(a_delivery(0))
    await inbox.fact(StreamState(True))
    inbox.answer(StreamState(False))

    assert inbox.take_fact() == StreamState(False)
