"""Exposure: what the book's orders and positions put at risk, and what is left of the balance."""

from decimal import Decimal
from typing import Final

from order_domain.book import Book, PositionKey
from order_domain.model.enums import Category, CommandKind, PositionSide, Side
from order_domain.model.identifiers import ClientOrderId, InstrumentId
from order_domain.model.instrument import ZERO
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.quote import Quote

# Members looked up once: on an enum class each look-up costs as much as an addition.
_SPOT: Final = Category.SPOT
_INVERSE_IDS: Final = f"{Category.INVERSE}:"
_AMEND: Final = CommandKind.AMEND
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL

_NONE: dict[ClientOrderId, Order] = {}
Taken = dict[ClientOrderId, Decimal]
"""Base units of orders about to end that waiting ones have taken the place of, by their id."""


def leaves(book: Book, key: PositionKey) -> tuple[Decimal, Decimal]:
    """Base units (buy, sell) on their way or working; a waiting order counts beyond what it ends.

    The sum is kept until an order of this key changes.
    """
    cached = book.leaves_cache.get(key)
    if cached is None:
        cached = book.leaves_cache[key] = _sum(book, key, None)
    return cached


def leaves_without(
    book: Book, key: PositionKey, excluded: ClientOrderId
) -> tuple[Decimal, Decimal]:
    """The same as if one order did not exist."""
    return _sum(book, key, excluded)


def _sum(book: Book, key: PositionKey, excluded: ClientOrderId | None) -> tuple[Decimal, Decimal]:
    buy = sell = ZERO
    taken: Taken = {}
    for order_id, order in book.live.get(key, _NONE).items():
        if order_id == excluded:
            continue
        if order.terms.side is _BUY:
            buy += at_risk(book, order, taken)
        else:
            sell += at_risk(book, order, taken)
    return buy, sell


def at_risk(book: Book, order: Order, taken: Taken) -> Decimal:
    """Base units an order may still execute; an open amend counts at the larger (protocol 5.1).

    An order that waits for others of its side to end counts only beyond what is left of them (7.3).
    `taken` keeps what the orders before it have counted of that: the children of one decision wait
    for the same orders, and each base unit makes room for one of theirs.
    """
    quantity = order.leaves_quantity
    amend = book.commands.get((order.terms.client_order_id, _AMEND))
    if amend is not None and amend.is_open and amend.quantity is not None:
        quantity += max(ZERO, amend.quantity - order.quantity)
    for replaced_id in order.terms.replaces:
        replaced = book.orders.get(replaced_id)
        if replaced is not None and replaced.terms.side is order.terms.side:
            before = taken.get(replaced_id, ZERO)
            room = min(replaced.leaves_quantity - before, quantity)
            taken[replaced_id] = before + room
            quantity -= room
    return quantity


def position(book: Book, key: PositionKey) -> Decimal:
    """Signed base units: the booked size plus what reports are ahead of the ledger."""
    held = book.positions.get(key)
    size = held.size if held is not None else ZERO
    for order in book.live.get(key, _NONE).values():
        ahead = order.unbooked_quantity
        if ahead:
            size += ahead if order.terms.side is _BUY else -ahead
    return size


def elsewhere(book: Book, instrument_id: InstrumentId, own: PositionSide) -> Decimal | None:
    """Quote value of the larger side of every other position and its orders; None if unpriced."""
    total = ZERO
    if len(book.positions) <= 1 and len(book.live) <= 1:
        own_key = (instrument_id, own)
        if all(key == own_key for key in (*book.positions, *book.live)):
            return total
    live_orders, quotes, worths = book.live, book.quotes, book.worth_cache
    for key, held in book.positions.items():
        if key[0] == instrument_id and key[1] is own:
            continue
        if live_orders.get(key):
            value = _value_of(book, key)
        else:  # of most instruments nothing is on its way, and nothing has changed
            known = worths.get(key)
            if known is not None and known[0] is held and known[1] is quotes.get(key[0]):
                total += known[2]
                continue
            value = _worth(book, key, held)
        if value is None:
            return None
        total += value
    for key, live in book.live.items():
        if live and key not in book.positions and (key[0] != instrument_id or key[1] is not own):
            value = _value_of(book, key)
            if value is None:
                return None
            total += value
    return total


def _worth(book: Book, key: PositionKey, held: Position) -> Decimal | None:
    """Quote value of a position of which nothing is on its way; None if unpriced.

    It is kept for as long as there is no other version of the position and no other quote.
    """
    quote = book.quotes.get(key[0])
    if quote is None:
        return None if held.size else ZERO
    value = _value(quote, key[0], abs(held.size))
    book.worth_cache[key] = held, quote, value
    return value


def _value_of(book: Book, key: PositionKey) -> Decimal | None:
    """Quote value of the larger side of a position and its orders; None if unpriced."""
    worst = _worst(book, key)
    if not worst:
        return ZERO
    quote = book.quotes.get(key[0])
    return None if quote is None else _value(quote, key[0], worst)


def _worst(book: Book, key: PositionKey) -> Decimal:
    """Base units of the larger side, once all that is on its way has executed."""
    size = position(book, key)
    buy, sell = leaves(book, key)
    return max(abs(size + buy), abs(size - sell))


def _value(quote: Quote, instrument_id: InstrumentId, quantity: Decimal) -> Decimal:
    """Quote units. One inverse contract is one unit of quote."""
    return quantity if instrument_id.startswith(_INVERSE_IDS) else quantity * quote.mark_price


def available(book: Book, coin: str) -> Decimal | None:
    """Coin units free for new orders: the wallet's word less what it cannot have seen yet."""
    balance = book.balances.get(coin)
    if balance is None:
        return None
    free = balance.available
    taken: Taken = {}
    for order in book.unseen_by_wallet.values():
        free -= reserved(book, order, coin, taken)
    return free


def reserved(book: Book, order: Order, coin: str, taken: Taken | None = None) -> Decimal:
    """Margin and fee an order holds in a coin until the wallet shows it; none for reductions."""
    terms = order.terms
    instrument = book.instruments.get(terms.instrument_id)
    if instrument is None or terms.reduce_only or instrument.spent_coin(terms.side) != coin:
        return ZERO
    price = order.price
    if price is None:
        price = terms.decision_ask if terms.side is _BUY else terms.decision_bid
    if price is None:
        return ZERO
    quantity = at_risk(book, order, {} if taken is None else taken) + order.cum_quantity
    if instrument.category is _SPOT and terms.side is _SELL:
        return quantity
    rate = instrument.initial_margin_rate + instrument.taker_fee_rate
    return instrument.notional(price, quantity) * rate
