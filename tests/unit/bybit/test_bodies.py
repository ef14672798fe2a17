"""Request bodies and queries: what leaves, word for word and digit for digit."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.venues.bybit import queries
from order_adapters.venues.bybit.bodies import (
    batch,
    body_of,
    cancel_all,
    disconnect_cancel,
    path_of,
    plain,
    to_bytes,
)
from order_adapters.venues.bybit.records import decode_order
from order_domain.errors import InvalidValue
from order_domain.model.enums import (
    Category,
    OrderType,
    Origin,
    PositionSide,
    Side,
    TimeInForce,
)
from order_domain.model.identifiers import ClientOrderId, VenueOrderId, instrument_id
from order_domain.model.order import Order
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from tests.builders import BTC, NOW, D, an_order, an_order_id

SPOT = instrument_id("spot", "BTCUSDT")
numbers = st.builds(
    lambda digits, places: D(digits).scaleb(places), st.integers(1, 10**18), st.integers(-18, 5)
)


def create_body(**changes: Any) -> dict[str, object]:
    return body_of(SendCreate(an_order(**changes)))


def an_amend(order: Order | None = None, **changes: Any) -> SendAmend:
    values = {"price": D("49980.0"), "quantity": None} | changes
    return SendAmend(order or an_order(), 1, 1, NOW, **values)


def test_a_limit_order_says_everything_and_no_more() -> None:
    assert create_body() == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.02",
        "timeInForce": "PostOnly",
        "orderLinkId": an_order_id(),
        "price": "49990",
        "positionIdx": 0,
    }


def test_a_market_order_has_no_price() -> None:
    body = create_body(order_type=OrderType.MARKET)
    assert "price" not in body
    assert (body["orderType"], body["timeInForce"]) == ("Market", "IOC")


@pytest.mark.parametrize(
    ("side", "position", "index"),
    [
        (Side.BUY, PositionSide.LONG, 1),
        (Side.SELL, PositionSide.LONG, 1),
        (Side.SELL, PositionSide.SHORT, 2),
        (Side.BUY, PositionSide.SHORT, 2),
    ],
)
def test_in_hedge_mode_the_index_names_the_position(
    side: Side, position: PositionSide, index: int
) -> None:
    assert create_body(side=side, position_side=position)["positionIdx"] == index


def test_a_reduction_says_so_and_an_opening_does_not_mention_it() -> None:
    assert create_body(reduce_only=True)["reduceOnly"] is True
    assert "reduceOnly" not in create_body()


def test_spot_knows_no_positions_and_no_reductions() -> None:
    body = create_body(instrument_id=SPOT, reduce_only=True)
    assert body["category"] == "spot"
    assert not {"positionIdx", "reduceOnly", "marketUnit"} & set(body)


def test_a_spot_market_order_is_always_sized_in_base() -> None:
    for side in Side:
        body = create_body(instrument_id=SPOT, order_type=OrderType.MARKET, side=side)
        assert (body["marketUnit"], body["qty"]) == ("baseCoin", "0.02")


@pytest.mark.parametrize(
    ("ratio", "percent"),
    [
        ("0.005", "0.50"),
        ("0.00159", "0.15"),
        ("0.1", "10"),
        ("0.5", "10"),
        ("0.00001", "0.01"),
        ("0", "0.01"),
    ],
)
def test_slippage_is_told_in_hundredths_of_a_percent_within_the_exchanges_range(
    ratio: str, percent: str
) -> None:
    body = create_body(order_type=OrderType.MARKET, slippage=D(ratio))
    assert body["slippageToleranceType"] == "Percent"
    assert D(str(body["slippageTolerance"])) == D(percent)


def test_a_limit_order_bounds_its_price_itself() -> None:
    assert "slippageTolerance" not in create_body(slippage=D("0.005"))


def test_exits_of_an_order_travel_with_it() -> None:
    body = create_body(take_profit=D(60000), stop_loss=D("40000.5"))
    assert (body["takeProfit"], body["stopLoss"]) == ("60000", "40000.5")
    assert body["tpslMode"] == "Full"
    spot = create_body(instrument_id=SPOT, stop_loss=D(40000))
    assert (spot["stopLoss"], "tpslMode" in spot, "takeProfit" in spot) == ("40000", False, False)


def test_self_matches_are_told_only_where_chosen() -> None:
    assert "smpType" not in create_body()
    assert body_of(SendCreate(an_order()), "CancelMaker")["smpType"] == "CancelMaker"


def test_every_attempt_has_the_same_client_order_id() -> None:
    assert create_body(attempt=1)["orderLinkId"] == create_body(attempt=7)["orderLinkId"]


def test_an_amend_says_only_what_changes_by_our_id() -> None:
    name = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": an_order_id()}
    assert body_of(an_amend()) == name | {"price": "49980.0"}
    assert body_of(an_amend(price=None, quantity=D("0.030"))) == name | {"qty": "0.030"}


def test_a_cancel_names_the_order_and_nothing_else() -> None:
    order = an_order(venue_order_id=VenueOrderId("v1"))
    assert body_of(SendCancel(order, 1, 1, NOW)) == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderLinkId": an_order_id(),
    }


def test_a_foreign_order_is_named_by_the_exchanges_id() -> None:
    foreign = an_order(
        origin=Origin.EXTERNAL,
        client_order_id=ClientOrderId("ext-v9"),
        venue_order_id=VenueOrderId("v9"),
    )
    for command in (SendCancel(foreign, 1, 1, NOW), an_amend(foreign)):
        body = body_of(command)
        assert (body["orderId"], "orderLinkId" in body) == ("v9", False)


def test_commands_have_paths_of_their_own() -> None:
    commands = (SendCreate(an_order()), an_amend(), SendCancel(an_order(), 1, 1, NOW))
    assert [path_of(command) for command in commands] == [
        "/v5/order/create",
        "/v5/order/amend",
        "/v5/order/cancel",
    ]


def test_cancelling_everything_names_a_symbol_or_a_coin() -> None:
    linear, spot = Category.LINEAR, Category.SPOT
    assert cancel_all(linear, "BTCUSDT", "USDT") == {"category": "linear", "symbol": "BTCUSDT"}
    assert cancel_all(linear, settle_coin="USDT") == {"category": "linear", "settleCoin": "USDT"}
    assert cancel_all(spot, settle_coin="USDT") == {"category": "spot"}
    with pytest.raises(InvalidValue):
        cancel_all(linear)


def test_a_batch_has_one_category_outside_its_commands() -> None:
    body = batch([SendCreate(an_order(leg=1)), SendCreate(an_order(leg=2))])
    assert body["category"] == "linear"
    items = body["request"]
    assert isinstance(items, list)
    assert [item["orderLinkId"] for item in items] == [an_order_id(leg=1), an_order_id(leg=2)]
    assert all("category" not in item for item in items)


def test_what_no_batch_takes_is_refused() -> None:
    create, spot = SendCreate(an_order()), SendCreate(an_order(instrument_id=SPOT))
    for commands in ([], [create, spot], [create, an_amend()], [create] * 21, [spot] * 11):
        with pytest.raises(InvalidValue):
            batch(commands)
    assert len(str(batch([create] * 20))) > 20


def test_the_exchange_is_told_when_to_cancel_without_us() -> None:
    body = disconnect_cancel(Category.INVERSE, timedelta(seconds=10))
    assert body == {"product": "DERIVATIVES", "timeWindow": 10}
    for wrong in (timedelta(seconds=2), timedelta(seconds=301), timedelta(milliseconds=3500)):
        with pytest.raises(InvalidValue):
            disconnect_cancel(Category.SPOT, wrong)


@given(price=numbers, quantity=numbers)
def test_numbers_come_back_exactly_and_never_with_an_exponent(
    price: Decimal, quantity: Decimal
) -> None:
    body = json.loads(to_bytes(create_body(price=price, quantity=quantity)))
    for key, value in (("price", price), ("qty", quantity)):
        assert D(body[key]) == value
        assert "e" not in body[key].lower()
    amended = json.loads(to_bytes(body_of(an_amend(price=price, quantity=quantity))))
    assert (D(amended["price"]), D(amended["qty"])) == (price, quantity)


@pytest.mark.parametrize(
    ("value", "text"), [("1E+3", "1000"), ("1E-8", "0.00000001"), ("0.010", "0.010")]
)
def test_plain_notation_keeps_digits(value: str, text: str) -> None:
    assert plain(D(value)) == text


@given(
    side=st.sampled_from(Side),
    order_type=st.sampled_from(OrderType),
    time_in_force=st.sampled_from(TimeInForce),
    position_side=st.sampled_from(PositionSide),
    quantity=numbers,
    price=numbers,
)
def test_an_order_as_we_send_it_reads_back_with_our_terms(**terms: Any) -> None:
    """The exchange's row repeats the request; what we compare before we adopt must be equal."""
    if terms["order_type"] is OrderType.MARKET:
        terms["price"] = None
    order = an_order(**terms)
    row = body_of(SendCreate(order)) | {
        "orderId": "v1",
        "orderStatus": "New",
        "cumExecQty": "0",
        "createdTime": "1700000000000",
        "updatedTime": "1700000000000",
    }
    report = decode_order(row)
    assert report.client_order_id == order.client_order_id
    assert report.instrument_id == order.terms.instrument_id
    assert (report.side, report.order_type) == (terms["side"], terms["order_type"])
    assert report.time_in_force is terms["time_in_force"]
    assert report.position_side is terms["position_side"]
    assert (report.quantity, report.price) == (order.quantity, order.price)


