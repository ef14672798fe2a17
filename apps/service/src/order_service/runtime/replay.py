"""Replay: drives a runtime in lockstep through a recorded market, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Protocol, TypeVar

from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.ports.clock import Clock
from order_service.runtime.outcome import RuntimeEnded
from order_service.runtime.runtime import Runtime

LONGEST_END: Final = timedelta(hours=1)
"""After the last recorded row time goes on until no end is open, but not longer than this."""
HOPS: Final = 3
"""Turns of the event loop after which what a venue gave is in the inbox; one would do."""
AT_ONCE: Final = 500
"""Deliveries between two settlements, fewer than the inbox holds."""
M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)
M_contra = TypeVar("M_contra", contravariant=True)
Delivery = SignalDelivered | DeliveryInvalid


class MovableClock(Clock, Protocol):
    """A clock whose time is moved by the driver."""

    def advance_to(self, moment: datetime) -> None: ...


class DrivenVenue(Protocol[M_contra]):
    """A simulated exchange behind a venue, as a driver moves it."""

    @property
    def next_due(self) -> datetime | None: ...
    def feed(self, news: M_contra) -> None: ...
    def pump(self, now: datetime) -> int: ...


class Recorded(Protocol[M_co]):
    """A recorded market and its deliveries."""

    @property
    def is_over(self) -> bool: ...
    @property
    def is_market_over(self) -> bool: ...
    def next_moment(self, *others: datetime | None, deliveries: bool) -> datetime | None: ...
    def market(self, until: datetime) -> Iterator[M_co]: ...
    def deliveries(self, until: datetime) -> Iterator[Delivery]: ...


async def drive(
    runtime: Runtime,
    venue: DrivenVenue[M],
    clock: MovableClock,
    recorded: Recorded[M],
    pace: Callable[[datetime], Awaitable[None]] | None = None,
) -> None:
    """Start a runtime in lockstep and take it through all that is recorded, and its open ends.

    Virtual time moves only when the runtime is idle. At one instant: the market, then answers and
    reports, then Tick, then deliveries in file order.

    Args:
        runtime: Made with `lockstep`; not started yet. It is left running.
        venue: The same that the runtime was made with.
        clock: The same that runtime and venue were made with.
        recorded: What happens.
        pace: Called with each instant before time moves to it, for a replay that takes its time.

    Raises:
        LeaseHeld, WrongMode: As `Runtime.start` does.
        RuntimeEnded: It ended on the way, or was never ready for the deliveries.
    """
    starting = asyncio.create_task(runtime.start())
    try:
        await _begun(runtime, starting)
        last = clock.now()
        while not (recorded.is_over and _is_at_rest(runtime, venue)):
            moment = _next_moment(runtime, venue, recorded)
            if not recorded.is_market_over:
                last = moment
            if moment > last + LONGEST_END:
                break
            if pace is not None:
                await pace(moment)
            await _instant(runtime, venue, clock, recorded, moment)
        if not recorded.is_over:
            raise RuntimeEnded(reason="never ready for the deliveries")
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


async def _begun(runtime: Runtime, starting: asyncio.Task[None]) -> None:
    """Return when the runtime waits for the exchange. Raises what keeps it from starting."""
    settling = asyncio.create_task(runtime.settle())
    try:
        await asyncio.wait({settling, starting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
        await settling
    finally:
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)


def _is_at_rest(runtime: Runtime, venue: DrivenVenue[M]) -> bool:
    return runtime.is_ready and venue.next_due is None and not runtime.has_open_ends


def _next_moment(runtime: Runtime, venue: DrivenVenue[M], recorded: Recorded[M]) -> datetime:
    dues = (venue.next_due, runtime.next_due)
    moment = recorded.next_moment(*dues, deliveries=runtime.is_ready)
    if moment is None:
        raise RuntimeEnded(reason="nothing would ever happen again")
    return moment


async def _instant(
    runtime: Runtime,
    venue: DrivenVenue[M],
    clock: MovableClock,
    recorded: Recorded[M],
    moment: datetime,
) -> None:
    clock.advance_to(max(moment, clock.now()))
    now = clock.now()
    for row in recorded.market(now):
        venue.feed(row)
    venue.pump(now)
    for _ in range(HOPS):
        await asyncio.sleep(0)
    if runtime.ended is not None or not runtime.is_idle:
        await runtime.settle()
    while runtime.is_ready and (some := list(islice(recorded.deliveries(now), AT_ONCE))):
        for delivery in some:
            await runtime.deliver(delivery)
        await runtime.settle()
