"""EngineConfig: every number and choice that changes a decision, in one frozen value."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import attrs

from order_domain.errors import InvalidValue
from order_domain.model.enums import TimeInForce
from order_domain.model.identifiers import ENVIRONMENT, AccountId

NO_OVERRIDES: Mapping[str, Decimal] = {}


@attrs.frozen(slots=True, kw_only=True)
class EngineConfig:
    """Settings of one engine.

    Money in quote units (USDT), quantities in base units, percents as 5 for 5 %.

    Attributes:
        environment: One of mainnet, testnet, demo, custom, dry; part of every client order id.
        hedge_mode: The account keeps long and short positions apart (read from the account, never
            switched by us).
        market_order_confidence_threshold: Confidence from which an order is a market order.
        market_order_spread_threshold: Spread in percent below which an order is a market order.
        limit_order_price_offset_ratio: Limit price = mid -/+ spread x ratio, on the passive side.
        limit_time_in_force: PostOnly (default) or GTC for limit orders of signals.
        market_slippage: Largest slippage of a market order as a ratio of price; None leaves it to
            the exchange.
        snapshot_spread_is_percent: Unit of a signal's own spread, which is only a fallback.
        close_amount_is_base: A close signal's amount is base units (True) or quote units (False).
        warmup_size_factor: Multiplies the amount of warm-up signals.
        max_single_order_size: Notional limit of one child order; above it the order is split,
            resized or denied.
        max_order_size_ratio: One child may be at most this part of max_exposure (or of available
            balance).
        order_size_ratio_of_balance: True measures the ratio against available balance.
        max_position_size: Base units per instrument; `max_position_size_by_symbol` overrides.
        max_order_quantity: Base units of a single order; None leaves the exchange's maximum.
        enable_order_size_reduction: Over a limit: resize down to the largest allowed step (True) or
            deny.
        price_collar_percent: Largest distance of an order's price from mark.
        max_orders_per_second: Refill rate and size of the token bucket of commands that add risk.
        max_daily_loss: Quote units of realised and unrealised loss since midnight UTC; None is off.
        duplicate_window: A like decision within this time is denied; None is off.
        signal_max_age, signal_future_skew, quote_max_age: Ages a decision accepts.
        order_execution_timeout: valid_until of an order, from its decision.
        retry_max_attempts, retry_base_delay, retry_max_delay, retry_multiplier: Attempts in all,
            and the waits between them, of a command the exchange definitely did not accept (rate
            limit, busy).
        adopt_existing: Consent to take over positions and open orders found at the first start on
            an account.
        cancel_stale_order_timeout: A resting order older than this is cancelled; zero is off.
        recv_window, clock_skew, visibility: Their sum is the quarantine of an unanswered create.
        lookup_delays: When look-ups of an unanswered create start, after it became unknown; the
            last repeats.
        absence_gap: Least time between two look-ups that together prove absence.
    """

    account: AccountId = AccountId("dry:default")
    environment: str = "dry"
    hedge_mode: bool = False

    market_order_confidence_threshold: Decimal = Decimal("0.9")
    market_order_spread_threshold: Decimal = Decimal("0.1")
    limit_order_price_offset_ratio: Decimal = Decimal("0.5")
    limit_time_in_force: TimeInForce = TimeInForce.POST_ONLY
    requote_post_only: bool = True
    market_slippage: Decimal | None = None
    snapshot_spread_is_percent: bool = True
    close_amount_is_base: bool = True
    warmup_size_factor: Decimal = Decimal(1)

    max_single_order_size: Decimal = Decimal(10000)
    enable_order_splitting: bool = False
    max_order_size_ratio: Decimal = Decimal("0.1")
    order_size_ratio_of_balance: bool = False
    max_exposure: Decimal = Decimal(50000)
    max_position_size: Decimal = Decimal(1)
    max_position_size_by_symbol: Mapping[str, Decimal] = NO_OVERRIDES
    max_order_quantity: Decimal | None = None
    enable_order_size_reduction: bool = True
    enable_balance_check: bool = True
    price_collar_percent: Decimal = Decimal(5)
    max_open_orders: int = 50
    max_orders_per_signal: int = 50
    max_orders_per_second: Decimal = Decimal(8)
    max_daily_loss: Decimal | None = None
    duplicate_window: timedelta | None = None
    symbol_allow_list: frozenset[str] | None = None
    strategy_allow_list: frozenset[str] | None = None
    allow_flip: bool = True
    supersede_out_of_order: bool = False

    cancel_opposite_orders_only: bool = False
    cancel_same_strategy_only: bool = False
    cancel_partially_filled: bool = False
    cancel_stale_order_timeout: timedelta = timedelta(seconds=3600)

    signal_max_age: timedelta = timedelta(seconds=300)
    signal_future_skew: timedelta = timedelta(seconds=5)
    quote_max_age: timedelta = timedelta(seconds=5)
    order_execution_timeout: timedelta = timedelta(seconds=30)
    retry_max_attempts: int = 3
    retry_base_delay: timedelta = timedelta(seconds=1)
    retry_max_delay: timedelta = timedelta(seconds=30)
    retry_multiplier: Decimal = Decimal(2)
    adopt_existing: bool = False

    position_snapshot_interval: timedelta = timedelta(seconds=300)
    position_validation_interval: timedelta = timedelta(seconds=3600)
    unrealized_loss_warning_threshold: Decimal = Decimal(10)

    recv_window: timedelta = timedelta(milliseconds=2500)
    clock_skew: timedelta = timedelta(milliseconds=250)
    visibility: timedelta = timedelta(seconds=10)
    lookup_delays: tuple[timedelta, ...] = (
        timedelta(0),
        timedelta(milliseconds=500),
        timedelta(seconds=1),
        timedelta(seconds=2),
        timedelta(seconds=4),
    )
    absence_gap: timedelta = timedelta(seconds=2)
    acked_silence: timedelta = timedelta(seconds=5)
    sweep_interval: timedelta = timedelta(seconds=30)
    watermark_overlap: timedelta = timedelta(seconds=120)
    max_parked: int = 1000
    retention: timedelta = timedelta(minutes=15)
    retention_orders: int = 50_000

    def __attrs_post_init__(self) -> None:
        if self.environment not in ENVIRONMENT:
            raise InvalidValue(
                field="environment", rule=f"one of {', '.join(ENVIRONMENT)}", value=self.environment
            )
        for name, low, high in _BOUNDS:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidValue(field=name, rule=f"{low} <= value <= {high}", value=value)
        if self.duplicate_window is not None and self.duplicate_window > self.retention:
            raise InvalidValue(
                field="duplicate_window", rule="at most retention", value=self.duplicate_window
            )
        if self.retention < self.watermark_overlap + 2 * self.sweep_interval:
            # a sweep must never bring an execution that the book has already forgotten
            rule = "at least watermark_overlap + 2 x sweep_interval"
            raise InvalidValue(field="retention", rule=rule, value=self.retention)
        if self.limit_time_in_force not in (TimeInForce.POST_ONLY, TimeInForce.GTC):
            raise InvalidValue(
                field="limit_time_in_force", rule="PostOnly or GTC", value=self.limit_time_in_force
            )

    @property
    def quarantine(self) -> timedelta:
        """After request_ts + this, an old create can no longer be born (protocol 6.1)."""
        return self.recv_window + self.clock_skew + self.visibility

    def position_limit(self, symbol: str) -> Decimal:
        """Position limit of a symbol in base units."""
        return self.max_position_size_by_symbol.get(symbol, self.max_position_size)


_HUGE = Decimal("1e15")
_TINY = Decimal("1e-12")
_WEEK = timedelta(days=7)
_MS = timedelta(milliseconds=1)
_BOUNDS: tuple[tuple[str, object, object], ...] = (
    ("market_order_confidence_threshold", Decimal(0), Decimal(1)),
    ("market_order_spread_threshold", Decimal(0), Decimal(100)),
    ("limit_order_price_offset_ratio", Decimal(0), Decimal(1)),
    ("market_slippage", Decimal(0), Decimal(1)),
    ("warmup_size_factor", Decimal(0), Decimal(1)),
    ("max_single_order_size", _TINY, _HUGE),
    ("max_order_size_ratio", _TINY, Decimal(1)),
    ("max_exposure", _TINY, _HUGE),
    ("max_position_size", _TINY, _HUGE),
    ("max_order_quantity", _TINY, _HUGE),
    ("price_collar_percent", _TINY, Decimal(100)),
    ("max_open_orders", 1, 500),
    ("max_orders_per_signal", 1, 500),
    ("max_orders_per_second", Decimal("0.01"), Decimal(1000)),
    ("max_daily_loss", _TINY, _HUGE),
    ("duplicate_window", _MS, _WEEK),
    ("cancel_stale_order_timeout", timedelta(0), _WEEK),
    ("signal_max_age", _MS, _WEEK),
    ("signal_future_skew", timedelta(0), _WEEK),
    ("quote_max_age", _MS, _WEEK),
    ("order_execution_timeout", _MS, _WEEK),
    ("retry_max_attempts", 1, 100),
    ("retry_base_delay", timedelta(0), timedelta(hours=1)),
    ("retry_max_delay", timedelta(0), timedelta(hours=1)),
    ("retry_multiplier", Decimal(1), Decimal(100)),
    ("position_snapshot_interval", _MS, _WEEK),
    ("position_validation_interval", _MS, _WEEK),
    ("unrealized_loss_warning_threshold", _TINY, Decimal(1000)),
    ("recv_window", _MS, timedelta(seconds=60)),
    ("clock_skew", timedelta(0), timedelta(seconds=60)),
    ("visibility", timedelta(0), timedelta(minutes=10)),
    ("absence_gap", _MS, timedelta(minutes=10)),
    ("acked_silence", _MS, timedelta(minutes=10)),
    ("sweep_interval", _MS, timedelta(hours=1)),
    ("watermark_overlap", timedelta(0), _WEEK),
    ("max_parked", 1, 100_000),
    ("retention", _MS, _WEEK),
    ("retention_orders", 1, 10_000_000),
)
