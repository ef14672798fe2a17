"""Orders: their ids, sums, terms and commands, and whose they are."""

from collections.abc import Mapping
from decimal import Decimal

from order_domain.codes import Code
from order_domain.decide.person import signal_id_of
from order_domain.invariants.lives import Lives
from order_domain.invariants.report import Findings
from order_domain.model.command import Command
from order_domain.model.enums import CommandKind, CommandStatus, OrderStatus, Origin, Verdict
from order_domain.model.execution import EXTERNAL, LedgerEntry
from order_domain.model.identifiers import category_of, client_order_id
from order_domain.model.instrument import ZERO, Instrument, notional_of
from order_domain.model.order import Order
from order_domain.model.rows import RequestRow, SignalRow

_Sums = tuple[Decimal, Decimal, dict[str, Decimal]]
_REQUOTE = 100


class Orders:
    """Every order of a store, with its commands."""

    def __init__(self, findings: Findings, account: str, environment: str) -> None:
        self._findings = findings
        self._account = account
        self._environment = environment
        self.rows: dict[str, Order] = {}
        self._commands: dict[tuple[str, CommandKind], list[Command]] = {}
        self._venue_ids: dict[str, str] = {}

    def take(self, order: Order) -> None:
        """Check one order by itself."""
        terms, order_id = order.terms, str(order.client_order_id)
        name = f"order {order_id}"
        self._findings.holds("V2", name, order_id not in self.rows, "one row per order id")
        self.rows[order_id] = order
        if order.venue_order_id:
            first = self._venue_ids.setdefault(order.venue_order_id, order_id)
            self._findings.equal("V2", name, order_id, first, "an exchange id is one order")
        is_external = terms.origin is Origin.EXTERNAL
        self._findings.equal(
            "V35", name, is_external, terms.strategy_id == EXTERNAL, "EXTERNAL is nobody's strategy"
        )
        if not is_external:
            expected = client_order_id(
                self._environment,
                self._account,
                terms.strategy_id,
                terms.signal_id,
                terms.leg,
                terms.generation,
            )
            self._findings.equal("V33", name, expected, order_id, "the id follows from the terms")

    def take_command(self, command: Command) -> None:
        """Keep a command until its order is known."""
        key = (str(command.client_order_id), command.kind)
        self._commands.setdefault(key, []).append(command)

    def check_commands(self, lives: Lives) -> None:
        """A command has an order, a number, an event, and an end when its order has one."""
        for (order_id, kind), commands in self._commands.items():
            name = f"{kind} of order {order_id}"
            order = self.rows.get(order_id)
            self._findings.holds("V12", name, order is not None, "its order exists")
            if order is None:
                continue
            commands.sort(key=lambda command: command.number)
            numbers = [command.number for command in commands]
            self._findings.equal(
                "V12", name, list(range(1, len(numbers) + 1)), numbers, "commands have no gap"
            )
            for command in commands:
                self._command(command, order, name)
        for order_id in self.rows:
            for kind in (CommandKind.CANCEL, CommandKind.AMEND):
                commands = self._commands.get((order_id, kind), [])
                known = [(command.created_at, command.reason) for command in commands]
                told = lives.asked(order_id, kind)
                if known or told:
                    name = f"{kind} of order {order_id}"
                    self._findings.equal("V13", name, told, known, "a command was told")

    def check_fills(
        self, ledger: Mapping[int, LedgerEntry], booked: Mapping[int, str], overfilled: set[str]
    ) -> None:
        """Filled quantity, value and fees are the sums of the executions booked in an order."""
        sums: dict[str, _Sums] = {}
        for number, entry in ledger.items():
            order = self.rows.get(booked.get(number, ""))
            if order is not None:
                self._belongs(entry, order)
                _add(sums, entry, str(order.client_order_id))
        for order_id, order in self.rows.items():
            name = f"order {order_id}"
            quantity, value, fees = sums.get(order_id, (ZERO, ZERO, {}))
            self._findings.equal(
                "V8", name, quantity, order.cum_quantity, "filled is the sum of its executions"
            )
            self._findings.equal(
                "V8", name, value, order.cum_value, "value is the sum of its fills"
            )
            self._findings.equal(
                "V8", name, fees, dict(order.fees), "fees are the sums of its fills"
            )
            self._limits(order, name, overfilled)

    def check_terms(self, instruments: Mapping[str, Instrument]) -> None:
        """Prices and quantities obey the trading rules as they stand."""
        for order in self.rows.values():
            check_rules(self._findings, order, instruments.get(order.terms.instrument_id))

    def check_signals(
        self, signals: Mapping[tuple[str, int], SignalRow], requests: list[RequestRow] | None
    ) -> None:
        """Every decision has its orders, and every order its decision or request.

        Without the requests, what persons have asked for is not judged.
        """
        for key, row in signals.items():
            self._orders_of(row, f"signal {key[0]}")
        asked = {str(signal_id_of(request.request_id)) for request in requests or ()}
        flattens = [each.request_id for each in requests or () if each.kind == "Flatten"]
        for order in self.rows.values():
            terms, name = order.terms, f"order {order.client_order_id}"
            if terms.origin is Origin.SIGNAL:
                signal = signals.get((str(terms.signal_id), terms.generation))
                source = terms.requote_of or order.client_order_id
                known = signal is not None and source in signal.order_ids
                self._findings.holds("V24", name, known, "its signal knows it", terms.signal_id)
                self._requote(order, name)
            elif terms.origin is not Origin.EXTERNAL and requests is not None:
                place = f"{terms.instrument_id}:{terms.position_side}"
                closes = {str(signal_id_of(f"{each}:{place}")) for each in flattens}
                known = terms.signal_id in asked or terms.signal_id in closes
                self._findings.holds("V24", name, known, "a person asked for it", terms.signal_id)

    def _belongs(self, entry: LedgerEntry, order: Order) -> None:
        execution, terms = entry.execution, order.terms
        ours = (terms.instrument_id, terms.side, terms.position_side, terms.strategy_id)
        its = (execution.instrument_id, execution.side, execution.position_side, entry.strategy_id)
        name = f"execution {entry.number}"
        self._findings.equal("V8", name, ours, its, "an execution is of its order's kind")
        ids = (execution.client_order_id or order.client_order_id, execution.venue_order_id)
        known = (order.client_order_id, order.venue_order_id)
        self._findings.equal("V8", name, known, ids, "an execution names its order")

    def _limits(self, order: Order, name: str, overfilled: set[str]) -> None:
        cum = order.cum_quantity
        within = cum <= order.quantity or order.client_order_id in overfilled
        self._findings.holds("V4", name, cum >= 0 and within, "filled within its quantity", cum)
        if not order.attempt and order.terms.origin is not Origin.EXTERNAL:
            self._findings.equal("V3", name, ZERO, cum, "what was never sent is never filled")
        if order.status is OrderStatus.FILLED:
            whole = cum >= order.quantity
            self._findings.holds("V8", name, whole, "FILLED leaves nothing", order.leaves_quantity)

    def _command(self, command: Command, order: Order, name: str) -> None:
        is_left = order.is_terminal and command.is_open
        self._findings.holds("V11", name, not is_left, "an ended order has no open command")
        was_claimed = command.attempt > 0
        has_stamp = command.request_ts is not None
        self._findings.equal("V19", name, was_claimed, has_stamp, "an attempt has its stamp")
        is_sent = command.status is CommandStatus.SENT
        self._findings.holds("V19", name, was_claimed or not is_sent, "what was sent was claimed")

    def _orders_of(self, row: SignalRow, name: str) -> None:
        signal, legs = row.signal, len(row.order_ids)
        is_ordered = row.verdict is Verdict.ORDERED
        for leg, order_id in enumerate(row.order_ids, start=1):
            order = self.rows.get(order_id)
            self._findings.holds("V24", name, order is not None, "its order exists", order_id)
            if order is None:
                continue
            terms = order.terms
            expected = (signal.signal_id, row.generation, signal.strategy_id, signal.side)
            actual = (terms.signal_id, terms.generation, terms.strategy_id, terms.side)
            self._findings.equal("V24", name, expected, actual, "its order is as it asked")
            self._findings.equal(
                "V24", name, (signal.instrument_id, leg, legs),
                (terms.instrument_id, terms.leg, terms.legs), "its children are numbered",
            )  # fmt: skip
            self._findings.equal("V24", name, row.decided_at, terms.created_at, "decided and made")
            if terms.decision_quote_at is not None:
                used = (terms.decision_bid, terms.decision_ask, terms.decision_quote_at)
                quote = row.quote and (row.quote.bid, row.quote.ask, row.quote.at)
                self._findings.equal("V24", name, quote, used, "its order used its quote")
            if is_ordered:
                was_denied = order.status is OrderStatus.DENIED
                self._findings.holds("V24", name, not was_denied, "ordered is not denied")
            else:
                code = order.code if order.status is OrderStatus.DENIED else Code.OK
                self._findings.equal("V24", name, row.code, code, "its order was denied so")

    def _requote(self, order: Order, name: str) -> None:
        if order.terms.requote_of is None:
            return
        first = self.rows.get(order.terms.requote_of)
        leg = None if first is None else first.terms.leg + _REQUOTE
        self._findings.equal("V24", name, leg, order.terms.leg, "a re-quote follows its order")


