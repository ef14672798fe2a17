"""SharedTables: our orders and positions as the neighbours' tables show them.

A projection: nothing of ours reads it back. A row that the neighbours' constraints refuse is
counted and told, and blocks nothing. The tables are the neighbours': we never make or change one.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

import asyncpg
import attrs

from order_adapters.stores.postgres.limits import LIMITS, Limits
from order_adapters.stores.postgres.link import Connection, Link
from order_adapters.stores.postgres.place import Place
from order_domain.lifecycle import status_for_neighbours
from order_domain.model.enums import EventKind, Origin, PositionSide, Side
from order_domain.model.identifiers import event_id, order_row_id, symbol_of
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.ports.outbox import NumberedEvent
from order_domain.ports.views import Views

log: Final = logging.getLogger(__name__)
NAMESPACE: Final = uuid5(NAMESPACE_OID, "order-manager.shared")
_REFUSED: Final = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)
_ZERO: Final = Decimal(0)
_SIDES: Final = {Side.BUY: "Buy", Side.SELL: "SELL"}
_TABLES: Final = ("orders", "signal_order_relationships", "positions", "position_snapshots")

_ORDER: Final = """
INSERT INTO {schema}.orders (id, order_id, signal_id, asset, side, order_type, quantity, price,
    status, filled_quantity, average_price, fees, created_at, updated_at,
    executed_at, trace_id, is_dry_run, rejection_reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (id) DO UPDATE SET
    order_id = EXCLUDED.order_id, quantity = EXCLUDED.quantity, price = EXCLUDED.price,
    status = EXCLUDED.status, filled_quantity = EXCLUDED.filled_quantity,
    average_price = EXCLUDED.average_price, fees = EXCLUDED.fees, updated_at = EXCLUDED.updated_at,
    executed_at = EXCLUDED.executed_at, rejection_reason = EXCLUDED.rejection_reason
WHERE {schema}.orders.updated_at <= EXCLUDED.updated_at
"""
_RELATION: Final = """
INSERT INTO {schema}.signal_order_relationships (id, signal_id, order_id, relationship_type,
    execution_sequence, allocation_amount, allocation_quantity, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (signal_id, order_id) DO NOTHING
"""
_POSITION: Final = """
INSERT INTO {schema}.positions AS held (id, asset, size, average_entry_price, unrealized_pnl,
    realized_pnl, mode, long_size, short_size, long_avg_price, short_avg_price, last_updated,
    current_price)
VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (asset, mode) DO UPDATE SET
    size = EXCLUDED.size, average_entry_price = EXCLUDED.average_entry_price,
    realized_pnl = EXCLUDED.realized_pnl, long_size = EXCLUDED.long_size,
    short_size = EXCLUDED.short_size, long_avg_price = EXCLUDED.long_avg_price,
    short_avg_price = EXCLUDED.short_avg_price, last_updated = EXCLUDED.last_updated,
    current_price = coalesce(EXCLUDED.current_price, held.current_price), version = held.version + 1
WHERE held.last_updated <= EXCLUDED.last_updated
RETURNING id
"""
_SNAPSHOT: Final = """
INSERT INTO {schema}.position_snapshots (id, position_id, asset, size, average_entry_price,
    unrealized_pnl, realized_pnl, mode, long_size, short_size, snapshot_timestamp)
SELECT $1, id, asset, size, average_entry_price, $4, realized_pnl, mode, long_size, short_size, $3
FROM {schema}.positions WHERE asset = $2
ON CONFLICT (id) DO NOTHING
"""


@attrs.define(slots=True)
class Projected:
    """What became of rows since the start.

    Attributes:
        refused: Rows that a constraint of the neighbours did not take.
        last_refusal: The newest of them, for a person.
    """

    written: int = 0
    refused: int = 0
    last_refusal: str = ""


class SharedTables:
    """A publisher of committed events that keeps the neighbours' tables up.

    Args:
        views: Our positions; read after the events, so never older than they are.
        schema: Where the neighbours' tables are.
        is_dry: A dry run shows its orders with the status `dry_run`, and no position.
        owns_positions: Whether positions and their snapshots are ours to write.
    """

    def __init__(
        self,
        url: str,
        views: Views,
        *,
        schema: str = "public",
        is_dry: bool = False,
        owns_positions: bool = True,
        limits: Limits = LIMITS,
    ) -> None:
        self._link = Link(Place.of(url), limits)
        self._views = views
        self._schema = f'"{schema}"'
        self._is_dry = is_dry
        self._owns_positions = owns_positions and not is_dry
        self._is_there: bool | None = None
        self.projected = Projected()

    async def publish_all(self, events: Sequence[NumberedEvent]) -> None:
        """Show what these events changed. Raises StoreUnavailable."""
        if self._is_there is None:
            self._is_there = await self._link.run(self._look)
        if not self._is_there:
            return
        orders = {e.event.order.client_order_id: e.event.order for e in events if e.event.order}
        prices = {
            symbol_of(each.event.ledger.execution.instrument_id): each.event.ledger.execution.price
            for each in events
            if each.event.ledger is not None
        }
        positions = await self._positions(prices) if self._owns_positions and prices else []
        snapshots = [e for e in events if e.event.kind is EventKind.POSITION_SNAPSHOT]
        await self._link.run(
            lambda connection: self._write(connection, orders.values(), positions, snapshots)
        )

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()

    async def _look(self, connection: Connection) -> bool:
        query = "SELECT to_regclass($1 || '.' || name) FROM unnest($2::text[]) AS name"
        found = [row[0] for row in await connection.fetch(query, self._schema, list(_TABLES))]
        if None in found:
            missing = [t for t, there in zip(_TABLES, found, strict=True) if there is None]
            log.warning("shared tables are not kept: %s has no %s", self._schema, missing)
        return None not in found

    async def _positions(self, prices: dict[str, Decimal]) -> list[tuple[Any, ...]]:
        found: dict[str, list[Position]] = {}
        for position in await self._views.positions():
            symbol = symbol_of(position.instrument_id)
            if symbol in prices:
                found.setdefault(symbol, []).append(position)
        return [_position(symbol, held, prices[symbol]) for symbol, held in found.items()]

    async def _write(
        self,
        connection: Connection,
        orders: Iterable[Order],
        positions: Iterable[tuple[Any, ...]],
        snapshots: Iterable[NumberedEvent],
    ) -> None:
        async with connection.transaction():
            for order in orders:
                await self._try(connection, *self._order(order))
            for row in positions:
                await self._try(connection, (_POSITION, row))
            if self._owns_positions:
                for each in snapshots:
                    await self._try(connection, (_SNAPSHOT, _snapshot(each)))

    async def _try(self, connection: Connection, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """Write one row with what hangs on it, or leave it out."""
        try:
            async with connection.transaction():
                for sql, row in statements:
                    await connection.execute(sql.format(schema=self._schema), *row)
        except _REFUSED as error:
            self.projected.refused += 1
            self.projected.last_refusal = f"{statements[0][1][1]}: {error}"[:300]
            log.warning("a shared table refused %s", self.projected.last_refusal)
        else:
            self.projected.written += 1

    def _order(self, order: Order) -> list[tuple[str, tuple[Any, ...]]]:
        terms = order.terms
        row_id = UUID(order_row_id(order.client_order_id))
        signal_id = _uuid(terms.signal_id or f"external:{order.client_order_id}")
        status = status_for_neighbours(order.status, has_fills=bool(order.cum_quantity))
        reason = f"{order.code} {order.text}".strip() if status == "rejected" else None
        row = (
            row_id,
            order.venue_order_id or order.client_order_id,
            signal_id,
            symbol_of(terms.instrument_id),
            _SIDES[terms.side],
            terms.order_type.value,
            order.quantity or terms.requested_quantity,
            order.price,
            "dry_run" if self._is_dry else status,
            order.cum_quantity,
            order.average_price,
            sum(order.fees.values(), _ZERO),
            _naive(terms.created_at),
            _naive(order.updated_at),
            _naive(order.executed_at),
            terms.trace_id or None,
            self._is_dry,
            reason,
        )
        statements: list[tuple[str, tuple[Any, ...]]] = [(_ORDER, row)]
        if terms.origin is Origin.SIGNAL:
            statements.append((_RELATION, _relation(order, row_id, signal_id)))
        return statements


def _relation(order: Order, row_id: UUID, signal_id: UUID) -> tuple[Any, ...]:
    terms = order.terms
    quantity = order.quantity or terms.requested_quantity
    price = order.price or terms.decision_ask or order.average_price
    return (
        event_id(order.client_order_id, -1),
        signal_id,
        row_id,
        "one_to_many" if terms.legs > 1 else "one_to_one",
        terms.leg,
        None if price is None else quantity * price,
        quantity,
        _naive(terms.created_at),
    )


def _position(symbol: str, held: Sequence[Position], price: Decimal) -> tuple[Any, ...]:
    sides = {each.position_side: each for each in held}
    long, short, one = (
        sides.get(side) for side in (PositionSide.LONG, PositionSide.SHORT, PositionSide.BOTH)
    )
    mode = "hedge" if long or short else "one-way"
    return (
        uuid5(NAMESPACE, f"position:{symbol}:{mode}"),
        symbol,
        sum((each.size for each in held), _ZERO),
        one.average_price if one else None,
        sum((each.realized_pnl for each in held), _ZERO),
        mode,
        long.size if long else None,
        abs(short.size) if short else None,
        long.average_price if long else None,
        short.average_price if short else None,
        _naive(max(each.updated_at for each in held)),
        price,
    )


def _snapshot(numbered: NumberedEvent) -> tuple[Any, ...]:
    event = numbered.event
    symbol = symbol_of_subject(event.subject)
    unrealized = dict(event.detail).get("unrealized_pnl")
    gain = unrealized if isinstance(unrealized, Decimal) else _ZERO
    return event_id(event.subject, event.sequence), symbol, _naive(event.at), gain


def symbol_of_subject(subject: str) -> str:
    """The symbol in `position:<category>:<symbol>:<side>`."""
    parts = subject.split(":")
    return parts[2] if len(parts) > 2 else subject


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMESPACE, text)


def _naive(moment: datetime | None) -> datetime | None:
    """UTC without saying so: what these tables hold."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
