"""Recorded payloads of Bybit, each decoded and looked at field by field."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from order_adapters.venues.bybit.order_book import OrderBook
from order_adapters.venues.bybit.records import (
    BookChange,
    FeeRate,
    Leverage,
    decode_all,
    decode_book,
    decode_execution,
    decode_fee_rate,
    decode_instrument,
    decode_leverage,
    decode_order,
    decode_position,
    decode_ticker,
    decode_wallet,
)
from order_adapters.venues.bybit.replies import Envelope, answer_of, envelope_of, parse_json
from order_domain.model.balance import Balance
from order_domain.model.enums import (
    AnswerOutcome,
    Category,
    OrderType,
    Origin,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.execution import Execution
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    VenueOrderId,
)
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.model.reports import OrderReport, PositionReport, WalletReport
from order_domain.model.steps import SendCreate
from tests.builders import BTC, D, an_order

LINEAR = Category.LINEAR
ETH = InstrumentId("linear:ETHUSDT")
SOL = InstrumentId("linear:SOLUSDT")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Read = Callable[[str], Any]

PAYLOADS = {
    "http_get_executions",
    "http_get_fee_rate",
    "http_get_instruments_linear",
    "http_get_orders_realtime",
    "http_get_positions",
    "http_get_wallet_balance",
    "ws_account_execution",
    "ws_account_order",
    "ws_account_order_filled",
    "ws_account_position",
    "ws_account_wallet",
    "ws_auth_failure",
    "ws_auth_success",
    "ws_order_response",
    "ws_orderbook_delta",
    "ws_orderbook_snapshot",
    "ws_subscription_ack",
    "ws_ticker_linear",
}


def ms(number: int) -> datetime:
    return EPOCH + timedelta(milliseconds=number)


@pytest.fixture
def read(shared_data: Path) -> Read:
    folder = shared_data / "bybit-payloads"
    return lambda name: parse_json((folder / f"{name}.json").read_bytes())


def test_no_recorded_payload_is_forgotten(shared_data: Path) -> None:
    assert {path.stem for path in (shared_data / "bybit-payloads").iterdir()} == PAYLOADS


def result_of(message: Any) -> Any:
    reply = envelope_of(message)
    assert isinstance(reply, Envelope)
    assert (reply.code, reply.text, reply.extra) == (0, "OK", {})
    return reply.result


def all_good(decode: Callable[..., Any], rows: object, **bound: Any) -> tuple[Any, ...]:
    batch = decode_all(partial(decode, **bound), rows)
    assert batch.quarantined == ()
    return batch.good


def test_executions_of_rest(read: Read) -> None:
    message = read("http_get_executions")
    assert result_of(message)["nextPageCursor"] == "132766%3A2%2C132766%3A2"
    assert all_good(decode_execution, result_of(message)["list"], category=LINEAR) == (
        Execution(
            exec_id=ExecutionId("e0cbe81d-0f18-5866-9415-cf319b5dab3b"),
            instrument_id=BTC,
            client_order_id=ClientOrderId("test-order-001"),
            venue_order_id=VenueOrderId("8c065341-7b52-4ca9-ac2c-37e31ac55c94"),
            side=Side.BUY,
            price=D(50000),
            quantity=D("0.1"),
            fee=D("0.015"),
            fee_coin="USDT",
            executed_at=ms(1672282722429),
            is_maker=True,
            sequence=4688002127,
        ),
        Execution(
            exec_id=ExecutionId("f1dce92e-1g29-6977-a526-dg420c6ecb4c"),
            instrument_id=ETH,
            client_order_id=ClientOrderId("test-order-002"),
            venue_order_id=VenueOrderId("7b954230-6a41-3ba8-bc20-26d20ab44b83"),
            side=Side.SELL,
            price=D(3000),
            quantity=D("0.5"),
            fee=D("0.9"),
            fee_coin="USDT",
            executed_at=ms(1672282822529),
            is_maker=False,
            sequence=4688002128,
        ),
    )


def test_fee_rates_of_rest(read: Read) -> None:
    rows = result_of(read("http_get_fee_rate"))["list"]
    assert all_good(decode_fee_rate, rows, category=LINEAR) == (
        FeeRate(BTC, D("0.0006"), D("0.0001")),
        FeeRate(ETH, D("0.0006"), D("0.0001")),
        FeeRate(SOL, D("0.00075"), D("0.00025")),
    )


def test_instruments_of_rest(read: Read) -> None:
    result = result_of(read("http_get_instruments_linear"))
    assert result["nextPageCursor"] is None
    fees = FeeRate(BTC, D("0.0006"), D("0.0001"))
    rows = result["list"]
    assert all_good(decode_instrument, rows, category=LINEAR, fees=fees) == (
        Instrument(
            symbol="BTCUSDT",
            base_coin="BTC",
            quote_coin="USDT",
            settle_coin="USDT",
            tick_size=D("0.5"),
            quantity_step=D("0.001"),
            min_quantity=D("0.001"),
            max_quantity=D(100),
            max_market_quantity=D(50),
            min_notional=D(5),
            max_price=D(1_000_000),
            taker_fee_rate=D("0.0006"),
            maker_fee_rate=D("0.0001"),
        ),
        Instrument(
            symbol="ETHUSDT",
            base_coin="ETH",
            quote_coin="USDT",
            settle_coin="USDT",
            tick_size=D("0.05"),
            quantity_step=D("0.01"),
            min_quantity=D("0.01"),
            max_quantity=D(1000),
            max_market_quantity=D(500),
            min_notional=D(5),
            max_price=D(100_000),
            taker_fee_rate=D("0.0006"),
            maker_fee_rate=D("0.0001"),
        ),
    )


def a_resting_order(number: int, side: Side, price: str, at: int) -> OrderReport:
    return OrderReport(
        instrument_id=ETH,
        venue_order_id=VenueOrderId(f"open-order-{number}"),
        client_order_id=ClientOrderId(f"client-open-{number}"),
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        price=D(price),
        quantity=D("0.010"),
        status=VenueStatus.NEW,
        cum_quantity=D(0),
        updated_at=ms(at),
        created_at=ms(at),
    )


def test_open_orders_of_rest(read: Read) -> None:
    rows = result_of(read("http_get_orders_realtime"))["list"]
    assert all_good(decode_order, rows, category=LINEAR) == (
        a_resting_order(1, Side.BUY, "3930.41", 1761355905606),
        a_resting_order(2, Side.SELL, "3940.42", 1761355905609),
    )


def test_positions_of_rest(read: Read) -> None:
    rows = result_of(read("http_get_positions"))["list"]
    both = PositionSide.BOTH
    assert all_good(decode_position, rows, category=LINEAR) == (
        PositionReport(BTC, both, D("0.5"), D(50000), ms(1697673600012)),
        PositionReport(ETH, both, D("-5.0"), D(3000), ms(1697673700112)),
        PositionReport(SOL, both, D(0), None, ms(1697673800212)),
    )
    assert all_good(decode_leverage, rows, category=LINEAR) == (
        Leverage(BTC, both, D(10)),
        Leverage(ETH, both, D(5)),
        Leverage(SOL, both, D(10)),
    )


def test_the_wallet_of_rest(read: Read) -> None:
    message = read("http_get_wallet_balance")
    reply = envelope_of(message)
    assert isinstance(reply, Envelope)
    at = ms(1234567890)
    assert reply.time == at
    assert all_good(decode_wallet, result_of(message)["list"], as_of=at) == (
        WalletReport(
            at,
            (
                Balance("BTC", D(0), D(0), D(0), at),
                Balance("USDT", D("1000.50"), D("1000.50"), D("1000.50"), at),
                Balance("ETH", D(0), D(0), D(0), at),
            ),
        ),
    )


def test_an_execution_of_the_stream(read: Read) -> None:
    """It names no fee coin: linear pays in what it settles in."""
    assert all_good(decode_execution, read("ws_account_execution")["data"]) == (
        Execution(
            exec_id=ExecutionId("0ab1bdf7-4219-438b-b30a-32ec863018f7"),
            instrument_id=BTC,
            client_order_id=ClientOrderId("test-order-link-001"),
            venue_order_id=VenueOrderId("9aac161b-8ed6-450d-9cab-c5cc67c21784"),
            side=Side.SELL,
            price=D("95900.1"),
            quantity=D("0.5"),
            fee=D("26.3725275"),
            fee_coin="USDT",
            executed_at=ms(1746270400353),
            is_maker=False,
            sequence=140612148849382,
        ),
    )


def test_a_cancelled_order_of_the_stream(read: Read) -> None:
    assert all_good(decode_order, read("ws_account_order")["data"]) == (
        OrderReport(
            instrument_id=BTC,
            venue_order_id=VenueOrderId("abcdef123456"),
            client_order_id=ClientOrderId("client-1"),
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            price=D(30000),
            quantity=D("0.010"),
            status=VenueStatus.CANCELLED,
            cum_quantity=D(0),
            updated_at=ms(1700000005000),
            created_at=ms(1700000000000),
            cancel_type="CancelByUser",
        ),
    )


def test_a_filled_order_of_the_stream(read: Read) -> None:
    assert all_good(decode_order, read("ws_account_order_filled")["data"]) == (
        OrderReport(
            instrument_id=BTC,
            venue_order_id=VenueOrderId("5cf98598-39a7-459e-97bf-76ca765ee020"),
            client_order_id=ClientOrderId("test-client-order-001"),
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            price=D("30000.50"),
            quantity=D("0.100"),
            status=VenueStatus.FILLED,
            cum_quantity=D("0.100"),
            updated_at=ms(1672364262457),
            created_at=ms(1672364262444),
        ),
    )


def test_a_position_of_the_stream(read: Read) -> None:
    assert all_good(decode_position, read("ws_account_position")["data"]) == (
        PositionReport(ETH, PositionSide.BOTH, D("-0.01"), D("3641.075"), ms(1762199125472)),
    )


def test_a_wallet_of_the_stream(read: Read) -> None:
    message = read("ws_account_wallet")
    at = ms(message["creationTime"])
    assert at == ms(1700034722104)
    assert all_good(decode_wallet, message["data"], as_of=at) == (
        WalletReport(
            at,
            (
                Balance("BTC", D("0.00102964"), D("0.00092964"), D("0.00102964"), at),
                Balance("USDT", D("9647.75537647"), D("9519.89806037"), D("10226.20575506"), at),
            ),
        ),
    )


def test_authentication_refused_and_granted(read: Read) -> None:
    refused, granted = (envelope_of(read(name)) for name in ("ws_auth_failure", "ws_auth_success"))
    assert isinstance(refused, Envelope)
    assert isinstance(granted, Envelope)
    assert (refused.code, refused.text) == (10003, "Invalid apikey")
    assert (granted.code, granted.text) == (0, "")


def test_a_subscription_is_told_in_other_words_and_is_no_reply_to_a_command(read: Read) -> None:
    message = read("ws_subscription_ack")
    assert message["success"] is True
    assert not isinstance(envelope_of(message), Envelope)


def test_a_reply_of_order_entry(read: Read) -> None:
    reply = envelope_of(read("ws_order_response"))
    assert isinstance(reply, Envelope)
    assert (reply.code, reply.text, reply.request_id) == (0, "OK", "order-req-001")
    assert reply.rate is None
    ours = SendCreate(
        an_order(client_order_id=ClientOrderId("client-order-1"), origin=Origin.SIGNAL)
    )
    given = answer_of(ours, reply)
    assert given.outcome is AnswerOutcome.ACCEPTED
    assert given.venue_order_id == "1726025498520715008"
    assert answer_of(SendCreate(an_order()), reply).outcome is AnswerOutcome.UNKNOWN


def test_an_order_book_of_the_stream(read: Read) -> None:
    snapshot, delta = (
        decode_book(read(name), LINEAR) for name in ("ws_orderbook_snapshot", "ws_orderbook_delta")
    )
    assert snapshot == BookChange(
        BTC,
        replaces=True,
        bids=((D("27450"), D("0.5")), (D("27449.5"), D(1))),
        asks=((D("27451"), D("0.75")), (D("27451.5"), D("0.9"))),
        update_id=123456789,
        sequence=987654321,
        at=ms(1709891679000),
    )
    assert delta == BookChange(
        BTC,
        replaces=False,
        bids=((D("27450"), D("0.4")),),
        asks=((D("27451"), D(0)),),
        update_id=123456790,
        sequence=987654322,
        at=ms(1709891679500),
    )
    book = OrderBook()
    assert book.apply(snapshot) == Quote(
        BTC, D("27450"), D("0.5"), D("27451"), D("0.75"), ms(1709891679000)
    )
    assert book.apply(delta) == Quote(
        BTC, D("27450"), D("0.4"), D("27451.5"), D("0.9"), ms(1709891679500)
    )


def test_a_ticker_of_the_stream(read: Read) -> None:
    message = read("ws_ticker_linear")
    at = ms(message["ts"])
    assert decode_ticker(message["data"], LINEAR, at) == Quote(
        BTC, D("17215.5"), D("84.489"), D("17216"), D("83.02"), ms(1673272861686), D("17217.33")
    )
