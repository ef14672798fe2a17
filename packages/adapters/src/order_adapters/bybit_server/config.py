"""ServerConfig: everything that makes one simulated Bybit differ from another."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import attrs

from order_adapters.bybit_server.catalogue import INSTRUMENTS
from order_adapters.simulator import FaultScript, SimulatorConfig
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category
from order_domain.model.instrument import Instrument

BALANCES: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "USDT": Decimal(100_000),
        "USDC": Decimal(10_000),
        "BTC": Decimal(1),
        "ETH": Decimal(10),
    }
)
_NONE: Final = timedelta(0)


@attrs.frozen(slots=True, kw_only=True)
class AccountConfig:
    """One account and its only key.

    Attributes:
        secret: Of the HMAC signatures; never shown in a representation.
        balances: Wallet at the start, by coin.
        hedged: Linear USDT perpetuals keep a long and a short position.
        categories: What the key may trade.
        read_only: Every write is refused with 10005.
        may_withdraw: The key's permissions say so; nothing can be withdrawn here.
        has_protection: Disconnection protection may be set; the exchange gives it to few.
    """

    api_key: str = "SIMULATORKEY000001"
    secret: str = attrs.field(default="SIMULATORSECRET000000000000000000001", repr=False)
    user_id: int = 1_000_001
    balances: Mapping[str, Decimal] = BALANCES
    hedged: bool = False
    categories: tuple[Category, ...] = tuple(Category)
    read_only: bool = False
    may_withdraw: bool = False
    has_protection: bool = False

    def __attrs_post_init__(self) -> None:
        for name in ("api_key", "secret"):
            text = getattr(self, name)
            if not text or not text.isascii() or not text.isprintable() or " " in text:
                raise InvalidValue(field=name, rule="printable ASCII without spaces", value="")


@attrs.frozen(slots=True, kw_only=True)
class ServerConfig:
    """Settings of the server.

    Attributes:
        port: 0 takes a free one.
        latency: Round trip of an order inside the exchange, and the delay of acknowledgements on
            sockets; known clients lose what comes back before they have noted their request.
        faults: What goes wrong, for each account anew; None for nothing.
        admin: Serve `/admin`, to callers on this machine.
        uid_limits: Refuse more requests a second than an account may make (10006).
        ip_limit: HTTP requests in five seconds of one address before it is banned; None for any.
        truncates: Cut a derivative's quantity down to its step, as the exchange is thought to do;
            False refuses it.
        price_band: Largest distance of a limit price beyond mark, as a ratio.
        answer_timeout: When a connection is cut whose answer a fault has eaten.
        queue_size: Messages that may wait for a slow reader before it is cut off.
        history: Closed orders and executions older than this are forgotten.
    """

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    accounts: tuple[AccountConfig, ...] = (AccountConfig(),)
    instruments: tuple[Instrument, ...] = INSTRUMENTS
    latency: timedelta = timedelta(milliseconds=20)
    jitter: timedelta = _NONE
    faults: FaultScript | None = None
    admin: bool = False
    uid_limits: bool = True
    ip_limit: int | None = 600
    truncates: bool = True
    walk_levels: int = 10
    price_band: Decimal = Decimal("0.1")
    visibility: timedelta = _NONE
    answer_timeout: timedelta = timedelta(seconds=10)
    queue_size: int = 1000
    history: timedelta = timedelta(days=7)

    def __attrs_post_init__(self) -> None:
        if not self.accounts:
            raise InvalidValue(field="accounts", rule="at least one", value="")
        for name in ("api_key", "user_id"):
            values = [getattr(account, name) for account in self.accounts]
            if len(set(values)) != len(values):
                raise InvalidValue(field=name, rule="another for each account", value=values)

    @property
    def script(self) -> FaultScript | None:
        """The faults of an account; an empty script where faults may be injected later."""
        return FaultScript() if self.faults is None and self.admin else self.faults

    def simulator(self, account: AccountConfig, recv_window: timedelta) -> SimulatorConfig:
        """Return what the matching core of one account needs."""
        return SimulatorConfig(
            seed=self.seed * 1000 + self.accounts.index(account),
            environment="custom",
            latency=self.latency,
            jitter=self.jitter,
            balances=account.balances,
            hedge_mode=account.hedged,
            walk_levels=self.walk_levels,
            price_band=self.price_band,
            recv_window=recv_window,
            rate_limit=None,
            visibility=self.visibility,
            answer_timeout=self.answer_timeout,
            history_limit=self.history,
        )
