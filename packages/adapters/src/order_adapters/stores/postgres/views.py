"""Views and outbox of the PostgreSQL store."""

from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from order_adapters.stores.postgres.link import Connection, Links
from order_adapters.stores.postgres.statements import STATEMENTS, Statements
from order_domain.model.balance import Balance
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent
from order_domain.ports.views import OrderQuery, StoredOrder

T = TypeVar("T")
_FORM: Final = "sha256(convert_to(page::text, 'UTF8'))"
_OPTIONAL: Final = frozenset(c.name for c in STATEMENTS[Order].table.columns if c.is_optional)


class PostgresViews:
    """Reads committed rows on connections of its own."""

    def __init__(self, readers: Links) -> None:
        self._readers = readers

    async def orders(self, query: OrderQuery) -> tuple[Sequence[Order], int]:
        """Return a page of orders and how many match in all."""
        found, total = await self._readers.run(partial(_page, query=query))
        return [each.order for each in found], total

    async def order_page(
        self, query: OrderQuery, known: Callable[[Hashable], T | None]
    ) -> tuple[Sequence[T | StoredOrder], int]:
        """Return the same page, without what is known. The form is a digest of the row."""
        forms, total = await self._readers.run(partial(_forms, query=query))
        kept = [each for each in map(known, forms) if each is not None]
        if len(kept) == len(forms):
            return kept, total
        # all of it anew: the rest would be of another moment
        return await self._readers.run(partial(_page, query=query))

    async def order(self, any_id: str) -> Order | None:
        """Find an order by client order id, else by venue order id, else by the id of its row."""
        rest = (
            "WHERE client_order_id = $1 OR (venue_order_id <> '' AND venue_order_id = $1)"
            " OR row_id = $1 ORDER BY client_order_id <> $1, venue_order_id <> $1, row_no LIMIT 1"
        )
        found = await self._rows(Order, rest, any_id)
        return found[0] if found else None

    async def order_events(self, client_order_id: str) -> Sequence[NumberedEvent]:
        """Every event of one order."""
        rest = "WHERE subject = $1 AND order_version IS NOT NULL ORDER BY sequence"
        return await self._read(STATEMENTS[Event], rest, client_order_id)

    async def order_ledger(self, client_order_id: str) -> Sequence[LedgerEntry]:
        """Every booked execution of one order."""
        rest = "WHERE client_order_id = $1 ORDER BY number"
        return await self._rows(LedgerEntry, rest, client_order_id)

    async def ledger_after(self, number: int, limit: int) -> Sequence[LedgerEntry]:
        """Read the next entries of the ledger in number order."""
        rest = "WHERE number > $1 ORDER BY number LIMIT $2"
        return await self._rows(LedgerEntry, rest, number, limit)

    async def signal(self, signal_id: str) -> Sequence[SignalRow]:
        """All generations of one signal."""
        return await self._rows(SignalRow, "WHERE signal_id = $1 ORDER BY generation", signal_id)

    async def signals(self, signal_ids: Sequence[str]) -> Sequence[SignalRow]:
        """The newest generation of each of these signals that there is."""
        rest = "WHERE signal_id = ANY($1::text[]) ORDER BY generation"
        found = await self._rows(SignalRow, rest, list(signal_ids))
        return list({row.signal.signal_id: row for row in found}.values())

    async def delivery(self, number: int) -> DeliveryRow | None:
        """Find a delivery that brought nothing new."""
        found = await self._rows(DeliveryRow, "WHERE number = $1", number)
        return found[0] if found else None

    async def last_delivery(self) -> int:
        """Number of the newest delivery."""
        return await self._readers.run(_last_delivery)

    async def newest(self, row_type: type[T], limit: int) -> Sequence[T]:
        """The rows of one type that were first committed last."""
        order = STATEMENTS[row_type].order
        return await self._rows(row_type, f"ORDER BY {order} DESC LIMIT $1", limit)

    async def positions(self, symbol: str | None = None) -> Sequence[Position]:
        """Current positions, flat ones included."""
        if symbol is None:
            return await self._rows(Position, "ORDER BY row_no")
        return await self._rows(Position, "WHERE symbol = $1 ORDER BY row_no", symbol)

    async def balances(self) -> Sequence[Balance]:
        """Newest wallet snapshot per coin."""
        return await self._rows(Balance, "ORDER BY row_no")

    async def trading_states(self) -> Sequence[TradingStateRow]:
        """Every scope and cause that was ever set."""
        return await self._rows(TradingStateRow, "ORDER BY row_no")

    async def stream(self, row_type: type[T]) -> AsyncIterator[T]:
        """Every row of one type, in the order of first commit, a page in memory at a time."""
        statements = STATEMENTS[row_type]
        after: int | None = -1
        while after is not None:
            rows, after = await self._readers.run(partial(statements.page, after=after))
            for row in rows:
                yield row.event if row_type is Event else row

    async def _rows(self, row_type: type[T], rest: str, *parameters: object) -> list[T]:
        return await self._read(STATEMENTS[row_type], rest, *parameters)

    async def _read(self, statements: Statements, rest: str, *parameters: object) -> list[Any]:
        return await self._readers.run(
            lambda connection: statements.rows(connection, rest, *parameters)
        )


