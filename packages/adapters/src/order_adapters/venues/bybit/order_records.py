"""Order records: rows of realtime and history, and pushes of the `order` topic."""

from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final

from order_adapters.venues.bybit import words
from order_adapters.venues.bybit.fields import (
    flag,
    moment,
    not_negative,
    number_or_none,
    number_or_zero,
    positive,
    price_or_none,
    text,
    text_or_empty,
)
from order_adapters.venues.bybit.quarantine import Raw, RecordInvalid
from order_domain.model.enums import (
    Category,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    VenueOrderId,
    instrument_id,
)
from order_domain.model.reports import OrderReport

_QUOTE_COIN: Final = "quoteCoin"
ENDED: Final[AbstractSet[VenueStatus]] = frozenset(
    (
        VenueStatus.FILLED,
        VenueStatus.CANCELLED,
        VenueStatus.PARTIALLY_FILLED_CANCELLED,
        VenueStatus.REJECTED,
        VenueStatus.DEACTIVATED,
    )
)


def decode_order(raw: Raw, category: Category | None = None) -> OrderReport:
    """Decode one order.

    Args:
        category: Of the page that holds it; a row of REST does not tell its own.

    Raises:
        RecordInvalid: A field breaks its rule.
        UnknownWord: A status, side or another word is new to us.
    """
    category = category_in(raw, category)
    order_type = words.ORDER_TYPE.read(raw, "orderType")
    side = words.SIDE.read(raw, "side")
    status = words.ORDER_STATUS.read(raw, "orderStatus")
    cum_quantity = _executed(raw)
    is_market = order_type is OrderType.MARKET
    return OrderReport(
        instrument_id=instrument_in(raw, category),
        venue_order_id=VenueOrderId(text(raw, "orderId")),
        client_order_id=ClientOrderId(text_or_empty(raw, "orderLinkId")),
        side=side,
        order_type=order_type,
        time_in_force=_time_in_force(raw, order_type),
        # a market order's price is the exchange's own bound, nothing anybody asked for
        price=None if is_market else positive(raw, "price"),
        quantity=(
            _base_quantity(raw, status, cum_quantity)
            if is_market and category is Category.SPOT and _is_sized_in_quote(raw, side)
            # 0 is how a position's own stop says "all of it"
            else not_negative(raw, "qty")
        ),
        status=status,
        cum_quantity=cum_quantity,
        updated_at=moment(raw, "updatedTime"),
        created_at=moment(raw, "createdTime"),
        reduce_only=flag(raw, "reduceOnly"),
        position_side=position_side_in(raw, category),
        reject_reason=words.reason(text_or_empty(raw, "rejectReason")),
        cancel_type=words.reason(text_or_empty(raw, "cancelType")),
    )


def category_in(raw: Raw, given: Category | None) -> Category:
    """Tell the category of a row: its own word, else that of the page it stands on."""
    if given is not None and raw.get("category") is None:
        return given
    return words.CATEGORY.read(raw, "category")


def instrument_in(raw: Raw, category: Category, key: str = "symbol") -> InstrumentId:
    """Name the instrument of a row."""
    return instrument_id(category.value, text(raw, key))


def position_side_in(raw: Raw, category: Category) -> PositionSide:
    """Tell which position a row is about; spot has none, and one-way rows may leave it out."""
    if category is Category.SPOT or raw.get("positionIdx") is None:
        return PositionSide.BOTH
    return words.POSITION_INDEX.read(raw, "positionIdx")


def _time_in_force(raw: Raw, order_type: OrderType) -> TimeInForce:
    if raw.get("timeInForce") in (None, ""):
        return TimeInForce.IOC if order_type is OrderType.MARKET else TimeInForce.GTC
    return words.TIME_IN_FORCE.read(raw, "timeInForce")


def _executed(raw: Raw) -> Decimal:
    value = number_or_zero(raw, "cumExecQty")
    if value < 0:
        raise RecordInvalid("cumExecQty", "a number of at least 0", value)
    return value


def _is_sized_in_quote(raw: Raw, side: Side) -> bool:
    """Tell whether a spot market order's `qty` is an amount of quote coin (ours never are)."""
    unit = text_or_empty(raw, "marketUnit")
    return unit == _QUOTE_COIN if unit else side is Side.BUY


def _base_quantity(raw: Raw, status: VenueStatus, cum_quantity: Decimal) -> Decimal:
    """Say in base units what was asked for in quote units.

    What has ended is what it executed. What is still open may yet execute the rest of its amount at
    about its price; without a price nobody can tell, and it is on its way to its end anyway.
    """
    price = price_or_none(raw, "price") or price_or_none(raw, "avgPrice")
    if status in ENDED or price is None:
        return cum_quantity
    spent = number_or_none(raw, "cumExecValue") or cum_quantity * price
    rest = not_negative(raw, "qty") - spent
    return cum_quantity + rest / price if rest > 0 else cum_quantity
