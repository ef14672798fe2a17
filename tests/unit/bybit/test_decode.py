"""`bybit decode`: a file in, one JSON object a record out, with the keys nobody reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from order_cli.__main__ import run
from tests.unit.bybit.rows import (
    MS,
    a_book_message,
    a_key_row,
    a_ticker_row,
    an_execution_row,
    an_order_row,
)

Decode = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def decode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Decode:
    """Run the command on a file of these bytes: exit code, records, and what was said beside."""

    def decode_bytes(body: object, *options: str) -> tuple[int, list[dict[str, Any]], str]:
        file = tmp_path / "message.json"
        file.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        code = run(["bybit", "decode", str(file), *options])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return decode_bytes


def test_a_push_is_told_by_our_names_with_what_is_unread(decode: Decode) -> None:
    row = an_order_row(category="linear", moonPhase="full")
    code, records, _ = decode({"topic": "order", "id": "x", "creationTime": MS, "data": [row]})
    assert code == 0
    (record,) = records
    assert record["record"] == "order"
    assert record["instrument_id"] == "linear:BTCUSDT"
    assert (record["quantity"], record["cum_quantity"]) == ("0.01", "0.004")
    assert record["created_at"] == "2023-11-14T22:13:20.120000Z"
    assert record["unread"] == ["avgPrice", "leavesQty", "cumExecValue", "moonPhase", "message.id"]


def test_each_row_is_a_record_and_a_broken_one_tells_why(decode: Decode) -> None:
    rows = [an_execution_row(), an_execution_row(execType="Levitation")]
    message = {"topic": "execution.linear", "id": "x", "creationTime": MS, "data": rows}
    code, records, _ = decode(message)
    assert code == 1
    assert ["message.id" in record["unread"] for record in records] == [True, False]
    assert [record["record"] for record in records] == ["execution", "execution"]
    assert records[0]["fee_coin"] == "USDT"
    assert records[1]["error"]["field"] == "execType"
    assert records[1]["error"]["value"] == "Levitation"


def test_a_response_is_told_by_its_rows_and_takes_its_category_from_beside_them(
    decode: Decode,
) -> None:
    result = {"category": "inverse", "nextPageCursor": "a%3A1", "list": [an_order_row()]}
    code, records, _ = decode({"retCode": 0, "retMsg": "OK", "result": result, "time": MS})
    assert (code, len(records)) == (0, 1)
    assert records[0]["instrument_id"] == "inverse:BTCUSDT"
    assert not any(key.startswith("message.") for key in records[0]["unread"])


def test_the_category_of_bare_rows_may_be_told(decode: Decode) -> None:
    _, records, _ = decode([an_order_row()], "--category", "inverse")
    assert records[0]["instrument_id"] == "inverse:BTCUSDT"


def test_what_rows_are_may_be_told(decode: Decode) -> None:
    code, records, _ = decode({"topic": "x", "data": [an_execution_row()]}, "--topic", "execution")
    assert (code, records[0]["record"]) == (0, "execution")


def test_a_refusal_is_its_own_record(decode: Decode) -> None:
    body = {"retCode": 110007, "retMsg": "ab not enough", "result": {}, "time": MS}
    code, (record,), _ = decode(body)
    assert code == 0
    assert (record["record"], record["code"], record["text"]) == ("reply", 110007, "ab not enough")


def test_an_acknowledgement_names_its_order(decode: Decode) -> None:
    result = {"orderId": "v1", "orderLinkId": "om-1"}
    _, (record,), _ = decode({"retCode": 0, "retMsg": "OK", "result": result, "time": MS})
    assert (record["venue_order_id"], record["client_order_id"]) == ("v1", "om-1")


def test_a_page_without_rows_is_a_reply(decode: Decode) -> None:
    _, (record,), _ = decode({"retCode": 0, "retMsg": "OK", "result": {"list": []}, "time": MS})
    assert record["record"] == "reply"


def test_what_a_socket_answers_is_told_in_one_vocabulary(decode: Decode) -> None:
    private = {"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "c", "req_id": "r"}
    trade = {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c", "reqId": "r"}
    for message, operation in ((private, "subscribe"), (trade, "auth")):
        _, (record,), _ = decode(message)
        assert record["record"] == "socket-reply"
        assert (record["operation"], record["success"]) == (operation, True)
        assert (record["connection_id"], record["request_id"]) == ("c", "r")


def test_a_delta_of_a_ticker_tells_only_what_changed(decode: Decode) -> None:
    data = {"symbol": "BTCUSDT", "bid1Price": "50000.5", "lastPrice": "1"}
    _, (record,), _ = decode({"topic": "tickers.BTCUSDT", "type": "delta", "ts": MS, "data": data})
    assert record == {
        "record": "ticker-change",
        "instrument_id": "linear:BTCUSDT",
        "bid": "50000.5",
        "at": "2023-11-14T22:13:20.000000Z",
        "unread": ["lastPrice"],
    }


def test_a_ticker_and_a_book_and_a_key_are_told_by_their_shape(decode: Decode) -> None:
    ticker = {"topic": "tickers.BTCUSDT", "type": "snapshot", "ts": MS, "data": a_ticker_row()}
    key = {"retCode": 0, "retMsg": "", "result": a_key_row(), "time": MS}
    for message, kind in (
        (ticker, "tickers"),
        (a_book_message(), "orderbook"),
        (key, "api-key"),
    ):
        code, (record,), _ = decode(message)
        assert (code, record["record"]) == (0, kind)


def test_a_message_a_line_is_read_line_by_line(decode: Decode) -> None:
    lines = [{"topic": "order", "data": [an_order_row(category="linear")]}, a_book_message()]
    body = b"\n\n".join(json.dumps(line).encode() for line in lines) + b"\n"
    code, records, _ = decode(body)
    assert code == 0
    assert [record["record"] for record in records] == ["order", "orderbook"]


@pytest.mark.parametrize("message", [{}, [], 17, "x", None, [17], {"topic": "lottery", "data": 1}])
def test_a_message_we_know_nothing_of_is_no_success(decode: Decode, message: object) -> None:
    code, records, err = decode(message)
    assert all("error" in record for record in records)
    assert code == (1 if records else 0)
    assert err == ""


@pytest.mark.parametrize(
    "garbage",
    [b"", b"   ", b"<html>", b"\x00\xff\xfe", b'{"topic": "order"', b"{}\n{", b"[" * 200_000],
)
def test_a_file_that_is_no_json_is_refused_in_one_line(decode: Decode, garbage: bytes) -> None:
    code, records, err = decode(garbage)
    assert (code, records) == (1, [])
    assert err.startswith("order-manager: ")
    assert "JSON" in err
    assert err.count("\n") == 1


def test_a_topic_that_is_none_is_refused_with_those_there_are(decode: Decode) -> None:
    code, _, err = decode({}, "--topic", "lottery")
    assert code == 1
    assert "topic: must be one of" in err
    assert "execution.fast" in err


def test_a_file_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bybit", "decode", "/nowhere/message.json"]) != 0
    assert "No such file" in capsys.readouterr().err


def test_every_recorded_payload_is_understood(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in sorted((shared_data / "bybit-payloads").iterdir()):
        assert run(["bybit", "decode", str(file)]) == 0, file.name
        records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert records
        assert all(record["record"] != "reply" and "error" not in record for record in records)
