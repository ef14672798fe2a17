"""Whoever hands a signal in is told what became of it, or that nobody knows."""

import asyncio

import pytest

from order_adapters.intake.signal_json import read_delivery
from order_adapters.messaging.memory import MemorySignalSource
from order_domain.codes import Code
from order_domain.model.enums import Verdict
from order_domain.model.inputs import DeliveryInvalid
from order_domain.model.steps import Acknowledge
from order_service.desk import Desk, NotTaking, Undecided


@pytest.fixture
def desk() -> Desk:
    desk = Desk(MemorySignalSource, read_delivery)
    desk.open(41)
    return desk


async def settle(desk: Desk, verdict: Verdict = Verdict.INVALID) -> int:
    """Be the engine for one delivery."""
    delivery = await anext(aiter(desk.deliveries()))
    await desk.acknowledge(Acknowledge(delivery.number, verdict, Code.BODY_INVALID))
    return delivery.number


async def test_deliveries_are_numbered_on_from_the_newest(desk: Desk) -> None:
    waiting = asyncio.ensure_future(desk.hand_in(b"x", 5))

    assert await settle(desk) == 42
    delivery, effect = await waiting
    assert isinstance(delivery, DeliveryInvalid)
    assert (effect.number, effect.verdict) == (42, Verdict.INVALID)


async def test_a_verdict_that_does_not_come_is_unknown(desk: Desk) -> None:
    with pytest.raises(Undecided):
        await desk.hand_in(b"x", 0)


async def test_a_verdict_that_comes_too_late_is_nobodys(desk: Desk) -> None:
    with pytest.raises(Undecided):
        await desk.hand_in(b"x", 0)

    assert await settle(desk) == 42


async def test_a_closed_desk_takes_nothing() -> None:
    with pytest.raises(NotTaking):
        await Desk(MemorySignalSource, read_delivery).hand_in(b"x", 5)


async def test_whoever_waits_when_it_closes_is_told(desk: Desk) -> None:
    waiting = asyncio.ensure_future(desk.hand_in(b"x", 5))
    await asyncio.sleep(0)
    desk.close()

    with pytest.raises(Undecided):
        await waiting
    with pytest.raises(NotTaking):
        await desk.hand_in(b"x", 5)


async def test_what_was_undecided_when_it_was_shut_does_not_come_to_the_next_owner(
    desk: Desk,
) -> None:
    undecided = asyncio.ensure_future(desk.hand_in(b"x", 5))
    await asyncio.sleep(0)
    await desk.shut()
    desk.open(60)
    waiting = asyncio.ensure_future(desk.hand_in(b"y", 5))

    assert await settle(desk) == 61
    await waiting
    with pytest.raises(Undecided):
        await undecided
