"""AccountState: a simulated account as plain rows, so that it survives its process.

What was on its way is not in it: requests and messages under way are lost with the process, as
they are when a connection breaks. Markets are not in it either: the next quote shows them.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import attrs

from order_adapters.simulator.account import Account
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition
from order_adapters.simulator.records import Records
from order_adapters.simulator.stop_rows import bracket_of, bracket_row, stop_of, stop_row
from order_domain.errors import InvalidValue
from order_domain.model.enums import (
    ExecutionKind,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.execution import Execution
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    VenueOrderId,
)

Row = dict[str, Any]
"""Strings, whole numbers, booleans, None and rows of them only. Amounts and times are text."""
T = TypeVar("T")


@attrs.frozen(slots=True, kw_only=True)
class AccountState:
    """All of an account, or what changed of it; rows replace older rows of the same key.

    Attributes:
        ids: Prefix and numbers of the ids given out.
        wallets, positions: Always all of them; keys are coin, and instrument with side.
        orders: Key is `venue_order_id`, oldest first; in changes every open one is included.
        executions: Key is `exec_id`, oldest first.
    """

    ids: Row
    wallets: tuple[Row, ...]
    positions: tuple[Row, ...]
    orders: tuple[Row, ...]
    executions: tuple[Row, ...]


def state_of(account: Account, records: Records) -> AccountState:
    """Write a whole account down."""
    return _state(account, records, records.orders.values(), records.executions)


def changes_of(account: Account, records: Records) -> AccountState | None:
    """Write down what changed since the last call; None if nothing did."""
    changed = records.take_changes()
    if changed is None:
        return None
    orders = {order.venue_order_id: order for order in records.open.values()} | changed[0]
    return _state(account, records, orders.values(), changed[1])


def restore_into(account: Account, records: Records, state: AccountState) -> None:
    """Bring an account that has not started back to a stored state.

    Raises:
        InvalidValue: A row names an instrument that this exchange does not have.
    """
    records.prefix = str(state.ids["prefix"])
    records.last_order = int(state.ids["last_order"])
    records.last_execution = int(state.ids["last_execution"])
    account.wallets.clear()
    for row in state.wallets:
        account.wallet(row["coin"]).total = Decimal(row["total"])
    for row in state.positions:
        _restore_position(account, row)
    orders = [_order(account, row) for row in state.orders]
    records.restored(orders)
    for order in orders:
        if order.is_open:
            if order.waits:
                order.market.wait(order)
            else:
                order.market.rest(order)
            account.hold(order)
    for row in state.executions:
        execution = _execution(row)
        records.executions.append(execution)
        owner = records.orders.get(execution.client_order_id or execution.venue_order_id)
        if owner is not None:
            owner.executions += (execution,)


def _state(
    account: Account,
    records: Records,
    orders: Iterable[VenueOrder],
    executions: Iterable[Execution],
) -> AccountState:
    return AccountState(
        ids={
            "prefix": records.prefix,
            "last_order": records.last_order,
            "last_execution": records.last_execution,
        },
        wallets=tuple(
            {"coin": coin, "total": str(wallet.total)} for coin, wallet in account.wallets.items()
        ),
        positions=tuple(_position_row(position) for position in account.positions.values()),
        orders=tuple(_order_row(order) for order in orders),
        executions=tuple(_plain(attrs.asdict(each)) for each in executions),
    )


def _position_row(position: VenuePosition) -> Row:
    return _plain(
        {
            "instrument_id": position.instrument.id,
            "side": position.side,
            "size": position.size,
            "cost": position.cost,
            "realized": position.realized,
            "fees": position.fees,
            "funding": position.funding,
            "updated_at": position.updated_at,
        }
    )


def _order_row(order: VenueOrder) -> Row:
    last = order.newest
    return _plain(
        {
            "number": order.number,
            "instrument_id": order.market.id,
            "client_order_id": order.client_order_id,
            "venue_order_id": order.venue_order_id,
            "side": order.side,
            "order_type": order.order_type,
            "time_in_force": order.time_in_force,
            "price": order.price,
            "quantity": order.quantity,
            "reduce_only": order.reduce_only,
            "position_side": order.position_side,
            "created_at": order.created_at,
            "updated_at": order.updated_at,
            "cum": order.cum,
            "status": order.status,
            "queue": order.queue,
            "crossed": order.crossed,
            "opening": order.opening,
            "reject_reason": "" if last is None else last.reject_reason,
            "cancel_type": "" if last is None else last.cancel_type,
        }
    ) | {"stop": stop_row(order.stop), "bracket": bracket_row(order.bracket)}


def _plain(values: Mapping[str, object]) -> Row:
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, Decimal | str)
        else value
        for name, value in values.items()
    }


def _restore_position(account: Account, row: Row) -> None:
    market = account.markets.get(InstrumentId(row["instrument_id"]))
    if market is None:
        raise InvalidValue(field="instrument_id", rule="known", value=row["instrument_id"])
    position = account.position(market, PositionSide(row["side"]))
    if position is None:
        raise InvalidValue(field="instrument_id", rule="a derivative", value=market.id)
    position.size, position.cost = Decimal(row["size"]), Decimal(row["cost"])
    position.realized, position.fees = Decimal(row["realized"]), Decimal(row["fees"])
    position.funding = Decimal(row["funding"])
    position.updated_at = _maybe(datetime.fromisoformat, row["updated_at"])


def _order(account: Account, row: Row) -> VenueOrder:
    market = account.markets.get(InstrumentId(row["instrument_id"]))
    if market is None:
        raise InvalidValue(field="instrument_id", rule="known", value=row["instrument_id"])
    side, position_side = Side(row["side"]), PositionSide(row["position_side"])
    order = VenueOrder(
        row["number"],
        market,
        account.position(market, position_side),
        ClientOrderId(row["client_order_id"]),
        VenueOrderId(row["venue_order_id"]),
        side,
        OrderType(row["order_type"]),
        TimeInForce(row["time_in_force"]),
        _maybe(Decimal, row["price"]),
        Decimal(row["quantity"]),
        row["reduce_only"],
        position_side,
        datetime.fromisoformat(row["created_at"]),
        side is Side.BUY,
        cum=Decimal(row["cum"]),
        status=VenueStatus(row["status"]),
        queue=_maybe(Decimal, row["queue"]),
        crossed=row["crossed"],
        opening=Decimal(row["opening"]),
        # A row written before there were conditional orders has neither.
        stop=stop_of(row.get("stop")),
        bracket=bracket_of(row.get("bracket")),
    )
    order.report(
        datetime.fromisoformat(row["updated_at"]), row["reject_reason"], row["cancel_type"]
    )
    return order


def _execution(row: Row) -> Execution:
    return Execution(
        exec_id=ExecutionId(row["exec_id"]),
        instrument_id=InstrumentId(row["instrument_id"]),
        client_order_id=ClientOrderId(row["client_order_id"]),
        venue_order_id=VenueOrderId(row["venue_order_id"]),
        side=Side(row["side"]),
        price=Decimal(row["price"]),
        quantity=Decimal(row["quantity"]),
        fee=Decimal(row["fee"]),
        fee_coin=row["fee_coin"],
        executed_at=datetime.fromisoformat(row["executed_at"]),
        kind=ExecutionKind(row["kind"]),
        is_maker=row["is_maker"],
        position_side=PositionSide(row["position_side"]),
        sequence=row["sequence"],
    )


def _maybe(read: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else read(text)
