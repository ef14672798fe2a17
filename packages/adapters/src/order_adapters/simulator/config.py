"""SimulatorConfig: everything that makes one simulated exchange account differ from another."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import attrs

from order_domain.errors import InvalidValue
from order_domain.model.identifiers import ENVIRONMENT

_MS = timedelta(milliseconds=1)
_NONE = timedelta(0)
STARTING_BALANCES: Mapping[str, Decimal] = MappingProxyType({"USDT": Decimal(100_000)})


@attrs.frozen(slots=True, kw_only=True)
class SimulatorConfig:
    """Settings of one simulated account. Fees and trading rules come from the instruments.

    Attributes:
        seed: Of everything random: jitter, fault rates, the prefix of order and execution ids.
        environment: Part of the ids, so that a dry run never shows an id of another one.
        latency: Round trip of a request; half passes before it arrives, half before its answer or
            a report of the stream is here.
        jitter: At most this is added to each half, drawn per message; the stream stays in order.
        balances: Wallet at the start, by coin.
        hedge_mode: Perpetuals in USDT keep a long and a short position.
        queue_model: A resting order waits for the queue before it; False fills it at the first
            trade at its price.
        walk_levels: Levels assumed behind the displayed touch, each one tick worse and as large
            as the touch; 0 lets a taker have the touch and nothing else.
        price_band: Largest distance of a limit price beyond mark, as a ratio; refused 110003.
        recv_window: Oldest request taken, by its request time; refused 10002.
        rate_limit: Requests of one kind a second, spot apart from derivatives; None is no limit.
        max_open_orders: Active orders per derivatives symbol, or over all of spot.
        visibility: How far look-ups and sweeps lag behind the matching.
        answer_timeout: Silence after which the sender takes an attempt for UNKNOWN.
        history_limit: Closed orders and executions older than this are forgotten, and their client
            order ids may be used again, as at the exchange; None keeps everything.
    """

    seed: int = 0
    environment: str = "dry"
    latency: timedelta = timedelta(milliseconds=20)
    jitter: timedelta = _NONE
    balances: Mapping[str, Decimal] = STARTING_BALANCES
    hedge_mode: bool = False
    queue_model: bool = True
    walk_levels: int = 0
    price_band: Decimal = Decimal("0.1")
    recv_window: timedelta = timedelta(milliseconds=2500)
    rate_limit: int | None = 10
    max_open_orders: int = 500
    visibility: timedelta = _NONE
    answer_timeout: timedelta = timedelta(seconds=4)
    history_limit: timedelta | None = None

    def __attrs_post_init__(self) -> None:
        if self.environment not in ENVIRONMENT:
            self._refuse("environment", f"one of {', '.join(ENVIRONMENT)}")
        for name in ("latency", "jitter", "visibility"):
            if getattr(self, name) < _NONE:
                self._refuse(name, ">= 0")
        for name in ("recv_window", "answer_timeout", "history_limit"):
            if getattr(self, name) is not None and getattr(self, name) < _MS:
                self._refuse(name, ">= 1 ms")
        for name in ("walk_levels", "price_band"):
            if getattr(self, name) < 0:
                self._refuse(name, ">= 0")
        for name in ("max_open_orders", "rate_limit"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                self._refuse(name, ">= 1")
        if any(not amount.is_finite() or amount < 0 for amount in self.balances.values()):
            self._refuse("balances", "finite and >= 0")

    def _refuse(self, name: str, rule: str) -> None:
        raise InvalidValue(field=name, rule=rule, value=getattr(self, name))
