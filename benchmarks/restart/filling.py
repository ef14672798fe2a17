"""Filling: stores of that account, with as many closed orders as are wanted.

A few closed orders are as the engine left them. The rest are copies that the database makes of
these, with ids and times of their own, so that a million take a minute. What no restart looks at
they lack: one event each instead of four, no trace, no documents in the event, checksums of others.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

import attrs

from benchmarks.loop import PACE
from benchmarks.restart.account import AGE, STRATEGIES, SYMBOLS, Account, now
from order_adapters.clock import SystemClock
from order_adapters.codec.columns import Kind
from order_adapters.codec.tables import TABLE_OF
from order_adapters.simulator import AccountState
from order_domain.model.command import Command
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import AccountId
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import Change, Mark, SignalRow
from order_domain.ports.journal import FlushOutcome
from order_service.container import BUS, SHARED
from order_service.runtime.relay import cursor_name
from order_service.stores import open_store

ACCOUNT: Final = AccountId("dry:default")
TTL: Final = timedelta(minutes=10)
TEMPLATES: Final = 2 * len(SYMBOLS)
BEFORE: Final = timedelta(minutes=3)
"""How long before now the last open order came."""
APART: Final = timedelta(seconds=5)
"""Between a closed order and its next copy."""
CHUNK: Final = 20_000
MOST: Final = 0x3FFF
"""Copies of one order that its ids have room for."""
COPIED: Final = (SignalRow, Order, Command, LedgerEntry, Event)


class Dialect(Protocol):
    """How one database says what a copy is made of; `n` is the number of the copy."""

    series: str
    hex4: str
    hex8: str
    variant: str
    has_checksums: bool

    def later(self, column: str) -> str:
        """The time in a column, 5 s later for every copy."""
        ...

    def text(self, column: str) -> str:
        """A document as text."""
        ...

    def document(self, text: str) -> str:
        """A text as a document."""
        ...


class Database(Protocol):
    """A database that is filled.

    Attributes:
        url: As the settings name a store.
    """

    url: str

    async def create(self) -> None:
        """Make an empty one, with our tables."""
        ...

    async def drop(self) -> None:
        """Leave nothing of it."""
        ...

    async def copy(self, copies: int) -> None:
        """Copy every closed order so many times."""
        ...

    async def settle(self) -> None:
        """Do what a database does by itself after a while, before anybody measures."""
        ...


def copying(row_type: type, dialect: Dialect, copies: int, last: Mapping[str, int]) -> str:
    """The statement that copies the templates of one table.

    Args:
        last: The largest number in use, by table.
    """
    table = TABLE_OF[row_type]
    values = _values(dialect)
    chosen = {}
    source = table.name
    if row_type in (LedgerEntry, Event):
        # once for the templates: a window over all copies would sort a million wide rows
        which = "WHERE kind = 'order_filled'" if row_type is Event else ""
        source = f"(SELECT *, row_number() OVER (ORDER BY number) AS place FROM {source} {which})"
        chosen["number"] = f"{last[table.name]} + (n - 1) * {TEMPLATES} + place"
    for column in table.columns:
        value = values.get(column.name, column.name)
        chosen.setdefault(
            column.name, dialect.later(column.name) if column.kind is Kind.TIME else value
        )
    if dialect.has_checksums:
        chosen["checksum"] = "checksum"
    if table.alias is not None:
        name = table.alias.column
        chosen[name] = f"{dialect.hex8} || substr({name}, 9)"
    return (
        f"INSERT INTO {table.name} ({', '.join(chosen)}) SELECT {', '.join(chosen.values())}"
        f" FROM {dialect.series.format(copies=copies)} CROSS JOIN {source} AS template"
    )


def _values(dialect: Dialect) -> dict[str, str]:
    """What of a copy is its own, times aside, by column."""

    def named(column: str) -> str:
        # an x, which no id of ours has, so that no copy has the id of an order
        return f"substr({column}, 1, 5) || 'x' || {dialect.hex4} || substr({column}, 11)"

    ids = dialect.text("order_ids")
    return {
        "signal_id": f"replace(signal_id, '-8000-', '-' || {dialect.variant} || '-')",
        "strategy_id": f"'s' || (n % {STRATEGIES})",
        "client_order_id": named("client_order_id"),
        "subject": named("subject"),
        "venue_order_id": "venue_order_id || '-' || n",
        "exec_id": "exec_id || '-' || n",
        "delivery": f"delivery + {TEMPLATES} * n",
        "order_ids": dialect.document(
            f"substr({ids}, 1, 7) || 'x' || {dialect.hex4} || substr({ids}, 13)"
        ),
        "trace": dialect.document("'[]'"),
        "order_version": dialect.document("'{}'"),
        "ledger_entry": "NULL",
    }


@attrs.frozen
class Contents:
    """What goes into every store, and what the exchange holds beside it.

    Attributes:
        closed, open: Changes of the orders that are closed, and of those that are not.
    """

    closed: Sequence[Change]
    open: Sequence[Change]
    positions: Sequence[Position]
    exchange: AccountState


def contents(open_orders: int) -> Contents:
    """Let an account close some orders, and let so many rest."""
    account, moment = Account(), now()
    account.open(moment - AGE)
    account.close_orders(moment - AGE)
    closed = account.take_changes()
    positions = list(account.engine.book.positions.values())
    account.open_orders(moment - BEFORE - PACE * open_orders, open_orders)
    return Contents(closed, account.take_changes(), positions, account.state())


async def fill(url: str, database: Database, made: Contents, copies: int) -> None:
    """Fill an empty store, with so many copies of every closed order."""
    if copies > MOST:
        raise ValueError(f"at most {MOST} copies")
    await _write(url, made.closed)
    repeated: Sequence[Change] = ()
    if copies:
        # while nobody has it open: a file may then do without its log
        await database.copy(copies)
        repeated = [_repeated(position, copies) for position in made.positions]
    await _write(url, [*repeated, *made.open])
    await database.settle()


async def _write(url: str, changes: Sequence[Change]) -> None:
    """Write changes as an owner of the account, some at once; all their events are published."""
    store = open_store(url, SystemClock())
    await store.open()
    try:
        head = await store.journal.acquire(account=ACCOUNT, owner="bench", url="", ttl=TTL)
        event_no = head.event_no
        parts: list[Sequence[Change]] = [
            changes[first : first + CHUNK] for first in range(0, len(changes), CHUNK)
        ]
        event_no += sum(change.__class__ is Event for change in changes)
        parts.append([Mark(cursor_name(name), now(), event_no) for name in (BUS, SHARED)])
        for flush_no, part in enumerate(parts, head.flush_no + 1):
            flushed = await store.journal.flush(flush_no, part)
            if flushed.outcome is not FlushOutcome.COMMITTED:
                raise RuntimeError(f"not committed: {flushed}")
            head = flushed.head
        if head.event_no != event_no:
            raise RuntimeError(f"{head.event_no} events, not {event_no}")
        await store.journal.release()
    finally:
        await store.close()


def _repeated(position: Position, copies: int) -> Position:
    """What the same executions would have come to, so many times more."""
    times = copies + 1
    return attrs.evolve(
        position,
        version=position.version * times,
        realized_pnl=position.realized_pnl * times,
        fees={coin: fee * times for coin, fee in position.fees.items()},
        updated_at=position.updated_at + APART * copies,
    )
