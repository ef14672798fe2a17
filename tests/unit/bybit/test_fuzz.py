"""Whatever comes: decoders raise their own error only, and nothing leaves a reader."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.venues.bybit.order_book import OrderBook
from order_adapters.venues.bybit.recorded import decode_recorded
from order_adapters.venues.bybit.records import (
    BookChange,
    Known,
    Raw,
    RecordInvalid,
    decode_account_info,
    decode_all,
    decode_book,
    decode_execution,
    decode_fast_execution,
    decode_fee_rate,
    decode_instrument,
    decode_key_info,
    decode_leverage,
    decode_order,
    decode_position,
    decode_price_limit,
    decode_ticker,
    decode_wallet,
)
from order_adapters.venues.bybit.replies import (
    answer_of,
    answers_of,
    envelope_of,
    parse_json,
    rate_of,
    read_reply,
)
from order_domain.errors import InvalidValue
from order_domain.model.enums import AnswerOutcome, Category
from order_domain.model.identifiers import VenueOrderId
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from tests.builders import BTC, NOW, an_order, an_order_id
from tests.unit.bybit.rows import (
    Row,
    a_book_message,
    a_coin,
    a_key_row,
    a_position_row,
    a_spot_instrument_row,
    a_spot_order_row,
    a_ticker_row,
    an_execution_row,
    an_instrument_row,
    an_order_row,
)

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
LINEAR, SPOT = Category.LINEAR, Category.SPOT
HEDGED = Known(hedged={BTC})

DECODERS: dict[str, tuple[Callable[[Raw], object], Row]] = {
    "order": (partial(decode_order, category=LINEAR), an_order_row()),
    "spot market order": (
        decode_order,
        a_spot_order_row(orderType="Market", marketUnit="quoteCoin", qty="500"),
    ),
    "execution": (partial(decode_execution, known=HEDGED), an_execution_row()),
    "execution of spot": (decode_execution, an_execution_row(category="spot")),
    "execution.fast": (decode_fast_execution, an_execution_row()),
    "position": (partial(decode_position, category=LINEAR), a_position_row()),
    "leverage": (partial(decode_leverage, category=LINEAR), a_position_row()),
    "wallet": (partial(decode_wallet, as_of=AT), {"coin": [a_coin()]}),
    "fee rate": (
        partial(decode_fee_rate, category=LINEAR),
        {"symbol": "BTCUSDT", "takerFeeRate": "0.0006", "makerFeeRate": "0.0001"},
    ),
    "account": (decode_account_info, {"unifiedMarginStatus": 5, "marginMode": "REGULAR_MARGIN"}),
    "key": (decode_key_info, a_key_row()),
    "instrument": (partial(decode_instrument, category=LINEAR), an_instrument_row()),
    "instrument of spot": (partial(decode_instrument, category=SPOT), a_spot_instrument_row()),
    "ticker": (partial(decode_ticker, category=LINEAR, at=AT), a_ticker_row()),
    "book": (partial(decode_book, category=LINEAR), a_book_message()),
    "price limit": (
        partial(decode_price_limit, category=LINEAR),
        {"symbol": "BTCUSDT", "buyLmt": "51000", "sellLmt": "49000"},
    ),
}

words = st.sampled_from(
    [
        *("", "0", "-0", "0E-99", "1e99", "1E+24", "-1", "NaN", "sNaN", "Infinity", "UNKNOWN"),
        *("9" * 24, "9" * 400, "1." + "0" * 400, "1700000000000", "253402300800000", "Buy"),
        *("spot", "inverse", "Market", "quoteCoin", "\x00", "\ud800", "é", "delta", "Funding"),
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | words
    | st.decimals()
)
values = (
    scalars
    | st.lists(scalars, max_size=3)
    | st.dictionaries(st.text(max_size=3), scalars, max_size=2)
)


@st.composite
def mutated(draw: st.DrawFn, original: object) -> object:
    """Drop, replace or retype some keys, at any depth."""
    if isinstance(original, dict) and original:
        result = dict(original)
        for key in draw(st.lists(st.sampled_from(sorted(original)), min_size=1, max_size=3)):
            change = draw(st.sampled_from(["drop", "replace", "inside"]))
            if change == "drop":
                result.pop(key, None)
            elif change == "replace" or key not in result:
                result[key] = draw(values)
            else:
                result[key] = draw(mutated(result[key]))
        return result
    if isinstance(original, list) and original:
        result_list = list(original)
        index = draw(st.integers(0, len(original) - 1))
        result_list[index] = draw(mutated(result_list[index]))
        return result_list
    return draw(values)


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_a_mutated_row_is_read_or_put_aside(name: str, data: st.DataObject) -> None:
    decode, row = DECODERS[name]
    decode(row)
    broken = data.draw(mutated(row))
    batch = decode_all(decode, [broken, row])
    assert len(batch.good) + len(batch.quarantined) == 2
    assert batch.good, "the good row beside a broken one is read"
    for aside in batch.quarantined:
        assert aside.field
        assert aside.rule
        assert aside.value.isprintable()


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_a_row_of_anything_raises_nothing_else(name: str, data: st.DataObject) -> None:
    decode, row = DECODERS[name]
    raw = data.draw(st.dictionaries(st.sampled_from(sorted(row)), values, max_size=8))
    with suppress(RecordInvalid):
        decode(raw)


@given(rows=values)
def test_rows_of_anything_raise_nothing(rows: object) -> None:
    for decode, _ in DECODERS.values():
        decode_all(decode, rows)


@given(messages=st.lists(mutated(a_book_message()), max_size=5))
def test_a_book_of_broken_messages_gives_quotes_or_none(messages: list[object]) -> None:
    book = OrderBook()
    decode, _ = DECODERS["book"]
    for change in decode_all(decode, messages).good:
        assert isinstance(change, BookChange)
        quote = book.apply(change)
        assert quote is None or quote.bid < quote.ask


COMMANDS = [
    SendCreate(an_order()),
    SendAmend(an_order(venue_order_id=VenueOrderId("v1")), 1, 1, NOW, None, None),
    SendCancel(an_order(venue_order_id=VenueOrderId("v1")), 1, 1, NOW),
]
ACCEPTANCE = {
    "retCode": 0,
    "retMsg": "OK",
    "result": {"orderId": "v1", "orderLinkId": an_order_id()},
    "retExtInfo": {},
    "time": 1_700_000_000_123,
}
BATCH_ACCEPTANCE = ACCEPTANCE | {
    "result": {"list": [ACCEPTANCE["result"]]},
    "retExtInfo": {"list": [{"code": 0, "msg": "OK"}]},
}


@given(body=st.binary(), status=st.integers(100, 599))
def test_random_bytes_prove_nothing(body: bytes, status: int) -> None:
    for command in COMMANDS:
        reply = read_reply(body)
        assert answer_of(command, reply, status).outcome is AnswerOutcome.UNKNOWN
        assert [each.outcome for each in answers_of([command], reply, status)] == [
            AnswerOutcome.UNKNOWN
        ]


@given(message=mutated(ACCEPTANCE), status=st.sampled_from([200, 200, 403, 502]))
def test_a_mutated_acceptance_accepts_only_what_names_our_order(
    message: object, status: int
) -> None:
    reply = envelope_of(message)
    for command in COMMANDS:
        given_answer = answer_of(command, reply, status)
        if given_answer.outcome is AnswerOutcome.ACCEPTED:
            assert status == 200
            assert isinstance(message, dict)
            assert message["retCode"] == 0
            assert message["result"]["orderLinkId"] == an_order_id()


@given(message=mutated(BATCH_ACCEPTANCE))
def test_a_mutated_acceptance_of_a_batch_answers_every_command_once(message: object) -> None:
    answers = answers_of(COMMANDS[:1], envelope_of(message))
    assert [each.client_order_id for each in answers] == [an_order_id()]


@given(cut=st.integers(0, len(json.dumps(ACCEPTANCE)) - 1))
def test_an_acceptance_cut_at_any_byte_proves_nothing(cut: int) -> None:
    body = json.dumps(ACCEPTANCE).encode()[:cut]
    assert answer_of(COMMANDS[0], read_reply(body)).outcome is AnswerOutcome.UNKNOWN


@given(headers=st.dictionaries(st.sampled_from(["X-Bapi-Limit", "X-Bapi-Limit-Status"]), values))
def test_headers_of_anything_raise_nothing(headers: Row) -> None:
    rate_of(headers)


@given(body=st.binary() | values.map(lambda value: json.dumps(value, default=str).encode()))
def test_json_of_anything_is_a_value_or_a_value_error(body: bytes) -> None:
    with suppress(ValueError):
        parse_json(body)


MESSAGES: list[Row] = [
    {"topic": "order", "id": "1", "creationTime": 1, "data": [an_order_row(category="linear")]},
    {"topic": "wallet", "creationTime": 1_700_000_000_000, "data": [{"coin": [a_coin()]}]},
    {"topic": "tickers.BTCUSDT", "type": "delta", "ts": 1, "data": a_ticker_row()},
    a_book_message(),
    {"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "x", "req_id": "y"},
    ACCEPTANCE,
    ACCEPTANCE | {"result": a_key_row()},
    ACCEPTANCE | {"result": {"category": "linear", "list": [a_position_row()]}},
]


@given(message=st.sampled_from(MESSAGES).flatmap(mutated), topic=st.sampled_from(["", "order"]))
def test_a_recorded_message_of_anything_is_told_or_put_aside(message: object, topic: str) -> None:
    body = json.dumps(message, default=str).encode()
    with suppress(InvalidValue):
        for understood in decode_recorded(body, topic, LINEAR):
            assert (understood.quarantined is None) or not understood.fields


@given(body=st.binary())
def test_a_recorded_file_of_anything_is_told_or_refused(body: bytes) -> None:
    with suppress(InvalidValue):
        list(decode_recorded(body, "", LINEAR))
