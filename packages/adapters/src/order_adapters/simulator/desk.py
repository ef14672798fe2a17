"""Desk: serves commands that have arrived. Checks, answers, then matches, in this order."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from order_adapters.simulator import refusals
from order_adapters.simulator.account import Account
from order_adapters.simulator.checks import Gate
from order_adapters.simulator.config import SimulatorConfig
from order_adapters.simulator.mailbox import Command, Mailbox, Sent
from order_adapters.simulator.market import Market
from order_adapters.simulator.matching import Matching
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.records import Records
from order_adapters.simulator.refusals import Refusal
from order_adapters.simulator.stop import (
    AmendWith,
    Bracket,
    CreateWith,
    Leg,
    Stop,
    TradingStop,
    TriggerBy,
)
from order_adapters.simulator.stop_checks import StopChecks
from order_domain.model.answers import outcome_of
from order_domain.model.enums import AnswerOutcome, CommandKind, OrderType, Side
from order_domain.model.identifiers import InstrumentId, VenueOrderId
from order_domain.model.instrument import ONE
from order_domain.model.order import Order
from order_domain.model.reports import Answer
from order_domain.model.steps import SendAmend, SendCancel, SendCreate

_CREATE, _AMEND, _CANCEL = CommandKind.CREATE, CommandKind.AMEND, CommandKind.CANCEL
_ACCEPTED, _UNKNOWN = AnswerOutcome.ACCEPTED, AnswerOutcome.UNKNOWN
_MARKET = OrderType.MARKET
_BUY = Side.BUY
_NO_ID = VenueOrderId("")
_SILENCE: Refusal = (0, "no answer in time")


class Desk:
    """The part of the exchange that reads commands. Times named `at` are exchange times."""

    def __init__(
        self,
        config: SimulatorConfig,
        markets: Mapping[InstrumentId, Market],
        account: Account,
        records: Records,
        mailbox: Mailbox,
        *,
        lags: bool = False,
    ) -> None:
        self.checks = StopChecks(config, account, records)
        self.matching = Matching(config, account, records, mailbox, self.checks)
        self._gate = Gate(config)
        self._markets = markets
        self._account = account
        self._records = records
        self._mailbox = mailbox
        self._timeout = config.answer_timeout
        # Versions are kept only where a look-up may come too early to see the newest.
        self._keeps_versions = bool(config.visibility) or lags

    def serve(self, command: Command, sent: Sent, at: datetime) -> None:
        """Carry a command out, or refuse it; answer either way, unless a fault eats the answer."""
        plan = sent.plan
        if not plan.executed:
            self._answer(command, sent, at, (0, ""), _NO_ID)
        elif type(command) is SendCreate:
            self._create(command, sent, at)
        elif isinstance(command, SendCancel):
            self._cancel(command, sent, at)
        elif isinstance(command, SendAmend):
            self._amend(command, sent, at)
        else:
            self._create(command, sent, at)

    def draft(self, order: Order, market: Market, at: datetime) -> VenueOrder:
        """Write an order down as the exchange would keep it."""
        terms = order.terms
        number = self._records.next_order()
        return VenueOrder(
            number,
            market,
            self._account.position(market, terms.position_side),
            terms.client_order_id,
            self._records.order_id(number),
            terms.side,
            terms.order_type,
            terms.time_in_force,
            None if terms.order_type is _MARKET else order.price,
            order.quantity,
            terms.reduce_only,
            terms.position_side,
            at,
            terms.side is _BUY,
            None if terms.slippage is None else _cap(market, terms.side is _BUY, terms.slippage),
        )

    def why_not(self, draft: VenueOrder) -> Refusal | None:
        """Say why an order is not taken."""
        if draft.bracket is not None:
            refusal = self.checks.bracket(draft, draft.bracket)
            if refusal is not None:
                return refusal
        if draft.stop is None:
            return self.checks.create(draft)
        return self.checks.wait(draft, draft.stop)

    def trading_stop(self, wanted: TradingStop, at: datetime) -> Refusal | None:
        """Change the guards of a position, or say why not."""
        market = self._markets.get(wanted.instrument_id)
        if market is None or market.is_spot:
            return refusals.UNKNOWN_SYMBOL
        refusal = self.checks.trading_stop(market, wanted)
        return refusal or self.matching.guards.set(market, wanted, at)

    def _create(self, command: SendCreate, sent: Sent, at: datetime) -> None:
        order = command.order
        market = self._markets.get(order.terms.instrument_id)
        if market is None:
            self._answer(command, sent, at, refusals.UNKNOWN_SYMBOL, _NO_ID)
            return
        refusal = self._gate.refuse(_CREATE, market.is_spot, order.request_ts, at)
        if refusal is not None:
            self._answer(command, sent, at, refusal, _NO_ID)
            return
        draft = self.draft(order, market, at)
        if type(command) is CreateWith:
            _equip(draft, command)
        elif order.terms.take_profit is not None or order.terms.stop_loss is not None:
            draft.bracket = Bracket(_leg(order.terms.take_profit), _leg(order.terms.stop_loss))
        refusal = self.why_not(draft)
        if refusal is not None:
            self._answer(command, sent, at, refusal, _NO_ID)
            return
        if self._keeps_versions:
            draft.older = []
        self._records.add(draft)
        self._answer(command, sent, at, refusals.OK, draft.venue_order_id)
        if sent.plan.rejected:
            self.matching.reject(draft, sent.plan.rejected, at)
        elif draft.stop is not None:
            self.matching.triggers.wait(draft, at)
        else:
            self.matching.enter(draft, at)

    def _cancel(self, command: SendCancel, sent: Sent, at: datetime) -> None:
        order, refusal = self._target(command, at)
        if order is not None and refusal is not None and _lost_the_race(order, command.request_ts):
            self._answer(command, sent, at, refusals.OK, order.venue_order_id)
            self.matching.report_lost_cancel(order, at)
            return
        if order is None or refusal is not None:
            self._answer(command, sent, at, refusal or refusals.ORDER_NOT_FOUND, _NO_ID)
            return
        self._answer(command, sent, at, refusals.OK, order.venue_order_id)
        self.matching.cancel(order, at)

    def _amend(self, command: SendAmend, sent: Sent, at: datetime) -> None:
        order, refusal = self._target(command, at)
        if order is None or refusal is not None:
            self._answer(command, sent, at, refusal or refusals.ORDER_NOT_FOUND, _NO_ID)
            return
        if type(command) is AmendWith or order.waits:
            self._amend_with(command, order, sent, at)
            return
        price = order.resting_price if command.price is None else command.price
        quantity = order.quantity if command.quantity is None else command.quantity
        refusal = self.checks.amend(order, price, quantity)
        if refusal is not None:
            self._answer(command, sent, at, refusal, _NO_ID)
            return
        self._answer(command, sent, at, refusals.OK, order.venue_order_id)
        self.matching.amend(order, price, quantity, at)

    def _amend_with(self, command: SendAmend, order: VenueOrder, sent: Sent, at: datetime) -> None:
        """Change what waits, or what an order brings with it."""
        extra = command if type(command) is AmendWith else None
        stop = order.stop if order.waits else None
        price = order.price if command.price is None else command.price
        quantity = order.quantity if command.quantity is None else command.quantity
        trigger = None if stop is None else _trigger(stop, extra)
        rebrackets = extra is not None and extra.rebrackets
        bracket = extra.bracket if extra is not None and rebrackets else order.bracket
        now = None if stop is None else _trigger(stop, None)
        moves = (price, quantity, trigger) != (order.price, order.quantity, now)
        refusal = self._why_not_bracket(order, bracket) if rebrackets else None
        if refusal is None and (moves or not rebrackets):
            refusal = (
                self.checks.amend(order, order.resting_price if price is None else price, quantity)
                if stop is None or trigger is None
                else self.checks.change(order, stop, price, quantity, trigger)
            )
        if refusal is not None:
            self._answer(command, sent, at, refusal, _NO_ID)
            return
        self._answer(command, sent, at, refusals.OK, order.venue_order_id)
        order.bracket = bracket
        if not moves:
            self.matching.show(order, at)
        elif stop is None or trigger is None:
            self.matching.amend(
                order, order.resting_price if price is None else price, quantity, at
            )
        else:
            self.matching.triggers.change(order, stop, price, quantity, trigger, at)

    def _why_not_bracket(self, order: VenueOrder, bracket: Bracket | None) -> Refusal | None:
        if order.cum:
            return refusals.BRACKET_IN_FORCE
        return None if bracket is None else self.checks.bracket(order, bracket)

    def _target(
        self, command: SendAmend | SendCancel, at: datetime
    ) -> tuple[VenueOrder | None, Refusal | None]:
        """Find the order that is to change, and why it cannot."""
        wanted = command.order
        market = self._markets.get(wanted.terms.instrument_id)
        if market is None:
            return None, refusals.UNKNOWN_SYMBOL
        kind = _CANCEL if type(command) is SendCancel else _AMEND
        refusal = self._gate.refuse(kind, market.is_spot, command.request_ts, at)
        if refusal is not None:
            return None, refusal
        order = self._records.find(wanted.terms.client_order_id, wanted.venue_order_id)
        if order is not None and order.market is not market:
            order = None
        return order, self.checks.missing(order, market.is_spot)

    def silence(self, command: Command, due: datetime) -> None:
        """Let the sender take its attempt for unknown at this time."""
        self._mailbox.answer(_said(command, _UNKNOWN, _SILENCE, _NO_ID), due)

    def _answer(
        self, command: Command, sent: Sent, at: datetime, said: Refusal, order_id: VenueOrderId
    ) -> None:
        mailbox, plan = self._mailbox, sent.plan
        if plan.answer_lost:
            return
        if plan.code is not None:
            said, order_id = (plan.code, refusals.TEXTS.get(plan.code, "")), _NO_ID
        code = said[0]
        outcome = outcome_of(code, _kind(command)) if code else _ACCEPTED
        answer = _said(command, outcome, said, order_id)
        if mailbox.instant:
            mailbox.answer(answer, at)
            return
        due, deadline = mailbox.answer_due(sent, at - mailbox.ahead), sent.at + self._timeout
        if due > deadline:
            self.silence(command, deadline)
        else:
            mailbox.answer(answer, due)


def _said(
    command: Command, outcome: AnswerOutcome, said: Refusal, order_id: VenueOrderId
) -> Answer:
    order, code = command.order, said[0]
    # The text of a success says nothing and differs from call to call at the exchange.
    text = said[1] if outcome is not _ACCEPTED else ""
    if isinstance(command, SendCreate):
        number, attempt = 0, order.attempt
    else:
        number, attempt = command.number, command.attempt
    return Answer(
        order.terms.client_order_id, _kind(command), number, attempt, outcome, code, text, order_id
    )


def _kind(command: Command) -> CommandKind:
    if isinstance(command, SendCreate):
        return _CREATE
    return _CANCEL if type(command) is SendCancel else _AMEND


def _equip(draft: VenueOrder, command: CreateWith) -> None:
    """Give an order copies of what it brings: the command may be looked at again."""
    draft.stop = None if command.stop is None else attrs.evolve(command.stop)
    draft.bracket = None if command.bracket is None else attrs.evolve(command.bracket)


def _leg(price: Decimal | None) -> Leg | None:
    return None if price is None else Leg(price)


def _trigger(stop: Stop, command: AmendWith | None) -> tuple[Decimal, TriggerBy]:
    """The condition that a waiting order is to have, or the one it has."""
    if command is None:
        return stop.price, stop.by
    price = stop.price if command.trigger_price is None else command.trigger_price
    return price, stop.by if command.trigger_by is None else command.trigger_by


def _lost_the_race(order: VenueOrder, stamped: datetime | None) -> bool:
    """Tell whether it filled after the cancel was sent: Bybit accepts, then reports it lost."""
    if stamped is None or order.cum != order.quantity or order.updated_at is None:
        return False
    return order.updated_at > stamped


def _cap(market: Market, buys: bool, slippage: Decimal) -> Decimal | None:
    """The worst price a market order may have, measured from the touch."""
    touch = market.touch(buys)
    if touch is None:
        return None
    return touch[0] * (ONE + slippage if buys else ONE - slippage)
