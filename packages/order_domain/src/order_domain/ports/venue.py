"""Venue: where orders go and facts come from."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import attrs

from order_domain.model.execution import Execution
from order_domain.model.inputs import ClockOffset, StreamState, TransportState
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult, WalletReport
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate, Sweep

Fact = (
    OrderReport
    | Execution
    | WalletReport
    | Quote
    | Instrument
    | StreamState
    | TransportState
    | ClockOffset
)


@attrs.frozen(slots=True)
class Allowance:
    """One limit of the exchange, as far as we use it.

    Attributes:
        name: What it binds.
        limit: Requests in any window of it.
        left: Requests that may leave now, by priority.
    """

    name: str
    limit: int
    left: Mapping[str, int]


@attrs.frozen(slots=True)
class Rates:
    """What the limits of the exchange leave us now.

    Attributes:
        waiting: Requests that wait for their turn, by priority.
        stopped_s: For so long no HTTP request leaves, because the exchange banned us.
    """

    allowances: Sequence[Allowance]
    waiting: Mapping[str, int]
    stopped_s: float


class Venue(Protocol):
    """An exchange account.

    `send` makes at most one attempt and never raises for what the network or exchange did: the
    answer says what is known (REFUSED only for listed codes, NOT_SENT only when no byte left,
    UNKNOWN for everything else).
    """

    async def open(self) -> None:
        """Connect; `facts` begins to yield."""
        ...

    async def close(self) -> None:
        """Disconnect; `facts` ends."""
        ...

    async def send(self, command: SendCreate | SendAmend | SendCancel) -> Answer:
        """Make one attempt of a command and return what is known of it."""
        ...

    async def look_up(self, query: LookUp) -> LookupResult:
        """Ask realtime, history and executions for one client order id."""
        ...

    async def sweep(self, query: Sweep) -> SweepResult:
        """Read open orders, executions, positions and wallet completely."""
        ...

    async def instruments(self) -> tuple[Instrument, ...]:
        """Read trading rules and fee rates."""
        ...

    def facts(self) -> AsyncIterator[Fact]:
        """Yield what the exchange pushes, in the order it arrives."""
        ...
