"""Journal: the ordered, fenced, atomic writing of what the engine decided (protocol part 2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import attrs

from order_domain.errors import OrderManagerError
from order_domain.model.rows import Change, TradingStateRow
from order_domain.model.steps import Need


class LeaseHeld(OrderManagerError):
    """Another owner holds the account. Details: `account`, `owner`, `url`, `expires_at`."""

    code = "LEASE_HELD"


class StoreUnavailable(OrderManagerError):
    """The store did not answer.

    Whether a flush was committed is unknown: run the same flush again.
    """

    code = "STORE_UNAVAILABLE"


class ChangeRefused(OrderManagerError):
    """The store refused a row for its content.

    The book must be rebuilt. Details: `table`, `reason`.
    """

    code = "CHANGE_REFUSED"


class WrongMode(OrderManagerError):
    """The store holds rows of the other mode or of another account. Details: `account`, `found`."""

    code = "WRONG_MODE"


class WrongSchema(OrderManagerError):
    """Another version of this program made the store. Details: `store`, `found`, `expected`."""

    code = "WRONG_SCHEMA"


class StateChanged(OrderManagerError):
    """A trading state is not the one that was to be replaced. Details: `expected`, `found`."""

    code = "STATE_CHANGED"


class FlushOutcome(StrEnum):
    """What a flush proved."""

    COMMITTED = "committed"
    ALREADY = "already"
    LEASE_LOST = "lease_lost"
    COMMITS_LOST = "commits_lost"


@attrs.define(slots=True)
class Head:
    """The one row per account that orders and fences every flush.

    Attributes:
        owner, url: Who has the account, and where he answers; empty once he gave it back.
        flush_no: Number of the last committed flush.
        event_no: Number of the last event, gapless.
        states_version: Version of the trading states; rises whenever anybody changes one.
    """

    account: str
    owner: str
    url: str
    epoch: int
    expires_at: datetime
    flush_no: int
    event_no: int
    states_version: int

    @property
    def is_given_back(self) -> bool:
        """Whether the last owner left on purpose: one that died is still named."""
        return bool(self.epoch) and not self.owner


@attrs.define(slots=True)
class Flushed:
    """The answer to a flush: its outcome, and the head as it stands."""

    outcome: FlushOutcome
    head: Head


class Journal(Protocol):
    """Write side of a store. One owner at a time; every flush is one transaction."""

    async def acquire(self, *, account: str, owner: str, url: str, ttl: timedelta) -> Head:
        """Take the lease with a new epoch; an owner may do so again while it has it.

        Raises LeaseHeld while another owner's lease runs, WrongMode.
        """
        ...

    async def load(self, since: datetime) -> Sequence[Change]:
        """Read the rows a book needs: open ones, and those closed or decided at or after `since`.

        In an order `apply` can take: every Instrument, Balance, TradingStateRow, Mark and Position;
        SignalRows (decided ones in the order of their decision, those of the orders below and the
        newest of each strategy and instrument among them; then parked ones by delivery); Orders by
        first commit, live or closed since; their Commands and every open one; their LedgerEntries
        and the newest of all; RequestRows since.
        """
        ...

    async def flush(self, flush_no: int, changes: Sequence[Change]) -> Flushed:
        """Write the changes in one transaction as flush `flush_no`, the last one + 1.

        Safe to repeat with the same arguments. Events get the next numbers. Later versions of a row
        replace earlier ones. Raises StoreUnavailable (outcome unknown) or ChangeRefused (rolled
        back).
        """
        ...

    async def read(self, need: Need) -> Sequence[Change]:
        """Read the rows a step asked for, in one query per table, in an order `apply` can take.

        Orders come with their commands and ledger entries. Entries of an order that was asked for
        and is in no row (a stranger's, so far) come without it.
        """
        ...

    async def set_trading_state(self, row: TradingStateRow, *, replaces: int | None = None) -> Head:
        """Write a trading state row without owning the lease (protocol part 4).

        The store gives it the next version. A flush of the owner that has not seen it does not
        write over it.

        Args:
            replaces: The version of the row of this scope and cause that is replaced; None: any.

        Raises:
            StateChanged: Another version stands there now; nothing was written.
        """
        ...

    async def trading_states(self) -> tuple[int, Sequence[TradingStateRow]]:
        """Read the version and all trading state rows."""
        ...

    async def look(self) -> Head:
        """Read the head row without owning the lease: who has it, and how far they have come."""
        ...

    async def release(self) -> None:
        """Give the lease back at once, so that the next owner need not wait.

        The head row names no owner then: who left on purpose is told apart from who died.
        """
        ...
