"""Bodies: our commands as the objects that Bybit takes, by REST and by socket alike.

Every number leaves as text in plain notation, digit for digit what was decided.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from order_adapters.venues.bybit import words
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, OrderType, Origin
from order_domain.model.identifiers import category_of, symbol_of
from order_domain.model.order import Order, OrderTerms
from order_domain.model.steps import SendAmend, SendCancel, SendCreate

Command = SendCreate | SendAmend | SendCancel
Body = dict[str, object]

CREATE_PATH: Final = "/v5/order/create"
AMEND_PATH: Final = "/v5/order/amend"
CANCEL_PATH: Final = "/v5/order/cancel"
CANCEL_ALL_PATH: Final = "/v5/order/cancel-all"
CREATE_BATCH_PATH: Final = "/v5/order/create-batch"
AMEND_BATCH_PATH: Final = "/v5/order/amend-batch"
CANCEL_BATCH_PATH: Final = "/v5/order/cancel-batch"
TRADING_STOP_PATH: Final = "/v5/position/trading-stop"
DISCONNECT_CANCEL_PATH: Final = "/v5/order/disconnected-cancel-all"

SPOT_BATCH_MAX: Final = 10
BATCH_MAX: Final = 20
SPOT_FILTERS: Final = ("", "tpslOrder", "StopOrder", "OcoOrder", "BidirectionalTpslOrder")
"""Kinds of spot orders; unsaid, plain ones. We place no others, but a person may have."""
_PERCENT: Final = Decimal(100)
_SLIPPAGE_STEP: Final = Decimal("0.01")
_SLIPPAGE_MAX: Final = Decimal(10)
DISCONNECT_SECONDS: Final = (3, 300)
_DERIVATIVES: Final = ("DERIVATIVES", "dcp.future")
_DISCONNECT: Final = {
    Category.LINEAR: _DERIVATIVES,
    Category.INVERSE: _DERIVATIVES,
    Category.SPOT: ("SPOT", "dcp.spot"),
}
"""Product and topic of disconnection protection."""
_encoder: Final = msgspec.json.Encoder()


def to_bytes(body: Body) -> bytes:
    """Write a body once; these bytes are what is signed and what is sent."""
    return _encoder.encode(body)


def body_of(command: Command, smp_type: str = "") -> Body:
    """Build the body of one command.

    Args:
        smp_type: `CancelMaker`, `CancelTaker` or `CancelBoth` where orders of one account meet;
            empty leaves it to the account.
    """
    if isinstance(command, SendCreate):
        return create(command.order, smp_type)
    if isinstance(command, SendAmend):
        return amend(command)
    return cancel(command.order)


def path_of(command: Command) -> str:
    """Where REST takes a command."""
    if isinstance(command, SendCreate):
        return CREATE_PATH
    return AMEND_PATH if isinstance(command, SendAmend) else CANCEL_PATH


def create(order: Order, smp_type: str = "") -> Body:
    """Place an order; its client order id is the same for every attempt."""
    terms = order.terms
    instrument = terms.instrument_id
    is_spot = category_of(instrument) == Category.SPOT
    is_market = terms.order_type is OrderType.MARKET
    body: Body = {
        "category": category_of(instrument),
        "symbol": symbol_of(instrument),
        "side": words.SIDE.write(terms.side),
        "orderType": words.ORDER_TYPE.write(terms.order_type),
        "qty": plain(order.quantity),
        "timeInForce": words.TIME_IN_FORCE.write(terms.time_in_force),
        "orderLinkId": terms.client_order_id,
    }
    if not is_market and order.price is not None:
        body["price"] = plain(order.price)
    if is_market and is_spot:
        # unsaid, a market buy would take the quantity for an amount of quote coin
        body["marketUnit"] = "baseCoin"
    if not is_spot:
        body["positionIdx"] = words.POSITION_INDEX.write(terms.position_side)
        if terms.reduce_only:
            body["reduceOnly"] = True
    if is_market and terms.slippage is not None:
        body["slippageToleranceType"] = "Percent"
        body["slippageTolerance"] = _slippage_percent(terms.slippage)
    if smp_type:
        body["smpType"] = smp_type
    _put_exits(body, terms, is_spot=is_spot)
    return body


def amend(command: SendAmend) -> Body:
    """Change price and quantity, both absolute; what is None stays as it is."""
    body = _named(command.order)
    if command.price is not None:
        body["price"] = plain(command.price)
    if command.quantity is not None:
        body["qty"] = plain(command.quantity)
    return body


def cancel(order: Order) -> Body:
    """Cancel one order."""
    return _named(order)


def cancel_all(
    category: Category, symbol: str = "", settle_coin: str = "", order_filter: str = ""
) -> Body:
    """Cancel every order of a symbol, or of a settle coin; spot may name neither.

    One call ends 500 orders at most: repeat it until none is open.

    Args:
        order_filter: On spot, one of `SPOT_FILTERS`: a call takes orders of one kind.

    Raises:
        InvalidValue: A derivatives category without symbol and settle coin.
    """
    body: Body = {"category": category.value}
    if symbol:
        body["symbol"] = symbol
    elif category is not Category.SPOT:
        if not settle_coin:
            raise InvalidValue(field="settle_coin", rule="present without a symbol", value="")
        body["settleCoin"] = settle_coin
    if order_filter:
        body["orderFilter"] = order_filter
    return body


def batch(commands: Sequence[Command], smp_type: str = "") -> Body:
    """Build the body of several commands of one kind and category; answers come in this order.

    Raises:
        InvalidValue: None, too many, or of several kinds or categories.
    """
    bodies = [body_of(command, smp_type) for command in commands]
    categories = {str(body.pop("category")) for body in bodies}
    if len(categories) != 1 or len({type(command) for command in commands}) != 1:
        raise InvalidValue(field="batch", rule="one kind and one category", value=len(bodies))
    (category,) = categories
    longest = SPOT_BATCH_MAX if category == Category.SPOT else BATCH_MAX
    if len(bodies) > longest:
        raise InvalidValue(field="batch", rule=f"at most {longest} commands", value=len(bodies))
    return {"category": category, "request": bodies}


def disconnect_cancel(category: Category, window: timedelta) -> Body:
    """Have the exchange cancel everything when our private streams are gone for a while.

    Raises:
        InvalidValue: The window is not 3 to 300 whole seconds.
    """
    seconds, rest = divmod(window, timedelta(seconds=1))
    low, high = DISCONNECT_SECONDS
    if rest or not low <= seconds <= high:
        raise InvalidValue(field="window", rule=f"{low} to {high} whole seconds", value=window)
    return {"product": _DISCONNECT[category][0], "timeWindow": seconds}


def disconnect_topic(category: Category) -> str:
    """Name the topic a private stream listens to so that its loss counts."""
    return _DISCONNECT[category][1]


def plain(value: Decimal) -> str:
    """Write a number without an exponent."""
    return f"{value:f}"


def is_foreign(order: Order) -> bool:
    """Whether an order must be named by the exchange's id: ours of it is made up, or not unique."""
    return order.terms.origin is Origin.EXTERNAL and bool(order.venue_order_id)


def _named(order: Order) -> Body:
    instrument = order.terms.instrument_id
    body: Body = {"category": category_of(instrument), "symbol": symbol_of(instrument)}
    if is_foreign(order):
        body["orderId"] = order.venue_order_id
    else:
        body["orderLinkId"] = order.client_order_id
    return body


def _slippage_percent(ratio: Decimal) -> str:
    """Say a ratio in whole hundredths of a percent, the exchange's only steps, never more."""
    percent = (ratio * _PERCENT).quantize(_SLIPPAGE_STEP, ROUND_FLOOR)
    return plain(min(max(percent, _SLIPPAGE_STEP), _SLIPPAGE_MAX))


def _put_exits(body: Body, terms: OrderTerms, *, is_spot: bool) -> None:
    if terms.take_profit is None and terms.stop_loss is None:
        return
    if terms.take_profit is not None:
        body["takeProfit"] = plain(terms.take_profit)
    if terms.stop_loss is not None:
        body["stopLoss"] = plain(terms.stop_loss)
    if not is_spot:
        body["tpslMode"] = "Full"
