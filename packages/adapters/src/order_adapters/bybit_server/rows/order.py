"""Order rows: one order as realtime, history and the order topic show it."""

from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.ids import link_id
from order_adapters.bybit_server.numbers import rounded, stamp, text
from order_adapters.bybit_server.orders import OrderIndex, Wish
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import worth
from order_adapters.simulator.stop import PARTS, Bracket, Stop, StopKind
from order_domain.model.enums import Category, OrderType, PositionSide, VenueStatus
from order_domain.model.instrument import ZERO
from order_domain.model.reports import OrderReport

Row = dict[str, Any]
POSITION_INDEX: Final = {PositionSide.BOTH: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}
_UNSET: Final[Row] = {
    "parentOrderLinkId": "",
    "blockTradeId": "",
    "isLeverage": "",
    "stopOrderType": "",
    "orderIv": "",
    "triggerPrice": "",
    "takeProfit": "",
    "stopLoss": "",
    "tpLimitPrice": "",
    "slLimitPrice": "",
    "tpTriggerBy": "",
    "slTriggerBy": "",
    "triggerDirection": 0,
    "triggerBy": "",
    "placeType": "",
    "smpGroup": 0,
    "smpOrderId": "",
    "extraFees": "",
    "rpiTakerAccess": False,
    "rpiMatchedQty": "0",
}
"""What an order without conditions and guards shows, as the exchange writes it."""
_OPEN: Final = (
    VenueStatus.NEW,
    VenueStatus.PARTIALLY_FILLED,
    VenueStatus.UNTRIGGERED,
    VenueStatus.TRIGGERED,
)
_CREATE_TYPES: Final = {
    StopKind.STOP: "CreateByStopOrder",
    StopKind.TAKE_PROFIT: "CreateByTakeProfit",
    StopKind.STOP_LOSS: "CreateByStopLoss",
    StopKind.PARTIAL_TAKE_PROFIT: "CreateByPartialTakeProfit",
    StopKind.PARTIAL_STOP_LOSS: "CreateByPartialStopLoss",
    StopKind.TRAILING: "CreateByTrailingStop",
}


def order_row(order: VenueOrder, report: OrderReport, index: OrderIndex) -> Row:
    """Write one version of an order as REST has it."""
    wish = index.wish_of(order)
    value, fees = _executed(order, report.cum_quantity)
    cum = report.cum_quantity
    inverse = order.market.instrument.category is Category.INVERSE
    average = ZERO if not cum else cum / value if inverse else value / cum
    leaves = report.quantity - cum if report.status in _OPEN else ZERO
    price = wish.shown_price if report.price is None else text(report.price)
    status, reason = _ending(report, wish, value)
    row: Row = _UNSET | {
        "orderId": index.id_of(order),
        "orderLinkId": link_id(report.client_order_id),
        "symbol": order.market.instrument.symbol,
        "price": price,
        "qty": text(report.quantity if wish.asked is None else wish.asked),
        "side": report.side,
        "positionIdx": POSITION_INDEX[report.position_side],
        "orderStatus": status,
        "cancelType": report.cancel_type or "UNKNOWN",
        "rejectReason": reason,
        "avgPrice": rounded(average) if cum else "",
        "leavesQty": text(leaves),
        "leavesValue": rounded(worth(order.market.instrument, report.price, leaves))
        if leaves and report.price
        else "0",
        "cumExecQty": text(cum),
        "cumExecValue": text(value),
        "cumExecFee": text(sum(fees.values(), ZERO)),
        "cumFeeDetail": {coin: text(fee) for coin, fee in fees.items()},
        "timeInForce": report.time_in_force,
        "orderType": report.order_type,
        "reduceOnly": report.reduce_only,
        "closeOnTrigger": wish.close_on_trigger,
        "smpType": wish.smp_type,
        "slippageToleranceType": wish.slippage_type,
        "slippageTolerance": wish.slippage,
        "createdTime": stamp(report.created_at),
        "updatedTime": stamp(report.updated_at),
    }
    row.update(
        _spot_fields(wish, report) if order.market.is_spot else _contract_fields(order, wish)
    )
    if order.stop is not None:
        row.update(_stop_fields(order.stop, is_spot=order.market.is_spot))
    if order.bracket is not None:
        row.update(_bracket_fields(order.bracket, is_spot=order.market.is_spot))
    return row


