"""Views and outbox of the SQLite store."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from order_adapters.codec.rows import time_text
from order_adapters.stores.sqlite.schema import ORDER_EVENT
from order_adapters.stores.sqlite.statements import STATEMENTS, Statements
from order_adapters.stores.sqlite.worker import Worker
from order_domain.model.balance import Balance
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent
from order_domain.ports.views import OrderQuery, StoredOrder

T = TypeVar("T")
_AS_NUMBER: Final = frozenset(("price", "quantity"))
_cells: Final = msgspec.json.Decoder(list[Any]).decode


class SqliteViews:
    """Reads committed rows on a connection of its own."""

    def __init__(self, reader: Worker) -> None:
        self._reader = reader

    async def orders(self, query: OrderQuery) -> tuple[Sequence[Order], int]:
        """Return a page of orders and how many match in all."""
        found, total = await self.order_page(query, _nothing)
        return [each.order for each in found], total

    async def order_page(
        self, query: OrderQuery, known: Callable[[Hashable], T | None]
    ) -> tuple[Sequence[T | StoredOrder], int]:
        """Return the same page, without what is known. The form is the row itself, as JSON."""
        where, parameters = _where(query)
        select = STATEMENTS[Order].select_page(where, _order_by(query))
        given = (*parameters, *parameters, query.limit, query.offset)

        def read(connection: sqlite3.Connection) -> tuple[Sequence[T | StoredOrder], int]:
            total, page = connection.execute(select, given).fetchone()
            found: list[T | StoredOrder] = []
            for line in page.split("\n") if page else ():
                kept = known(line)
                found.append(_read(line) if kept is None else kept)
            return found, total

        return await self._reader.run(read)

    async def order(self, any_id: str) -> Order | None:
        """Find an order by client order id, else by venue order id, else by the id of its row."""
        rest = (
            "WHERE client_order_id = ?1 OR (venue_order_id <> '' AND venue_order_id = ?1)"
            " OR row_id = ?1 ORDER BY client_order_id <> ?1, venue_order_id <> ?1, row_no LIMIT 1"
        )
        found = await self._rows(Order, rest, any_id)
        return found[0] if found else None

    async def order_events(self, client_order_id: str) -> Sequence[NumberedEvent]:
        """Every event of one order."""
        rest = f"WHERE subject = ? AND {ORDER_EVENT} ORDER BY sequence"
        return await self._read(STATEMENTS[Event], rest, client_order_id)

    async def order_ledger(self, client_order_id: str) -> Sequence[LedgerEntry]:
        """Every booked execution of one order."""
        return await self._rows(
            LedgerEntry, "WHERE client_order_id = ? ORDER BY number", client_order_id
        )

    async def ledger_after(self, number: int, limit: int) -> Sequence[LedgerEntry]:
        """Read the next entries of the ledger in number order."""
        return await self._rows(
            LedgerEntry, "WHERE number > ? ORDER BY number LIMIT ?", number, limit
        )

    async def signal(self, signal_id: str) -> Sequence[SignalRow]:
        """All generations of one signal."""
        return await self._rows(SignalRow, "WHERE signal_id = ? ORDER BY generation", signal_id)

    async def signals(self, signal_ids: Sequence[str]) -> Sequence[SignalRow]:
        """The newest generation of each of these signals that there is."""
        rest = "WHERE signal_id IN (SELECT value FROM json_each(?)) ORDER BY generation"
        found = await self._rows(SignalRow, rest, json.dumps(list(signal_ids)))
        return list({row.signal.signal_id: row for row in found}.values())

    async def delivery(self, number: int) -> DeliveryRow | None:
        """Find a delivery that brought nothing new."""
        found = await self._rows(DeliveryRow, "WHERE number = ?", number)
        return found[0] if found else None

    async def last_delivery(self) -> int:
        """Number of the newest delivery."""
        return await self._reader.run(_last_delivery)

    async def newest(self, row_type: type[T], limit: int) -> Sequence[T]:
        """The rows of one type that were first committed last."""
        order = STATEMENTS[row_type].order
        return await self._rows(row_type, f"ORDER BY {order} DESC LIMIT ?", limit)

    async def positions(self, symbol: str | None = None) -> Sequence[Position]:
        """Current positions, flat ones included."""
        if symbol is None:
            return await self._rows(Position, "ORDER BY row_no")
        return await self._rows(Position, "WHERE symbol = ? ORDER BY row_no", symbol)

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
            rows, after = await self._reader.run(partial(statements.page, after=after))
            for row in rows:
                yield row.event if row_type is Event else row

    async def _rows(self, row_type: type[T], rest: str, *parameters: object) -> list[T]:
        return await self._read(STATEMENTS[row_type], rest, *parameters)

    async def _read(self, statements: Statements, rest: str, *parameters: object) -> list[Any]:
        return await self._reader.run(
            lambda connection: statements.rows(connection, rest, parameters)
        )


def _nothing(_form: Hashable) -> StoredOrder | None:
    return None


def _read(line: str) -> StoredOrder:
    return StoredOrder(line, STATEMENTS[Order].decode(*_cells(line)))


def _last_delivery(connection: sqlite3.Connection) -> int:
    query = (
        "SELECT max((SELECT coalesce(max(delivery), 0) FROM signals),"
        " (SELECT coalesce(max(number), 0) FROM deliveries))"
    )
    (number,) = connection.execute(query).fetchone()
    return int(number)


class SqliteOutbox:
    """Reads committed events."""

    def __init__(self, reader: Worker) -> None:
        self._reader = reader

    async def events_after(self, number: int, limit: int) -> Sequence[NumberedEvent]:
        """Read the next events in number order."""
        rest = "WHERE number > ? ORDER BY number LIMIT ?"
        return await self._reader.run(
            lambda connection: STATEMENTS[Event].rows(connection, rest, (number, limit))
        )


def _where(query: OrderQuery) -> tuple[str, tuple[object, ...]]:
    conditions: list[tuple[str, object]] = [
        (f"{column} = ?", value)
        for column, value in (
            ("symbol", query.symbol),
            ("signal_id", query.signal_id),
            ("strategy_id", query.strategy_id),
            ("side", query.side.value if query.side is not None else None),
        )
        if value is not None
    ]
    if query.created_from is not None:
        conditions.append(("created_at >= ?", time_text(query.created_from)))
    if query.created_to is not None:
        conditions.append(("created_at < ?", time_text(query.created_to)))
    texts = [text for text, _ in conditions]
    values = [value for _, value in conditions]
    if query.statuses:
        texts.append(f"status IN ({', '.join('?' * len(query.statuses))})")
        values += [status.value for status in query.statuses]
    return f"WHERE {' AND '.join(texts)}" if texts else "", tuple(values)


def _order_by(query: OrderQuery) -> str:
    """Sort amounts as numbers, which tell 15 digits apart; beyond that the first commit counts."""
    way = "DESC" if query.descending else "ASC"
    name = query.sort_by
    value = f"CAST({name} AS REAL)" if name in _AS_NUMBER else name
    return f"ORDER BY {value} {way} NULLS LAST, row_no {way}"
