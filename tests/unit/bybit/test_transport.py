"""Exact bytes over HTTP, sent once; what is known when the connection dies at any byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from order_adapters.venues.bybit.signing import Credentials, sign
from order_adapters.venues.bybit.transport import HttpTiming, HttpTransport, NoAnswer, NotSent
from order_adapters.venues.bybit.wire import _Connection
from tests.unit.bybit.raw import OK, Peer, answering, http, is_whole, listening

KEY = Credentials("TESTKEY0000000001", "TESTSECRET000000000000000000000000001")
BODY = b'{"category":"linear","symbol":"BTCUSDT","orderLinkId":"om-1"}'
STAMP = 1700000000000


@asynccontextmanager
async def a_transport(url: str, **timing: float) -> AsyncIterator[HttpTransport]:
    transport = HttpTransport(
        url, KEY, recv_window_ms=5000, timing=HttpTiming(**{"whole": 2.0} | timing)
    )
    try:
        yield transport
    finally:
        await transport.close()


async def post(peer: Peer, **timing: float) -> Any:
    async with a_transport(peer.url, **timing) as transport:
        return await transport.post("/v5/order/create", BODY, STAMP)


async def test_a_post_carries_the_very_bytes_that_were_signed() -> None:
    async with listening(Peer(answering(http()))) as peer:
        answer = await post(peer)
    head, _, body = peer.heard[0].partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])

    assert (answer.status, answer.body) == (200, OK)
    assert head.startswith(b"POST /v5/order/create HTTP/1.1\r\n")
    assert body == BODY
    assert (
        lines["X-BAPI-SIGN"] == "6cd6d262e2fcec62062b2ab427b2f6ecbb3f88757f233cad064d8efe65eb86d0"
    )
    assert lines["X-BAPI-TIMESTAMP"] == "1700000000000"
    assert lines["X-BAPI-RECV-WINDOW"] == "5000"
    assert lines["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "query",
    [
        "category=linear&cursor=a%3A1%2Cb%3A2&limit=50",
        "cursor=page_token%3D39380%26",
        "coin=USDT,USDC",
        "a=%7e'()*:@!$",
    ],
)
async def test_a_query_leaves_as_it_was_signed(query: str) -> None:
    async with listening(Peer(answering(http()))) as peer, a_transport(peer.url) as transport:
        await transport.get("/v5/order/realtime", query, STAMP)
    head = peer.heard[0].decode()
    signature = sign(KEY, f"{STAMP}{KEY.key}5000{query}".encode())

    assert head.startswith(f"GET /v5/order/realtime?{query} HTTP/1.1\r\n")
    assert f"X-BAPI-SIGN: {signature}\r\n" in head
    assert "content-length" not in head.lower()


async def test_a_query_that_http_cannot_carry_is_not_sent_in_another_form() -> None:
    async with listening(Peer(answering(http()))) as peer, a_transport(peer.url) as transport:
        with pytest.raises(NotSent):
            await transport.get("/v5/order/realtime", "cursor=a b", STAMP)

    assert peer.requests == 0


async def test_a_refused_signature_comes_back_without_the_key_that_was_signed() -> None:
    told = f'{{"retCode": 10004, "retMsg": "error sign! origin_string[{STAMP}{KEY.key}5000]"}}'
    async with listening(Peer(answering(http(told.encode())))) as peer:
        answer = await post(peer)

    assert answer.body == told.replace(KEY.key, "***").encode()


async def test_market_data_is_asked_for_without_a_key() -> None:
    async with listening(Peer(answering(http()))) as peer, a_transport(peer.url) as transport:
        await transport.get("/v5/market/time", "", None)

    assert peer.heard[0].startswith(b"GET /v5/market/time HTTP/1.1\r\n")
    assert b"X-BAPI" not in peer.heard[0]


async def test_without_a_key_nothing_signed_leaves() -> None:
    async with listening(Peer(answering(http()))) as peer:
        transport = HttpTransport(peer.url, None, recv_window_ms=5000, timing=HttpTiming())
        with pytest.raises(NotSent):
            await transport.post("/v5/order/create", BODY, STAMP)
        await transport.close()

    assert peer.heard == []


async def test_one_connection_serves_many_requests() -> None:
    async with listening(Peer(answering(http()))) as peer, a_transport(peer.url) as transport:
        for _ in range(3):
            await transport.post("/v5/order/create", BODY, STAMP)

    assert len(peer.heard) == 1
    assert peer.requests == 3


async def test_a_redirect_is_not_followed() -> None:
    response = http(b"", "307 Temporary Redirect", "Location: /v5/elsewhere")
    async with listening(Peer(answering(response))) as peer:
        answer = await post(peer)

    assert answer.status == 307
    assert peer.requests == 1


async def test_nobody_listens_so_nothing_was_sent() -> None:
    async with listening(Peer(answering(http()))) as peer:
        pass
    with pytest.raises(NotSent):
        await post(peer)


async def test_a_host_without_a_name_is_not_sent_to() -> None:
    async with a_transport("http://nowhere.invalid") as transport:
        with pytest.raises(NotSent):
            await transport.post("/v5/order/create", BODY, STAMP)


@pytest.mark.parametrize("after", [1, 2, 5, 17, 40, 120, 250, 400])
async def test_x3_a_reset_in_the_middle_of_a_request_leaves_it_unknown(after: int) -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if len(heard) >= after:
            writer.transport.abort()

    async with listening(Peer(react)) as peer:
        with pytest.raises(NoAnswer):
            await post(peer)

    assert peer.requests == 1


@pytest.mark.parametrize("part", range(0, len(http()), 7))
@pytest.mark.parametrize("is_reset", [True, False])
async def test_x3_an_answer_cut_at_any_byte_leaves_it_unknown(part: int, is_reset: bool) -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if not is_whole(heard):
            return
        writer.write(http()[:part])
        await writer.drain()
        if is_reset:
            writer.transport.abort()
        else:
            writer.close()

    async with listening(Peer(react)) as peer:
        with pytest.raises(NoAnswer):
            await post(peer)

    assert peer.requests == 1


async def test_x2_an_answer_that_never_comes_leaves_it_unknown() -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        """Say nothing."""

    async with listening(Peer(react)) as peer:
        with pytest.raises(NoAnswer):
            await post(peer, whole=0.1)

    assert peer.requests == 1


async def test_an_answer_that_drips_does_not_hold_the_order_for_ever() -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        for byte in http():
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.02)

    async with listening(Peer(react)) as peer:
        with pytest.raises(NoAnswer):
            await post(peer, whole=0.2)


async def test_x3_a_stale_connection_sends_no_order_twice() -> None:
    """The exchange closes a kept connection the moment the next request arrives."""

    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if heard.count(b"POST ") > 1:
            writer.transport.abort()
        elif is_whole(heard):
            writer.write(http())

    async with listening(Peer(react)) as peer, a_transport(peer.url) as transport:
        await transport.post("/v5/order/create", BODY, STAMP)
        with pytest.raises(NoAnswer):
            await transport.post("/v5/order/create", BODY, STAMP)

    assert peer.requests == 2


async def test_a_connection_known_to_be_closed_is_not_used() -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if is_whole(heard):
            writer.write(http())
            writer.close()

    async with listening(Peer(react)) as peer, a_transport(peer.url) as transport:
        await transport.post("/v5/order/create", BODY, STAMP)
        await asyncio.sleep(0.05)
        await transport.post("/v5/order/create", BODY, STAMP)

    assert len(peer.heard) == 2


async def test_x4_an_answer_that_is_no_http_leaves_it_unknown() -> None:
    async with listening(Peer(answering(b"\x00\x01\x02 not http at all\r\n\r\n"))) as peer:
        with pytest.raises(NoAnswer):
            await post(peer)


async def test_giving_up_closes_the_connection_that_an_answer_may_still_come_on() -> None:
    """A late answer must never be taken for the answer to the next request."""

    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if is_whole(heard):
            await asyncio.sleep(0.15 if b"first" in heard else 0)
            name = b"first" if b"first" in heard else b"second"
            writer.write(http(b'{"for":"%b"}' % name))

    async with listening(Peer(react)) as peer, a_transport(peer.url, whole=0.1) as transport:
        with pytest.raises(NoAnswer):
            await transport.post("/first", BODY, STAMP)
        answer = await transport.post("/second", BODY, STAMP)

    assert answer.body == b'{"for":"second"}'


async def test_an_answer_nobody_asked_for_is_not_taken_for_the_next() -> None:
    """A time-out page, say, that the exchange sends on an idle connection."""
    stray = http(b"stray", "408 Request Timeout")

    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if is_whole(heard):
            writer.write(http())
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.write(stray)

    async with listening(Peer(react)) as peer, a_transport(peer.url) as transport:
        await transport.post("/v5/order/create", BODY, STAMP)
        await asyncio.sleep(0.06)
        answer = await transport.post("/v5/order/create", BODY, STAMP)

    assert (answer.status, answer.body) == (200, OK)
    assert len(peer.heard) == 2


async def test_two_answers_to_one_request_spoil_the_connection() -> None:
    twice = Peer(answering(http() + http(b"second")))
    async with listening(twice) as peer, a_transport(peer.url) as transport:
        for _ in range(2):
            answer = await transport.post("/v5/order/create", BODY, STAMP)
            assert answer.body == OK

    assert len(peer.heard) == 2


async def test_an_answer_in_chunks_is_put_together() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Bapi-Limit: 10\r\n\r\n"
    chunked = head + b"".join(b"%x\r\n%b\r\n" % (1, bytes((byte,))) for byte in OK) + b"0\r\n\r\n"
    async with listening(Peer(answering(chunked))) as peer:
        answer = await post(peer)

    assert answer.body == OK
    assert answer.headers["x-BAPI-limit"] == "10"


async def test_requests_beyond_the_connections_wait_in_order() -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        if is_whole(heard):
            await asyncio.sleep(0.01)
            writer.write(http())

    async with listening(Peer(react)) as peer:
        transport = HttpTransport(
            peer.url, KEY, recv_window_ms=5000, timing=HttpTiming(), connections=2
        )
        answers = await asyncio.gather(
            *(transport.post("/v5/order/create", BODY, STAMP) for _ in range(9))
        )
        await transport.close()

    assert [answer.status for answer in answers] == [200] * 9
    assert len(peer.heard) == 2


async def test_without_a_free_connection_in_time_nothing_is_sent() -> None:
    async def react(writer: asyncio.StreamWriter, heard: bytes) -> None:
        """Say nothing."""

    async with listening(Peer(react)) as peer:
        transport = HttpTransport(
            peer.url, KEY, recv_window_ms=5000, timing=HttpTiming(connect=0.05), connections=1
        )
        first = asyncio.create_task(transport.post("/v5/order/create", BODY, STAMP))
        await asyncio.sleep(0.01)
        with pytest.raises(NotSent, match="busy"):
            await transport.post("/v5/order/create", BODY, STAMP)
        await transport.close()
        with pytest.raises(NoAnswer):
            await first

    assert peer.requests == 1


class Foreign:
    """A transport of a loop that does not derive its own from asyncio's, as uvloop's does not."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        pass


async def test_a_transport_that_asyncio_does_not_know_is_used() -> None:
    connection, transport = _Connection(), Foreign()
    connection.connection_made(cast("asyncio.Transport", transport))
    request = b"GET /v5/market/time HTTP/1.1\r\nHost: x\r\n\r\n"
    asking = connection.ask(request, asyncio.get_running_loop())
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    answer = await asking

    assert transport.written == request
    assert (answer.status, answer.body) == (200, b"{}")
