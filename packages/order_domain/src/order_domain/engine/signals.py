"""Deliveries: every signal ends in exactly one verdict (protocol part 3)."""

from datetime import datetime
from typing import Final

from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide, position_side_for
from order_domain.engine import contexts
from order_domain.engine.orders import cancel_all, create, deny, exists_already
from order_domain.engine.states import has_lost_rows
from order_domain.engine.work import Work
from order_domain.model.enums import EventKind, Trading, Verdict
from order_domain.model.identifiers import ClientOrderId, InstrumentId, client_order_id
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.model.signal import SignalIntent, TradingSignal
from order_domain.model.steps import Acknowledge, Need
from order_domain.risk.child_size import MOST_LEGS

# Members looked up once: on an enum class each look-up costs as much as an addition.
_CODE_DUPLICATE: Final = Code.DUPLICATE
_ID_CONFLICT: Final = Code.ID_CONFLICT
_NEW_SIGNAL: Final = Code.NEW_SIGNAL
_ORDER_EXISTS: Final = Code.ORDER_EXISTS
_PARK_EXPIRED: Final = Code.PARK_EXPIRED
_PARK_FULL: Final = Code.PARK_FULL
_SUPERSEDED: Final = Code.SUPERSEDED
_WAITING: Final = Code.WAITING
_SIGNAL_CONFLICT: Final = EventKind.SIGNAL_CONFLICT
_SIGNAL_DENIED: Final = EventKind.SIGNAL_DENIED
_SIGNAL_INVALID: Final = EventKind.SIGNAL_INVALID
_SIGNAL_PARKED: Final = EventKind.SIGNAL_PARKED
_CLOSE: Final = SignalIntent.CLOSE
_ACTIVE: Final = Trading.ACTIVE
_DENIED: Final = Verdict.DENIED
_EXPIRED: Final = Verdict.EXPIRED
_INVALID: Final = Verdict.INVALID
_ORDERED: Final = Verdict.ORDERED
_PARKED: Final = Verdict.PARKED
_VERDICT_DUPLICATE: Final = Verdict.DUPLICATE

_EXITS: Final = (Code.OK, Code.NOTHING_TO_CLOSE)
"""Of a close: it goes on its way, or there is nothing (more) to close."""
_VALUE_MAX = 200
_BODY_MAX = 65_536


def on_signal(work: Work, delivered: SignalDelivered, asked: bool) -> Need | None:
    """Decide a new signal; do nothing new for one that is known."""
    signal = delivered.signal
    known = work.book.signals.get(signal.signal_id)
    if known is not None:
        _repeat(work, delivered, known.signal.body_hash, known.delivery)
        return None
    if signal.signal_id in work.book.seen:
        _repeat(work, delivered, work.book.seen[signal.signal_id], 0)
        return None
    if not asked and not work.book.signals_complete:
        return Need(signals=(signal.signal_id,), orders=_may_exist(work, signal))
    row = SignalRow(signal, 0, delivered.number, work.now, _PARKED, _WAITING)
    if must_park(work, signal):
        _park(work, row)
    else:
        settle(work, row)
    return None


def _may_exist(work: Work, signal: TradingSignal) -> tuple[ClientOrderId, ...]:
    """Ids of the orders of a signal that may have been decided before commits were lost."""
    if not has_lost_rows(work):
        return ()
    config = work.config
    most = config.max_orders_per_signal if config.enable_order_splitting else 1
    kind = (config.environment, config.account, signal.strategy_id, signal.signal_id)
    legs = [*range(1, most + 1), *range(MOST_LEGS + 1, MOST_LEGS + most + 1)]
    return tuple([client_order_id(*kind, leg, 0) for leg in legs])


def _repeat(work: Work, delivered: SignalDelivered, body_hash: str, first: int) -> None:
    signal, number = delivered.signal, delivered.number
    if body_hash == signal.body_hash:
        row = DeliveryRow(number, work.now, _VERDICT_DUPLICATE, _CODE_DUPLICATE, signal.signal_id)
    else:
        row = DeliveryRow(
            number,
            work.now,
            _INVALID,
            _ID_CONFLICT,
            signal.signal_id,
            body=signal.body[:_BODY_MAX],
        )
        detail = (("signal_id", signal.signal_id), ("first_delivery", first))
        work.tell(_SIGNAL_CONFLICT, f"delivery:{number}", code=_ID_CONFLICT, detail=detail)
    work.changes.append(row)
    work.effects.append(Acknowledge(number, row.verdict, row.code))


def on_invalid(work: Work, delivered: DeliveryInvalid, _asked: bool) -> None:
    """Keep what is no signal, with its reason."""
    row = DeliveryRow(
        delivered.number,
        work.now,
        _INVALID,
        delivered.code,
        delivered.signal_id,
        delivered.field,
        delivered.rule,
        delivered.value[:_VALUE_MAX],
        delivered.body[:_BODY_MAX],
    )
    work.changes.append(row)
    detail = (("field", row.field), ("rule", row.rule), ("value", row.value))
    work.tell(_SIGNAL_INVALID, f"delivery:{row.number}", code=row.code, detail=detail)
    work.effects.append(Acknowledge(row.number, _INVALID, row.code))


