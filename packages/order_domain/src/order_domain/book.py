"""Book: the state of one account, held in memory; the fold of stored rows plus a volatile part.

`apply` is the only way in, at run time and at load: a change is the new version of one row, put in
the place of the old one, and every index follows from it. What is volatile is listed in `Volatile`
and is never stored.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.enums import (
    CommandKind,
    OrderStatus,
    Origin,
    PositionSide,
    Side,
    Trading,
    Verdict,
)
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    SignalId,
    StrategyId,
    VenueOrderId,
)
from order_domain.model.instrument import Instrument
from order_domain.model.order import TERMINAL, Order
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.quote import Quote
from order_domain.model.rows import (
    Change,
    DeliveryRow,
    Mark,
    RequestRow,
    SignalRow,
    TradingStateRow,
)

# Members looked up once: on an enum class each look-up costs as much as an addition.
_AMEND: Final = CommandKind.AMEND
_CANCEL: Final = CommandKind.CANCEL
_INTENT: Final = OrderStatus.INTENT
_UNKNOWN: Final = OrderStatus.UNKNOWN
_EXTERNAL: Final = Origin.EXTERNAL
_TRADING_ACTIVE: Final = Trading.ACTIVE
_ORDERED: Final = Verdict.ORDERED
_PARKED: Final = Verdict.PARKED

PositionKey = tuple[InstrumentId, PositionSide]
CommandKey = tuple[ClientOrderId, CommandKind]
ExecutionKey = tuple[InstrumentId, ExecutionId]
ALERTS = "account_events"
"""Mark that numbers the events whose subject is the account."""


class Book:
    """Everything the engine knows of one account.

    Read by handlers, changed only through `apply` and `evict`.
    """

    __slots__ = (
        "_strictest",
        "balances",
        "by_venue_id",
        "closed",
        "commands",
        "executions",
        "executions_of",
        "instruments",
        "intents",
        "leaves_cache",
        "ledger_number",
        "like_decided_at",
        "live",
        "loose",
        "marks",
        "newest_timestamp",
        "open_commands",
        "orders",
        "parked",
        "positions",
        "quotes",
        "requests",
        "seen",
        "signals",
        "signals_complete",
        "states",
        "states_version",
        "unknown",
        "unseen_by_wallet",
        "worth_cache",
    )

    def __init__(self) -> None:
        self.instruments: dict[InstrumentId, Instrument] = {}
        self.orders: dict[ClientOrderId, Order] = {}
        self.live: dict[PositionKey, dict[ClientOrderId, Order]] = {}
        self.intents: dict[ClientOrderId, None] = {}
        self.unknown: dict[ClientOrderId, None] = {}
        self.by_venue_id: dict[VenueOrderId, ClientOrderId] = {}
        self.commands: dict[CommandKey, Command] = {}
        self.open_commands: dict[CommandKey, None] = {}
        self.positions: dict[PositionKey, Position] = {}
        self.ledger_number = 0
        self.executions: dict[ExecutionKey, ClientOrderId] = {}
        self.executions_of: dict[ClientOrderId, list[ExecutionKey]] = {}
        self.signals: dict[SignalId, SignalRow] = {}
        self.parked: dict[InstrumentId, dict[SignalId, SignalRow]] = {}
        self.newest_timestamp: dict[tuple[StrategyId, InstrumentId], datetime] = {}
        self.like_decided_at: dict[tuple[StrategyId, InstrumentId, Side], datetime] = {}
        self.balances: dict[str, Balance] = {}
        self.unseen_by_wallet: dict[ClientOrderId, Order] = {}
        self.states: dict[tuple[str, str], TradingStateRow] = {}
        self.states_version = 0
        self.marks: dict[str, Mark] = {}
        self.requests: dict[str, RequestRow] = {}
        self.closed: dict[ClientOrderId, datetime] = {}
        # volatile
        self.quotes: dict[InstrumentId, Quote] = {}
        self.loose: dict[ExecutionKey, LedgerEntry] = {}
        """Entries of no order in the book: an order that appears later takes its own."""
        self.signals_complete = True
        self.seen: dict[SignalId, str] = {}
        self.leaves_cache: dict[PositionKey, tuple[Decimal, Decimal]] = {}
        self.worth_cache: dict[PositionKey, tuple[Position, Quote, Decimal]] = {}
        self._strictest: dict[str, tuple[Trading, str]] = {}

    def apply(self, change: Change) -> None:
        """Put one row version in the place of the old one and follow it through every index."""
        apply = APPLY[change.__class__]
        if apply is not None:
            apply(self, change)

    def trading(self, strategy: str, instrument_id: str) -> tuple[Trading, str]:
        """Return the strictest state of account, strategy and symbol, and its `scope/cause`."""
        if not self._strictest:
            return _ACTIVE
        found = self._strictest.get("account", _ACTIVE)
        for scope in (f"strategy:{strategy}", f"symbol:{instrument_id}"):
            other = self._strictest.get(scope, _ACTIVE)
            if other[0].severity > found[0].severity:
                found = other
        return found

    def find(self, client_order_id: str, venue_order_id: str) -> Order | None:
        """Find an order by either id."""
        order = self.orders.get(ClientOrderId(client_order_id)) if client_order_id else None
        if order is None and venue_order_id:
            known = self.by_venue_id.get(VenueOrderId(venue_order_id))
            order = self.orders.get(known) if known is not None else None
        return order

    def evict(
        self, before: datetime, at_most: int, durable: datetime, *, keep_ids: bool = False
    ) -> None:
        """Forget orders closed before a moment, or beyond `at_most`, with all that hangs on them.

        Nothing that happened at or after `durable` goes, since it may not be committed yet. With
        `keep_ids` signal ids stay for good, because there is no store to ask.
        """
        excess = len(self.closed) - at_most
        old: list[ClientOrderId] = []
        for order_id, closed_at in self.closed.items():
            if closed_at >= durable or (closed_at >= before and len(old) >= excess):
                break
            old.append(order_id)
        for order_id in old:
            self._forget(order_id)
        before = min(before, durable)
        for key in [key for key, entry in self.loose.items() if entry.booked_at < before]:
            del self.loose[key], self.executions[key]
            self.signals_complete = keep_ids
        requests = [key for key, row in self.requests.items() if row.at < before]
        for request_id in requests:
            del self.requests[request_id]
        if self._evict_signals(before, keep_ids=keep_ids) or old or requests:
            self.signals_complete = keep_ids

    def _forget(self, order_id: ClientOrderId) -> None:
        order = self.orders.pop(order_id)
        del self.closed[order_id]
        self.by_venue_id.pop(order.venue_order_id, None)
        self.unseen_by_wallet.pop(order_id, None)
        for key in self.executions_of.pop(order_id, ()):
            self.executions.pop(key, None)
        for kind in (_AMEND, _CANCEL):
            self.commands.pop((order_id, kind), None)
            self.open_commands.pop((order_id, kind), None)

    def _evict_signals(self, before: datetime, *, keep_ids: bool) -> int:
        old: list[SignalId] = []
        for signal_id, row in self.signals.items():
            if row.decided_at is None:
                continue
            if row.decided_at >= before:
                break
            if any(order_id in self.orders for order_id in row.order_ids):
                continue
            old.append(signal_id)
        for signal_id in old:
            row = self.signals.pop(signal_id)
            if keep_ids:
                self.seen[signal_id] = row.signal.body_hash
        return len(old)

    def durable(self) -> Mapping[str, object]:
        """Everything that is not volatile, for comparing two books."""
        return {
            name: _without_empty(getattr(self, name))
            for name in self.__slots__
            if name not in _VOLATILE and not name.startswith("_")
        }

    def _apply_order(self, order: Order) -> None:
        terms = order.terms
        order_id = terms.client_order_id
        status = order.status
        key = (terms.instrument_id, terms.position_side)
        self.orders[order_id] = order
        if key in self.leaves_cache:
            del self.leaves_cache[key]
        live = self.live.get(key)
        if status in TERMINAL and order.reported_cum <= order.cum_quantity:
            if live is not None and order_id in live:
                del live[order_id]
            self.closed[order_id] = order.closed_at or order.updated_at
        else:
            if live is None:
                live = self.live[key] = {}
            live[order_id] = order
            if order_id in self.closed:
                del self.closed[order_id]
        if status is _INTENT:
            self.intents[order_id] = None
        elif order_id in self.intents:
            del self.intents[order_id]
        if status is _UNKNOWN:
            self.unknown[order_id] = None
        elif self.unknown:
            self.unknown.pop(order_id, None)
        if order.venue_order_id:
            self.by_venue_id[order.venue_order_id] = order_id
        self._follow_reservation(order)

    def _follow_reservation(self, order: Order) -> None:
        """An order holds balance from its birth until the wallet can show it, or it ends empty."""
        order_id = order.terms.client_order_id
        if order.first_working_at is None:
            holds = order.status not in TERMINAL
        else:
            ended_empty = order.status in TERMINAL and not (
                order.cum_quantity or order.reported_cum
            )
            holds = not ended_empty and not self._wallet_shows(order, order.first_working_at)
        if holds and order.terms.origin is not _EXTERNAL:
            self.unseen_by_wallet[order_id] = order
        elif order_id in self.unseen_by_wallet:
            del self.unseen_by_wallet[order_id]

    def _wallet_shows(self, order: Order, since: datetime) -> bool:
        instrument = self.instruments.get(order.terms.instrument_id)
        if instrument is None:
            return False
        balance = self.balances.get(instrument.spent_coin(order.terms.side))
        return balance is not None and balance.as_of >= since

    def _apply_balance(self, balance: Balance) -> None:
        self.balances[balance.coin] = balance
        if self.unseen_by_wallet:
            for order in list(self.unseen_by_wallet.values()):
                since = order.first_working_at
                if since is not None and self._wallet_shows(order, since):
                    del self.unseen_by_wallet[order.terms.client_order_id]

    def _apply_command(self, command: Command) -> None:
        key = (command.client_order_id, command.kind)
        self.commands[key] = command
        if command.is_open:
            self.open_commands[key] = None
        else:
            self.open_commands.pop(key, None)
        order = self.orders.get(command.client_order_id)
        if order is not None:
            self.leaves_cache.pop((order.terms.instrument_id, order.terms.position_side), None)

    def _apply_ledger(self, entry: LedgerEntry) -> None:
        execution = entry.execution
        key = (execution.instrument_id, execution.exec_id)
        self.ledger_number = max(self.ledger_number, entry.number)
        order_id = execution.client_order_id
        if order_id not in self.orders:
            known = self.by_venue_id.get(execution.venue_order_id)
            if known is None:
                self.executions[key] = order_id
                self.loose[key] = entry
                return
            order_id = known
        self.executions[key] = order_id
        of_order = self.executions_of.get(order_id)
        if of_order is None:
            self.executions_of[order_id] = [key]
        elif key not in of_order:
            of_order.append(key)

    def _apply_position(self, position: Position) -> None:
        self.positions[(position.instrument_id, position.position_side)] = position

    def _apply_instrument(self, instrument: Instrument) -> None:
        self.instruments[instrument.id] = instrument
        self.leaves_cache.clear()

    def _apply_signal(self, row: SignalRow) -> None:
        signal = row.signal
        known = self.signals.get(signal.signal_id)
        if known is None or known.generation <= row.generation:
            # decided order is what eviction walks, so a newly decided row goes to the end
            self.signals.pop(signal.signal_id, None)
            self.signals[signal.signal_id] = row
        waiting = self.parked.get(signal.instrument_id)
        if row.verdict is _PARKED:
            if waiting is None:
                waiting = self.parked[signal.instrument_id] = {}
            waiting[signal.signal_id] = row
            return
        if waiting is not None:
            waiting.pop(signal.signal_id, None)
            if not waiting:
                del self.parked[signal.instrument_id]
        self._follow_recency(row)

    def _follow_recency(self, row: SignalRow) -> None:
        signal = row.signal
        key = (signal.strategy_id, signal.instrument_id)
        newest = self.newest_timestamp.get(key)
        if newest is None or signal.timestamp > newest:
            self.newest_timestamp[key] = signal.timestamp
        if row.verdict is _ORDERED and row.decided_at is not None:
            self.like_decided_at[(*key, signal.side)] = row.decided_at

    def _apply_state(self, row: TradingStateRow) -> None:
        self.states[(row.scope, row.cause)] = row
        self.states_version = max(self.states_version, row.version)
        rows = [other for (scope, _), other in self.states.items() if scope == row.scope]
        worst = max(rows, key=lambda other: other.state.severity)
        if worst.state is _TRADING_ACTIVE:
            self._strictest.pop(row.scope, None)
        else:
            self._strictest[row.scope] = (worst.state, f"{worst.scope}/{worst.cause}")

    def _apply_mark(self, mark: Mark) -> None:
        self.marks[mark.name] = mark

    def _apply_request(self, row: RequestRow) -> None:
        self.requests[row.request_id] = row


def _without_empty(value: object) -> object:
    """An index whose last entry has left is as good as none."""
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if one != {}}


_ACTIVE = (Trading.ACTIVE, "")
apply_order: Final = Book._apply_order
_VOLATILE = frozenset(
    ("leaves_cache", "loose", "quotes", "seen", "signals_complete", "worth_cache")
)
APPLY: dict[type, Callable[[Book, Any], None] | None] = {
    Order: Book._apply_order,
    Event: None,
    LedgerEntry: Book._apply_ledger,
    Position: Book._apply_position,
    Balance: Book._apply_balance,
    Command: Book._apply_command,
    SignalRow: Book._apply_signal,
    Mark: Book._apply_mark,
    TradingStateRow: Book._apply_state,
    RequestRow: Book._apply_request,
    Instrument: Book._apply_instrument,
    DeliveryRow: None,
    PositionSnapshot: None,
}
