"""Execution records: rows of execution/list, pushes of `execution` and `execution.fast`."""

from collections.abc import Container, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.venues.bybit import words
from order_adapters.venues.bybit.fields import (
    flag,
    integer_or_none,
    moment,
    not_negative,
    number,
    number_or_none,
    positive,
    text,
    text_or_empty,
)
from order_adapters.venues.bybit.order_records import category_in, instrument_in
from order_adapters.venues.bybit.quarantine import Raw, RecordInvalid
from order_domain.model.enums import Category, ExecutionKind, PositionSide, Side
from order_domain.model.execution import Execution
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    VenueOrderId,
    category_of,
    symbol_of,
)
from order_domain.model.instrument import ZERO, Instrument

_STABLE_COINS: Final = ("USDT", "USDC")


@attrs.frozen(slots=True, kw_only=True)
class Known:
    """What rows of executions leave out and the account has learnt elsewhere; read, never written.

    Attributes:
        instruments: Trading rules by id; name the fee's coin where a row does not.
        hedged: Instruments in hedge mode. A row of an execution never tells its position.
        position_sides: Positions of orders in hedge mode, by venue order id.
    """

    instruments: Mapping[InstrumentId, Instrument] = attrs.field(factory=dict)
    hedged: Container[InstrumentId] = ()
    position_sides: Mapping[VenueOrderId, PositionSide] = attrs.field(factory=dict)


NOTHING_KNOWN: Final = Known()


@attrs.frozen(slots=True, kw_only=True)
class FastExecution:
    """A fill as `execution.fast` tells it: early, without its fee, so never an entry of the ledger.

    Attributes:
        client_order_id: Empty for maker fills.
    """

    exec_id: ExecutionId
    instrument_id: InstrumentId
    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId
    side: Side
    price: Decimal
    quantity: Decimal
    executed_at: datetime
    is_maker: bool
    sequence: int


def decode_execution(
    raw: Raw, category: Category | None = None, known: Known = NOTHING_KNOWN
) -> Execution:
    """Decode one execution of any kind.

    Raises:
        RecordInvalid: A field breaks its rule; also where fee coin or position cannot be told.
        UnknownWord: execType, side or category is new to us.
    """
    category = category_in(raw, category)
    instrument = instrument_in(raw, category)
    kind = words.EXECUTION_KIND.read(raw, "execType")
    is_funding = kind is ExecutionKind.FUNDING
    side = words.SIDE.read(raw, "side")
    # only of a trade there is always an order: what the exchange does by itself counts without one
    is_trade = kind is ExecutionKind.TRADE
    order_id = VenueOrderId(text(raw, "orderId") if is_trade else text_or_empty(raw, "orderId"))
    fee = number(raw, "execFee")
    is_maker = flag(raw, "isMaker")
    return Execution(
        exec_id=ExecutionId(text(raw, "execId")),
        instrument_id=instrument,
        client_order_id=ClientOrderId(text_or_empty(raw, "orderLinkId")),
        venue_order_id=order_id,
        side=side,
        price=not_negative(raw, "execPrice") if is_funding else positive(raw, "execPrice"),
        # of funding it is the size that was charged; nothing was traded
        quantity=ZERO if is_funding else positive(raw, "execQty"),
        fee=fee,
        fee_coin=_fee_coin(raw, instrument, side, known, fee=fee, is_maker=is_maker),
        executed_at=moment(raw, "execTime"),
        kind=kind,
        is_maker=is_maker,
        position_side=_position_side(raw, instrument, side, kind, known),
        sequence=integer_or_none(raw, "seq") or 0,
    )


def decode_fast_execution(raw: Raw, category: Category | None = None) -> FastExecution:
    """Decode one row of `execution.fast`.

    Raises:
        RecordInvalid: A field breaks its rule.
        UnknownWord: The side or category is new to us.
    """
    category = category_in(raw, category)
    return FastExecution(
        exec_id=ExecutionId(text(raw, "execId")),
        instrument_id=instrument_in(raw, category),
        client_order_id=ClientOrderId(text_or_empty(raw, "orderLinkId")),
        venue_order_id=VenueOrderId(text(raw, "orderId")),
        side=words.SIDE.read(raw, "side"),
        price=positive(raw, "execPrice"),
        quantity=positive(raw, "execQty"),
        executed_at=moment(raw, "execTime"),
        is_maker=flag(raw, "isMaker"),
        sequence=integer_or_none(raw, "seq") or 0,
    )


def _fee_coin(
    raw: Raw, instrument: InstrumentId, side: Side, known: Known, *, fee: Decimal, is_maker: bool
) -> str:
    """Name the coin a fee was paid in: the row's word, else the rule of the category."""
    named = text_or_empty(raw, "feeCurrency")
    if named:
        return named
    rules = known.instruments.get(instrument)
    if category_of(instrument) != Category.SPOT:
        return rules.settle_coin if rules is not None else _settle_coin(instrument)
    if rules is not None:
        # what one receives pays the fee; a maker's rebate comes in what one gives
        is_rebate = is_maker and fee < 0
        return rules.base_coin if (side is Side.BUY) is not is_rebate else rules.quote_coin
    raise RecordInvalid("feeCurrency", "present, or the instrument known", None)


def _settle_coin(instrument: InstrumentId) -> str:
    """Tell the settle coin by the shape of a derivative's symbol."""
    head = symbol_of(instrument).partition("-")[0]
    if category_of(instrument) == Category.INVERSE:
        return head.partition("USD")[0] or head
    if head.endswith(_STABLE_COINS):
        return head[-4:]
    return "USDC"  # BTCPERP, BTC-24MAR23


def _position_side(
    raw: Raw, instrument: InstrumentId, side: Side, kind: ExecutionKind, known: Known
) -> PositionSide:
    """Tell which position of an account in hedge mode an execution changed.

    Its order knows. Without it, what closes something works on the position of the other side.
    """
    if instrument not in known.hedged:
        return PositionSide.BOTH
    order_side = known.position_sides.get(VenueOrderId(text_or_empty(raw, "orderId")))
    if order_side is not None:
        return order_side
    if kind is ExecutionKind.FUNDING:
        closes = False
    elif kind is ExecutionKind.TRADE:
        closed = number_or_none(raw, "closedSize")
        if closed is None:
            raise RecordInvalid("closedSize", "present, or the order known", None)
        closes = closed > 0
    else:
        closes = True  # liquidation, deleveraging and settlement do nothing else
    return PositionSide.LONG if (side is Side.BUY) is not closes else PositionSide.SHORT