# Queries

SINCE = datetime(2023, 11, 14, 22, 13, 20, 5000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "path", "text"),
    [
        (
            queries.open_orders(Category.LINEAR, settle_coin="USDT"),
            "/v5/order/realtime",
            "category=linear&settleCoin=USDT&openOnly=0&limit=50",
        ),
        (
            queries.open_orders(Category.LINEAR, "BTCUSDT", "USDT"),
            "/v5/order/realtime",
            "category=linear&symbol=BTCUSDT&openOnly=0&limit=50",
        ),
        (
            queries.open_orders(Category.SPOT, settle_coin="USDT"),
            "/v5/order/realtime",
            "category=spot&openOnly=0&limit=50",
        ),
        (
            queries.realtime_order(BTC, ClientOrderId("om1")),
            "/v5/order/realtime",
            "category=linear&symbol=BTCUSDT&orderLinkId=om1",
        ),
        (
            queries.realtime_order(BTC, ClientOrderId("om1"), VenueOrderId("v 1")),
            "/v5/order/realtime",
            "category=linear&symbol=BTCUSDT&orderId=v%201",
        ),
        (
            queries.past_order(BTC, ClientOrderId("om1"), since=SINCE),
            "/v5/order/history",
            "category=linear&symbol=BTCUSDT&orderLinkId=om1&startTime=1700000000005",
        ),
        (
            queries.past_order(BTC, ClientOrderId("om1")),
            "/v5/order/history",
            "category=linear&symbol=BTCUSDT&orderLinkId=om1",
        ),
        (
            queries.executions_of(BTC, ClientOrderId("om1")),
            "/v5/execution/list",
            "category=linear&symbol=BTCUSDT&orderLinkId=om1&limit=100",
        ),
        (
            queries.executions(Category.LINEAR, SINCE, SINCE + timedelta(seconds=1)),
            "/v5/execution/list",
            "category=linear&startTime=1700000000005&endTime=1700000001005&limit=100",
        ),
        (
            queries.orders_since(Category.SPOT, SINCE),
            "/v5/order/history",
            "category=spot&startTime=1700000000005&limit=50",
        ),
        (
            queries.positions(Category.LINEAR, settle_coin="USDT"),
            "/v5/position/list",
            "category=linear&settleCoin=USDT&limit=200",
        ),
        (queries.wallet(), "/v5/account/wallet-balance", "accountType=UNIFIED"),
        (queries.fee_rates(Category.SPOT), "/v5/account/fee-rate", "category=spot"),
        (queries.account_info(), "/v5/account/info", ""),
        (queries.key_info(), "/v5/user/query-api", ""),
        (
            queries.instruments(Category.LINEAR),
            "/v5/market/instruments-info",
            "category=linear&limit=1000",
        ),
        (queries.instruments(Category.SPOT), "/v5/market/instruments-info", "category=spot"),
        (
            queries.tickers(Category.LINEAR, "BTCUSDT"),
            "/v5/market/tickers",
            "category=linear&symbol=BTCUSDT",
        ),
        (
            queries.price_limit(BTC),
            "/v5/market/price-limit",
            "category=linear&symbol=BTCUSDT",
        ),
        (queries.server_time(), "/v5/market/time", ""),
    ],
)
def test_a_query_is_the_string_that_goes_on_the_wire(
    query: queries.Query, path: str, text: str
) -> None:
    assert (query.path, query.query) == (path, text)
    assert query.is_signed is not path.startswith("/v5/market/")


