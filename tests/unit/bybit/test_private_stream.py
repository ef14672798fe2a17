"""The private stream: healthy only if everything that happens would be told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.clock import SystemClock
from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.link import Link, LinkTiming
from order_adapters.venues.bybit.private_stream import EARLY_FILLS, TOPICS, PrivateStream
from order_domain.model.enums import VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.inputs import StreamState
from order_domain.model.reports import OrderReport, WalletReport
from order_domain.ports.venue import Fact
from tests.builders import NOW, D
from tests.unit.bybit.rows import MS, an_execution_row, an_order_row
from tests.unit.bybit.sockets import (
    FAST,
    KEY,
    PATIENT,
    Message,
    SocketPeer,
    a_link,
    running,
    talking,
    until,
)


def confirm(message: Message) -> Message:
    """The exchange agrees to everything."""
    if message["op"] == "ping":
        return {"req_id": "", "op": "pong", "args": ["1"], "conn_id": "c"}
    return {"success": True, "ret_msg": "", "op": message["op"], "conn_id": "c"}


def push(topic: str, *rows: Any) -> Message:
    return {"id": "1", "topic": topic, "creationTime": MS, "data": list(rows)}


class Stream:
    """A stream with a reader of its facts."""

    def __init__(
        self, peer: SocketPeer, timing: LinkTiming, capacity: int, further: Sequence[str] = ()
    ) -> None:
        self.peer = peer
        self.knowledge = Knowledge(lambda: NOW)
        self.facts = Facts(capacity)
        self.seen: list[Fact] = []
        self.stream = PrivateStream(
            a_link(peer, timing), KEY, lambda: MS, self.facts, self.knowledge, further
        )

    async def read(self) -> None:
        async for fact in self.facts.stream():
            self.seen.append(fact)

    @property
    def states(self) -> list[bool]:
        return [fact.healthy for fact in self.seen if isinstance(fact, StreamState)]


@asynccontextmanager
async def streaming(
    reply: Callable[[Message], Any] = confirm,
    timing: LinkTiming = PATIENT,
    capacity: int = 1000,
    *,
    is_read: bool = True,
    further: Sequence[str] = (),
) -> AsyncIterator[Stream]:
    async with talking(SocketPeer(reply)) as peer:
        made = Stream(peer, timing, capacity, further)
        reader = asyncio.create_task(made.read()) if is_read else None
        async with running(made.stream.link):
            yield made
        made.facts.close()
        if reader is not None:
            await reader


async def test_it_authenticates_then_subscribes_each_topic_by_itself() -> None:
    async with streaming() as made:
        await until(lambda: made.states)

    assert made.states == [True]
    assert made.peer.ops() == ["auth", *["subscribe"] * 4]
    assert [message["args"] for message in made.peer.heard[1:5]] == [[topic] for topic in TOPICS]


async def test_w8_an_early_fill_makes_its_order_filled_and_no_entry_of_the_ledger() -> None:
    fill = an_execution_row(orderLinkId="")
    early = {key: value for key, value in fill.items() if "Fee" not in key}
    new = an_order_row(category="linear", orderStatus="New", cumExecQty="0")
    async with streaming(further=[EARLY_FILLS]) as made:
        await until(lambda: made.states)
        await made.peer.say(push("order", new))
        await made.peer.say(push(EARLY_FILLS, early), push(EARLY_FILLS, early))
        await until(lambda: len(made.seen) == 3)
        await made.peer.say(push("execution", fill), push(EARLY_FILLS, early))
        await made.peer.say(push("order", an_order_row(category="linear")))
        await until(lambda: len(made.seen) == 5)

    assert made.peer.heard[5]["args"] == [EARLY_FILLS]
    first, raised, execution, last = made.seen[1:]
    assert isinstance(first, OrderReport)
    assert isinstance(raised, OrderReport)
    assert isinstance(last, OrderReport)
    assert [each.cum_quantity for each in (first, raised, last)] == [0, D("0.004"), D("0.004")]
    assert raised.client_order_id == "om-1"
    assert isinstance(execution, Execution)
    assert execution.fee == D("0.04")


async def test_w8_what_was_seen_of_fills_does_not_outlive_its_connection() -> None:
    early = {key: value for key, value in an_execution_row().items() if "Fee" not in key}
    new = an_order_row(category="linear", orderStatus="New", cumExecQty="0")
    async with streaming(further=[EARLY_FILLS]) as made:
        await until(lambda: made.states)
        await made.peer.say(push(EARLY_FILLS, early))
        await asyncio.sleep(0.02)
        made.peer.cut()
        await until(lambda: made.states == [True, False, True])
        await made.peer.say(push("order", new))
        await until(lambda: isinstance(made.seen[-1], OrderReport))

    assert isinstance(made.seen[-1], OrderReport)
    assert made.seen[-1].cum_quantity == 0


async def test_a_further_topic_that_is_refused_is_done_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def reply(message: Message) -> Message:
        is_refused = message.get("args") == ["dcp.future"]
        return confirm(message) | ({"success": False, "ret_msg": "no"} if is_refused else {})

    async with streaming(reply, further=["dcp.future"]) as made:
        await until(lambda: made.states)

    assert made.states == [True]
    assert "going on without a topic: dcp.future refused: no" in caplog.text


async def test_w11_auth_is_stamped_by_the_exchanges_clock() -> None:
    async with streaming() as made:
        await until(lambda: made.states)

    assert made.peer.heard[0]["args"][1] == MS + 10_000


@pytest.mark.parametrize("refused", ["auth", *TOPICS])
async def test_w3_one_refused_topic_makes_the_whole_stream_unhealthy(refused: str) -> None:
    def reply(message: Message) -> Message:
        answer = confirm(message)
        if refused in (message["op"], *message.get("args", [])):
            answer |= {"success": False, "ret_msg": "no such topic"}
        return answer

    async with streaming(reply, FAST) as made:
        await until(lambda: made.peer.connections > 2)

    assert made.states == [False]
    assert isinstance(made.seen[0], StreamState)
    assert "refused: no such topic" in made.seen[0].reason


async def test_w3_a_topic_that_is_never_confirmed_is_not_healthy() -> None:
    def reply(message: Message) -> Message | None:
        return None if message.get("args") == ["wallet"] else confirm(message)

    timing = LinkTiming(ping=1.0, dead=2.0, greet=0.1, first_wait=0.01, longest_wait=0.01)
    async with streaming(reply, timing) as made:
        await until(lambda: made.peer.connections > 1)

    assert made.states == [False]


async def test_orders_executions_and_wallets_become_facts_in_order_of_arrival() -> None:
    wallet = {"accountType": "UNIFIED", "coin": [{"coin": "USDT", "walletBalance": "5"}]}
    async with streaming() as made:
        await until(lambda: made.states)
        await made.peer.say(
            push("execution", an_execution_row()),
            push("order", an_order_row(category="linear")),
            push("wallet", wallet),
        )
        await until(lambda: len(made.seen) == 4)

    assert [type(fact) for fact in made.seen[1:]] == [Execution, OrderReport, WalletReport]


async def test_w6_every_row_of_a_message_becomes_a_fact() -> None:
    rows = [an_execution_row(execId=f"e{number}") for number in range(5)]
    async with streaming() as made:
        await until(lambda: made.states)
        await made.peer.say(push("execution", *rows))
        await until(lambda: len(made.seen) == 6)

    assert [fact.exec_id for fact in made.seen if isinstance(fact, Execution)] == [
        f"e{number}" for number in range(5)
    ]


async def test_x25_a_word_nobody_knows_costs_one_record_and_not_the_stream() -> None:
    async with streaming() as made:
        await until(lambda: made.states)
        await made.peer.say(
            push(
                "order",
                an_order_row(category="linear", orderStatus="Levitating"),
                an_order_row(category="linear", orderStatus="Filled"),
            ),
            b"\xff\xfe not json",
            "[1,2]",
            push("order", "no object"),
            push("mystery", {}),
            {"topic": "order", "data": None},
            push("order", an_order_row(category="linear", orderStatus="Cancelled")),
        )
        await until(lambda: len(made.seen) == 3)

    reports = [fact.status for fact in made.seen if isinstance(fact, OrderReport)]
    assert reports == [VenueStatus.FILLED, VenueStatus.CANCELLED]
    assert made.knowledge.quarantines == 3
    assert made.knowledge.quarantined[0].field == "orderStatus"


async def test_w1_every_reconnect_says_unhealthy_then_healthy() -> None:
    async with streaming(timing=FAST) as made:
        for expected in (1, 3, 5):
            await until(lambda count=expected: len(made.states) == count)
            made.peer.cut()

    assert made.states[:5] == [True, False, True, False, True]


async def test_w2_a_connection_that_is_open_but_dead_is_found() -> None:
    deaf = False

    def reply(message: Message) -> Message | None:
        return None if deaf and message["op"] == "ping" else confirm(message)

    async with streaming(reply, FAST) as made:
        await until(lambda: made.states == [True])
        deaf = True
        await until(lambda: False in made.states)
        deaf = False
        await until(lambda: made.states[-1])

    lost = next(f for f in made.seen if isinstance(f, StreamState) and not f.healthy)
    assert lost.reason == "LinkDown: no pong for 0.2 s"


async def test_w2_pongs_keep_a_quiet_connection_alive() -> None:
    async with streaming(timing=FAST) as made:
        await until(lambda: sum(m["op"] == "ping" for m in made.peer.heard) > 10)

    assert made.states == [True]
    assert made.peer.connections == 1


async def test_w9_a_reader_that_is_too_slow_costs_the_connection_and_no_fact_in_silence() -> None:
    async with streaming(timing=FAST, capacity=10, is_read=False) as made:
        await until(lambda: made.stream.is_healthy)
        rows = [an_execution_row(execId=f"e{number}") for number in range(50)]
        await made.peer.say(push("execution", *rows))
        await until(lambda: not made.stream.is_healthy)
        reader = asyncio.create_task(made.read())
        await until(lambda: made.stream.is_healthy)
        await until(lambda: len(made.states) == 3)
        made.facts.close()
        await reader

    assert made.states == [True, False, True]
    assert sum(isinstance(fact, Execution) for fact in made.seen) == 10
    reason = next(f for f in made.seen if isinstance(f, StreamState) and not f.healthy).reason
    assert reason == "the reader is too slow"


async def test_w9_nothing_is_subscribed_again_before_the_reader_has_caught_up() -> None:
    timing = LinkTiming(ping=1.0, dead=2.0, greet=0.05, first_wait=0.01, longest_wait=0.01)
    async with streaming(timing=timing, capacity=2, is_read=False) as made:
        await until(lambda: made.stream.is_healthy)
        await made.peer.say(push("execution", *(an_execution_row(execId=e) for e in "abc")))
        await until(lambda: made.peer.connections > 2)

    assert made.peer.ops().count("auth") == 1


async def test_a_bar_makes_a_good_connection_untrusted_until_it_is_lifted() -> None:
    async with streaming() as made:
        await until(lambda: made.states)
        made.stream.bar("key", "the key may withdraw")
        made.stream.bar("clock", "off")
        made.stream.bar("key", "")
        made.stream.bar("clock", "")
        await until(lambda: len(made.states) == 3)

    assert made.states == [True, False, True]


def test_w10_reconnects_wait_ever_longer_with_jitter_and_stay_under_the_limit() -> None:
    """The exchange bans 500 new connections in five minutes."""
    link = Link("x", "ws://x", None, SystemClock(), Random(7), LinkTiming())
    waits = [link._wait(failures) for failures in range(1, 200)]
    total, connections = 0.0, 0
    for wait in waits:
        total += wait
        connections += total < 300

    assert connections < 30
    assert all(15 <= wait <= 30 for wait in waits[7:])
    assert len(set(waits)) == len(waits)
    again = Link("x", "ws://x", None, SystemClock(), Random(7), LinkTiming())
    assert [again._wait(failures) for failures in range(1, 200)] == waits


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                (
                    "topic",
                    "data",
                    "op",
                    "creationTime",
                    "orderId",
                    "symbol",
                    "category",
                    "coin",
                    "x",
                )
            ),
            inner | st.sampled_from((*TOPICS, "pong", "linear")),
        )
    ),
)


@given(st.one_of(st.binary(), JSON.map(json.dumps).map(str.encode)))
def test_x25_nothing_the_exchange_says_kills_the_reader(frame: bytes) -> None:
    made = Stream(SocketPeer(confirm), PATIENT, 1000)

    made.stream.receive(frame)


@given(
    st.sampled_from(TOPICS),
    st.dictionaries(st.sampled_from(tuple(an_order_row() | an_execution_row())), JSON),
)
def test_x25_no_field_of_a_row_kills_the_reader(topic: str, changes: dict[str, Any]) -> None:
    made = Stream(SocketPeer(confirm), PATIENT, 1000)
    row = an_order_row(category="linear") | an_execution_row() | changes

    made.stream.receive(json.dumps(push(topic, row)).encode())
