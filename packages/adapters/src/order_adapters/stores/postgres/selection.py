"""Which rows a book needs: at load, and when a step asks for some. One query per table."""

from datetime import datetime
from typing import Final

from order_adapters.stores.postgres.link import Connection
from order_adapters.stores.postgres.statements import STATEMENTS
from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.execution import LedgerEntry
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import Change, Mark, RequestRow, SignalRow, TradingStateRow
from order_domain.model.steps import Need

_ALWAYS: Final = (Instrument, Balance, TradingStateRow, Mark, Position)
# Keys as an array, and no join: beside a million rows a join was a walk over all of them.
_ORDERS: Final = """
WHERE row_no = ANY(ARRAY(
    SELECT row_no FROM orders
    WHERE status NOT IN ('DENIED', 'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')
    OR reported_cum > cum_quantity
    UNION SELECT row_no FROM orders WHERE coalesce(closed_at, updated_at) >= $1
)) ORDER BY row_no
"""
# From one pair of strategy and instrument to the next: as many steps in the index as there are
# pairs, where a DISTINCT ON walks over every signal there ever was.
_SIGNALS: Final = """
WHERE row_no = ANY(ARRAY(
    SELECT row_no FROM signals WHERE decided_at IS NULL
    UNION SELECT row_no FROM signals WHERE decided_at >= $1
    UNION SELECT row_no FROM signals WHERE signal_id = ANY($2::text[])
    UNION SELECT row_no FROM (
        WITH RECURSIVE pair AS (
            (
                SELECT strategy_id, instrument_id FROM signals WHERE decided_at IS NOT NULL
                ORDER BY strategy_id, instrument_id LIMIT 1
            )
            UNION ALL
            SELECT later.* FROM pair CROSS JOIN LATERAL (
                SELECT strategy_id, instrument_id FROM signals
                WHERE decided_at IS NOT NULL
                AND (strategy_id, instrument_id) > (pair.strategy_id, pair.instrument_id)
                ORDER BY strategy_id, instrument_id LIMIT 1
            ) AS later
        )
        SELECT newest.row_no FROM pair CROSS JOIN LATERAL (
            SELECT row_no FROM signals
            WHERE strategy_id = pair.strategy_id AND instrument_id = pair.instrument_id
            AND decided_at IS NOT NULL ORDER BY timestamp DESC, row_no LIMIT 1
        ) AS newest
    ) AS of_all_pairs
))
ORDER BY decided_at IS NULL, decided_at,
    CASE WHEN decided_at IS NULL THEN delivery ELSE 0 END, generation, row_no
"""
_COMMANDS: Final = """
WHERE row_no = ANY(ARRAY(
    SELECT row_no FROM commands WHERE client_order_id = ANY($1::text[])
    UNION SELECT row_no FROM commands WHERE status IN ('PENDING', 'SENT', 'UNKNOWN')
)) ORDER BY row_no
"""
_COMMANDS_OF: Final = "WHERE client_order_id = ANY($1::text[]) ORDER BY row_no"
_LEDGER: Final = """
WHERE number = ANY(ARRAY(
    SELECT number FROM executions WHERE client_order_id = ANY($1::text[])
    UNION SELECT max(number) FROM executions
)) ORDER BY number
"""
_ENTRIES_NEEDED: Final = """
WHERE number = ANY(ARRAY(
    SELECT number FROM executions WHERE client_order_id = ANY($1::text[])
    UNION SELECT number FROM executions WHERE (instrument_id, exec_id) IN (
        SELECT * FROM unnest($2::text[], $3::text[])
    )
    UNION SELECT number FROM executions
    WHERE client_order_id = '' AND venue_order_id <> '' AND venue_order_id = ANY($4::text[])
)) ORDER BY number
"""
_ORDERS_NEEDED: Final = """
WHERE client_order_id = ANY($1::text[])
OR (venue_order_id <> '' AND venue_order_id = ANY($2::text[]))
ORDER BY row_no
"""


async def rows_of_a_book(connection: Connection, since: datetime) -> list[Change]:
    """All rows of a book that keeps what was closed or decided since, in the order of `apply`."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        orders = await STATEMENTS[Order].rows(connection, _ORDERS, since)
        ids = [order.client_order_id for order in orders]
        signals = [order.terms.signal_id for order in orders]
        rows: list[Change] = []
        for row_type in _ALWAYS:
            rows += await STATEMENTS[row_type].rows(connection, "ORDER BY row_no")
        rows += await STATEMENTS[SignalRow].rows(connection, _SIGNALS, since, signals)
        rows += orders
        rows += await STATEMENTS[Command].rows(connection, _COMMANDS, ids)
        rows += await STATEMENTS[LedgerEntry].rows(connection, _LEDGER, ids)
        recent = "WHERE at >= $1 ORDER BY row_no"
        rows += await STATEMENTS[RequestRow].rows(connection, recent, since)
    return rows


async def rows_needed(connection: Connection, need: Need) -> list[Change]:
    """The rows a step asked for; orders come with their commands and ledger entries."""
    instruments = [instrument for instrument, _ in need.executions]
    executions = [execution for _, execution in need.executions]
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows: list[Change] = []
        if need.signals:
            of_signals = "WHERE signal_id = ANY($1::text[]) ORDER BY row_no"
            rows += await STATEMENTS[SignalRow].rows(connection, of_signals, need.signals)
        orders = await STATEMENTS[Order].rows(
            connection, _ORDERS_NEEDED, need.orders, need.venue_orders
        )
        ids = [order.client_order_id for order in orders]
        rows += orders
        rows += await STATEMENTS[Command].rows(connection, _COMMANDS_OF, ids)
        named = [*ids, *filter(None, need.orders)]
        rows += await STATEMENTS[LedgerEntry].rows(
            connection, _ENTRIES_NEEDED, named, instruments, executions, need.venue_orders
        )
        if need.requests:
            of_requests = "WHERE request_id = ANY($1::text[]) ORDER BY row_no"
            rows += await STATEMENTS[RequestRow].rows(connection, of_requests, need.requests)
    return rows
