"""Contexts: how a decision's view is read out of the book."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from order_domain import exposure
from order_domain.book import Book, PositionKey
from order_domain.context import Context
from order_domain.engine.work import Work
from order_domain.model.enums import Category, PositionSide, Side, Trading
from order_domain.model.identifiers import InstrumentId, StrategyId
from order_domain.model.instrument import ONE, ZERO
from order_domain.model.order import TERMINAL, Order

BEHIND_BARRIER: Final = (Trading.REDUCE_ONLY, "account/BARRIER")
"""No openings, a person's included, until the sweep after a reconnect is complete."""
_ACTIVE: Final = Trading.ACTIVE
_new = object.__new__
DAY = "day"
"""Mark whose text is the account's results at midnight UTC; the daily loss is counted from them."""


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


def results_now(book: Book) -> dict[str, Decimal] | None:
    """Realised and unrealised PnL less fees and funding of all positions, by settle coin.

    None when one has no price.
    """
    totals: dict[str, Decimal] = {}
    for (instrument_id, _), position in book.positions.items():
        instrument = book.instruments.get(instrument_id)
        coin = instrument.settle_coin if instrument is not None else ""
        result = position.realized_pnl - position.funding - position.fees.get(coin, ZERO)
        if position.size:
            quote = book.quotes.get(instrument_id)
            if quote is None:
                return None
            result += position.unrealized_pnl(quote.mark_price)
        totals[coin] = totals.get(coin, ZERO) + result
    return totals


def results_text(results: Mapping[str, Decimal]) -> str:
    """Text of a mark: `USDC=1.5 USDT=-3`."""
    return " ".join([f"{coin}={results[coin]}" for coin in sorted(results)])


def _results_of(text: str) -> dict[str, Decimal]:
    pairs = (item.partition("=") for item in text.split())
    return {coin: Decimal(number) for coin, _, number in pairs}


def daily_loss(book: Book) -> Decimal | None:
    """Largest loss of one settle coin since midnight UTC, quote units, negative when all gained.

    Coins are not added: a gain in one pays for no loss in another. None when it cannot be valued.
    """
    mark = book.marks.get(DAY)
    results = results_now(book)
    if results is None:
        return None
    before = _results_of(mark.text) if mark is not None else {}
    losses: list[Decimal] = []
    for coin, result in results.items():
        loss = before.get(coin, ZERO) - result
        price = _price_of(book, coin) if loss else ONE
        if price is None:
            return None
        losses.append(loss * price)
    return max(losses, default=ZERO)


def _price_of(book: Book, coin: str) -> Decimal | None:
    """Quote units of one unit of a settle coin: one, but of a coin that inverse contracts pay in.

    None when there is no price of it.
    """
    inverse = [
        each
        for each in book.instruments.values()
        if each.category is Category.INVERSE and each.settle_coin == coin
    ]
    quotes = [book.quotes[each.id] for each in inverse if each.id in book.quotes]
    if quotes:
        return quotes[0].mark_price
    return None if inverse else ONE


def midnight(now: datetime) -> datetime:
    """Start of the UTC day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