def pushed_order_row(
    order: VenueOrder, report: OrderReport, index: OrderIndex, pnl: Decimal
) -> Row:
    """Write one version of an order as the order topic has it.

    Args:
        pnl: What the order has realised so far by closing.
    """
    instrument = order.market.instrument
    row = order_row(order, report, index)
    row.pop("basePrice", None)
    row["category"] = instrument.category
    row["closedPnl"] = text(pnl)
    row["feeCurrency"] = "" if order.market.is_spot else instrument.settle_coin
    row["brokerOrderPrice"] = ""
    return row


def _spot_fields(wish: Wish, report: OrderReport) -> Row:
    unit = wish.market_unit or ("baseCoin" if report.order_type is OrderType.MARKET else "")
    return {
        "isLeverage": "1" if wish.is_leverage else "0",
        "marketUnit": unit,
        "basePrice": wish.last_price or "0",
        "ocoTriggerBy": "OcoTriggerByUnknown",
    }


def _contract_fields(order: VenueOrder, wish: Wish) -> Row:
    """Clients tell the category of a row by `tpslMode` alone: only contracts have it."""
    return {
        "createType": create_type(order),
        "tpslMode": "",
        "lastPriceOnCreated": wish.last_price,
        "stopOrderType": "UNKNOWN",
        "triggerBy": "UNKNOWN",
        "triggerPrice": "0.00",
    }


def create_type(order: VenueOrder) -> str:
    """Who or what made an order; one without a client order id was made by hand."""
    if order.stop is not None:
        return _CREATE_TYPES.get(order.stop.kind, "CreateByUser")
    return "CreateByUser" if order.client_order_id else "CreateByClosing"


def _stop_fields(stop: Stop, *, is_spot: bool) -> Row:
    row: Row = {
        "stopOrderType": stop.kind,
        "triggerPrice": text(stop.price),
        "parentOrderLinkId": link_id(stop.parent),
        "closeOnTrigger": stop.closes_on_trigger,
    }
    if not is_spot:
        row["triggerDirection"] = 1 if stop.rises else 2
        row["triggerBy"] = stop.by
        if stop.is_guard:
            row["tpslMode"] = "Partial" if stop.kind in PARTS else "Full"
    return row


def _bracket_fields(bracket: Bracket, *, is_spot: bool) -> Row:
    row: Row = {}
    for short, name, leg in (("tp", "takeProfit", bracket.take), ("sl", "stopLoss", bracket.stop)):
        if leg is not None:
            row[name] = text(leg.price)
            row[f"{short}LimitPrice"] = "" if leg.limit is None else text(leg.limit)
            row[f"{short}TriggerBy"] = "" if is_spot else leg.by
    if not is_spot:
        row["tpslMode"] = "Full" if bracket.whole else "Partial"
    return row


def _ending(report: OrderReport, wish: Wish, value: Decimal) -> tuple[str, str]:
    """Status and reason; an order sized in quote coin leaves dust, so it ends as cut off."""
    reason = report.reject_reason or "EC_NoError"
    if report.status is VenueStatus.FILLED and wish.asked is not None and value < wish.asked:
        return VenueStatus.PARTIALLY_FILLED_CANCELLED, "EC_CancelByOrderValueZero"
    return report.status, reason


def _executed(order: VenueOrder, cum: Decimal) -> tuple[Decimal, dict[str, Decimal]]:
    """Value and fees of the executions that a version of the order knows of."""
    value, done, fees = ZERO, ZERO, dict[str, Decimal]()
    for execution in order.executions:
        if done >= cum:
            break
        done += execution.quantity
        value += worth(order.market.instrument, execution.price, execution.quantity)
        fees[execution.fee_coin] = fees.get(execution.fee_coin, ZERO) + execution.fee
    return value, fees
