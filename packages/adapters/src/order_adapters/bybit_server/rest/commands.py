"""Commands: reads create, amend and cancel as clients write them, into commands of the core."""

from decimal import Decimal
from typing import Final, TypeVar

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.failures import Refused, invalid, not_simulated
from order_adapters.bybit_server.ids import ANONYMOUS, link_id
from order_adapters.bybit_server.numbers import moment_of, text
from order_adapters.bybit_server.orders import Wish
from order_adapters.bybit_server.rest.conditions import (
    BRACKET,
    bracket_of,
    stop_of,
    trigger_by,
)
from order_adapters.bybit_server.rest.filters import filters_of
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller
from order_adapters.bybit_server.rest.sizing import base_quantity, slippage_ratio
from order_adapters.bybit_server.signatures import core_stamp
from order_adapters.simulator import refusals
from order_adapters.simulator.market import Market
from order_adapters.simulator.stop import AmendWith, CreateWith, Stop
from order_domain.model.enums import (
    Category,
    OrderStatus,
    OrderType,
    Origin,
    PositionSide,
    Side,
    TimeInForce,
)
from order_domain.model.identifiers import (
    ClientOrderId,
    SignalId,
    StrategyId,
    TraceId,
    VenueOrderId,
    instrument_id,
)
from order_domain.model.instrument import ZERO
from order_domain.model.order import Order, OrderTerms
from order_domain.model.steps import SendAmend, SendCancel, SendCreate

_POSITIONS: Final = {0: PositionSide.BOTH, 1: PositionSide.LONG, 2: PositionSide.SHORT}
_SMP: Final = ("None", "CancelMaker", "CancelTaker", "CancelBoth")
_NOT_SIMULATED: Final = ("bboSideType", "orderIv")
Word = TypeVar("Word", Side, OrderType)
_WORST: Final = Decimal("0.05")
"""How far beyond the touch the shown price of a market order is."""


def market_of(account: ServerAccount, params: Params) -> Market:
    """Find the market that category and symbol name."""
    category = category_of(params)
    symbol = params.required("symbol")
    market = account.markets.get(instrument_id(category, symbol))
    if market is None and category not in account.config.categories:
        raise Refused(10005, f"Permission denied for {category}.")
    if market is None:
        if category is Category.SPOT:
            raise Refused(170121, "Invalid symbol.")
        raise Refused(*refusals.UNKNOWN_SYMBOL)
    return market


def category_of(params: Params) -> Category:
    """Read the category; options and spreads are not simulated."""
    word = params.required("category")
    if word == "option":
        raise not_simulated("category option")
    try:
        return Category(word)
    except ValueError:
        raise invalid("params error: category invalid") from None


def create_command(caller: Caller, params: Params) -> tuple[SendCreate, str]:
    """Read a create; return it with the client order id that is told back."""
    account = caller.account
    market = market_of(account, params)
    side = _word(Side, params, "side")
    order_type = _word(OrderType, params, "orderType")
    _refuse_unserved(params)
    link = _link(params)
    position_side = position_side_of(params, market)
    stop, bracket = stop_of(params, market), bracket_of(params, market)
    quantity, asked = _quantity(account, market, params, (side, order_type, position_side), stop)
    price = params.amount("price") if order_type is OrderType.LIMIT else None
    if price is not None and stop is None and bracket is None:
        price = account.priced(market, side, price)
    slippage = slippage_ratio(params, market, side, order_type)
    if slippage is not None and stop is not None:
        raise invalid("params error: slippageTolerance is not for conditional orders")
    name = ClientOrderId(link) if link else account.index.next_anonymous()
    account.index.expect(name, _wish(params, market, side, order_type, asked))
    order = _order(
        caller,
        OrderTerms(
            client_order_id=name,
            instrument_id=market.id,
            side=side,
            order_type=order_type,
            time_in_force=_time_in_force(params, order_type),
            origin=Origin.EXTERNAL,
            signal_id=SignalId(""),
            strategy_id=StrategyId(""),
            trace_id=TraceId(""),
            requested_quantity=quantity,
            created_at=account.now(),
            valid_until=account.now(),
            position_side=position_side,
            reduce_only=not market.is_spot
            and (params.flag("reduceOnly") or (stop is not None and stop.closes_on_trigger)),
            slippage=slippage,
        ),
        quantity,
        price,
    )
    if stop is None and bracket is None:
        return SendCreate(order), link
    return CreateWith(order, stop, bracket), link


