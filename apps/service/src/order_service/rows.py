"""Rows: what leaves us of each committed row, by the stable names of the formats page."""

from order_domain.model.balance import Balance
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import category_of, event_id_text, symbol_of
from order_domain.model.order import Order
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent
from order_service.plain import Row, plain


def _row(**fields: object) -> Row:
    return {name: plain(value) for name, value in fields.items()}


def order_row(order: Order) -> Row:
    """One order as it stands."""
    terms = order.terms
    return _row(
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        signal_id=terms.signal_id,
        strategy_id=terms.strategy_id,
        trace_id=terms.trace_id,
        origin=terms.origin,
        category=category_of(terms.instrument_id),
        symbol=symbol_of(terms.instrument_id),
        side=terms.side,
        position_side=terms.position_side,
        order_type=terms.order_type,
        time_in_force=terms.time_in_force,
        reduce_only=terms.reduce_only,
        price=order.price,
        requested_quantity=terms.requested_quantity,
        quantity=order.quantity,
        filled_quantity=order.cum_quantity,
        filled_value=order.cum_value,
        average_price=order.average_price,
        fees=order.fees,
        status=order.status,
        code=order.code,
        text=order.text,
        cancel_reason=order.cancel_reason,
        ended_by=order.ended_by,
        leg=terms.leg,
        legs=terms.legs,
        generation=terms.generation,
        requote_of=terms.requote_of,
        replaces=terms.replaces,
        attempt=order.attempt,
        sequence=order.version,
        created_at=terms.created_at,
        valid_until=terms.valid_until,
        updated_at=order.updated_at,
        executed_at=order.executed_at,
        closed_at=order.closed_at,
    )


def execution_row(entry: LedgerEntry) -> Row:
    """One entry of the ledger."""
    execution = entry.execution
    return _row(
        number=entry.number,
        exec_id=execution.exec_id,
        client_order_id=execution.client_order_id,
        venue_order_id=execution.venue_order_id,
        strategy_id=entry.strategy_id,
        category=category_of(execution.instrument_id),
        symbol=symbol_of(execution.instrument_id),
        side=execution.side,
        position_side=execution.position_side,
        kind=execution.kind,
        price=execution.price,
        quantity=execution.quantity,
        fee=execution.fee,
        fee_coin=execution.fee_coin,
        is_maker=execution.is_maker,
        realized_pnl=entry.realized_pnl,
        executed_at=execution.executed_at,
        booked_at=entry.booked_at,
    )


def position_row(position: Position) -> Row:
    """One position; size is signed, negative when short."""
    return _row(
        category=category_of(position.instrument_id),
        symbol=symbol_of(position.instrument_id),
        position_side=position.position_side,
        size=position.size,
        average_price=position.average_price,
        entry_value=position.entry_value,
        realized_pnl=position.realized_pnl,
        fees=position.fees,
        funding=position.funding,
        sequence=position.version,
        opened_at=position.opened_at,
        updated_at=position.updated_at,
    )


def event_row(numbered: NumberedEvent) -> Row:
    """One event, with the order or the execution it is about."""
    event = numbered.event
    order, ledger = event.order, event.ledger
    return _row(
        number=numbered.number,
        event_id=event_id_text(event.subject, event.sequence),
        kind=event.kind,
        at=event.at,
        subject=event.subject,
        sequence=event.sequence,
        client_order_id=None if order is None else order.client_order_id,
        signal_id=None if order is None else order.terms.signal_id,
        symbol=None if order is None else symbol_of(order.terms.instrument_id),
        side=None if order is None else order.terms.side,
        status=None if order is None else order.status,
        quantity=None if order is None else order.quantity,
        filled_quantity=None if order is None else order.cum_quantity,
        exec_id=None if ledger is None else ledger.execution.exec_id,
        code=event.code,
        text=event.text,
        detail=dict(event.detail),
    )


def signal_row(row: SignalRow) -> Row:
    """A signal and its verdict."""
    signal = row.signal
    return _row(
        delivery=row.delivery,
        verdict=row.verdict,
        code=row.code,
        signal_id=signal.signal_id,
        generation=row.generation,
        strategy_id=signal.strategy_id,
        trace_id=signal.trace_id,
        category=category_of(signal.instrument_id),
        symbol=symbol_of(signal.instrument_id),
        side=signal.side,
        intent=signal.intent,
        amount=signal.amount,
        confidence=signal.confidence,
        timestamp=signal.timestamp,
        received_at=row.received_at,
        decided_at=row.decided_at,
        order_ids=row.order_ids,
        field="",
        rule="",
        value="",
    )


def delivery_row(row: DeliveryRow) -> Row:
    """A delivery that brought nothing new: a duplicate, a conflict or an invalid body."""
    nothing = (
        "generation",
        "strategy_id",
        "trace_id",
        "category",
        "symbol",
        "side",
        "intent",
        "amount",
        "confidence",
        "timestamp",
    )
    return _row(
        delivery=row.number,
        verdict=row.verdict,
        code=row.code,
        signal_id=row.signal_id,
        **dict.fromkeys(nothing),
        received_at=row.at,
        decided_at=row.at,
        order_ids=(),
        field=row.field,
        rule=row.rule,
        value=row.value,
    )


def snapshot_row(snapshot: PositionSnapshot) -> Row:
    """A position at one moment."""
    return _row(
        category=category_of(snapshot.instrument_id),
        symbol=symbol_of(snapshot.instrument_id),
        position_side=snapshot.position_side,
        at=snapshot.at,
        size=snapshot.size,
        entry_value=snapshot.entry_value,
        realized_pnl=snapshot.realized_pnl,
        unrealized_pnl=snapshot.unrealized_pnl,
        mark=snapshot.mark,
    )


def balance_row(balance: Balance) -> Row:
    """What the exchange's wallet said of one coin."""
    return _row(
        coin=balance.coin,
        wallet=balance.wallet,
        available=balance.available,
        equity=balance.equity,
        as_of=balance.as_of,
    )


def trading_state_row(row: TradingStateRow) -> Row:
    """One cause of restriction in one scope."""
    return _row(
        scope=row.scope,
        cause=row.cause,
        state=row.state,
        version=row.version,
        reason=row.reason,
        actor=row.actor,
        at=row.at,
    )