def test_a_cursor_that_comes_escaped_goes_back_as_it_came() -> None:
    page = queries.positions(Category.LINEAR, "BTCUSDT").page("132766%3A2%2C132766%3A2")
    assert page.query.endswith("&limit=200&cursor=132766%3A2%2C132766%3A2")


def test_the_first_page_has_no_cursor_and_each_later_one_only_its_own() -> None:
    first = queries.executions(Category.LINEAR, SINCE)
    assert first.page("") is first
    assert queries.account_info().page("a").query == "cursor=a"
    assert first.page("b").query.count("cursor=") == 1


@pytest.mark.parametrize(
    ("cursor", "escaped"),
    [("a&b", "a%26b"), ("a b#", "a%20b%23"), ("50%", "50%25"), ("%zz", "%25zz"), ("é", "%C3%A9")],
)
def test_a_cursor_that_comes_bare_is_escaped_once(cursor: str, escaped: str) -> None:
    assert queries.wallet().page(cursor).query == f"accountType=UNIFIED&cursor={escaped}"


@given(cursor=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1))
def test_no_cursor_breaks_out_of_its_field(cursor: str) -> None:
    pairs = parse_qsl(queries.wallet().page(cursor).query, keep_blank_values=True)
    assert [name for name, _ in pairs] == ["accountType", "cursor"]