class PostgresOutbox:
    """Reads committed events."""

    def __init__(self, readers: Links) -> None:
        self._readers = readers

    async def events_after(self, number: int, limit: int) -> Sequence[NumberedEvent]:
        """Read the next events in number order."""
        rest = "WHERE number > $1 ORDER BY number LIMIT $2"
        return await self._readers.run(
            lambda connection: STATEMENTS[Event].rows(connection, rest, number, limit)
        )


async def _forms(connection: Connection, query: OrderQuery) -> tuple[Sequence[bytes], int]:
    where, parameters = _where(query)
    ((forms, total),) = await connection.fetch(
        f"SELECT array({_select(_FORM, where, query)}), (SELECT count(*) FROM orders {where})",
        *parameters,
    )
    return forms, total


async def _page(connection: Connection, query: OrderQuery) -> tuple[Sequence[StoredOrder], int]:
    where, parameters = _where(query)
    statements = STATEMENTS[Order]
    page = _select(f"{_FORM}, {statements.columns}", where, query)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        total = await connection.fetchval(f"SELECT count(*) FROM orders {where}", *parameters)
        found = await connection.fetch(page, *parameters)
    return [StoredOrder(form, statements.decode(*cells)) for form, *cells in found], int(total)


async def _last_delivery(connection: Connection) -> int:
    query = (
        "SELECT greatest((SELECT coalesce(max(delivery), 0) FROM signals),"
        " (SELECT coalesce(max(number), 0) FROM deliveries))"
    )
    return int(await connection.fetchval(query))


def _where(query: OrderQuery) -> tuple[str, tuple[object, ...]]:
    statuses = [status.value for status in query.statuses]
    conditions = [
        (text, value)
        for text, value in (
            ("symbol = ${}", query.symbol),
            ("signal_id = ${}", query.signal_id),
            ("strategy_id = ${}", query.strategy_id),
            ("side = ${}", query.side.value if query.side is not None else None),
            ("created_at >= ${}", query.created_from),
            ("created_at < ${}", query.created_to),
            ("status = ANY(${}::text[])", statuses or None),
        )
        if value is not None
    ]
    texts = [text.format(at) for at, (text, _) in enumerate(conditions, 1)]
    values = tuple(value for _, value in conditions)
    return f"WHERE {' AND '.join(texts)}" if texts else "", values


def _select(columns: str, where: str, query: OrderQuery) -> str:
    """Select from a page; inside, so that no digest is made of what is on no page."""
    way = "DESC" if query.descending else "ASC"
    # where there is always a value, an index on it has the order without a word on missing ones
    last = " NULLS LAST" if query.sort_by in _OPTIONAL else ""
    order = f"ORDER BY {query.sort_by} {way}{last}, row_no {way}"
    page = f"SELECT * FROM orders {where} {order} LIMIT {query.limit:d} OFFSET {query.offset:d}"
    return f"SELECT {columns} FROM ({page}) AS page {order}"
