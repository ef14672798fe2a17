"""Lies about the story: one value or row falsified, and the code that must tell it."""

import attrs

from order_domain.model.command import Command
from order_domain.model.enums import (
    CommandStatus,
    EndedBy,
    Origin,
    Side,
    Verdict,
)
from order_domain.model.execution import EXTERNAL, LedgerEntry
from order_domain.model.identifiers import ClientOrderId, SignalId, VenueOrderId
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.rows import DeliveryRow, Mark, RequestRow, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent
from tests.builders import NOW, D, a_balance
from tests.unit.invariants.falsify import (
    SECOND,
    K,
    Lie,
    S,
    again,
    body_invalid,
    conflict,
    denied,
    duplicate,
    execution,
    filled,
    foreign,
    gone,
    manual,
    one,
    order_and_event,
    ordered,
    parked,
    requote,
    retried,
    signal,
    silenced,
    terms_everywhere,
    told,
)
from tests.unit.invariants.story import (
    Rows,
    changed,
    first,
    retold,
    the_event,
    without,
)


def _second_fill(rows: Rows) -> Rows:
    """The ledger and an event both tell of a fill that is another one's double."""
    event = the_event(rows, K.ORDER_FILLED)
    twin = attrs.evolve(event.event, order=event.event.order, sequence=9)
    return [*rows, NumberedEvent(999, twin)]


