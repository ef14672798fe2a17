"""Contexts: how a decision's view is read out of the book."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from order_domain import exposure
from order_domain.book import Book, PositionKey
from order_domain.context import Context
from order_domain.engine.work import Work
from order_domain.model.enums import PositionSide, Side, Trading
from order_domain.model.identifiers import InstrumentId, StrategyId
from order_domain.model.instrument import ZERO
from order_domain.model.order import TERMINAL, Order

BEHIND_BARRIER: Final = (Trading.REDUCE_ONLY, "account/BARRIER")
"""No openings, a person's included, until the sweep after a reconnect is complete."""
_ACTIVE: Final = Trading.ACTIVE
_new = object.__new__
DAY = "day"
"""Mark whose text is the account's result at midnight UTC; the daily loss is measured from it."""


def for_instrument(
    work: Work,
    strategy: StrategyId,
    instrument_id: InstrumentId,
    position_side: PositionSide,
    side: Side,
) -> Context:
    """Build the context of a new decision.

    Filled field by field: fourteen keywords cost more than all that they carry.
    """
    book, now = work.book, work.now
    key = (instrument_id, position_side)
    instrument = book.instruments.get(instrument_id)
    live = book.live.get(key)
    context = _new(Context)
    context.now = now
    context.instrument = instrument
    context.quote = book.quotes.get(instrument_id)
    context.trading, context.trading_cause = book.trading(strategy, instrument_id)
    if work.watch.barrier and context.trading is _ACTIVE:
        context.trading, context.trading_cause = BEHIND_BARRIER
    context.position = _position(work, key)
    if live:
        context.buy_leaves, context.sell_leaves = exposure.leaves(book, key)
        context.orders = [order for order in live.values() if order.status not in TERMINAL]
    else:
        context.buy_leaves = context.sell_leaves = ZERO
        context.orders = ()
    context.exposure_elsewhere = exposure.elsewhere(book, instrument_id, position_side)
    coin = "" if instrument is None else instrument.spent_coin(side)
    context.available = exposure.available(book, coin)
    context.daily_loss = daily_loss(book) if work.config.max_daily_loss is not None else ZERO
    context.like_decided_at = book.like_decided_at.get((strategy, instrument_id, side))
    context.newest_timestamp = book.newest_timestamp.get((strategy, instrument_id))
    return context


def _position(work: Work, key: PositionKey) -> Decimal:
    """Size at risk with what this step has already booked."""
    size = exposure.position(work.book, key)
    staged = work.positions.get(key)
    if staged is not None:
        booked = work.book.positions.get(key)
        size += staged.size - (booked.size if booked is not None else ZERO)
    return size


def for_order(work: Work, order: Order) -> Context:
    """Build the context in which an existing order is checked again.

    The order itself is still counted in it.
    """
    terms = order.terms
    context = for_instrument(
        work, terms.strategy_id, terms.instrument_id, terms.position_side, terms.side
    )
    return _without(work, order, context) if order.is_terminal else context


def without(work: Work, order: Order) -> Context:
    """Build the context as if the order did not exist, for judging what it would become."""
    terms = order.terms
    context = for_instrument(
        work, terms.strategy_id, terms.instrument_id, terms.position_side, terms.side
    )
    return _without(work, order, context)


def _without(work: Work, order: Order, context: Context) -> Context:
    terms = order.terms
    key = (terms.instrument_id, terms.position_side)
    leaves = exposure.leaves_without(work.book, key, terms.client_order_id)
    context.buy_leaves, context.sell_leaves = leaves
    context.orders = [
        other for other in context.orders if other.terms.client_order_id != terms.client_order_id
    ]
    return context


def result_now(book: Book) -> Decimal | None:
    """Realised and unrealised PnL less fees and funding over all positions.

    None when one has no price.
    """
    total = ZERO
    for (instrument_id, _), position in book.positions.items():
        total += position.realized_pnl - position.funding
        instrument = book.instruments.get(instrument_id)
        settle = instrument.settle_coin if instrument is not None else ""
        for coin, fee in position.fees.items():
            if coin == settle:
                total -= fee
        if position.size:
            quote = book.quotes.get(instrument_id)
            if quote is None:
                return None
            total += position.unrealized_pnl(quote.mark_price)
    return total


def daily_loss(book: Book) -> Decimal | None:
    """Loss since midnight UTC, quote units, negative when gained; None when it cannot be valued."""
    mark = book.marks.get(DAY)
    result = result_now(book)
    if result is None:
        return None
    return (Decimal(mark.text) if mark is not None else ZERO) - result


def midnight(now: datetime) -> datetime:
    """Start of the UTC day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
