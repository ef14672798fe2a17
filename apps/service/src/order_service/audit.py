"""Audit: everything that must hold of a store, checked over all of its rows."""

from collections.abc import AsyncIterator
from typing import Any, Final, Protocol, runtime_checkable

from order_adapters.intake.signal_json import parse_signal
from order_domain.invariants import ORDER, Audit, Broken, Report
from order_domain.ports.outbox import NumberedEvent, Outbox
from order_service.stores import Store

PAGE: Final = 1_000


class Damage(Protocol):
    """A row that is not as it was written."""

    @property
    def table(self) -> str: ...
    @property
    def row(self) -> int: ...
    @property
    def problem(self) -> str: ...


@runtime_checkable
class Sealed(Protocol):
    """A store that can tell whether somebody else changed its rows."""

    async def damage(self) -> list[Any]: ...


async def audit_store(
    store: Store, *, account: str, environment: str, contiguous: bool = True
) -> Report:
    """Rebuild orders, positions and sequences from ledger and events and compare; check the rest.

    Args:
        account: The account of the rows; part of every order id.
        environment: Likewise.
        contiguous: Deliveries are numbered 1..n without a gap, so a missing one is noticed.
    """
    audit = Audit(
        account=account,
        environment=environment,
        contiguous=contiguous,
        read_body=parse_signal,
    )
    row: Any
    for row_type in ORDER:
        if row_type is NumberedEvent:
            async for event in _events(store.outbox):
                audit.take(event)
        else:
            async for row in store.views.stream(row_type):
                audit.take(row)
    return audit.report() + await _damage(store)


async def _events(outbox: Outbox) -> AsyncIterator[NumberedEvent]:
    number = 0
    while page := await outbox.events_after(number, PAGE):
        for event in page:
            yield event
        number = page[-1].number


async def _damage(store: Store) -> Report:
    if not isinstance(store, Sealed):
        return Report(0, ())
    found: list[Damage] = await store.damage()
    broken = tuple(
        Broken("STORE", f"{each.table} {each.row}", "as it was written", "", each.problem)
        for each in found
    )
    return Report(1, broken)