LIES: dict[str, tuple[str, Lie]] = {
    # signals and deliveries
    "a signal decided twice": ("V1", again(SignalRow, ordered, delivery=99)),
    "a retry of nothing": ("V1", gone(SignalRow, denied)),
    "a missing delivery": ("V24", gone(DeliveryRow, duplicate)),
    "a missing signal": ("V24", gone(SignalRow, ordered)),
    "two verdicts of one delivery": ("V24", one(DeliveryRow, duplicate, number=1)),
    "a delivery numbered zero": ("V24", one(DeliveryRow, duplicate, number=0)),
    "a retry with a delivery": ("V24", one(SignalRow, retried, delivery=50)),
    "an ordered signal called denied": ("V24", one(SignalRow, ordered, verdict=Verdict.DENIED)),
    "an ordered signal called expired": (
        "V24",
        one(SignalRow, ordered, verdict=Verdict.EXPIRED, code="SIGNAL_EXPIRED"),
    ),
    "a denied signal called ordered": (
        "V24",
        one(SignalRow, denied, verdict=Verdict.ORDERED, code="OK"),
    ),
    "a denied signal called expired": ("V24", one(SignalRow, denied, verdict=Verdict.EXPIRED)),
    "a denial with another code": ("V24", one(SignalRow, denied, code="MAX_POSITION")),
    "a denial with no code that exists": ("V24", one(SignalRow, denied, code="BECAUSE")),
    "a signal called duplicate": ("V24", one(SignalRow, ordered, verdict=Verdict.DUPLICATE)),
    "a verdict without its time": ("V24", one(SignalRow, ordered, decided_at=None)),
    "a parked signal without deadline": ("V24", one(SignalRow, parked, deadline=None)),
    "an order list that is cut": ("V24", one(SignalRow, ordered, order_ids=())),
    "an order that does not exist": (
        "V24",
        one(SignalRow, ordered, order_ids=(ClientOrderId("nowhere"),)),
    ),
    "another side": ("V24", signal(ordered, side=Side.SELL)),
    "another strategy": ("V24", signal(ordered, strategy_id="other")),
    "another hash": ("V24", signal(ordered, body="{}")),
    "another time of decision": (
        "V24",
        lambda rows: changed(
            rows,
            first(rows, SignalRow, ordered),
            decided_at=first(rows, SignalRow, ordered).received_at + SECOND,
        ),
    ),
    "another quote": ("V24", one(SignalRow, ordered, quote=None)),
    "a duplicate called invalid": ("V24", one(DeliveryRow, duplicate, verdict=Verdict.INVALID)),
    "an invalid body called duplicate": (
        "V24",
        one(DeliveryRow, body_invalid, verdict=Verdict.DUPLICATE),
    ),
    "a duplicate of nothing": (
        "V24",
        one(DeliveryRow, duplicate, signal_id="00000000-0000-4000-8000-00000000beef"),
    ),
    "an invalid body without reason": ("V25", one(DeliveryRow, body_invalid, field="")),
    "another reason": ("V25", one(DeliveryRow, body_invalid, rule="whatever")),
    "a refusal at another time": (
        "V13",
        lambda rows: changed(
            rows,
            first(rows, DeliveryRow, conflict),
            at=first(rows, DeliveryRow, conflict).at + SECOND,
        ),
    ),
    "an invalid body that was not told": ("V13", silenced(K.SIGNAL_INVALID)),
    "a conflict that was told otherwise": ("V13", told(K.SIGNAL_CONFLICT, code="DUPLICATE")),
    # ids and whose an order is
    "a claim after the last moment": ("V5", terms_everywhere(filled, valid_until=NOW - SECOND)),
    "an id of other terms": ("V33", terms_everywhere(filled, generation=7)),
    "an order of nobody's signal": (
        "V24",
        terms_everywhere(filled, signal_id=SignalId("00000000-0000-4000-8000-00000000beef")),
    ),
    "an order of nobody's request": ("V24", gone(RequestRow, lambda r: r.request_id == "place-2")),
    "a re-quote of another order": ("V24", terms_everywhere(requote, leg=102)),
    "a re-quote of nothing": ("V24", terms_everywhere(requote, requote_of=ClientOrderId("x"))),
    "a foreign order with a strategy": ("V35", terms_everywhere(foreign, strategy_id="trend")),
    "an order of ours called EXTERNAL": ("V35", terms_everywhere(filled, strategy_id=EXTERNAL)),
    "an order adopted that is ours": ("V35", terms_everywhere(filled, origin=Origin.EXTERNAL)),
    "one order in two rows": ("V2", again(Order, filled)),
    "one exchange id for two orders": (
        "V2",
        lambda rows: changed(
            rows,
            first(rows, Order, manual),
            venue_order_id=first(rows, Order, filled).venue_order_id,
        ),
    ),
    # versions and events
    "a changed quantity": ("V12", one(Order, filled, quantity=D("0.5"))),
    "a changed status": ("V12", one(Order, filled, status=S.CANCELLED)),
    "a changed attempt": ("V12", one(Order, filled, attempt=2)),
    "a deleted order": ("V12", gone(Order, manual)),
    "an order without events": (
        "V12",
        lambda rows: without(
            rows,
            *(
                row
                for row in rows
                if isinstance(row, NumberedEvent)
                and row.event.subject == first(rows, Order, manual).client_order_id
            ),
        ),
    ),
    "a gap in the versions": (
        "V12",
        lambda rows: without(rows, the_event(rows, K.ORDER_ACCEPTED)),
    ),
    "a gap in the events": ("V13", silenced(K.POSITION_SNAPSHOT)),
    "an event told twice": (
        "V12",
        lambda rows: [*rows, attrs.evolve(the_event(rows, K.ORDER_FILLED), number=999)],
    ),
    "an event about another subject": ("V12", told(K.ORDER_ACCEPTED, subject="other")),
    "an event with another sequence": ("V12", told(K.ORDER_ACCEPTED, sequence=9)),
    "a signal told of twice": ("V13", told(K.SIGNAL_PARKED, sequence=2)),
    "an event at another time": (
        "V12",
        lambda rows: retold(
            rows,
            the_event(rows, K.ORDER_ACCEPTED),
            at=the_event(rows, K.ORDER_ACCEPTED).event.at + SECOND,
        ),
    ),
    "an event of another kind": ("V11", told(K.ORDER_ACCEPTED, kind=K.ORDER_WORKING)),
    "an order born working": ("V11", told(K.ORDER_CREATED, status=S.WORKING)),
    "an order that returns from the dead": ("V11", told(K.ORDER_ACCEPTED, status=S.DENIED)),
    "an order in a state that cannot be": (
        "V11",
        told(K.ORDER_ACCEPTED, status=S.REJECTED, ended_by=EndedBy.NOBODY),
    ),
    "an end without its time": ("V11", order_and_event(K.ORDER_FILLED, closed_at=None)),
    "other terms in one version": (
        "V12",
        lambda rows: retold(
            rows,
            the_event(rows, K.ORDER_ACCEPTED),
            terms=attrs.evolve(the_event(rows, K.ORDER_ACCEPTED).event.order.terms, leg=3),
        ),
    ),
    "an exchange id that changes": (
        "V12",
        order_and_event(K.ORDER_FILLED, venue_order_id=VenueOrderId("v-else")),
    ),
    "another reason of an end": ("V12", order_and_event(K.ORDER_CANCELLED, code="BECAUSE")),
    "a cancel told for another reason": ("V12", told(K.CANCEL_REQUESTED, code="BECAUSE")),
    "a reason to cancel out of nowhere": ("V12", told(K.ORDER_ACCEPTED, cancel_reason="X")),
    "a quantity changed by an answer": ("V12", told(K.ORDER_ACCEPTED, quantity=D(9))),
    "a report that shrinks": ("V12", told(K.ORDER_ACCEPTED, reported_cum=D(9))),
    "a first sight that moves": (
        "V12",
        lambda rows: retold(
            rows,
            the_event(rows, K.ORDER_WORKING),
            first_working_at=the_event(rows, K.ORDER_WORKING).event.at - SECOND,
        ),
    ),
    "an exchange time that goes back": (
        "V12",
        lambda rows: retold(
            rows,
            the_event(rows, K.ORDER_WORKING),
            venue_updated_at=the_event(rows, K.ORDER_WORKING).event.at + 900 * SECOND,
        ),
    ),
    "an attempt without a claim": ("V19", told(K.ORDER_ACCEPTED, attempt=2)),
    "a stamp that is renewed": (
        "V19",
        lambda rows: retold(
            rows,
            the_event(rows, K.ORDER_ACCEPTED),
            request_ts=the_event(rows, K.ORDER_ACCEPTED).event.at + SECOND,
        ),
    ),
    "an order born with an attempt": ("V19", told(K.ORDER_CREATED, attempt=1)),
    # commands
    "a cancel without its order": (
        "V12",
        one(Command, client_order_id=ClientOrderId("nowhere")),
    ),
    "a gap in the commands": ("V12", one(Command, number=2)),
    "a cancel that was not told": ("V13", again(Command, number=2)),
    "a cancel that is missing": ("V13", gone(Command)),
    "an open command of an ended order": (
        "V11",
        one(Command, lambda c: c.status is CommandStatus.DONE, status=CommandStatus.PENDING),
    ),
    "a command sent without a claim": (
        "V19",
        one(Command, status=CommandStatus.SENT, attempt=0, request_ts=None),
    ),
    "a claim without a stamp": ("V19", one(Command, request_ts=None)),
    # fills
    "a lost fill": ("V8", gone(LedgerEntry)),
    "a doubled execution": ("V7", again(LedgerEntry, number=99)),
    "a second fill of the same order": ("V13", _second_fill),
    "a gap in the ledger": ("V10", gone(LedgerEntry)),
    "a changed fill quantity": ("V8", execution(quantity=D("0.006"))),
    "a changed fill price": ("V8", execution(price=D(50001))),
    "a changed fee": ("V8", execution(fee=D("0.56"))),
    "a changed fee coin": ("V8", execution(fee_coin="BTC")),
    "a fill of the other side": ("V8", execution(side=Side.SELL)),
    "a fill of another strategy": ("V8", one(LedgerEntry, strategy_id="other")),
    "a fill that names another order": (
        "V8",
        execution(venue_order_id=VenueOrderId("v-else")),
    ),
    "a fill that is funding": ("V8", told(K.ORDER_FILLED, ledger=None)),
    "a changed sum": ("V8", order_and_event(K.ORDER_FILLED, cum_quantity=D("0.03"))),
    "a changed value": ("V8", order_and_event(K.ORDER_FILLED, cum_value=D(1))),
    "changed fees": ("V8", order_and_event(K.ORDER_FILLED, fees={"USDT": D(1)})),
    "a fill beyond the quantity": ("V4", one(Order, filled, quantity=D("0.001"))),
    "FILLED with something left": ("V8", one(Order, filled, quantity=D(1))),
    "a fill of what was never sent": (
        "V3",
        one(Order, filled, attempt=0),
    ),
    "an order born filled": ("V8", told(K.ORDER_CREATED, cum_quantity=D(1))),
    "an execution told of twice": ("V13", told(K.EXECUTION_BOOKED, subject="execution:1")),
    "an execution that was not told": ("V13", silenced(K.EXECUTION_BOOKED)),
    # positions
    "a wrong size": ("V9", one(Position, size=D(7))),
    "a wrong entry value": ("V9", one(Position, entry_value=D(7))),
    "a wrong PnL": ("V10", one(Position, realized_pnl=D(7))),
    "wrong fees of a position": ("V10", one(Position, fees={"USDT": D(7)})),
    "wrong funding": ("V10", one(Position, funding=D(7))),
    "a wrong PnL of an execution": ("V10", one(LedgerEntry, realized_pnl=D(7))),
    "a missing position": ("V9", gone(Position)),
    "two rows of one position": ("V9", again(Position)),
    "a position out of nothing": ("V9", again(Position, instrument_id="linear:SOLUSDT")),
    "a wrong snapshot": ("V9", one(PositionSnapshot, size=D(7))),
    "a snapshot of nothing": (
        "V9",
        again(PositionSnapshot, instrument_id="linear:SOLUSDT"),
    ),
    "a wrong unrealised PnL": ("V10", one(PositionSnapshot, unrealized_pnl=D(7))),
    "a snapshot told otherwise": ("V13", told(K.POSITION_SNAPSHOT, detail=())),
    "a snapshot that was not told": ("V13", silenced(K.POSITION_SNAPSHOT)),
    "a reduction that opens": ("V22", terms_everywhere(filled, reduce_only=True)),
    # rules
    "a quantity off the step": ("V23", one(Order, filled, quantity=D("0.0195"))),
    "a price off the tick": ("V23", one(Order, manual, price=D("49000.05"))),
    "a negative price": ("V23", one(Order, manual, price=D(-5))),
    "a value below the minimum": ("V23", one(Instrument, min_notional=D(10_000_000))),
    "rules that changed": ("V23", one(Instrument, quantity_step=D("0.0015"))),
    "rules that are missing": ("V23", gone(Instrument)),
    "two sets of rules": ("V23", again(Instrument)),
    # money
    "money that is not finite": ("V32", one(Position, funding=D("NaN"))),
    "money without end in a map": ("V32", one(Position, fees={"USDT": D("Infinity")})),
    "money in binary": ("V32", one(Position, funding=0.5)),
    "a balance that is not finite": ("V32", lambda rows: [*rows, a_balance(wallet=D("NaN"))]),
    "a trace that is not finite": (
        "V32",
        one(SignalRow, denied, trace=(("NOTIONAL_BELOW_MIN", D("sNaN"), 1, False),)),
    ),
    # states and marks
    "a trading state of another value": ("V6", one(TradingStateRow, reason="other")),
    "a state version twice": (
        "V6",
        lambda rows: [
            *rows,
            attrs.evolve(first(rows, TradingStateRow), cause="OTHER"),
        ],
    ),
    "account events that were not counted": (
        "V13",
        lambda rows: [*rows, Mark("account_events", None, 7)],
    ),
}
