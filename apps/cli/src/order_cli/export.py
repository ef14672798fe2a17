"""`export`: committed rows as JSON lines."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from order_cli.options import DEFAULT_STORE, StoreUrl
from order_cli.wiring import reading
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow
from order_service import rows
from order_service.plain import Row, line
from order_service.stores import Store

PAGE: Final = 1000
Kind = Literal["signals", "orders", "executions", "positions", "events"]


async def export(
    kind: Kind,
    /,
    *,
    store: StoreUrl = DEFAULT_STORE,
    output: Annotated[Literal["jsonl"], Parameter(name="--format", help="One object a line.")] = (
        "jsonl"
    ),
) -> None:
    """Write committed rows to stdout, one JSON object a line.

    Decimals are text, times are UTC with Z; the fields are stable and documented. The same store
    gives the same bytes.

    Args:
        kind: What to write.
    """
    del output  # there is one format yet
    async with reading(store) as access:
        async for row in KINDS[kind](access):
            print(line(row))


async def _signals(access: Store) -> AsyncIterator[Row]:
    """Signals and the deliveries that brought nothing new, by delivery and generation."""
    found: list[tuple[int, int, Row]] = [
        (row.delivery, row.generation, rows.signal_row(row))
        async for row in access.views.stream(SignalRow)
    ]
    found += [
        (row.number, 0, rows.delivery_row(row)) async for row in access.views.stream(DeliveryRow)
    ]
    for _, _, row in sorted(found, key=lambda each: each[:2]):
        yield row


async def _orders(access: Store) -> AsyncIterator[Row]:
    async for order in access.views.stream(Order):
        yield rows.order_row(order)


async def _executions(access: Store) -> AsyncIterator[Row]:
    async for entry in access.views.stream(LedgerEntry):
        yield rows.execution_row(entry)


async def _positions(access: Store) -> AsyncIterator[Row]:
    async for position in access.views.stream(Position):
        yield rows.position_row(position)


async def _events(access: Store) -> AsyncIterator[Row]:
    number = 0
    while page := await access.outbox.events_after(number, PAGE):
        for event in page:
            yield rows.event_row(event)
        number = page[-1].number


KINDS: Final[dict[Kind, Callable[[Store], AsyncIterator[Row]]]] = {
    "signals": _signals,
    "orders": _orders,
    "executions": _executions,
    "positions": _positions,
    "events": _events,
}
