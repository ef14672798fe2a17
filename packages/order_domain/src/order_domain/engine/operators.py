"""A person's commands.

Exactly once per request id, each with a reply that names what came of it.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import attrs

from order_domain.book import PositionKey
from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide_close, decide_place, position_side_of
from order_domain.decide.person import is_sound
from order_domain.engine import contexts, states
from order_domain.engine.orders import (
    cancel_all,
    create,
    deny,
    exists_already,
    nudge,
    request_cancel,
    send_amend_if_possible,
)
from order_domain.engine.signals import has_unknown, settle
from order_domain.engine.sweeps import request_sweep
from order_domain.engine.work import Work
from order_domain.model.command import Command
from order_domain.model.enums import (
    CommandKind,
    CommandStatus,
    EventKind,
    OrderStatus,
    Origin,
    Side,
    Trading,
    Verdict,
)
from order_domain.model.identifiers import ClientOrderId, InstrumentId, StrategyId
from order_domain.model.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClosePosition,
    Flatten,
    Operator,
    PlaceOrder,
    RequestSweep,
    RetrySignal,
    SetTradingState,
)
from order_domain.model.instrument import ONE, ZERO
from order_domain.model.order import TERMINAL, Order
from order_domain.model.rows import RequestRow, SignalRow
from order_domain.model.signal import SignalIntent
from order_domain.model.steps import Need, Reply

Result = tuple[str, tuple[tuple[str, object], ...]]
MANUAL = StrategyId("MANUAL")


def on_operator(work: Work, request: Operator, asked: bool) -> Need | None:
    """Carry out a request once.

    The same request again gets the same reply, another one under its id is refused.
    """
    known = work.book.requests.get(request.request_id)
    kind = type(request).__name__
    body_hash = blake2b(repr(request).encode(), digest_size=16).hexdigest()
    if known is not None:
        same = known.body_hash == body_hash
        code, result = (known.code, known.result) if same else (Code.REQUEST_CONFLICT.value, ())
        work.effects.append(Reply(request.request_id, code, result))
        return None
    if not asked and not work.book.signals_complete:
        orders = (request.client_order_id,) if isinstance(request, AmendOrder | CancelOrder) else ()
        signals = (request.signal_id,) if isinstance(request, RetrySignal) else ()
        return Need(requests=(request.request_id,), orders=orders, signals=signals)
    code, result = _HANDLERS[type(request)](work, request)
    row = RequestRow(request.request_id, kind, body_hash, request.actor, work.now, code, result)
    work.changes.append(row)
    work.effects.append(Reply(request.request_id, code, result))
    return None


def _place(work: Work, request: PlaceOrder) -> Result:
    side = position_side_of(request, work.config)
    context = contexts.for_instrument(work, MANUAL, request.instrument_id, side, request.side)
    return _carry_out(work, decide_place(request, context, work.config))


def _carry_out(work: Work, decision: Decision) -> Result:
    ids = tuple([draft.terms.client_order_id for draft in decision.drafts])
    if exists_already(work, decision.drafts):
        return Code.ORDER_EXISTS.value, (("client_order_ids", ids),)
    if decision.verdict is not Verdict.ORDERED:
        for draft in decision.drafts:
            deny(work, draft, decision.code)
    else:
        for draft in decision.drafts:
            create(work, draft)
    return decision.code.value, (("client_order_ids", ids), ("trace", decision.trace))


def _amend(work: Work, request: AmendOrder) -> Result:
    order = work.order(request.client_order_id)
    refusal = _amend_refusal(work, request, order)
    if refusal is not None or order is None:
        return (refusal or Code.ORDER_NOT_FOUND).value, ()
    known = work.command(request.client_order_id, CommandKind.AMEND)
    command = Command(
        client_order_id=request.client_order_id,
        kind=CommandKind.AMEND,
        number=1 if known is None else known.number + 1,
        status=CommandStatus.PENDING,
        reason=Code.OPERATOR,
        created_at=work.now,
        updated_at=work.now,
        valid_until=work.now + work.config.order_execution_timeout,
        price=request.price,
        quantity=request.quantity,
        request_id=request.request_id,
    )
    work.emit(order.derive(), EventKind.AMEND_REQUESTED, code=Code.OPERATOR)
    work.put_command(command)
    send_amend_if_possible(work, work.order(request.client_order_id) or order, command)
    return Code.OK.value, (("client_order_id", request.client_order_id), ("number", command.number))


def _amend_refusal(work: Work, request: AmendOrder, order: Order | None) -> Code | None:
    if order is None:
        return Code.ORDER_NOT_FOUND
    if order.status in TERMINAL:
        return Code.ORDER_CLOSED
    if order.status in (OrderStatus.INTENT, OrderStatus.SUBMITTING, OrderStatus.UNKNOWN):
        return Code.ORDER_UNSETTLED
    for kind in (CommandKind.AMEND, CommandKind.CANCEL):
        command = work.command(request.client_order_id, kind)
        if command is not None and command.is_open:
            return Code.COMMAND_OPEN
    if not all(is_sound(value) for value in (request.price, request.quantity) if value is not None):
        return Code.VALUE_INVALID
    same_price = request.price is None or request.price == order.price
    same_quantity = request.quantity is None or request.quantity == order.quantity
    if same_price and same_quantity:
        return Code.NOTHING_TO_CHANGE
    return _amend_risk(work, request, order)


def _amend_risk(work: Work, request: AmendOrder, order: Order) -> Code | None:
    """An amend that adds quantity passes the rules as a new order of the difference would."""
    instrument = work.book.instruments.get(order.terms.instrument_id)
    if instrument is None:
        return Code.UNKNOWN_INSTRUMENT
    price = order.price if order.price is None or request.price is None else request.price
    quantity = request.quantity if request.quantity is not None else order.quantity
    if price is None:
        return Code.VALUE_INVALID
    if not instrument.is_on_tick(price):
        return Code.PRICE_OFF_TICK
    if quantity <= order.cum_quantity:
        return Code.VALUE_INVALID
    if not instrument.is_on_step(quantity):
        return Code.QUANTITY_OFF_STEP
    terms = order.terms
    proposal = PlaceOrder(
        request_id=request.request_id,
        actor=request.actor,
        instrument_id=terms.instrument_id,
        side=terms.side,
        quantity=quantity - order.cum_quantity,
        order_type=terms.order_type,
        price=price,
        time_in_force=terms.time_in_force,
        reduce_only=terms.reduce_only,
        position_side=terms.position_side,
    )
    decision = decide_place(proposal, contexts.without(work, order), work.config)
    return None if decision.verdict is Verdict.ORDERED else decision.code


def _cancel(work: Work, request: CancelOrder) -> Result:
    order = work.order(request.client_order_id)
    if order is None:
        return Code.ORDER_NOT_FOUND.value, ()
    if order.status in TERMINAL:
        return Code.ORDER_CLOSED.value, (("status", order.status.value),)
    if not request_cancel(work, order, Code.OPERATOR, request.request_id):
        return Code.COMMAND_OPEN.value, ()
    return Code.OK.value, (("client_order_id", request.client_order_id),)


def _live(work: Work, instrument_id: InstrumentId | None, *, external: bool) -> list[ClientOrderId]:
    return [
        order_id
        for key, orders in work.book.live.items()
        if instrument_id is None or key[0] == instrument_id
        for order_id, order in orders.items()
        if not order.is_terminal and (external or order.terms.origin is not Origin.EXTERNAL)
    ]


def _cancel_all(work: Work, request: CancelAll) -> Result:
    ids = _live(work, request.instrument_id, external=request.include_external)
    count = cancel_all(work, ids, Code.OPERATOR, request.request_id)
    return Code.OK.value, (("cancelled", count),)


def _close(work: Work, request: ClosePosition) -> Result:
    if not is_sound(request.part) or request.part > 1:
        return Code.VALUE_INVALID.value, (("part", request.part),)
    key = (request.instrument_id, request.position_side)
    closing = _closing_side(work, key)
    context = contexts.for_instrument(work, MANUAL, *key, closing)
    decision = decide_close(
        request.request_id, Origin.MANUAL, key, request.part, context, work.config
    )
    return _carry_out(work, decision)


def _closing_side(work: Work, key: PositionKey) -> Side:
    position = work.book.positions.get(key)
    return Side.SELL if position is not None and position.size > 0 else Side.BUY


def _flatten(work: Work, request: Flatten) -> Result:
    """Cancel everything, then close: each close waits for what it would otherwise run against."""
    live = _live(work, request.instrument_id, external=True)
    made: list[object] = []
    count = cancel_all(work, live, Code.OPERATOR, request.request_id)
    for key, position in work.book.positions.items():
        if not position.size or request.instrument_id not in (None, key[0]):
            continue
        code, result = _flatten_one(work, request, key)
        made.append((key[0], code, dict(result).get("client_order_ids", ())))
    return Code.OK.value, (("cancelled", count), ("closing", tuple(made)))


def _flatten_one(work: Work, request: Flatten, key: PositionKey) -> Result:
    closing = _closing_side(work, key)
    context = contexts.for_instrument(work, MANUAL, *key, closing)
    replaces = tuple(
        [order.terms.client_order_id for order in context.orders if order.terms.side is closing]
    )
    context.buy_leaves = context.sell_leaves = ZERO
    context.orders = ()
    name = f"{request.request_id}:{key[0]}:{key[1]}"
    decision = decide_close(name, Origin.FLATTEN, key, ONE, context, work.config)
    for draft in decision.drafts:
        draft.terms = attrs.evolve(draft.terms, replaces=replaces)
    return _carry_out(work, decision)


def _set_state(work: Work, request: SetTradingState) -> Result:
    known = work.book.states.get((request.scope, request.cause))
    lifts = known is not None and request.state.severity < known.state.severity
    if lifts and known is not None and request.version != known.version:
        return Code.VERSION_MISMATCH.value, (("version", known.version),)
    if known is None and request.state is Trading.ACTIVE:
        return Code.NOTHING_TO_CHANGE.value, ()
    row = states.put(
        work, request.scope, request.cause, request.state, request.reason, request.actor
    )
    if request.state is Trading.ACTIVE:
        nudge(work)
    return Code.OK.value, (("version", row.version), ("state", row.state.value))


def _retry(work: Work, request: RetrySignal) -> Result:
    known = work.book.signals.get(request.signal_id)
    if known is None:
        return Code.SIGNAL_NOT_FOUND.value, ()
    if not _is_retryable(work, known):
        return Code.SIGNAL_NOT_RETRYABLE.value, (("verdict", known.verdict.value),)
    if known.signal.intent is SignalIntent.OPEN and has_unknown(work, known.signal.instrument_id):
        return Code.ORDER_UNSETTLED.value, ()
    row = SignalRow(known.signal, known.generation + 1, 0, work.now, Verdict.PARKED, Code.WAITING)
    settled = settle(work, row)
    work.effects.pop()  # no delivery waits for this verdict
    return settled.code, (
        ("verdict", settled.verdict.value),
        ("client_order_ids", settled.order_ids),
    )


def _is_retryable(work: Work, row: SignalRow) -> bool:
    if row.verdict in (Verdict.DENIED, Verdict.EXPIRED):
        return True
    if row.verdict is not Verdict.ORDERED:
        return False
    orders = [work.order(order_id) for order_id in row.order_ids]
    failed = (OrderStatus.REJECTED, OrderStatus.EXPIRED)
    return all(
        order is not None and order.status in failed and not order.cum_quantity for order in orders
    )


def _sweep(work: Work, request: RequestSweep) -> Result:
    request_sweep(work, "OPERATOR")
    return Code.OK.value, (("scope", request.scope),)


_HANDLERS: Mapping[type, Callable[[Work, Any], Result]] = {
    PlaceOrder: _place,
    AmendOrder: _amend,
    CancelOrder: _cancel,
    CancelAll: _cancel_all,
    ClosePosition: _close,
    Flatten: _flatten,
    SetTradingState: _set_state,
    RetrySignal: _retry,
    RequestSweep: _sweep,
}