def must_park(work: Work, signal: TradingSignal, *, queued: bool = False) -> bool:
    """Tell whether an opening signal must wait for a fact.

    Barrier, missing quote, unknown order, a queue before it.

    Closes never wait, and what is too old or too early is decided at once. `queued` is for the head
    of the queue.
    """
    if signal.intent is _CLOSE:
        return False
    book = work.book
    age = work.now - signal.timestamp
    if age > work.config.signal_max_age or -age > work.config.signal_future_skew:
        return False
    if signal.instrument_id not in book.instruments:
        return False
    if not queued and signal.instrument_id in book.parked:
        return True
    if work.watch.barrier and not _restricted(work, signal):
        return True
    quote = book.quotes.get(signal.instrument_id)
    if quote is None or work.now - quote.at > work.config.quote_max_age:
        return True
    return has_unknown(work, signal.instrument_id) if book.unknown else False


def has_unknown(work: Work, instrument_id: InstrumentId) -> bool:
    """Tell whether an order of an instrument may or may not be at the exchange (protocol 6.2)."""
    book = work.book
    return any(
        book.orders[order_id].terms.instrument_id == instrument_id for order_id in book.unknown
    )


def _restricted(work: Work, signal: TradingSignal) -> bool:
    """A person's restriction denies at once; waiting for the stream would not change it."""
    state, cause = work.book.trading(signal.strategy_id, signal.instrument_id)
    return state is not _ACTIVE and not cause.endswith("/STREAM")


def _park(work: Work, row: SignalRow) -> None:
    signal = row.signal
    if len(work.book.parked.get(signal.instrument_id, ())) >= work.config.max_parked:
        row.verdict, row.code, row.decided_at = _DENIED, _PARK_FULL, work.now
        end_without_order(work, row)
        return
    row.deadline = signal.timestamp + work.config.signal_max_age
    work.changes.append(row)
    work.tell(_SIGNAL_PARKED, f"signal:{signal.signal_id}:{row.generation}", code=_WAITING)
    work.effects.append(Acknowledge(row.delivery, _PARKED, _WAITING))


def end_without_order(work: Work, row: SignalRow) -> None:
    """Record a verdict that no decision was made for."""
    work.changes.append(row)
    detail = (("signal_id", row.signal.signal_id), ("verdict", row.verdict.value))
    subject = f"verdict:{row.signal.signal_id}:{row.generation}"
    work.tell(_SIGNAL_DENIED, subject, code=row.code, detail=detail)
    work.effects.append(Acknowledge(row.delivery, row.verdict, row.code))


def wake(work: Work, row: SignalRow, deadline: datetime) -> bool:
    """Decide the oldest parked signal of an instrument, or end it when its time is over.

    False while it must wait.
    """
    if work.now >= deadline:
        ended = SignalRow(
            row.signal,
            row.generation,
            row.delivery,
            row.received_at,
            _EXPIRED,
            _PARK_EXPIRED,
            work.now,
        )
        end_without_order(work, ended)
        return True
    if must_park(work, row.signal, queued=True):
        return False
    settle(
        work,
        SignalRow(row.signal, row.generation, row.delivery, row.received_at, _PARKED, _WAITING),
    )
    return True


def settle(work: Work, row: SignalRow) -> SignalRow:
    """Decide a signal and stage everything its verdict brings.

    `row` is fresh and not yet staged.
    """
    signal = row.signal
    side = position_side_for(signal, work.config)
    context = contexts.for_instrument(
        work, signal.strategy_id, signal.instrument_id, side, signal.side
    )
    decision = decide(signal, context, work.config, row.generation)
    if exists_already(work, decision.drafts):
        row.verdict, row.code, row.decided_at = _DENIED, _ORDER_EXISTS, work.now
        end_without_order(work, row)
        return row
    row.verdict, row.code, row.trace = decision.verdict, decision.code, decision.trace
    row.decided_at, row.quote = work.now, context.quote
    row.order_ids = tuple([draft.terms.client_order_id for draft in decision.drafts])
    work.changes.append(row)
    _carry_out(work, decision)
    if signal.intent is _CLOSE and work.book.parked and row.code in _EXITS:
        _supersede(work, signal)
    work.effects.append(Acknowledge(row.delivery, row.verdict, row.code))
    return row


def _carry_out(work: Work, decision: Decision) -> None:
    if decision.verdict is not _ORDERED:
        for draft in decision.drafts:
            deny(work, draft, decision.code)
        return
    if decision.cancels:
        cancel_all(work, decision.cancels, _NEW_SIGNAL)
    for draft in decision.drafts:
        create(work, draft)


def _supersede(work: Work, signal: TradingSignal) -> None:
    """A close ends the parked openings of its strategy and instrument."""
    for parked in work.book.parked.get(signal.instrument_id, {}).values():
        if (
            parked.signal.strategy_id != signal.strategy_id
            or parked.signal.signal_id == signal.signal_id
        ):
            continue
        end_without_order(
            work,
            SignalRow(
                parked.signal,
                parked.generation,
                parked.delivery,
                parked.received_at,
                _DENIED,
                _SUPERSEDED,
                work.now,
            ),
        )
