"""Queries: what REST is asked, as a path and the query string that is signed and sent as it is."""

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import attrs

from order_domain.model.enums import Category
from order_domain.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    VenueOrderId,
    category_of,
    symbol_of,
)

_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MILLISECOND: Final = timedelta(milliseconds=1)
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ORDERS_PER_PAGE: Final = 50
_EXECUTIONS_PER_PAGE: Final = 100
_POSITIONS_PER_PAGE: Final = 200
_INSTRUMENTS_PER_PAGE: Final = 1000


@attrs.frozen(slots=True)
class Query:
    """A GET request. `query` is on the wire as it stands, without `?`.

    Attributes:
        is_signed: False for market data, which nobody needs a key for.
    """

    path: str
    query: str = ""
    is_signed: bool = True

    def page(self, cursor: str) -> "Query":
        """Ask for the page that a cursor names; everything else stays the same."""
        if not cursor:
            return self
        return attrs.evolve(self, query=f"{self.query}&cursor={_once(cursor)}".lstrip("&"))


def open_orders(category: Category, symbol: str = "", settle_coin: str = "") -> Query:
    """Every open order of a category, by symbol or settle coin; spot may name neither."""
    return _query(
        "/v5/order/realtime",
        category=category.value,
        symbol=symbol,
        settleCoin="" if symbol or category is Category.SPOT else settle_coin,
        openOnly="0",
        limit=str(_ORDERS_PER_PAGE),
    )


def realtime_order(
    instrument: InstrumentId, name: ClientOrderId, order_id: VenueOrderId | None = None
) -> Query:
    """One order among the open and the newest 500 closed ones."""
    return _one("/v5/order/realtime", instrument, name, order_id)


def past_order(
    instrument: InstrumentId,
    name: ClientOrderId,
    order_id: VenueOrderId | None = None,
    since: datetime | None = None,
) -> Query:
    """One order in history; without `since` only the last seven days may be searched."""
    query = _one("/v5/order/history", instrument, name, order_id)
    return query if since is None else attrs.evolve(query, query=f"{query.query}&{_start(since)}")


def executions_of(
    instrument: InstrumentId, name: ClientOrderId, order_id: VenueOrderId | None = None
) -> Query:
    """Executions of one order, of any age."""
    query = _one("/v5/execution/list", instrument, name, order_id)
    return attrs.evolve(query, query=f"{query.query}&limit={_EXECUTIONS_PER_PAGE}")


def executions(category: Category, since: datetime, until: datetime | None = None) -> Query:
    """Executions of every kind in a stretch of time of at most seven days."""
    return _query(
        "/v5/execution/list",
        category=category.value,
        startTime=_milliseconds(since),
        endTime="" if until is None else _milliseconds(until),
        limit=str(_EXECUTIONS_PER_PAGE),
    )


def orders_since(category: Category, since: datetime, until: datetime | None = None) -> Query:
    """Closed orders in a stretch of time of at most seven days."""
    return _query(
        "/v5/order/history",
        category=category.value,
        startTime=_milliseconds(since),
        endTime="" if until is None else _milliseconds(until),
        limit=str(_ORDERS_PER_PAGE),
    )


def positions(category: Category, symbol: str = "", settle_coin: str = "") -> Query:
    """Positions that are not empty, by settle coin; or of one symbol, also an empty one."""
    return _query(
        "/v5/position/list",
        category=category.value,
        symbol=symbol,
        settleCoin="" if symbol else settle_coin,
        limit=str(_POSITIONS_PER_PAGE),
    )


def wallet() -> Query:
    """Every coin of the account that is not zero."""
    return _query("/v5/account/wallet-balance", accountType="UNIFIED")


def fee_rates(category: Category, symbol: str = "") -> Query:
    """Fee rates of a category or of one symbol."""
    return _query("/v5/account/fee-rate", category=category.value, symbol=symbol)


def account_info() -> Query:
    """What kind of account it is."""
    return Query("/v5/account/info")


def key_info() -> Query:
    """What the key may do."""
    return Query("/v5/user/query-api")


def instruments(category: Category, symbol: str = "") -> Query:
    """Trading rules of every symbol that trades, or of one."""
    return _market(
        "/v5/market/instruments-info",
        category=category.value,
        symbol=symbol,
        limit="" if category is Category.SPOT else str(_INSTRUMENTS_PER_PAGE),
    )


def tickers(category: Category, symbol: str = "") -> Query:
    """Best bid and ask of one symbol or all."""
    return _market("/v5/market/tickers", category=category.value, symbol=symbol)


def price_limit(instrument: InstrumentId) -> Query:
    """The band outside which a limit order is refused or moved."""
    return _market(
        "/v5/market/price-limit", category=category_of(instrument), symbol=symbol_of(instrument)
    )


def server_time() -> Query:
    """The exchange's clock."""
    return _market("/v5/market/time")


def _one(
    path: str, instrument: InstrumentId, name: ClientOrderId, order_id: VenueOrderId | None
) -> Query:
    """Name an order by the exchange's id if that is given: both at once, only that would count."""
    return _query(
        path,
        category=category_of(instrument),
        symbol=symbol_of(instrument),
        orderId=order_id or "",
        orderLinkId="" if order_id else name,
    )


def _query(path: str, **fields: str) -> Query:
    pairs = (f"{key}={quote(value, safe='')}" for key, value in fields.items() if value)
    return Query(path, "&".join(pairs))


def _market(path: str, **fields: str) -> Query:
    return attrs.evolve(_query(path, **fields), is_signed=False)


def _start(since: datetime) -> str:
    return f"startTime={_milliseconds(since)}"


def _milliseconds(at: datetime) -> str:
    return str((at - _EPOCH) // _MILLISECOND)


def _once(cursor: str) -> str:
    """Escape what a cursor leaves unescaped and nothing else: Bybit's tokens come escaped."""
    return quote(_ESCAPE.sub("%25", cursor), safe="%")
