"""Decoders of orders, executions, positions, wallet, rules and market: every quirk by itself."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from order_adapters.venues.bybit.order_book import LEVELS_MAX, OrderBook
from order_adapters.venues.bybit.quarantine import RECORDS_MAX
from order_adapters.venues.bybit.records import (
    Known,
    RecordInvalid,
    UnknownWord,
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
from order_domain.model.enums import (
    Category,
    ExecutionKind,
    InstrumentStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.identifiers import VenueOrderId, instrument_id
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from tests.builders import BTC, D, an_instrument
from tests.unit.bybit.rows import (
    ORDER_ID,
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

LINEAR, INVERSE, SPOT = Category.LINEAR, Category.INVERSE, Category.SPOT
SPOT_BTC = instrument_id("spot", "BTCUSDT")
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def ms(number: int) -> datetime:
    return AT + timedelta(milliseconds=number)


# Orders


def test_a_row_of_rest_takes_its_category_from_its_page() -> None:
    assert decode_order(an_order_row(), INVERSE).instrument_id == "inverse:BTCUSDT"


def test_a_row_that_tells_its_category_is_believed() -> None:
    assert decode_order(an_order_row(category="linear"), SPOT).instrument_id == BTC


def test_a_row_without_any_category_is_put_aside() -> None:
    with pytest.raises(UnknownWord) as raised:
        decode_order(an_order_row())
    assert raised.value.field == "category"


def test_a_category_we_do_not_trade_is_put_aside() -> None:
    with pytest.raises(UnknownWord):
        decode_order(an_order_row(category="option"))


def test_times_are_utc_to_the_millisecond() -> None:
    order = decode_order(an_order_row(), LINEAR)
    assert (order.created_at, order.updated_at) == (ms(120), ms(180))
    assert order.updated_at.tzinfo is UTC


def test_the_price_of_a_market_order_is_nobodys_wish() -> None:
    row = an_order_row(orderType="Market", timeInForce="IOC", price="52500")
    order = decode_order(row, LINEAR)
    assert order.order_type is OrderType.MARKET
    assert order.price is None
    assert order.quantity == D("0.010")


def test_a_limit_order_without_a_price_is_put_aside() -> None:
    for nothing in ("", "0", None):
        with pytest.raises(RecordInvalid) as raised:
            decode_order(an_order_row(price=nothing), LINEAR)
        assert raised.value.field == "price"


@pytest.mark.parametrize(
    ("order_type", "expected"), [("Limit", TimeInForce.GTC), ("Market", TimeInForce.IOC)]
)
def test_an_unsaid_time_in_force_is_the_exchanges_default(
    order_type: str, expected: TimeInForce
) -> None:
    row = an_order_row(orderType=order_type, timeInForce="")
    assert decode_order(row, LINEAR).time_in_force is expected


def test_an_unknown_status_is_put_aside_and_the_order_beside_it_is_read() -> None:
    rows = [an_order_row(orderStatus="Levitating"), an_order_row(orderLinkId="om-2")]
    batch = decode_all(partial(decode_order, category=LINEAR), rows)
    assert [order.client_order_id for order in batch.good] == ["om-2"]
    (aside,) = batch.quarantined
    assert (aside.field, aside.value, aside.raw) == ("orderStatus", "Levitating", rows[0])


def test_an_unknown_reason_does_not_hide_that_an_order_ended() -> None:
    row = an_order_row(orderStatus="Cancelled", cancelType="CancelByX", rejectReason="EC_X")
    order = decode_order(row, LINEAR)
    assert order.status is VenueStatus.CANCELLED
    assert (order.cancel_type, order.reject_reason) == ("CancelByX", "EC_X")


def test_words_that_say_nothing_are_empty() -> None:
    order = decode_order(an_order_row(), LINEAR)
    assert (order.cancel_type, order.reject_reason) == ("", "")


def test_an_order_of_nobody_has_no_client_order_id() -> None:
    assert decode_order(an_order_row(orderLinkId=""), LINEAR).client_order_id == ""
    assert decode_order(an_order_row(orderLinkId=None), LINEAR).client_order_id == ""


def test_an_order_without_the_exchanges_id_is_put_aside() -> None:
    with pytest.raises(RecordInvalid):
        decode_order(an_order_row(orderId=""), LINEAR)


def test_what_is_left_after_a_cancel_is_not_read() -> None:
    row = an_order_row(orderStatus="Cancelled", leavesQty="0.000")
    order = decode_order(row, LINEAR)
    assert (order.quantity, order.cum_quantity) == (D("0.010"), D("0.004"))


@pytest.mark.parametrize(
    ("index", "side"), [(0, PositionSide.BOTH), (1, PositionSide.LONG), (2, PositionSide.SHORT)]
)
def test_the_index_names_the_position(index: int, side: PositionSide) -> None:
    assert decode_order(an_order_row(positionIdx=index), LINEAR).position_side is side


def test_a_stop_of_a_whole_position_has_no_quantity_of_its_own() -> None:
    row = an_order_row(qty="0", cumExecQty="0", orderStatus="Untriggered", reduceOnly=True)
    order = decode_order(row, LINEAR)
    assert (order.quantity, order.reduce_only) == (D(0), True)


def test_spot_has_no_positions() -> None:
    order = decode_order(a_spot_order_row(positionIdx=1))
    assert (order.instrument_id, order.position_side) == (SPOT_BTC, PositionSide.BOTH)


def test_a_spot_market_order_sized_in_base_is_read_as_it_is() -> None:
    row = a_spot_order_row(orderType="Market", qty="0.01", marketUnit="baseCoin")
    assert decode_order(row).quantity == D("0.01")


@pytest.mark.parametrize("unit", ["quoteCoin", ""])
def test_a_spot_market_buy_sized_in_quote_ends_as_what_it_bought(unit: str) -> None:
    row = a_spot_order_row(
        orderType="Market",
        qty="500",
        marketUnit=unit,
        cumExecQty="0.0099",
        orderStatus="PartiallyFilledCanceled",
    )
    assert decode_order(row).quantity == D("0.0099")


def test_a_spot_market_buy_that_is_still_open_may_buy_the_rest_of_its_amount() -> None:
    row = a_spot_order_row(
        orderType="Market",
        qty="500",
        marketUnit="quoteCoin",
        price="50000",
        cumExecQty="0.004",
        cumExecValue="200",
    )
    assert decode_order(row).quantity == D("0.010")


def test_a_spot_market_buy_without_any_price_is_what_it_bought_so_far() -> None:
    row = a_spot_order_row(
        orderType="Market", qty="500", marketUnit="", price="", avgPrice="", cumExecQty="0"
    )
    assert decode_order(row | {"orderStatus": "New"}).quantity == 0


def test_a_spot_market_sell_is_sized_in_base_unless_said() -> None:
    row = a_spot_order_row(orderType="Market", side="Sell", qty="0.01", marketUnit="")
    assert decode_order(row).quantity == D("0.01")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qty", ""),
        ("qty", "-1"),
        ("qty", "1e400"),
        ("qty", "1e30"),
        ("qty", "1e-50"),
        ("qty", D("NaN")),
        ("qty", D("Infinity")),
        ("qty", "0x10"),
        ("qty", "\u0661"),
        ("qty", "1_000"),
        ("qty", " 1"),
        ("qty", "NaN"),
        ("qty", "Infinity"),
        ("qty", "9" * 25),
        ("qty", 1.5),
        ("qty", True),
        ("qty", []),
        ("cumExecQty", "-1"),
        ("updatedTime", ""),
        ("updatedTime", "0"),
        ("updatedTime", "-5"),
        ("updatedTime", "soon"),
        ("updatedTime", str(10**15)),
        ("updatedTime", True),
        ("reduceOnly", "yes"),
        ("reduceOnly", 1),
        ("orderLinkId", "a\nb"),
        ("orderLinkId", "x" * 201),
        ("orderLinkId", 17),
        ("symbol", ""),
        ("side", ""),
        ("orderType", "UNKNOWN"),
    ],
)
def test_a_broken_field_is_named(field: str, value: object) -> None:
    with pytest.raises(RecordInvalid) as raised:
        decode_order(an_order_row(**{field: value}), LINEAR)
    assert raised.value.field == field


@pytest.mark.parametrize("value", ["0.010", D("0.010"), "1e-2", "1.0E-2"])
def test_a_number_is_exact_however_it_is_written(value: object) -> None:
    assert decode_order(an_order_row(qty=value), LINEAR).quantity == D("0.01")


# Executions


def test_funding_is_paid_and_nothing_is_traded() -> None:
    row = an_execution_row(
        execType="Funding", execFee="-1.25", execQty="0.5", orderLinkId="", orderId=""
    )
    execution = decode_execution(row)
    assert execution.kind is ExecutionKind.FUNDING
    assert (execution.quantity, execution.fee) == (0, D("-1.25"))


def test_an_unknown_kind_of_execution_is_put_aside() -> None:
    with pytest.raises(UnknownWord) as raised:
        decode_execution(an_execution_row(execType="UNKNOWN"))
    assert raised.value.field == "execType"


def test_a_fill_without_a_fee_is_put_aside_rather_than_booked_free() -> None:
    with pytest.raises(RecordInvalid) as raised:
        decode_execution(an_execution_row(execFee=""))
    assert raised.value.field == "execFee"


def test_a_fee_may_be_paid_in_any_coin_the_exchange_names() -> None:
    assert decode_execution(an_execution_row(feeCurrency="MNT")).fee_coin == "MNT"


def without_coin(symbol: str, category: str = "linear", **changes: Any) -> dict[str, object]:
    return an_execution_row(symbol=symbol, category=category, feeCurrency="", **changes)


@pytest.mark.parametrize(
    ("category", "symbol", "coin"),
    [
        ("linear", "BTCUSDT", "USDT"),
        ("linear", "BTCUSDT-21FEB25", "USDT"),
        ("linear", "BTCPERP", "USDC"),
        ("linear", "BTC-24MAR23", "USDC"),
        ("inverse", "BTCUSD", "BTC"),
        ("inverse", "ETHUSDH23", "ETH"),
    ],
)
def test_a_derivative_pays_its_fee_in_the_coin_it_settles_in(
    category: str, symbol: str, coin: str
) -> None:
    assert decode_execution(without_coin(symbol, category)).fee_coin == coin


def test_a_known_instrument_tells_its_settle_coin_better_than_its_name() -> None:
    rules = an_instrument(settle_coin="USDE")
    known = Known(instruments={BTC: rules})
    assert decode_execution(without_coin("BTCUSDT"), known=known).fee_coin == "USDE"


@pytest.mark.parametrize(
    ("side", "fee", "is_maker", "coin"),
    [
        ("Buy", "0.1", True, "BTC"),
        ("Sell", "0.1", True, "USDT"),
        ("Buy", "0.1", False, "BTC"),
        ("Sell", "0.1", False, "USDT"),
        ("Buy", "-0.1", True, "USDT"),
        ("Sell", "-0.1", True, "BTC"),
    ],
)
def test_on_spot_what_one_receives_pays_the_fee_and_a_makers_rebate_is_the_other_coin(
    side: str, fee: str, is_maker: bool, coin: str
) -> None:
    rules: Instrument = decode_instrument(a_spot_instrument_row(), SPOT)
    row = without_coin("BTCUSDT", "spot", side=side, execFee=fee, isMaker=is_maker)
    assert decode_execution(row, known=Known(instruments={SPOT_BTC: rules})).fee_coin == coin


def test_on_spot_the_coin_of_an_unknown_pair_is_not_guessed() -> None:
    with pytest.raises(RecordInvalid) as raised:
        decode_execution(without_coin("BTCUSDT", "spot"))
    assert raised.value.field == "feeCurrency"


HEDGED = Known(hedged={BTC})


@pytest.mark.parametrize(
    ("side", "closed", "position"),
    [
        ("Buy", "0", PositionSide.LONG),
        ("Sell", "0.004", PositionSide.LONG),
        ("Sell", "0", PositionSide.SHORT),
        ("Buy", "0.004", PositionSide.SHORT),
    ],
)
def test_in_hedge_mode_a_fill_that_closes_is_of_the_other_sides_position(
    side: str, closed: str, position: PositionSide
) -> None:
    row = an_execution_row(side=side, closedSize=closed)
    assert decode_execution(row, known=HEDGED).position_side is position
    assert decode_execution(row).position_side is PositionSide.BOTH


def test_in_hedge_mode_a_known_order_tells_the_position() -> None:
    sides = {VenueOrderId(ORDER_ID): PositionSide.SHORT}
    known = Known(hedged={BTC}, position_sides=sides)
    row = an_execution_row(side="Buy", closedSize="")
    assert decode_execution(row, known=known).position_side is PositionSide.SHORT


def test_in_hedge_mode_a_fill_of_an_unknown_position_is_put_aside() -> None:
    with pytest.raises(RecordInvalid) as raised:
        decode_execution(an_execution_row(closedSize=""), known=HEDGED)
    assert raised.value.field == "closedSize"


@pytest.mark.parametrize("kind", ["BustTrade", "AdlTrade", "Settle"])
def test_in_hedge_mode_what_the_exchange_does_by_itself_closes(kind: str) -> None:
    row = an_execution_row(execType=kind, side="Sell", closedSize="")
    assert decode_execution(row, known=HEDGED).position_side is PositionSide.LONG


def test_in_hedge_mode_funding_is_of_the_position_on_its_side() -> None:
    row = an_execution_row(execType="Funding", side="Sell", closedSize="")
    assert decode_execution(row, known=HEDGED).position_side is PositionSide.SHORT


def test_an_early_fill_tells_everything_but_its_fee() -> None:
    row = an_execution_row()
    for absent in ("execFee", "feeCurrency", "execType", "closedSize", "orderLinkId"):
        del row[absent]
    fill = decode_fast_execution(row)
    assert fill.exec_id == "0a8c2f0e-1b1e-5d55-8f6a-6d2f7f2b9d01"
    assert (fill.venue_order_id, fill.client_order_id) == (ORDER_ID, "")
    assert (fill.side, fill.price, fill.quantity) == (Side.BUY, D(50000), D("0.004"))
    assert (fill.executed_at, fill.is_maker, fill.sequence) == (ms(179), True, 9001)


# Positions, leverage, wallet, fees, account, key


def test_a_short_is_negative_and_the_stream_names_its_price_otherwise() -> None:
    row = a_position_row(side="Sell", category="linear", entryPrice="3641.075")
    del row["avgPrice"]
    position = decode_position(row)
    assert (position.size, position.average_price) == (D("-0.004"), D("3641.075"))


def test_an_empty_position_has_no_side_and_no_price() -> None:
    row = a_position_row(side="", size="0", avgPrice="0", updatedTime="")
    position = decode_position(row, LINEAR)
    assert (position.size, position.average_price) == (0, None)


def test_a_position_with_a_size_and_no_side_is_put_aside() -> None:
    with pytest.raises(UnknownWord):
        decode_position(a_position_row(side=""), LINEAR)


def test_a_position_with_a_size_and_no_time_is_put_aside() -> None:
    with pytest.raises(RecordInvalid) as raised:
        decode_position(a_position_row(updatedTime="0"), LINEAR)
    assert raised.value.field == "updatedTime"


def test_leverage_is_told_also_of_an_empty_position_and_not_in_portfolio_margin() -> None:
    row = a_position_row(side="", size="0", positionIdx=2)
    leverage = decode_leverage(row, LINEAR)
    assert leverage is not None
    assert (leverage.position_side, leverage.leverage) == (PositionSide.SHORT, D(10))
    assert decode_leverage(row | {"leverage": ""}, LINEAR) is None


def wallet_of(**changes: Any) -> Decimal:
    (balance,) = decode_wallet({"coin": [a_coin(**changes)]}, AT).balances
    return balance.available


def test_what_is_available_is_the_exchanges_word_where_it_says_one() -> None:
    assert wallet_of(availableToWithdraw="12.5") == D("12.5")


def test_what_is_available_is_else_what_nothing_holds() -> None:
    held = {
        "totalPositionIM": "1",
        "totalOrderIM": "2",
        "locked": "4",
        "bonus": "8",
        "spotBorrow": "16",
    }
    assert wallet_of(**held) == 10000 - 31


def test_a_loss_holds_balance_too_and_a_profit_frees_none() -> None:
    assert wallet_of(totalPositionIM="", unrealisedPnl="-100") == 9900
    assert wallet_of(totalPositionIM="", unrealisedPnl="100") == 10000


def test_less_than_nothing_is_never_available() -> None:
    assert wallet_of(walletBalance="0", totalPositionIM="5") == 0
    assert wallet_of(availableToWithdraw="-3") == 0


def test_a_coin_that_is_broken_is_named() -> None:
    for coins in ([a_coin(walletBalance="")], [17], "USDT"):
        with pytest.raises(RecordInvalid):
            decode_wallet({"coin": coins}, AT)


def test_a_wallet_without_coins_is_empty() -> None:
    assert decode_wallet({}, AT).balances == ()


def test_fee_rates_may_be_rebates() -> None:
    row = {"symbol": "BTCUSDT", "takerFeeRate": "0.0006", "makerFeeRate": "-0.0001"}
    rate = decode_fee_rate(row, LINEAR)
    assert (rate.instrument_id, rate.taker, rate.maker) == (BTC, D("0.0006"), D("-0.0001"))


def test_only_the_second_kind_of_unified_account_is_supported() -> None:
    told = {
        status: decode_account_info(
            {"unifiedMarginStatus": status, "marginMode": "REGULAR_MARGIN"}
        ).is_supported
        for status in (1, 3, 4, 5, 6, None)
    }
    assert [status for status, is_supported in told.items() if is_supported] == [5, 6]


def test_a_key_tells_what_it_may_do_and_until_when() -> None:
    key = decode_key_info(a_key_row())
    assert key.permissions == ("ContractTrade.Order", "ContractTrade.Position", "Spot.SpotTrade")
    assert (key.may_trade, key.may_withdraw, key.is_read_only) == (True, False, False)
    assert key.addresses == ("*",)
    assert key.expires_at == datetime(2026, 5, 15, 3, 21, 5, tzinfo=UTC)


def test_a_key_that_may_withdraw_is_found_in_any_group_and_spelling() -> None:
    for group, word in (("Wallet", "Withdraw"), ("Asset", "CoinWithdrawal"), ("New", "withdraw")):
        assert decode_key_info(a_key_row(permissions={group: [word]})).may_withdraw


def test_a_key_that_only_reads_may_not_trade() -> None:
    assert not decode_key_info(a_key_row(readOnly=1)).may_trade
    assert not decode_key_info(a_key_row(readOnly=None)).may_trade


@pytest.mark.parametrize("never", ["", "1970-01-01T00:00:00Z"])
def test_a_key_may_have_no_end(never: str) -> None:
    assert decode_key_info(a_key_row(expiredAt=never)).expires_at is None


@pytest.mark.parametrize("broken", ["soon", "2026-05-15", "2026-05-15T03:21:05", 17])
def test_an_end_that_is_no_time_is_named(broken: object) -> None:
    with pytest.raises(RecordInvalid) as raised:
        decode_key_info(a_key_row(expiredAt=broken))
    assert raised.value.field == "expiredAt"


# Instruments


def test_a_linear_instrument_has_its_rules_by_linear_names() -> None:
    rules = decode_instrument(an_instrument_row(), LINEAR, initial_margin_rate=D("0.05"))
    assert rules == Instrument(
        symbol="BTCUSDT",
        base_coin="BTC",
        quote_coin="USDT",
        settle_coin="USDT",
        tick_size=D("0.10"),
        quantity_step=D("0.001"),
        min_quantity=D("0.001"),
        max_quantity=D(1190),
        max_market_quantity=D(500),
        min_notional=D(5),
        max_price=D("1999999.80"),
        initial_margin_rate=D("0.05"),
    )


def test_a_spot_instrument_has_its_rules_by_spot_names() -> None:
    fees = decode_fee_rate(
        {"symbol": "BTCUSDT", "takerFeeRate": "0.002", "makerFeeRate": "0.0015"}, SPOT
    )
    rules = decode_instrument(a_spot_instrument_row(), SPOT, fees, D("0.1"))
    assert (rules.id, rules.settle_coin) == (SPOT_BTC, "USDT")
    assert (rules.quantity_step, rules.min_quantity) == (D("0.000001"), D("0.000011"))
    assert (rules.max_quantity, rules.max_market_quantity) == (D(84), D("41.5"))
    assert (rules.min_notional, rules.initial_margin_rate) == (D(5), D(1))
    assert (rules.taker_fee_rate, rules.maker_fee_rate) == (D("0.002"), D("0.0015"))
    assert rules.max_price > 10_000_000


def test_a_spot_coin_of_many_zeros_still_has_rules() -> None:
    row = a_spot_instrument_row(
        symbol="PEPEUSDT",
        priceFilter={"tickSize": "0.0000000001"},
        lotSizeFilter={
            "basePrecision": "0.1",
            "minOrderAmt": "1",
            "maxLimitOrderQty": "92767031155",
            "maxMarketOrderQty": "46383515577",
        },
    )
    rules = decode_instrument(row, SPOT)
    assert rules.min_quantity == rules.quantity_step == D("0.1")


def test_without_a_limit_of_its_own_a_market_order_may_be_as_large_as_any() -> None:
    lots = {"maxOrderQty": "10", "minOrderQty": "1", "qtyStep": "1"}
    rules = decode_instrument(an_instrument_row(lotSizeFilter=lots), LINEAR)
    assert (rules.max_quantity, rules.max_market_quantity, rules.min_notional) == (10, 10, 0)


@pytest.mark.parametrize("word", ["PreLaunch", "Delivering", "Closed"])
def test_an_instrument_that_does_not_trade_says_so(word: str) -> None:
    rules = decode_instrument(an_instrument_row(status=word), LINEAR)
    assert rules.status is InstrumentStatus(word)


def test_rules_that_could_not_multiply_exactly_are_put_aside() -> None:
    prices = {"maxPrice": "1e20", "tickSize": "1e-10"}
    with pytest.raises(RecordInvalid):
        decode_instrument(an_instrument_row(priceFilter=prices), LINEAR)


@pytest.mark.parametrize("block", ["priceFilter", "lotSizeFilter"])
@pytest.mark.parametrize("broken", [None, {}, [], "x", 1])
def test_an_instrument_without_its_filters_is_put_aside(block: str, broken: object) -> None:
    with pytest.raises(RecordInvalid):
        decode_instrument(an_instrument_row(**{block: broken}), LINEAR)


# Market


def test_a_ticker_is_a_quote_at_the_time_of_its_message() -> None:
    expected = Quote(BTC, D(50000), D("1.2"), D("50000.1"), D("0.8"), AT, D("50000.05"))
    assert decode_ticker(a_ticker_row(), LINEAR, AT) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"bid1Price": ""},
        {"ask1Size": "0"},
        {"bid1Price": "50000.10"},
        {"ask1Price": "49999"},
        {"markPrice": "-1"},
    ],
)
def test_a_market_without_two_sides_gives_no_quote(change: dict[str, str]) -> None:
    with pytest.raises(RecordInvalid):
        decode_ticker(a_ticker_row(**change), LINEAR, AT)


def test_a_price_band_has_two_ends() -> None:
    band = decode_price_limit({"symbol": "BTCUSDT", "buyLmt": "51000", "sellLmt": "49000"}, LINEAR)
    assert (band.highest_bid, band.lowest_ask) == (51000, 49000)


def a_delta(update_id: int = 101, **levels: Any) -> dict[str, object]:
    data = {"s": "BTCUSDT", "b": [], "a": [], "u": update_id, "seq": 9002} | levels
    return a_book_message(type="delta", data=data)


def fold(book: OrderBook, *messages: dict[str, object]) -> Quote | None:
    quote = None
    for message in messages:
        quote = book.apply(decode_book(message, LINEAR))
    return quote


def test_a_snapshot_begins_a_book_and_its_time_is_the_matching_engines() -> None:
    quote = fold(OrderBook(), a_book_message())
    assert quote == Quote(BTC, D(50000), D("1.2"), D("50000.1"), D("0.8"), ms(698))


def test_a_delta_inserts_replaces_and_deletes() -> None:
    gone = a_delta(b=[["50000.00", "0"]], a=[["50000.05", "4"], ["50000.20", "7"]])
    quote = fold(OrderBook(), a_book_message(), gone)
    assert quote is not None
    assert (quote.bid, quote.bid_size) == (D("49999.9"), 3)
    assert (quote.ask, quote.ask_size) == (D("50000.05"), 4)


def test_a_delta_before_any_snapshot_is_no_book() -> None:
    assert fold(OrderBook(), a_delta(b=[["1", "1"]], a=[["2", "1"]])) is None


def test_a_delta_numbered_one_is_a_restart_and_replaces_everything() -> None:
    again = a_delta(1, b=[["10", "1"]], a=[["11", "1"]])
    quote = fold(OrderBook(), a_book_message(), again)
    assert quote is not None
    assert (quote.bid, quote.ask) == (10, 11)


def test_an_empty_side_and_a_crossed_book_give_no_quote() -> None:
    empty = a_delta(b=[["50000.00", "0"], ["49999.90", "0"]])
    crossed = a_delta(b=[["50000.15", "1"]])
    assert fold(OrderBook(), a_book_message(), empty) is None
    assert fold(OrderBook(), a_book_message(), crossed) is None


def test_a_book_that_lost_its_removals_waits_for_its_next_snapshot() -> None:
    book = OrderBook()
    flood = a_delta(b=[[str(n), "1"] for n in range(1, LEVELS_MAX + 5)])
    assert fold(book, a_book_message(), flood) is None
    assert not book.is_ready
    assert fold(book, a_delta()) is None
    assert fold(book, a_book_message()) is not None


@pytest.mark.parametrize("levels", [[1], [["1"]], ["12"], [["-1", "1"]], [["1", "-1"]], {}])
def test_a_broken_level_breaks_the_message(levels: object) -> None:
    with pytest.raises(RecordInvalid):
        decode_book(a_delta(b=levels), LINEAR)


# Batches


@pytest.mark.parametrize("rows", [None, {}, "x", 1, [[]], ["row"], [None]])
def test_rows_that_are_no_rows_are_put_aside(rows: object) -> None:
    batch = decode_all(decode_order, rows)
    assert batch.good == ()
    assert len(batch.quarantined) == 1


def test_more_rows_than_any_page_holds_are_not_read() -> None:
    batch = decode_all(decode_order, [{}] * (RECORDS_MAX + 1))
    assert (batch.good, len(batch.quarantined)) == ((), 1)


def test_no_rows_are_no_records() -> None:
    assert decode_all(decode_order, []).good == ()
