"""Answers read from bytes: whole however they come, and the same whoever reads them."""

from itertools import pairwise

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from order_adapters.venues.bybit.http_answers import (
    BODY_MAX,
    AnswerReader,
    Broken,
    WireAnswer,
)
from tests.unit.bybit.raw import OK, http

TOKEN = st.text("abcdefXYZ-_019", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
OTHERS = st.dictionaries(TOKEN, VALUE, max_size=4)


def read(data: bytes, *cuts: int, ends: bool = False) -> WireAnswer | None:
    """Feed the bytes in parts; what came first is the answer."""
    reader = AnswerReader()
    edges = [0, *sorted(cuts), len(data)]
    for begin, end in pairwise(edges):
        if begin < end and (answer := reader.feed(data[begin:end])) is not None:
            return answer
    return reader.end() if ends else None


def by_h11(data: bytes) -> tuple[int, dict[str, str], bytes]:
    machine = h11.Connection(h11.CLIENT)
    machine.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    machine.send(h11.EndOfMessage())
    machine.receive_data(data)
    status, headers, body = 0, {}, b""
    while not isinstance(event := machine.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode().lower(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
    return status, headers, body


@given(
    status=st.sampled_from(("200 OK", "200", "429 Too Many Requests", "502 Bad Gateway")),
    others=OTHERS,
    body=st.binary(max_size=60),
    data=st.data(),
)
def test_a_plain_answer_is_what_h11_makes_of_it_however_it_is_cut(
    status: str, others: dict[str, str], body: bytes, data: st.DataObject
) -> None:
    whole = http(body, status, *(f"X-{name}: {value}" for name, value in others.items()))
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=5))
    answer = read(whole, *cuts)

    assert answer is not None
    assert (answer.status, dict(answer.headers), answer.body) == by_h11(whole)


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=5))
@example(data=b"HTTP/1.1 200 OK\r\n\r\n", cuts=[])
@example(data=b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", cuts=[])
@example(data=b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", cuts=[])
@example(data=b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n", cuts=[])
def test_bytes_that_are_no_answer_are_broken_or_wait_for_more(data: bytes, cuts: list[int]) -> None:
    try:
        answer = read(data, *[cut for cut in cuts if cut < len(data)])
    except Broken:
        return

    assert answer is None


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "body", "is_last"),
    [
        (http(b"abc"), b"abc", False),
        (http(b"abc", "200 OK", "Connection: Close"), b"abc", True),
        (http(b"abc") + b"more", b"abc", True),
        (b"HTTP/1.1 200 OK\r\n" + CHUNKED, b"abc", False),
        (b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"more", b"abc", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"abc"), b"abc", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", False),
        (b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    ],
)
def test_every_form_of_an_answer_is_read(data: bytes, body: bytes, is_last: bool) -> None:
    for cut in range(len(data)):
        if data.startswith(http(b"abc")) and cut >= len(http(b"abc")):
            continue  # what comes after a whole answer is its connection's matter
        if b"0\r\n\r\nmore" in data and cut >= len(data) - len(b"more"):
            continue
        answer = read(data, cut)
        assert answer is not None
        assert (answer.body, answer.is_last) == (body, is_last)


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"
    answer = read(data, ends=True)

    assert read(data) is None
    assert answer is not None
    assert (answer.body, answer.is_last) == (b"<html>", True)


def test_an_answer_of_a_known_length_does_not_end_early_with_its_connection() -> None:
    assert read(http()[:-1], ends=True) is None


@pytest.mark.parametrize(
    "head",
    [
        f"Content-Length: {BODY_MAX + 1}",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3\r\nTransfer-Encoding: gzip",
        "Content-Length : 3",
        "Content-Length: 3, 4",
        "no colon\r\nContent-Length: 3",
    ],
)
def test_an_answer_whose_length_nobody_can_tell_is_broken(head: str) -> None:
    with pytest.raises(Broken):
        read(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\nabc".encode())


def test_a_head_without_an_end_is_broken() -> None:
    with pytest.raises(Broken):
        read(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000, *range(1000, 160_000, 1000))


def test_headers_are_found_in_any_case() -> None:
    answer = read(http(OK, "200 OK", "X-Bapi-LIMIT: 10"))

    assert answer is not None
    assert answer.headers["x-BAPI-limit"] == "10"
    assert answer.headers.get("X-Other") is None
