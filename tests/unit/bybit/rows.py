"""Rows as Bybit writes them, valid by default, one keyword from the case."""

from typing import Any

MS = 1_700_000_000_000
ORDER_ID = "6f1d0c52-3a07-4c6e-9c11-0d5a4f2f7b10"
SPOT_ORDER_ID = "1700000000000000001"

Row = dict[str, object]


def an_order_row(**changes: Any) -> Row:
    """A linear limit order, filled in part, as REST shows it."""
    return {
        "orderId": ORDER_ID,
        "orderLinkId": "om-1",
        "symbol": "BTCUSDT",
        "price": "50000.00",
        "qty": "0.010",
        "side": "Buy",
        "positionIdx": 0,
        "orderStatus": "PartiallyFilled",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": "50000",
        "leavesQty": "0.006",
        "cumExecQty": "0.004",
        "cumExecValue": "200",
        "timeInForce": "GTC",
        "orderType": "Limit",
        "reduceOnly": False,
        "createdTime": str(MS + 120),
        "updatedTime": str(MS + 180),
    } | changes


def a_spot_order_row(**changes: Any) -> Row:
    """A spot order: other ids, no position, a unit for its quantity."""
    row = an_order_row(
        category="spot", orderId=SPOT_ORDER_ID, marketUnit="baseCoin", isLeverage="0"
    )
    return row | changes


def an_execution_row(**changes: Any) -> Row:
    """A maker's fill on linear, as the stream pushes it."""
    return {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": ORDER_ID,
        "orderLinkId": "om-1",
        "side": "Buy",
        "execFee": "0.04",
        "execId": "0a8c2f0e-1b1e-5d55-8f6a-6d2f7f2b9d01",
        "execPrice": "50000",
        "execQty": "0.004",
        "execType": "Trade",
        "execTime": str(MS + 179),
        "isMaker": True,
        "feeRate": "0.0002",
        "closedSize": "0",
        "extraFees": [],
        "seq": 9001,
        "feeCurrency": "USDT",
    } | changes


def a_position_row(**changes: Any) -> Row:
    """A long position, as REST shows it."""
    return {
        "positionIdx": 0,
        "symbol": "BTCUSDT",
        "side": "Buy",
        "size": "0.004",
        "avgPrice": "50000",
        "leverage": "10",
        "updatedTime": str(MS + 180),
        "seq": 9001,
    } | changes


def a_coin(**changes: Any) -> Row:
    """USDT in a wallet; the exchange no longer says what is available."""
    return {
        "coin": "USDT",
        "equity": "10000",
        "walletBalance": "10000",
        "locked": "0",
        "totalOrderIM": "0",
        "totalPositionIM": "20.1",
        "unrealisedPnl": "0",
        "bonus": "0",
        "spotBorrow": "0",
        "availableToWithdraw": "",
    } | changes


def an_instrument_row(**changes: Any) -> Row:
    """Trading rules of a linear perpetual."""
    return {
        "symbol": "BTCUSDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
        "lotSizeFilter": {
            "maxOrderQty": "1190.000",
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "maxMktOrderQty": "500.000",
            "minNotionalValue": "5",
        },
    } | changes


def a_spot_instrument_row(**changes: Any) -> Row:
    """Trading rules of a spot pair: other names, and fewer of them."""
    return {
        "symbol": "BTCUSDT",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "status": "Trading",
        "priceFilter": {"tickSize": "0.1"},
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "minOrderQty": "0.000011",
            "maxOrderQty": "83",
            "minOrderAmt": "5",
            "maxLimitOrderQty": "84",
            "maxMarketOrderQty": "41.5",
        },
    } | changes


def a_ticker_row(**changes: Any) -> Row:
    """Best bid and ask of a linear perpetual."""
    return {
        "symbol": "BTCUSDT",
        "bid1Price": "50000.00",
        "bid1Size": "1.2",
        "ask1Price": "50000.10",
        "ask1Size": "0.8",
        "markPrice": "50000.05",
    } | changes


def a_book_message(**changes: Any) -> Row:
    """A snapshot of two levels a side."""
    return {
        "topic": "orderbook.50.BTCUSDT",
        "type": "snapshot",
        "ts": MS + 700,
        "data": {
            "s": "BTCUSDT",
            "b": [["50000.00", "1.2"], ["49999.90", "3"]],
            "a": [["50000.10", "0.8"], ["50000.20", "2"]],
            "u": 100,
            "seq": 9001,
        },
        "cts": MS + 698,
    } | changes


def a_key_row(**changes: Any) -> Row:
    """A key that may trade and nothing else."""
    return {
        "readOnly": 0,
        "permissions": {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"]},
        "ips": ["*"],
        "userID": 24617703,
        "expiredAt": "2026-05-15T03:21:05Z",
    } | changes
