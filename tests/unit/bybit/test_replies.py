"""Replies: what bytes prove of the attempt they answer, and what they do not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from order_adapters.venues.bybit.replies import (
    Envelope,
    RateState,
    Unreadable,
    answer_of,
    answers_of,
    envelope_of,
    not_sent,
    parse_json,
    rate_of,
    read_reply,
    unanswered,
)
from order_domain.model.answers import OUTCOMES
from order_domain.model.enums import AnswerOutcome, CommandKind, Origin
from order_domain.model.identifiers import ClientOrderId, VenueOrderId
from order_domain.model.reports import Answer
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from tests.builders import NOW, an_order, an_order_id

NAME = an_order_id()
CREATE = SendCreate(an_order(attempt=3))
AMEND = SendAmend(an_order(venue_order_id=VenueOrderId("v1")), 2, 4, NOW, None, None)
CANCEL = SendCancel(an_order(venue_order_id=VenueOrderId("v1")), 5, 1, NOW)
ACK = {"orderId": "v1", "orderLinkId": NAME}


def a_reply(**changes: Any) -> bytes:
    reply: dict[str, object] = {
        "retCode": 0,
        "retMsg": "OK",
        "result": ACK,
        "retExtInfo": {},
        "time": 1_700_000_000_123,
    }
    return json.dumps(reply | changes).encode()


def answer(command: Any, body: bytes, status: int = 200) -> Answer:
    return answer_of(command, read_reply(body), status)


def test_an_accepted_create_names_its_attempt_and_the_exchanges_id() -> None:
    assert answer(CREATE, a_reply()) == Answer(
        NAME, CommandKind.CREATE, 0, 3, AnswerOutcome.ACCEPTED, 0, "OK", VenueOrderId("v1")
    )


def test_an_accepted_amend_or_cancel_names_its_number_and_attempt() -> None:
    amended, cancelled = answer(AMEND, a_reply()), answer(CANCEL, a_reply())
    assert (amended.kind, amended.number, amended.attempt) == (CommandKind.AMEND, 2, 4)
    assert (cancelled.kind, cancelled.number, cancelled.attempt) == (CommandKind.CANCEL, 5, 1)
    assert amended.outcome is cancelled.outcome is AnswerOutcome.ACCEPTED


@pytest.mark.parametrize("text", ["OK", "success", "SUCCESS", "", None])
def test_the_text_of_success_is_never_looked_at(text: str | None) -> None:
    assert answer(CREATE, a_reply(retMsg=text)).outcome is AnswerOutcome.ACCEPTED


@pytest.mark.parametrize("code", sorted(OUTCOMES))
def test_a_listed_code_proves_what_the_domain_says(code: int) -> None:
    given = answer(CANCEL, a_reply(retCode=code, retMsg="why"))
    assert given.code == code
    if code not in (0, 110072, 170141):  # a duplicate id says nothing of a cancel
        assert given.outcome is OUTCOMES[code]
        assert given.text == "why"


@pytest.mark.parametrize("code", [10000, 10016, 10014, 429, -1, 999_999, 20006])
def test_an_unlisted_code_proves_nothing(code: int) -> None:
    given = answer(CREATE, a_reply(retCode=code, result={}))
    assert (given.outcome, given.code) == (AnswerOutcome.UNKNOWN, code)


@pytest.mark.parametrize("result", [None, {}, [], "", {"list": []}])
def test_a_refusal_has_no_result(result: object) -> None:
    given = answer(CREATE, a_reply(retCode=110007, result=result))
    assert given.outcome is AnswerOutcome.REFUSED
    assert given.venue_order_id == ""


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        [],
        {"orderId": "v1"},
        {"orderId": "v1", "orderLinkId": ""},
        {"orderId": "v1", "orderLinkId": "another"},
        {"orderId": "", "orderLinkId": NAME},
        {"orderId": 17, "orderLinkId": NAME},
        {"orderId": "v\n1", "orderLinkId": NAME},
        {"orderLinkId": NAME},
    ],
)
def test_an_acceptance_that_does_not_name_our_order_proves_nothing(result: object) -> None:
    given = answer(CREATE, a_reply(result=result))
    assert given.outcome is AnswerOutcome.UNKNOWN
    assert given.venue_order_id == ""


def test_an_acceptance_of_another_order_under_our_id_proves_nothing_of_a_cancel() -> None:
    other = {"orderId": "v2", "orderLinkId": NAME}
    assert answer(CANCEL, a_reply(result=other)).outcome is AnswerOutcome.UNKNOWN
    assert answer(AMEND, a_reply(result=other)).outcome is AnswerOutcome.UNKNOWN


def test_a_foreign_order_is_told_by_the_exchanges_id_alone() -> None:
    foreign = an_order(
        origin=Origin.EXTERNAL,
        client_order_id=ClientOrderId("ext-v9"),
        venue_order_id=VenueOrderId("v9"),
    )
    cancel = SendCancel(foreign, 1, 1, NOW)
    assert answer(cancel, a_reply(result={"orderId": "v9"})).outcome is AnswerOutcome.ACCEPTED
    assert answer(cancel, a_reply(result={"orderId": "v8"})).outcome is AnswerOutcome.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        a_reply()[:-1],
        a_reply()[:40],
        b"\xff\xfe{}",
        a_reply().decode().encode("utf-16"),
        b"null",
        b"[]",
        b'"OK"',
        b"{}",
        b'{"retCode":"0"}',
        b'{"retCode":true}',
        b'{"retCode":0.0}',
        b'{"retCode":null}',
        b'{"ret_code":0}',
        b"[" * 100_000,
        b'{"retCode":1e99999999999999999999}',
    ],
)
@pytest.mark.parametrize("status", [200, 400, 403, 502])
def test_bytes_that_are_no_reply_prove_nothing(body: bytes, status: int) -> None:
    given = answer(CREATE, body, status)
    assert (given.outcome, given.code) == (AnswerOutcome.UNKNOWN, 0)
    assert given.text.startswith(f"HTTP {status}: ")
    assert len(given.text) < 300


@pytest.mark.parametrize("status", [201, 302, 401, 403, 404, 429, 500, 502, 503, 504])
def test_an_acceptance_under_another_status_proves_nothing(status: int) -> None:
    given = answer(CREATE, a_reply(), status)
    assert given.outcome is AnswerOutcome.UNKNOWN
    assert f"HTTP {status}" in given.text


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_the_exchanges_own_refusal_may_come_with_a_client_error(status: int) -> None:
    body = a_reply(retCode=10003, retMsg="API key is invalid.", result={})
    assert answer(CREATE, body, status).outcome is AnswerOutcome.REFUSED
    busy = a_reply(retCode=10006, retMsg="Too many visits!", result={})
    assert answer(CREATE, busy, status).outcome is AnswerOutcome.NOT_ACCEPTED


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_refusal_from_a_server_in_trouble_proves_nothing(status: int) -> None:
    body = a_reply(retCode=110007, result={})
    assert answer(CREATE, body, status).outcome is AnswerOutcome.UNKNOWN


def test_what_never_left_and_what_was_never_answered_are_not_the_same() -> None:
    assert not_sent(CREATE, "refused").outcome is AnswerOutcome.NOT_SENT
    assert unanswered(CREATE, "timeout").outcome is AnswerOutcome.UNKNOWN
    assert unanswered(AMEND, "timeout").number == 2


def test_a_hostile_text_is_cut_and_made_printable() -> None:
    reply = read_reply(a_reply(retCode=10001, retMsg="\x1b[31m" + "x" * 10_000))
    assert isinstance(reply, Envelope)
    assert reply.text.isprintable()
    assert len(reply.text) <= 200


def test_a_reply_of_the_socket_has_its_names_and_its_rate() -> None:
    message = parse_json(
        b'{"reqId":"r-1","retCode":0,"retMsg":"OK","op":"order.create","data":{"orderId":"v1",'
        b'"orderLinkId":"%b"},"retExtInfo":{},"header":{"X-Bapi-Limit":"10",'
        b'"X-Bapi-Limit-Status":"9","X-Bapi-Limit-Reset-Timestamp":"1700000000500",'
        b'"Traceid":"9f","Timenow":"1700000000501"},"connId":"c1-2v"}' % NAME.encode()
    )
    reply = envelope_of(message)
    assert isinstance(reply, Envelope)
    assert (reply.request_id, reply.code) == ("r-1", 0)
    assert reply.rate == RateState(10, 9, None)
    assert answer_of(CREATE, reply).outcome is AnswerOutcome.ACCEPTED


@pytest.mark.parametrize(("left", "waits"), [("0", True), ("1", False)])
def test_an_answer_that_used_the_limit_up_says_when_the_next_may_come(
    left: str, waits: bool
) -> None:
    message = parse_json(
        b'{"reqId":"r-1","retCode":0,"retMsg":"OK","op":"order.create","data":{"orderId":"v1",'
        b'"orderLinkId":"%b"},"retExtInfo":{},"header":{"X-Bapi-Limit":"10",'
        b'"X-Bapi-Limit-Status":"%b","X-Bapi-Limit-Reset-Timestamp":"1700000000500"},'
        b'"connId":"c1-2v"}' % (NAME.encode(), left.encode())
    )
    reset_at = datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)

    assert answer_of(CREATE, envelope_of(message)).next_at == (reset_at if waits else None)


def test_the_time_of_a_reply_is_the_exchanges() -> None:
    reply = read_reply(a_reply())
    assert isinstance(reply, Envelope)
    assert reply.time == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
    for broken in (None, "x", -1, 10**17):
        reply = read_reply(a_reply(time=broken))
        assert isinstance(reply, Envelope)
        assert reply.time is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Bapi-Limit": "ten", "X-Bapi-Limit-Status": "9"},
        {"X-Bapi-Limit": "0", "X-Bapi-Limit-Status": "0"},
        {"X-Bapi-Limit": "10"},
        {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "-1"},
        {
            "X-Bapi-Limit": "10",
            "X-Bapi-Limit-Status": "0",
            "X-Bapi-Limit-Reset-Timestamp": "soon",
        },
    ],
)
def test_headers_that_tell_no_rate_are_none(headers: dict[str, object]) -> None:
    assert rate_of(headers) is None


def test_more_left_than_the_limit_is_the_limit() -> None:
    rate = rate_of({"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "99"})
    assert rate == RateState(10, 10, None)


# Batches

ONE, TWO = SendCreate(an_order(leg=1)), SendCreate(an_order(leg=2))


def a_batch_reply(items: list[object], codes: list[object], **changes: Any) -> bytes:
    return a_reply(result={"list": items}, retExtInfo={"list": codes}, **changes)


def ack(command: SendCreate, order_id: str = "v1") -> dict[str, str]:
    return {"orderId": order_id, "orderLinkId": command.order.client_order_id}


def outcomes(body: bytes, status: int = 200) -> list[AnswerOutcome]:
    return [each.outcome for each in answers_of([ONE, TWO], read_reply(body), status)]


def test_each_command_of_a_batch_has_a_code_of_its_own() -> None:
    body = a_batch_reply(
        [ack(ONE), ack(TWO, "")], [{"code": 0, "msg": "OK"}, {"code": 10001, "msg": "bad idx"}]
    )
    first, second = answers_of([ONE, TWO], read_reply(body))
    assert (first.outcome, first.venue_order_id) == (AnswerOutcome.ACCEPTED, "v1")
    assert (second.outcome, second.code, second.text) == (AnswerOutcome.REFUSED, 10001, "bad idx")
    assert [first.client_order_id, second.client_order_id] == [
        ONE.order.client_order_id,
        TWO.order.client_order_id,
    ]


def test_a_batch_refused_as_a_whole_refuses_each() -> None:
    body = a_reply(retCode=10006, result={})
    assert outcomes(body) == [AnswerOutcome.NOT_ACCEPTED] * 2


@pytest.mark.parametrize(
    ("items", "codes"),
    [
        ([], []),
        ([ack(ONE)], [{"code": 0}]),
        ([ack(ONE), ack(TWO)], [{"code": 0}]),
        ([ack(TWO), ack(ONE)], [{"code": 0}, {"code": 0}]),
        ([ack(ONE), ack(TWO)], [{"code": "0"}, {}]),
        ([None, None], [{"code": 0}, {"code": 0}]),
    ],
)
def test_a_batch_whose_answers_cannot_be_told_apart_proves_nothing(
    items: list[object], codes: list[object]
) -> None:
    assert outcomes(a_batch_reply(items, codes)) == [AnswerOutcome.UNKNOWN] * 2


@pytest.mark.parametrize("result", [None, {"list": "x"}, {"list": {}}])
def test_a_batch_without_a_list_proves_nothing(result: object) -> None:
    assert outcomes(a_reply(result=result)) == [AnswerOutcome.UNKNOWN] * 2


def test_an_unreadable_answer_to_a_batch_proves_nothing_of_any() -> None:
    assert outcomes(b"<html>", 502) == [AnswerOutcome.UNKNOWN] * 2


def test_unreadable_bytes_are_shown_without_what_a_terminal_obeys() -> None:
    reply = read_reply(b"\x1b[2J" + b"\x00" * 10_000)
    assert isinstance(reply, Unreadable)
    assert reply.text.isprintable()
    assert len(reply.text) <= 200
