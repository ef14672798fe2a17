"""BybitRest: the endpoints an order manager needs, one method each, answered completely or not."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final, TypeVar

from order_adapters.venues.bybit import bodies, queries
from order_adapters.venues.bybit.budget import Priority
from order_adapters.venues.bybit.client import ONCE, BybitClient, ReadFailed
from order_adapters.venues.bybit.clock_offset import from_milliseconds
from order_adapters.venues.bybit.exits import (
    NOT_MODIFIED,
    PositionExits,
    TradingStop,
    decode_exits,
)
from order_adapters.venues.bybit.fields import integer_or_none
from order_adapters.venues.bybit.queries import Query
from order_adapters.venues.bybit.records import (
    AccountInfo,
    Batch,
    FeeRate,
    KeyInfo,
    Known,
    Leverage,
    PriceLimit,
    Quarantined,
    Raw,
    RecordInvalid,
    decode_account_info,
    decode_all,
    decode_execution,
    decode_fee_rate,
    decode_instrument,
    decode_key_info,
    decode_leverage,
    decode_order,
    decode_position,
    decode_price_limit,
    decode_ticker,
    decode_wallet,
)
from order_domain.model.enums import Category
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId, instrument_id, symbol_of
from order_domain.model.instrument import ONE, Instrument
from order_domain.model.quote import Quote
from order_domain.model.reports import OrderReport, PositionReport, WalletReport

WEEK: Final = timedelta(days=7)
PAGES_MAX: Final = 1000
CANCEL_ROUNDS: Final = 50
_MILLISECOND: Final = timedelta(milliseconds=1)
Decoded = TypeVar("Decoded")


class BybitRest:
    """Everything here raises ReadFailed when the exchange did not answer, or refused.

    A list is whole: every page was read. Records that cannot be believed come beside it.
    """

    def __init__(self, client: BybitClient) -> None:
        self.client = client

    # -- orders and executions ---------------------------------------------------------------------

    async def open_orders(
        self, category: Category, symbol: str = "", settle_coin: str = ""
    ) -> Batch[OrderReport]:
        """Every open order."""
        query = queries.open_orders(category, symbol, settle_coin)
        return await self._list(query, partial(decode_order, category=category))

    async def orders_since(self, category: Category, since: datetime) -> Batch[OrderReport]:
        """Every closed order since a moment, week by week."""
        decode = partial(decode_order, category=category)
        weeks = _weeks(since, self.client.exchange_now())
        parts = [
            await self._list(queries.orders_since(category, begin, end), decode)
            for begin, end in weeks
        ]
        return _together(parts)

    async def executions(
        self, category: Category, since: datetime, known: Known
    ) -> Batch[Execution]:
        """Every execution since a moment, week by week, oldest first."""
        decode = partial(decode_execution, category=category, known=known)
        weeks = _weeks(since, self.client.exchange_now())
        parts = [
            await self._list(queries.executions(category, begin, end), decode)
            for begin, end in weeks
        ]
        found = _together(parts)
        unique = {(each.instrument_id, each.exec_id): each for each in found.good}
        ordered = sorted(unique.values(), key=lambda each: (each.executed_at, each.sequence))
        return Batch(tuple(ordered), found.quarantined)

    async def orders_of(self, query: Query, category: Category) -> Batch[OrderReport]:
        """What one question about one order finds; asked once, whoever asks comes back."""
        decode = partial(decode_order, category=category)
        return await self._list(query, decode, Priority.LOOK_UP, once=True)

    async def executions_of(
        self, query: Query, category: Category, known: Known
    ) -> Batch[Execution]:
        """Every execution of one order; asked once."""
        decode = partial(decode_execution, category=category, known=known)
        return await self._list(query, decode, Priority.LOOK_UP, once=True)

    async def cancel_all(
        self, category: Category, symbol: str = "", settle_coin: str = ""
    ) -> tuple[OrderReport, ...]:
        """Cancel until no order is open; return what is still open after all.

        One call ends 500 orders at most, which ones nobody knows, and ends them a little later. A
        call for inverse contracts must name a symbol or a coin, and each has a coin of its own: so
        without either, the symbols are those of the open orders. On spot, what is left after the
        first call may be of a kind that wants a call of its own.
        """
        by_symbol = category is Category.INVERSE and not symbol and not settle_coin
        left = (await self.open_orders(category)).good if by_symbol else ()
        for number in range(CANCEL_ROUNDS):
            found = {symbol_of(order.instrument_id) for order in left}
            by_kind = category is Category.SPOT and number > 0
            for name in sorted(found) if by_symbol else [symbol]:
                for kind in bodies.SPOT_FILTERS if by_kind else ("",):
                    body = bodies.cancel_all(category, name, settle_coin, kind)
                    await self.client.write(bodies.CANCEL_ALL_PATH, body, Priority.URGENT)
            left = (await self.open_orders(category, symbol, settle_coin)).good
            if not left:
                break
        return left

    # -- positions and account ---------------------------------------------------------------------

    async def positions(
        self, category: Category, symbol: str = "", settle_coin: str = ""
    ) -> Batch[PositionReport]:
        """Positions that are not empty; of one symbol also empty ones, which show the mode."""
        query = queries.positions(category, symbol, settle_coin)
        return await self._list(query, partial(decode_position, category=category))

    async def leverages(self, category: Category, symbol: str) -> Batch[Leverage | None]:
        """The leverage set for the positions of one symbol."""
        query = queries.positions(category, symbol)
        return await self._list(query, partial(decode_leverage, category=category))

    async def trading_stop(self, stop: TradingStop) -> None:
        """Change the exits of a position; that they are as wished already is as good."""
        try:
            await self.client.write(bodies.TRADING_STOP_PATH, stop.body(), Priority.URGENT)
        except ReadFailed as error:
            if error.code != NOT_MODIFIED:
                raise

    async def exits(self, category: Category, symbol: str) -> Batch[PositionExits]:
        """The exits of the positions of one symbol."""
        query = queries.positions(category, symbol)
        return await self._list(query, partial(decode_exits, category=category))

    async def protect(self, category: Category, window: timedelta) -> None:
        """Have every order of a product cancelled when our streams are gone for so long."""
        body = bodies.disconnect_cancel(category, window)
        await self.client.write(bodies.DISCONNECT_CANCEL_PATH, body, Priority.POLL)

    async def wallet(self) -> WalletReport:
        """Every coin."""
        envelope = await self.client.read(queries.wallet())
        as_of = envelope.time or self.client.exchange_now()
        reports = decode_all(partial(decode_wallet, as_of=as_of), envelope.result.get("list"))
        if reports.quarantined or len(reports.good) != 1:
            raise ReadFailed("/v5/account/wallet-balance", "the wallet cannot be read")
        return reports.good[0]

    async def fee_rates(self, category: Category, symbol: str = "") -> Batch[FeeRate]:
        """Fee rates of this account."""
        query = queries.fee_rates(category, symbol)
        return await self._list(query, partial(decode_fee_rate, category=category))

    async def account_info(self) -> AccountInfo:
        """What kind of account it is."""
        return await self._one(queries.account_info(), decode_account_info)

    async def key_info(self) -> KeyInfo:
        """What the key may do."""
        return await self._one(queries.key_info(), decode_key_info)

    # -- market ------------------------------------------------------------------------------------

    async def instruments(
        self,
        category: Category,
        symbol: str = "",
        *,
        fees: dict[InstrumentId, FeeRate] | None = None,
        leverages: dict[InstrumentId, Decimal] | None = None,
    ) -> Batch[Instrument]:
        """Trading rules, with what this account pays and puts up where it is known."""
        rates, margins = fees or {}, leverages or {}

        def decode(raw: Raw) -> Instrument:
            name = instrument_id(category.value, str(raw.get("symbol")))
            leverage = margins.get(name)
            margin = None if leverage is None else ONE / leverage
            return decode_instrument(raw, category, rates.get(name), margin)

        return await self._list(queries.instruments(category, symbol), decode)

    async def tickers(self, category: Category, symbol: str = "") -> Batch[Quote]:
        """Best bid and ask; a symbol without one of them comes beside."""
        envelope = await self.client.read(queries.tickers(category, symbol))
        at = envelope.time or self.client.exchange_now()
        decode = partial(decode_ticker, category=category, at=at)
        return decode_all(decode, envelope.result.get("list"))

    async def price_limit(self, instrument: InstrumentId) -> PriceLimit:
        """The band outside which a limit order is refused or moved."""
        category = Category(instrument.partition(":")[0])
        decode = partial(decode_price_limit, category=category)
        return await self._one(queries.price_limit(instrument), decode)

    async def exchange_time(self) -> datetime:
        """The exchange's clock, to the microsecond where it tells that."""
        envelope = await self.client.read(queries.server_time(), Priority.LOOK_UP, ONCE)
        try:
            nanoseconds = integer_or_none(envelope.result, "timeNano")
        except RecordInvalid:
            nanoseconds = None
        if nanoseconds:
            return from_milliseconds(0) + timedelta(microseconds=nanoseconds // 1000)
        if envelope.time is None:
            raise ReadFailed("/v5/market/time", "no time in the answer")
        return envelope.time

    # -- reading -----------------------------------------------------------------------------------

    async def _one(self, query: Query, decode: Callable[[Raw], Decoded]) -> Decoded:
        envelope = await self.client.read(query)
        try:
            return decode(envelope.result)
        except RecordInvalid as error:
            raise ReadFailed(query.path, str(error)) from error

    async def _list(
        self,
        query: Query,
        decode: Callable[[Raw], Decoded],
        priority: Priority = Priority.POLL,
        *,
        once: bool = False,
    ) -> Batch[Decoded]:
        """Read every page. A cursor that comes again would never end: that is a failure."""
        parts: list[Batch[Decoded]] = []
        seen: set[str] = set()
        cursor = ""
        for _ in range(PAGES_MAX):
            page = query.page(cursor)
            envelope = await self.client.read(page, priority, ONCE if once else None)
            rows = envelope.result.get("list")
            parts.append(decode_all(decode, rows))
            cursor = _cursor(query, envelope.result)
            if not cursor or not rows:
                return _together(parts)
            if cursor in seen:
                raise ReadFailed(query.path, "its cursor goes round in a circle")
            seen.add(cursor)
        raise ReadFailed(query.path, f"more than {PAGES_MAX} pages")


def _cursor(query: Query, result: Raw) -> str:
    cursor = result.get("nextPageCursor", "")
    if cursor is None or isinstance(cursor, str):
        return cursor or ""
    raise ReadFailed(query.path, "its cursor is no text")


def _weeks(since: datetime, until: datetime) -> list[tuple[datetime, datetime | None]]:
    """Cut a time into the exchange's windows of at most seven days; the last one stays open."""
    weeks: list[tuple[datetime, datetime | None]] = []
    while until - since >= WEEK:
        weeks.append((since, since + WEEK - _MILLISECOND))
        since += WEEK
    weeks.append((since, None))
    return weeks


def _together(parts: Sequence[Batch[Decoded]]) -> Batch[Decoded]:
    good: list[Decoded] = []
    aside: list[Quarantined] = []
    for part in parts:
        good.extend(part.good)
        aside.extend(part.quarantined)
    return Batch(tuple(good), tuple(aside))
