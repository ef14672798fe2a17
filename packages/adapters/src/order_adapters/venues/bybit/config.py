"""BybitConfig: everything that makes one Bybit account's venue differ from another's."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

import attrs

from order_adapters.venues.bybit.bodies import DISCONNECT_SECONDS
from order_adapters.venues.bybit.clock_offset import ClockLimits
from order_adapters.venues.bybit.hosts import Hosts
from order_adapters.venues.bybit.link import LinkTiming
from order_adapters.venues.bybit.signing import Credentials
from order_adapters.venues.bybit.transport import HttpTiming
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category
from order_domain.model.identifiers import InstrumentId, category_of

LEAST_PENALTY: Final = 600.0
SMP_TYPES: Final = ("", "None", "CancelMaker", "CancelTaker", "CancelBoth")


@attrs.frozen(slots=True, kw_only=True)
class Retry:
    """How often a question is asked, and how long between. Waits are jittered by a half.

    Attributes:
        attempts: In all.
        first, longest: Waits, seconds.
        factor: From one wait to the next.
    """

    attempts: int = 3
    first: float = 1.0
    longest: float = 30.0
    factor: Decimal = Decimal(2)

    def wait(self, failures: int, random: Random) -> float:
        """Seconds to wait after so many failures."""
        longest = min(self.longest, self.first * float(self.factor) ** min(failures - 1, 32))
        return longest * random.uniform(0.5, 1.0)


@attrs.frozen(slots=True, kw_only=True)
class BybitConfig:
    """Settings of the venue. Times without a unit in their type are seconds.

    Attributes:
        categories: What is read and traded; a sweep reads each of them.
        settle_coins: Of linear contracts: open orders and positions are read coin by coin.
        instruments: Whose quotes are wanted from the start; others follow when they are traded.
        hedge_mode: The account must be in this position mode; it is checked, never set.
        user_id: The account that the key must belong to; None takes any.
        allow_withdrawal: Take a key that may withdraw.
        expiry_warning: Before a key expires.
        trades_by_socket: Send orders by the order entry socket where the host has one.
        fast_executions: Listen to early fills too; they make an order known to be filled sooner.
        disconnect_window: Have the exchange cancel every order when our private stream has been
            gone for so long, where the account has that; None leaves it as it is.
        answer_within: A command on the socket without a reply for so long is unknown.
        penalty: Without any HTTP after a 403, at least 600.
        share: Part of the exchange's rate limits that is used.
        seed: Of the jitter of reconnects and retries.
        facts: Facts that may wait for the reader before the stream is given up.
    """

    hosts: Hosts
    credentials: Credentials
    categories: tuple[Category, ...] = (Category.LINEAR,)
    settle_coins: tuple[str, ...] = ("USDT", "USDC")
    instruments: tuple[InstrumentId, ...] = ()
    hedge_mode: bool = False
    user_id: int | None = None
    allow_withdrawal: bool = False
    expiry_warning: timedelta = timedelta(days=14)
    trades_by_socket: bool = True
    fast_executions: bool = False
    disconnect_window: timedelta | None = None
    recv_window: timedelta = timedelta(milliseconds=2500)
    http: HttpTiming = attrs.field(factory=HttpTiming)
    link: LinkTiming = attrs.field(factory=LinkTiming)
    answer_within: float = 4.0
    retry: Retry = attrs.field(factory=Retry)
    penalty: float = LEAST_PENALTY
    share: float = 0.8
    clock: ClockLimits = attrs.field(factory=ClockLimits)
    clock_interval: float = 60.0
    refresh_interval: float = 3600.0
    smp_type: str = ""
    facts: int = 10_000
    seed: int = 0

    def __attrs_post_init__(self) -> None:
        window = self.recv_window.total_seconds()
        strangers = {category_of(each) for each in self.instruments} - set(self.categories)
        rules = (
            ("categories", "at least one", bool(self.categories)),
            ("instruments", "of these categories", not strangers),
            ("recv_window", "above 0, at most 60 s", 0 < window <= 60),
            ("answer_within", "above recv_window", self.answer_within > window),
            ("http.whole", "above recv_window", self.http.whole > window),
            ("penalty", f"at least {LEAST_PENALTY:g} s", self.penalty >= LEAST_PENALTY),
            ("disconnect_window", "3 to 300 whole seconds", _is_window(self.disconnect_window)),
            ("share", "above 0, at most 1", 0 < self.share <= 1),
            ("retry.attempts", "at least 1", self.retry.attempts >= 1),
            ("smp_type", f"one of {SMP_TYPES}", self.smp_type in SMP_TYPES),
            ("facts", "at least 1", self.facts >= 1),
        )
        for field, rule, holds in rules:
            if not holds:
                raise InvalidValue(field=field, rule=rule, value=field)

    @property
    def recv_window_ms(self) -> int:
        """The window as the exchange is told it."""
        return self.recv_window // timedelta(milliseconds=1)


def _is_window(window: timedelta | None) -> bool:
    if window is None:
        return True
    seconds, rest = divmod(window, timedelta(seconds=1))
    return not rest and DISCONNECT_SECONDS[0] <= seconds <= DISCONNECT_SECONDS[1]
