"""Which rows a book needs: at load, and when a step asks for some. One query per table."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from order_adapters.codec.rows import time_text
from order_adapters.stores.sqlite.schema import CLOSED_AT, OPEN_COMMAND, OPEN_ORDER
from order_adapters.stores.sqlite.statements import STATEMENTS
from order_adapters.stores.sqlite.transaction import snapshot
from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.execution import LedgerEntry
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import Change, Mark, RequestRow, SignalRow, TradingStateRow
from order_domain.model.steps import Need

_ALWAYS: Final = (Instrument, Balance, TradingStateRow, Mark, Position)
_ORDERS: Final = f"""
WHERE row_no IN (
    SELECT row_no FROM orders WHERE {OPEN_ORDER}
    UNION SELECT row_no FROM orders WHERE {CLOSED_AT} >= ?
) ORDER BY row_no
"""
# From one pair of strategy and instrument to the next: as many steps in the index as there are
# pairs, where a GROUP BY walks over every signal there ever was.
_SIGNALS: Final = """
WHERE row_no IN (
    SELECT row_no FROM signals WHERE decided_at IS NULL
    UNION SELECT row_no FROM signals WHERE decided_at >= ?
    UNION SELECT row_no FROM signals WHERE signal_id IN (SELECT value FROM json_each(?))
    UNION SELECT * FROM (
        WITH RECURSIVE pair (strategy_id, instrument_id) AS (
            SELECT * FROM (
                SELECT strategy_id, instrument_id FROM signals
                ORDER BY strategy_id, instrument_id LIMIT 1
            )
            UNION ALL
            SELECT later.strategy_id, later.instrument_id
            FROM pair CROSS JOIN signals AS later WHERE later.row_no = coalesce(
                (
                    SELECT row_no FROM signals
                    WHERE strategy_id = pair.strategy_id AND instrument_id > pair.instrument_id
                    ORDER BY instrument_id LIMIT 1
                ), (
                    SELECT row_no FROM signals WHERE strategy_id > pair.strategy_id
                    ORDER BY strategy_id, instrument_id LIMIT 1
                )
            )
        )
        SELECT (
            SELECT row_no FROM signals
            WHERE strategy_id = pair.strategy_id AND instrument_id = pair.instrument_id
            AND decided_at IS NOT NULL ORDER BY timestamp DESC LIMIT 1
        ) FROM pair
    )
) ORDER BY decided_at IS NULL, decided_at,
    CASE WHEN decided_at IS NULL THEN delivery ELSE 0 END, generation, row_no
"""
_COMMANDS: Final = f"""
WHERE row_no IN (
    SELECT row_no FROM commands WHERE client_order_id IN (SELECT value FROM json_each(?))
    UNION SELECT row_no FROM commands WHERE {OPEN_COMMAND}
) ORDER BY row_no
"""
_COMMANDS_OF: Final = "WHERE client_order_id IN (SELECT value FROM json_each(?)) ORDER BY row_no"
_LEDGER: Final = """
WHERE number IN (
    SELECT number FROM executions WHERE client_order_id IN (SELECT value FROM json_each(?))
    UNION SELECT max(number) FROM executions
) ORDER BY number
"""
_ENTRIES_NEEDED: Final = """
WHERE number IN (
    SELECT number FROM executions WHERE client_order_id IN (SELECT value FROM json_each(?))
    UNION SELECT number FROM executions WHERE (instrument_id, exec_id) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
    )
    UNION SELECT number FROM executions WHERE client_order_id = '' AND venue_order_id <> ''
    AND venue_order_id IN (SELECT value FROM json_each(?))
) ORDER BY number
"""
_ORDERS_NEEDED: Final = """
WHERE client_order_id IN (SELECT value FROM json_each(?))
OR (venue_order_id <> '' AND venue_order_id IN (SELECT value FROM json_each(?)))
ORDER BY row_no
"""


def rows_of_a_book(connection: sqlite3.Connection, since: datetime) -> list[Change]:
    """All rows of a book that keeps what was closed or decided since, in the order of `apply`."""
    moment = time_text(since)
    with snapshot(connection):
        found = STATEMENTS[Order].rows(connection, _ORDERS, (moment,))
        # beyond 15 digits the query compares amounts as text, and may take too many for open
        orders = [order for order in found if _is_kept(order, since)]
        ids = _array(order.client_order_id for order in orders)
        signals = _array(order.terms.signal_id for order in orders)
        rows: list[Change] = []
        for row_type in _ALWAYS:
            rows += STATEMENTS[row_type].rows(connection, f"ORDER BY {_order(row_type)}")
        rows += STATEMENTS[SignalRow].rows(connection, _SIGNALS, (moment, signals))
        rows += orders
        rows += STATEMENTS[Command].rows(connection, _COMMANDS, (ids,))
        rows += STATEMENTS[LedgerEntry].rows(connection, _LEDGER, (ids,))
        rows += STATEMENTS[RequestRow].rows(connection, "WHERE at >= ? ORDER BY row_no", (moment,))
    return rows


def rows_needed(connection: sqlite3.Connection, need: Need) -> list[Change]:
    """The rows a step asked for; orders come with their commands and ledger entries."""
    of_signals, of_requests = (_array(need.signals),), (_array(need.requests),)
    with snapshot(connection):
        rows: list[Change] = []
        if need.signals:
            rows += STATEMENTS[SignalRow].rows(connection, _among("signal_id"), of_signals)
        asked = (_array(need.orders), _array(need.venue_orders))
        orders = STATEMENTS[Order].rows(connection, _ORDERS_NEEDED, asked)
        ids = [order.client_order_id for order in orders]
        rows += orders
        rows += STATEMENTS[Command].rows(connection, _COMMANDS_OF, (_array(ids),))
        entries = (
            _array([*ids, *filter(None, need.orders)]),
            _array(need.executions),
            _array(need.venue_orders),
        )
        rows += STATEMENTS[LedgerEntry].rows(connection, _ENTRIES_NEEDED, entries)
        if need.requests:
            rows += STATEMENTS[RequestRow].rows(connection, _among("request_id"), of_requests)
    return rows


def _is_kept(order: Order, since: datetime) -> bool:
    is_live = not order.is_terminal or order.reported_cum > order.cum_quantity
    return is_live or (order.closed_at or order.updated_at) >= since


def _among(column: str) -> str:
    return f"WHERE {column} IN (SELECT value FROM json_each(?)) ORDER BY row_no"


def _order(row_type: type) -> str:
    return STATEMENTS[row_type].order


def _array(values: Iterable[Any]) -> str:
    """Keys as one parameter, however many they are."""
    return msgspec.json.encode(list(values)).decode()