def check_rules(findings: Findings, order: Order, instrument: Instrument | None) -> None:
    """Price and quantity of an order of ours obey the rules; None where these are missing."""
    terms, name = order.terms, f"order {order.client_order_id}"
    if terms.origin is Origin.EXTERNAL or order.status is OrderStatus.DENIED:
        return
    holds, quantity, price = findings.holds, order.quantity, order.price
    if instrument is None:
        holds("V23", name, truth=False, text="its trading rules are known")
        return
    on_step = quantity >= instrument.min_quantity and instrument.is_on_step(quantity)
    holds("V23", name, on_step, "the quantity is on the step", quantity)
    if price is not None:
        on_tick = price > 0 and instrument.is_on_tick(price)
        holds("V23", name, on_tick, "the price is on the tick", price)
        enough = terms.reduce_only or price * quantity >= instrument.min_notional
        holds("V23", name, enough, "the value reaches the minimum", price * quantity)


def _add(sums: dict[str, _Sums], entry: LedgerEntry, order_id: str) -> None:
    execution = entry.execution
    quantity, value, fees = sums.get(order_id, (ZERO, ZERO, {}))
    if execution.fee:
        fees[execution.fee_coin] = fees.get(execution.fee_coin, ZERO) + execution.fee
    worth = notional_of(category_of(execution.instrument_id), execution.price, execution.quantity)
    sums[order_id] = (quantity + execution.quantity, value + worth, fees)
