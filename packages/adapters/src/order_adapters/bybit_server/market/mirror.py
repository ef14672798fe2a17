"""Mirror: lets one recorded market drive every listed instrument of the same coin."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from order_adapters.simulator import MarketTrade
from order_domain.model.enums import Category, Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote

News = Quote | MarketTrade


class Mirror:
    """Says a row again for each instrument without a market of its own.

    Args:
        sources: Instruments that have one.
    """

    def __init__(self, instruments: Iterable[Instrument], sources: Iterable[InstrumentId]) -> None:
        listed = {each.id: each for each in instruments}
        driven = [listed[name] for name in sources]
        self._targets: dict[InstrumentId, list[Instrument]] = {each.id: [each] for each in driven}
        led = {each.base_coin: each.id for each in reversed(driven)}
        for each in listed.values():
            if each.id not in self._targets and each.base_coin in led:
                self._targets[led[each.base_coin]].append(each)

    def reflect(self, news: News, at: datetime) -> Iterator[News]:
        """Yield the row for its own instrument and then for the others, as of another moment."""
        for target in self._targets.get(news.instrument_id, ()):
            if isinstance(news, Quote):
                yield _quote(news, target, at)
            else:
                yield _trade(news, target, at)


def _quote(news: Quote, target: Instrument, at: datetime) -> Quote:
    bid = target.round_price_passive(news.bid, Side.BUY)
    ask = target.round_price_passive(news.ask, Side.SELL)
    return Quote(
        target.id,
        bid,
        _size(target, bid, news.bid_size),
        ask if ask > bid else bid + target.tick_size,
        _size(target, ask, news.ask_size),
        at,
    )


def _trade(news: MarketTrade, target: Instrument, at: datetime) -> MarketTrade:
    price = target.round_price_passive(news.price, news.taker_side)
    return MarketTrade(target.id, price, _size(target, price, news.size), news.taker_side, at)


def _size(target: Instrument, price: Decimal, size: Decimal) -> Decimal:
    """The same amount of coin in the target's unit, at least one step."""
    units = size * price if target.category is Category.INVERSE else size
    cut = target.floor_quantity(units)
    return cut or target.quantity_step
