"""Order entry over a socket: every request gets its own reply, or nothing is known of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.venues.bybit.link import LinkTiming
from order_adapters.venues.bybit.trade_socket import TradeSocket
from order_adapters.venues.bybit.transport import NoAnswer, NotSent
from order_domain.model.enums import CommandKind
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

NOW_MS = 1700000000000
AUTHENTICATED = {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c"}
PONG = {"retCode": 0, "retMsg": "OK", "op": "pong", "data": ["1"], "connId": "c"}


def acknowledged(message: Message, code: int = 0) -> Message:
    name = message["args"][0].get("orderLinkId", "")
    data = {"orderId": f"id-{name}", "orderLinkId": name} if not code else {}
    return {
        "reqId": message["reqId"],
        "retCode": code,
        "retMsg": "",
        "op": message["op"],
        "data": data,
    }


def with_auth(reply: Callable[[Message], Any]) -> Callable[[Message], Any]:
    def answer(message: Message) -> Any:
        if message["op"] == "auth":
            return AUTHENTICATED
        return PONG if message["op"] == "ping" else reply(message)

    return answer


def silence(_message: Message) -> None:
    return None


@asynccontextmanager
async def a_socket(
    peer: SocketPeer, timing: LinkTiming = PATIENT, within: float = 2.0
) -> AsyncIterator[TradeSocket]:
    socket = TradeSocket(
        a_link(peer, timing),
        KEY,
        lambda: NOW_MS,
        recv_window_ms=2500,
        answer_within=within,
        session="s",
    )
    async with running(socket.link):
        yield socket


@asynccontextmanager
async def connected(
    reply: Callable[[Message], Any], timing: LinkTiming = PATIENT, within: float = 2.0
) -> AsyncIterator[tuple[SocketPeer, TradeSocket]]:
    async with (
        talking(SocketPeer(with_auth(reply))) as peer,
        a_socket(peer, timing, within) as socket,
    ):
        await until(lambda: socket.is_up)
        yield peer, socket


def create(socket: TradeSocket, name: str = "om-1", stamp: int = NOW_MS) -> Any:
    return socket.request(CommandKind.CREATE, b'{"orderLinkId":"%b"}' % name.encode(), stamp)


async def test_the_frame_is_what_the_exchange_asks_for() -> None:
    async with connected(acknowledged) as (peer, socket):
        reply = await create(socket, stamp=1699999999000)

    assert peer.heard[-1] == {
        "reqId": "s-1",
        "header": {"X-BAPI-TIMESTAMP": "1699999999000", "X-BAPI-RECV-WINDOW": "2500"},
        "op": "order.create",
        "args": [{"orderLinkId": "om-1"}],
    }
    assert reply["data"] == {"orderId": "id-om-1", "orderLinkId": "om-1"}


async def test_it_authenticates_for_a_little_while_of_the_exchanges_time() -> None:
    async with connected(acknowledged) as (peer, _):
        key, expires, signature = peer.heard[0]["args"]

    assert (key, expires, len(signature)) == (KEY.key, NOW_MS + 10_000, 64)


async def test_replies_find_their_requests_in_any_order() -> None:
    waiting: list[Message] = []

    def reply(message: Message) -> list[Message] | None:
        waiting.append(message)
        return [acknowledged(each) for each in reversed(waiting)] if len(waiting) == 3 else None

    async with connected(reply) as (_, socket):
        replies = await asyncio.gather(*(create(socket, name) for name in ("a", "b", "c")))

    assert [each["data"]["orderLinkId"] for each in replies] == ["a", "b", "c"]


async def test_before_it_is_up_nothing_is_sent() -> None:
    async with talking(SocketPeer(silence)) as peer, a_socket(peer) as socket:
        await until(lambda: peer.heard)
        with pytest.raises(NotSent):
            await create(socket)

    assert peer.ops() == ["auth"]


async def test_a_refused_key_never_comes_up() -> None:
    def refuse(message: Message) -> Message:
        return {"retCode": 10004, "retMsg": "sign", "op": "auth", "connId": "c"}

    async with talking(SocketPeer(refuse)) as peer, a_socket(peer, FAST) as socket:
        await until(lambda: peer.connections > 2)
        assert not socket.is_up


async def test_x2_a_request_without_a_reply_is_unknown() -> None:
    async with connected(silence, within=0.05) as (peer, socket):
        with pytest.raises(NoAnswer):
            await create(socket)

    assert peer.ops() == ["auth", "order.create"]
    assert socket.in_flight == 0


async def test_x2_each_request_has_its_own_time_and_one_given_up_takes_no_other_with_it() -> None:
    def reply(message: Message) -> Message | None:
        is_lost = message["args"][0]["orderLinkId"].startswith("lost")
        return None if is_lost else acknowledged(message)

    async with connected(reply, within=0.3) as (_, socket):
        first = asyncio.create_task(create(socket, "lost-1"))
        await asyncio.sleep(0.15)
        second = asyncio.create_task(create(socket, "lost-2"))
        with pytest.raises(NoAnswer):
            await first
        still_waiting = not second.done()
        answered = await create(socket, "om-1")
        with pytest.raises(NoAnswer):
            await second

    assert still_waiting
    assert answered["data"]["orderLinkId"] == "om-1"
    assert socket.in_flight == 0


async def test_x2_a_reply_that_comes_too_late_answers_nobody_else() -> None:
    late: list[Message] = []

    def reply(message: Message) -> Message | None:
        late.append(message)
        return acknowledged(message) if len(late) > 1 else None

    async with connected(reply, within=0.1) as (peer, socket):
        with pytest.raises(NoAnswer):
            await create(socket, "first")
        await peer.say(acknowledged(late[0]))
        second = await create(socket, "second")

    assert second["data"]["orderLinkId"] == "second"
    assert socket.strays == 1


async def test_x3_all_that_is_on_its_way_is_unknown_together_when_the_connection_dies() -> None:
    async with connected(silence) as (peer, socket):
        requests = [asyncio.create_task(create(socket, str(number))) for number in range(5)]
        await until(lambda: len(peer.ops()) == 6)
        peer.cut()
        ends = await asyncio.gather(*requests, return_exceptions=True)

    assert [type(end) for end in ends] == [NoAnswer] * 5
    assert len(peer.ops()) == 6


async def test_no_request_id_is_used_twice_even_after_a_reconnect() -> None:
    async with connected(acknowledged) as (peer, socket):
        await create(socket)
        peer.cut()
        await until(lambda: peer.connections == 2 and socket.is_up)
        await create(socket)

    ids = [message["reqId"] for message in peer.heard if message["op"] == "order.create"]
    assert ids == ["s-1", "s-2"]


async def test_w14_a_restarting_exchange_answers_what_is_on_its_way_and_gets_nothing_new() -> None:
    first: list[Message] = []

    def reply(message: Message) -> Message | None:
        if peer.connections > 1:
            return acknowledged(message)
        first.append(message)
        return acknowledged(message, 10019) if len(first) == 2 else None

    peer = SocketPeer(with_auth(reply))
    async with talking(peer), a_socket(peer) as socket:
        await until(lambda: socket.is_up)
        before = asyncio.create_task(create(socket, "before"))
        await until(lambda: first)
        refused = await create(socket, "refused")
        with pytest.raises(NotSent):
            await create(socket, "after")
        await peer.say(acknowledged(first[0]))
        answered = await before
        await until(lambda: socket.is_up)
        again = await create(socket, "again")

    assert refused["retCode"] == 10019
    assert answered["data"]["orderLinkId"] == "before"
    assert again["data"]["orderLinkId"] == "again"
    assert peer.connections == 2


async def handing_over(peer: SocketPeer, socket: TradeSocket) -> tuple[Any, Message]:
    """Leave a request on a connection that restarts; returns it, and what was heard of it."""
    await until(lambda: socket.is_up)
    before = asyncio.create_task(create(socket, "before"))
    await until(lambda: peer.ops() == ["auth", "order.create"])
    heard = orders(peer)[-1]
    await create(socket, "refused")
    return before, heard


def orders(peer: SocketPeer) -> list[Message]:
    return [message for message in peer.heard if message["op"] == "order.create"]


def restarting(peer: SocketPeer) -> Callable[[Message], Any]:
    def reply(message: Message) -> Any:
        name = message["args"][0]["orderLinkId"]
        if name == "before":
            return None
        return acknowledged(message, 10019 if name == "refused" else 0)

    return with_auth(reply)


async def test_w14_the_next_connection_is_up_before_the_last_one_ends() -> None:
    peer = SocketPeer(silence)
    peer.reply = restarting(peer)
    async with talking(peer), a_socket(peer) as socket:
        before, heard = await handing_over(peer, socket)
        await until(lambda: socket.is_up)
        both = len(peer.open)
        again = await create(socket, "again")
        await peer.open[0].send(json.dumps(acknowledged(heard)))
        answered = await before
        await until(lambda: len(peer.open) == 1)

    assert both == 2
    assert again["data"]["orderLinkId"] == "again"
    assert answered["data"]["orderLinkId"] == "before"
    assert socket.strays == 0


async def test_w14_what_waits_on_the_last_connection_is_lost_with_it_and_nothing_else() -> None:
    peer = SocketPeer(silence)
    peer.reply = restarting(peer)
    async with talking(peer), a_socket(peer, within=10.0) as socket:
        before, _ = await handing_over(peer, socket)
        await until(lambda: socket.is_up)
        peer.reply = with_auth(silence)
        after = asyncio.create_task(create(socket, "after"))
        await until(lambda: len(peer.ops()) == 5)
        peer.open[0].transport.abort()
        with pytest.raises(NoAnswer):
            await before
        await peer.open[-1].send(json.dumps(acknowledged(orders(peer)[-1])))
        answered = await after

    assert answered["data"]["orderLinkId"] == "after"


async def test_w14_what_waits_on_the_last_connection_outlives_a_next_one_that_is_refused() -> None:
    peer = SocketPeer(silence)
    restarts = restarting(peer)

    def reply(message: Message) -> Any:
        if message["op"] == "auth" and 1 < peer.connections < 4:
            return {"retCode": 10016, "retMsg": "restarting", "op": "auth"}
        return restarts(message)

    peer.reply = reply
    async with talking(peer), a_socket(peer) as socket:
        before, heard = await handing_over(peer, socket)
        await until(lambda: peer.connections == 4 and socket.is_up)
        await peer.open[0].send(json.dumps(acknowledged(heard)))
        answered = await before

    assert answered["data"]["orderLinkId"] == "before"


async def test_w2_a_connection_without_pongs_is_dead() -> None:
    def reply(message: Message) -> Message | None:
        return AUTHENTICATED if message["op"] == "auth" else None

    async with talking(SocketPeer(reply)) as peer, a_socket(peer, FAST) as socket:
        await until(lambda: socket.is_up)
        pending = asyncio.create_task(create(socket))
        with pytest.raises(NoAnswer):
            await pending
        await until(lambda: peer.connections == 2)


async def test_a_refusal_without_an_id_is_given_to_nobody() -> None:
    def reply(message: Message) -> Message:
        return {"retCode": 10005, "retMsg": "permission", "op": message["op"]}

    async with connected(reply, within=0.05) as (_, socket):
        with pytest.raises(NoAnswer):
            await create(socket)

    assert socket.strays == 1


async def test_a_waiter_that_gave_up_disturbs_nobody() -> None:
    held: list[Message] = []

    def reply(message: Message) -> Any:
        held.append(message)
        return [acknowledged(each) for each in held] if len(held) == 2 else None

    async with connected(reply) as (_, socket):
        first = asyncio.create_task(create(socket, "first"))
        await until(lambda: held)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = await create(socket, "second")

    assert second["data"]["orderLinkId"] == "second"
    assert socket.in_flight == 0


@given(
    st.one_of(
        st.binary(),
        st.text().map(str.encode),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(("op", "reqId", "retCode", "data", "x")), inner)
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_nothing_the_exchange_says_kills_the_reader(frame: bytes) -> None:
    peer = SocketPeer(silence)
    socket = TradeSocket(
        a_link(peer), KEY, lambda: NOW_MS, recv_window_ms=1, answer_within=1.0, session="s"
    )

    socket.receive(frame)
