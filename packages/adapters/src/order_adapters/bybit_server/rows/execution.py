"""Execution rows: one execution as execution/list and the execution topics show it."""

from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.books import Booked
from order_adapters.bybit_server.ids import link_id
from order_adapters.bybit_server.numbers import stamp, text
from order_adapters.bybit_server.orders import NO_WISH, OrderIndex, execution_id
from order_adapters.bybit_server.rows.order import create_type
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import worth
from order_domain.model.enums import ExecutionKind
from order_domain.model.execution import Execution

Row = dict[str, Any]
_CREATE_TYPES: Final = {
    ExecutionKind.LIQUIDATION: "CreateByLiq",
    ExecutionKind.ADL: "CreateByAdl_PassThrough",
    ExecutionKind.FUNDING: "",
}
"""Who made the orders that the account does not know."""


def execution_row(
    execution: Execution,
    booked: Booked | None,
    order: VenueOrder | None,
    market: Market,
    index: OrderIndex,
) -> Row:
    """Write an execution as REST has it."""
    instrument = market.instrument
    funding = execution.kind is ExecutionKind.FUNDING
    wish = NO_WISH if order is None else index.wish_of(order)
    price = None if booked is None else booked.order_price
    row: Row = {
        "symbol": instrument.symbol,
        "orderId": index.id_of_execution(execution, is_spot=market.is_spot),
        "orderLinkId": link_id(execution.client_order_id),
        "side": execution.side,
        "orderPrice": wish.shown_price if price is None else text(price),
        "orderQty": _text(None if booked is None else booked.order_quantity),
        "leavesQty": _text(None if booked is None else booked.leaves),
        "orderType": "UNKNOWN" if funding else "Market" if order is None else order.order_type,
        "stopOrderType": _stop_kind(order, is_spot=market.is_spot),
        "execFee": text(execution.fee),
        "execId": execution_id(execution, is_spot=market.is_spot),
        "execPrice": text(execution.price),
        "execQty": text(execution.quantity),
        "execType": execution.kind,
        "execValue": text(worth(instrument, execution.price, execution.quantity)),
        "execTime": stamp(execution.executed_at),
        "feeCurrency": execution.fee_coin,
        "isMaker": execution.is_maker,
        "feeRate": text(
            instrument.maker_fee_rate if execution.is_maker else instrument.taker_fee_rate
        ),
        "tradeIv": "",
        "markIv": "",
        "markPrice": _text(None if booked is None else booked.mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "" if market.is_spot or booked is None else text(booked.closed),
        "extraFees": "",
        "seq": execution.sequence,
    }
    if not market.is_spot:
        made_by = "CreateByClosing" if order is None else create_type(order)
        row["createType"] = _CREATE_TYPES.get(execution.kind, made_by)
    return row


def pushed_execution_row(
    execution: Execution,
    booked: Booked | None,
    order: VenueOrder | None,
    market: Market,
    index: OrderIndex,
) -> Row:
    """Write an execution as the execution topic has it."""
    row = execution_row(execution, booked, order, market, index)
    row["category"] = market.instrument.category
    row["execPnl"] = "0" if booked is None else text(booked.gain)
    row["isLeverage"] = "0"
    row["marketUnit"] = "" if order is None else index.wish_of(order).market_unit
    row["extraFees"] = []
    return row


def fast_execution_row(execution: Execution, market: Market, index: OrderIndex) -> Row:
    """Write an execution as execution.fast has it: without fee, and unnamed for makers."""
    return {
        "category": market.instrument.category,
        "symbol": market.instrument.symbol,
        "execId": execution_id(execution, is_spot=market.is_spot),
        "execPrice": text(execution.price),
        "execQty": text(execution.quantity),
        "orderId": index.id_of_execution(execution, is_spot=market.is_spot),
        "isMaker": execution.is_maker,
        "orderLinkId": "" if execution.is_maker else link_id(execution.client_order_id),
        "side": execution.side,
        "execTime": stamp(execution.executed_at),
        "seq": execution.sequence,
    }


def _stop_kind(order: VenueOrder | None, *, is_spot: bool) -> str:
    if order is None or order.stop is None:
        return "" if is_spot else "UNKNOWN"
    return order.stop.kind


def _text(value: Decimal | None) -> str:
    return "" if value is None else text(value)
