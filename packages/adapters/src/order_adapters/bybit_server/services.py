"""Services: what every part of the server shares."""

from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.config import ServerConfig
from order_adapters.bybit_server.limits import AddressLimits, RateLimits
from order_adapters.bybit_server.market.boards import Boards
from order_domain.ports.clock import Clock

Address = tuple[str, int]


@attrs.define(slots=True, eq=False)
class Services:
    """One server's state.

    Attributes:
        accounts: By API key.
        abort: Cuts the TCP connection from this address and port, without a word.
    """

    config: ServerConfig
    clock: Clock
    accounts: Mapping[str, ServerAccount]
    boards: Boards
    limits: RateLimits
    addresses: AddressLimits
    abort: Callable[[Address], None]
    _connections: int = 0

    @property
    def first(self) -> ServerAccount:
        """The account whose clock the public endpoints show."""
        return next(iter(self.accounts.values()))

    def now(self) -> datetime:
        """The exchange's time."""
        return self.first.exchange_now()

    def next_connection(self) -> int:
        """Number the next socket."""
        self._connections += 1
        return self._connections
