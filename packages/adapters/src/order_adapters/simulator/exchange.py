"""SimulatedExchange: one simulated account, driven by whoever holds the clock."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs

from order_adapters.simulator.account import Account
from order_adapters.simulator.config import SimulatorConfig
from order_adapters.simulator.desk import Desk
from order_adapters.simulator.fault_state import NO_FAULT, Faults, Plan
from order_adapters.simulator.faults import Fault, FaultScript
from order_adapters.simulator.intervention import Intervention
from order_adapters.simulator.mailbox import Command, Mailbox, Message, Sent
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition
from order_adapters.simulator.queries import Queries
from order_adapters.simulator.randomness import Randomness
from order_adapters.simulator.records import Records
from order_adapters.simulator.refusals import UNKNOWN_SYMBOL, Refusal
from order_adapters.simulator.state import AccountState, changes_of, restore_into, state_of
from order_adapters.simulator.stop import Stop, StopKind, TradingStop
from order_adapters.simulator.trade import MarketTrade
from order_domain.errors import InvalidValue
from order_domain.model.enums import CommandKind
from order_domain.model.identifiers import InstrumentId, may_hedge
from order_domain.model.inputs import StreamState
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.model.reports import (
    LookupResult,
    OrderReport,
    PositionReport,
    SweepResult,
    WalletReport,
)
from order_domain.model.steps import LookUp, SendCancel, SendCreate, Sweep

_NOWHERE = InstrumentId("")


class SimulatedExchange:
    """An exchange account without clock, threads or I/O: the same inputs give the same messages.

    Every input brings the time, which must not go back. Requests return nothing; what they lead to
    comes out of `poll`. Market data of one instant belongs before requests and polls of it.

    Attributes:
        account, records: The truth, for tests and invariants; read, never change.
        admin: What others do to the account: foreign orders, liquidation, funding.
        queries: What REST shows, late by the visibility lag; the times it takes are exchange times.
    """

    def __init__(
        self,
        *,
        instruments: Sequence[Instrument],
        config: SimulatorConfig | None = None,
        faults: FaultScript | None = None,
    ) -> None:
        config = config or SimulatorConfig()
        self.config = config
        seed = f"{config.environment}:{config.seed}"
        randomness = Randomness(seed)
        self._faults = None if faults is None else Faults(faults, randomness)
        self._markets = {
            each.id: Market(each, hedged=config.hedge_mode and may_hedge(each.id))
            for each in instruments
        }
        self.account = Account(config.balances, self._markets.values())
        self.records = Records(seed, config.history_limit)
        self._mailbox = Mailbox(config, self._faults, randomness, self.account.report)
        self._desk = Desk(
            config,
            self._markets,
            self.account,
            self.records,
            self._mailbox,
            lags=faults is not None,
        )
        self._matching = self._desk.matching
        self.queries = Queries(self.account, self.records, self._faults, config.visibility)
        self.admin = Intervention(self._desk, self.account, self.records, self._mailbox)
        self._instant = self._mailbox.instant
        self._direct: Sent | None = None
        self._timeout = config.answer_timeout
        self._started = False

    @property
    def next_due(self) -> datetime | None:
        """When `poll` has something to do or to give next; None while nothing is on its way."""
        return self._mailbox.next_due

    def on_quote(self, quote: Quote, now: datetime) -> None:
        """Take the next displayed touch of an instrument."""
        market = self._markets.get(quote.instrument_id)
        if market is None:
            return
        if not self._instant:
            self._advance(now, inclusive=False)
        market.show(quote)
        if market.buys or market.sells:
            self._matching.on_quote(market, quote, self._stamp(now))
        if market.waiting:
            self._matching.triggers.on_price(market, self._stamp(now))

    def on_trade(self, trade: MarketTrade, now: datetime) -> None:
        """Take the next public trade of an instrument."""
        market = self._markets.get(trade.instrument_id)
        if market is None:
            return
        if not self._instant:
            self._advance(now, inclusive=False)
        market.last = trade.price
        if market.buys or market.sells:
            self._matching.on_trade(market, trade, self._stamp(now))
        if market.waiting:
            self._matching.triggers.on_price(market, self._stamp(now))

    def submit(self, command: Command, now: datetime) -> None:
        """Send one attempt of a command. Exactly one Answer will name it."""
        if self._instant:
            if not self._started:
                self._begin(now)
            direct = self._direct
            if direct is None:
                direct = self._direct = Sent(command, now, NO_FAULT)
            direct.at = now
            self._desk.serve(command, direct, now)
            return
        self._advance(now, inclusive=False)
        sent = self._sent(_kind_of(command), command, now)
        due, deadline = self._mailbox.arrival(sent), now + self._timeout
        if sent.plan.lost or sent.plan.answer_lost or due > deadline:
            sent.plan = attrs.evolve(sent.plan, answer_lost=True)
            self._desk.silence(command, deadline)
        if not sent.plan.lost:
            self._mailbox.post(sent, due)

    def look_up(self, query: LookUp, now: datetime) -> None:
        """Ask for one order. Exactly one LookupResult will name it, incomplete if it was lost."""
        self._ask(query, now)

    def sweep(self, query: Sweep, now: datetime) -> None:
        """Ask for the whole account. Exactly one SweepResult comes, incomplete if it was lost."""
        self._ask(query, now)

    def poll(self, now: datetime) -> list[Message]:
        """Do what is due and return everything that has arrived by now, in order of arrival."""
        if not self._instant:
            self._advance(now, inclusive=True)
        return self._mailbox.poll(now)

    def exchange_time(self, now: datetime) -> datetime:
        """What the exchange's own clock shows."""
        if self._faults is None:
            return now
        self._advance(now, inclusive=False)
        return now + self._faults.skew(now)

    def set_instrument(self, instrument: Instrument) -> None:
        """Change trading rules: status, filters, fees. Resting orders stay as they are."""
        self._markets[instrument.id].change(instrument)
        for (name, _), position in self.account.positions.items():
            if name == instrument.id:
                position.instrument = instrument

    def trading_stop(self, wanted: TradingStop, now: datetime) -> Refusal | None:
        """Change the guards of a position at once; the refusal if there is one."""
        if not self._started:
            self._begin(now)
        self._advance(now, inclusive=False)
        return self._desk.trading_stop(wanted, self._stamp(now))

    def guards_of(self, market: Market, position: VenuePosition) -> Iterator[tuple[StopKind, Stop]]:
        """Yield the guards that wait for a position."""
        return self._matching.guards.of(market, position)

    def pre_check(self, order: Order, now: datetime) -> tuple[VenueOrder | None, Refusal | None]:
        """Draft an order as a create would, without taking it; the refusal if there is one."""
        if not self._started:
            self._begin(now)
        self._advance(now, inclusive=False)
        market = self._markets.get(order.terms.instrument_id)
        if market is None:
            return None, UNKNOWN_SYMBOL
        draft = self._desk.draft(order, market, self._stamp(now))
        return draft, self._desk.why_not(draft)

    def set_hedged(self, instrument_id: InstrumentId, hedged: bool) -> None:
        """Let a linear instrument keep one position or two. The caller sees that it is flat."""
        self._markets[instrument_id].hedged = hedged

    def reading(self, kind: str, client_order_id: str, now: datetime) -> Plan:
        """Say what faults do to a `look_up` or `sweep` that the caller serves by itself."""
        if self._faults is None:
            return NO_FAULT
        self._advance(now, inclusive=False)
        return self._faults.plan(kind, client_order_id, _NOWHERE, now)

    def inject(self, fault: Fault, now: datetime) -> None:
        """Add a fault to the script; its times count from now.

        Raises:
            InvalidValue: The exchange was made without a script, which may be empty.
        """
        if self._faults is None:
            raise InvalidValue(field="fault", rule="an exchange made with a script", value=fault)
        self._advance(now, inclusive=False)
        for due, what in self._faults.add(fault, now):
            self._schedule(due, what)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The trading rules as they stand."""
        return tuple(market.instrument for market in self._markets.values())

    @property
    def open_orders(self) -> list[OrderReport]:
        """The newest version of every resting order, oldest first."""
        orders = self.records.open.values()
        return [order.newest for order in orders if order.newest is not None]

    def positions(self, now: datetime) -> list[PositionReport]:
        """Every position that is not flat."""
        return self.queries.positions(now)

    def wallet(self, now: datetime) -> WalletReport:
        """Every coin as it stands."""
        return self.account.report(now)

    def state(self) -> AccountState:
        """Return the whole account as plain rows."""
        return state_of(self.account, self.records)

    def changes(self) -> AccountState | None:
        """Return what changed since the last call, None if nothing did; the first starts it."""
        return changes_of(self.account, self.records)

    def restore(self, state: AccountState) -> None:
        """Continue a stored account. Only before the first input.

        Raises:
            InvalidValue: A row names an unknown instrument, or the account has already started.
        """
        if self._started:
            raise InvalidValue(field="state", rule="restored before the first input", value="")
        restore_into(self.account, self.records, state)

    def _ask(self, query: LookUp | Sweep, now: datetime) -> None:
        if not self._started:
            self._begin(now)
        self._advance(now, inclusive=False)
        sent = self._sent(_kind_of(query), query, now)
        if self._instant:
            self._serve_query(query, sent, now)
            return
        due, deadline = self._mailbox.arrival(sent), now + self._timeout
        if sent.plan.lost or sent.plan.answer_lost or due > deadline:
            failed = _failed(query, self._stamp(now), deadline + self._mailbox.ahead)
            self._mailbox.answer(failed, deadline)
        else:
            self._mailbox.post(sent, due)

    def _sent(self, kind: str, request: Command | LookUp | Sweep, now: datetime) -> Sent:
        if self._faults is None:
            return Sent(request, now, NO_FAULT)
        name, instrument = "", _NOWHERE
        if isinstance(request, LookUp):
            name = request.client_order_id
            known = self.records.orders.get(name)
            instrument = _NOWHERE if known is None else known.market.id
        elif not isinstance(request, Sweep):
            name, instrument = request.order.client_order_id, request.order.terms.instrument_id
        return Sent(request, now, self._faults.plan(kind, name, instrument, now))

    def _advance(self, now: datetime, *, inclusive: bool) -> None:
        """Serve what has arrived. At one instant the news of the market comes first."""
        if not self._started:
            self._begin(now)
        while (arrived := self._mailbox.take(now, inclusive)) is not None:
            due, sent = arrived
            request = sent.request
            if isinstance(request, Fault):
                self.admin.act(request, self._stamp(due))
            elif isinstance(request, LookUp | Sweep):
                self._serve_query(request, sent, due)
            else:
                self._desk.serve(request, sent, self._stamp(due))

    def _serve_query(self, query: LookUp | Sweep, sent: Sent, at: datetime) -> None:
        due = self._mailbox.answer_due(sent, at)
        stamp = self._stamp(at)
        ahead = self._mailbox.ahead
        began, ended = sent.at + ahead, due + ahead
        result: LookupResult | SweepResult
        if sent.plan.code is not None or due > sent.at + self._timeout:
            result = _failed(query, began, ended)
            due = min(due, sent.at + self._timeout)
        elif isinstance(query, LookUp):
            result = self.queries.look_up(query, began, stamp)
        else:
            result = self.queries.sweep(query, began, stamp, ended)
        self._mailbox.answer(result, due)

    def _begin(self, now: datetime) -> None:
        self._started = True
        self.records.begin(now)
        if self._faults is None:
            return
        for due, what in self._faults.begin(now):
            self._schedule(due, what)

    def _schedule(self, due: datetime, what: Fault | bool) -> None:
        if isinstance(what, Fault):
            self._mailbox.post(Sent(what, due, NO_FAULT), due)
        else:
            state = StreamState(what, "" if what else "simulated disconnect")
            self._mailbox.answer(state, due)

    def _stamp(self, now: datetime) -> datetime:
        """Exchange time of something that happens now."""
        if self._faults is None:
            return now
        self._mailbox.ahead = self._faults.skew(now)
        return now + self._mailbox.ahead


def _kind_of(request: Command | LookUp | Sweep) -> str:
    if isinstance(request, LookUp):
        return "look_up"
    if isinstance(request, Sweep):
        return "sweep"
    if isinstance(request, SendCreate):
        return CommandKind.CREATE
    return CommandKind.CANCEL if type(request) is SendCancel else CommandKind.AMEND


def _failed(query: LookUp | Sweep, began: datetime, ended: datetime) -> LookupResult | SweepResult:
    if isinstance(query, LookUp):
        return LookupResult(
            client_order_id=query.client_order_id,
            attempt=query.attempt,
            sent_at=began,
            complete=False,
        )
    return SweepResult(began_at=began, ended_at=ended, complete=False, reason=query.reason)