def amend_command(caller: Caller, params: Params) -> tuple[SendAmend, str, str]:
    """Read an amend; return it with the ids that are told back."""
    for name in _NOT_SIMULATED:
        if params.raw(name) not in (None, "0"):
            raise not_simulated(f"amending {name}")
    quantity, price = params.amount("qty"), params.amount("price")
    trigger = params.amount("triggerPrice")
    rebrackets = any(params.raw(name) is not None for name in BRACKET)
    rewaits = trigger is not None or params.raw("triggerBy") is not None
    if quantity is None and price is None and not rebrackets and not rewaits:
        raise invalid("params error: nothing to amend")
    market = market_of(caller.account, params)
    target, order_id, link = _target(caller, params, market)
    number, stamped = target.attempt, target.request_ts
    assert stamped is not None  # noqa: S101 -- _order has just written it
    quantity = None if quantity is None else _truncated(caller.account, market, quantity)
    found = caller.account.index.find(params.text("orderId"), params.text("orderLinkId"))
    if price is not None and found is not None and not found.waits:
        price = caller.account.priced(market, found.side, price)
    plain = SendAmend(target, number, number, stamped, price, quantity)
    if not rebrackets and not rewaits:
        return plain, order_id, link
    bracket = None if found is None else found.bracket
    if rebrackets:
        bracket = bracket_of(params, market, bracket)
    by = trigger_by(params, "triggerBy") if params.raw("triggerBy") is not None else None
    command = AmendWith(
        target, number, number, stamped, price, quantity, trigger, by, bracket, rebrackets
    )
    return command, order_id, link


def cancel_command(caller: Caller, params: Params) -> tuple[SendCancel, str, str]:
    """Read a cancel; return it with the ids that are told back."""
    market = market_of(caller.account, params)
    found = caller.account.index.find(params.text("orderId"), params.text("orderLinkId"))
    wanted = params.text("orderFilter", "Order")
    if market.is_spot and found is not None and wanted not in filters_of(found):
        raise Refused(*refusals.SPOT_NOT_FOUND)
    target, order_id, link = _target(caller, params, market)
    number, stamped = target.attempt, target.request_ts
    assert stamped is not None  # noqa: S101 -- _order has just written it
    return SendCancel(target, number, number, stamped), order_id, link


def _target(caller: Caller, params: Params, market: Market) -> tuple[Order, str, str]:
    """Name an order that is there, or one that is not: the core will say which."""
    order_id, link = params.text("orderId"), params.text("orderLinkId")
    if not order_id and not link:
        raise invalid("params error: orderId or orderLinkId is required")
    found = caller.account.index.find(order_id, link)
    if found is None:
        name, core_id = ClientOrderId("" if order_id else link), VenueOrderId(order_id)
        side, order_type = Side.BUY, OrderType.LIMIT
    else:
        name, core_id = found.client_order_id, found.venue_order_id
        side, order_type = found.side, found.order_type
        order_id, link = caller.account.index.id_of(found), link_id(name)
    terms = OrderTerms(
        client_order_id=name,
        instrument_id=market.id,
        side=side,
        order_type=order_type,
        time_in_force=TimeInForce.GTC,
        origin=Origin.EXTERNAL,
        signal_id=SignalId(""),
        strategy_id=StrategyId(""),
        trace_id=TraceId(""),
        requested_quantity=ZERO,
        created_at=caller.account.now(),
        valid_until=caller.account.now(),
    )
    order = _order(caller, terms, ZERO, None)
    order.venue_order_id = core_id
    return order, order_id, link


def _order(caller: Caller, terms: OrderTerms, quantity: Decimal, price: Decimal | None) -> Order:
    account = caller.account
    return Order(
        terms=terms,
        status=OrderStatus.SUBMITTING,
        quantity=quantity,
        price=price,
        updated_at=account.now(),
        attempt=account.next_number(),
        request_ts=core_stamp(moment_of(caller.stamped), caller.window, account.exchange_now()),
    )


def _link(params: Params) -> str:
    link = params.text("orderLinkId")
    if link.startswith(ANONYMOUS):
        raise Refused(*refusals.BAD_LINK_ID)
    return link


def _word(kind: type[Word], params: Params, name: str) -> Word:
    try:
        return kind(params.required(name))
    except ValueError:
        raise invalid(f"params error: {name} invalid") from None


def _time_in_force(params: Params, order_type: OrderType) -> TimeInForce:
    word = params.text("timeInForce", "GTC")
    if word == "RPI":
        raise Refused(110119, "RPI orders are for market makers only.")
    try:
        found = TimeInForce(word)
    except ValueError:
        raise invalid("params error: timeInForce invalid") from None
    return TimeInForce.IOC if order_type is OrderType.MARKET else found


def position_side_of(params: Params, market: Market) -> PositionSide:
    """Which position: on spot the index says nothing."""
    if market.is_spot:
        return PositionSide.BOTH
    side = _POSITIONS.get(params.whole("positionIdx", 0) or 0)
    if side is None:
        raise Refused(*refusals.POSITION_INDEX)
    return side


def _refuse_unserved(params: Params) -> None:
    for name in _NOT_SIMULATED:
        if params.raw(name) not in (None, "0"):
            raise not_simulated(name)
    if params.text("smpType", "None") not in _SMP:
        raise invalid("params error: smpType invalid")


def _quantity(
    account: ServerAccount,
    market: Market,
    params: Params,
    kind: tuple[Side, OrderType, PositionSide],
    stop: Stop | None,
) -> tuple[Decimal, Decimal | None]:
    """Base units of an order, and the amount in quote coin where that was asked."""
    side, order_type, position_side = kind
    quantity = params.amount("qty")
    if quantity is None:
        raise invalid("params error: qty is required")
    if market.is_spot:
        if order_type is OrderType.MARKET and _by_quote(params, side):
            if stop is None:
                return base_quantity(market, side, quantity), quantity
            return market.instrument.floor_quantity(quantity / stop.price), quantity
        return quantity, None
    if not quantity and params.flag("reduceOnly") and params.flag("closeOnTrigger"):
        return abs(account.position(market, position_side).size), None
    return _truncated(account, market, quantity), None


def _by_quote(params: Params, side: Side) -> bool:
    unit = params.text("marketUnit", "quoteCoin" if side is Side.BUY else "baseCoin")
    if unit not in ("baseCoin", "quoteCoin"):
        raise invalid("params error: marketUnit invalid")
    return unit == "quoteCoin"


def _truncated(account: ServerAccount, market: Market, quantity: Decimal) -> Decimal:
    """Cut a derivative's quantity down to its step, if the server does that."""
    if market.is_spot or not account.truncates or quantity <= 0:
        return quantity
    cut = market.instrument.floor_quantity(quantity)
    if not cut:
        raise Refused(110017, "orderQty will be truncated to zero.")
    return cut


def _wish(
    params: Params, market: Market, side: Side, order_type: OrderType, asked: Decimal | None
) -> Wish:
    unit = ""
    if market.is_spot and order_type is OrderType.MARKET:
        unit = "baseCoin" if asked is None else "quoteCoin"
    mark = market.mark_price()
    return Wish(
        market_unit=unit,
        asked=asked,
        smp_type=params.text("smpType", "None"),
        slippage_type=params.text("slippageToleranceType", "UNKNOWN"),
        slippage=params.text("slippageTolerance"),
        close_on_trigger=params.flag("closeOnTrigger"),
        is_leverage=params.whole("isLeverage", 0) == 1,
        shown_price=_worst_price(market, side),
        last_price="" if mark is None else text(mark),
    )


def _worst_price(market: Market, side: Side) -> str:
    touch = market.touch(side is Side.BUY)
    if touch is None:
        return "0"
    beyond = _WORST if side is Side.BUY else -_WORST
    return text(market.instrument.round_price_passive(touch[0] * (1 + beyond), side))
