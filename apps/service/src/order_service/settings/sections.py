"""Sections of the `ORDERMANAGER_*` variables, in the order of the user's page.

A field's name is the variable without its prefix. Its docstring is what `env.example` and the
reference say, with the unit.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from order_domain.model.enums import TimeInForce
from order_service.settings.values import (
    BySymbol,
    Delays,
    LimitBySymbol,
    Names,
    Number,
    Seconds,
)

ZERO = timedelta(0)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)
HUGE = Decimal("1e15")
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,40}$")]
QueueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,200}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@]+(/[^\s]*)?$", max_length=500)]
Money = Annotated[Number, Field(gt=Decimal(0), le=HUGE)]


class Section(BaseModel):
    """What every section shares."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )


class Service(Section):
    """Order Manager Service Configuration"""  # noqa: D415 -- a heading

    port: int = Field(4600, ge=0, le=65535)
    """TCP port of the HTTP service; 0 takes a free one and tells it."""
    api_key: SecretStr | None = None
    """Key that every `/api` request carries in X-API-Key. Unset: a dry run makes its own."""
    api_keys_file: str | None = None
    """File of further keys, one JSON object a line, each with its scopes; read again when it
    changes."""
    api_rate: Number = Field(Decimal(50), gt=Decimal(0), le=Decimal(10_000))
    """Requests per second that one key may make; twice as many at once."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """Least severity that is logged."""
    otlp_endpoint: Url | None = None
    """Collector that traces go to by OTLP over HTTP, for example http://127.0.0.1:4318. Unset: no
    traces are made. Needs the extra `order-service[otel]`."""
    service_name: Name = "order-manager"
    """Name of this service in logs, health and towards its neighbours."""
    event_loop: Literal["auto", "asyncio", "uvloop"] = "auto"
    """What runs the service's tasks: auto takes uvloop where it is installed, for less CPU."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    account: Name = "default"
    """Name of the account; a dry run keeps its rows under `dry:<name>`."""
    store_url: str | None = None
    """Where rows are kept: postgresql://USER@HOST/DATABASE, sqlite:///PATH, or memory:. Unset:
    PostgreSQL if POSTGRES_USER is set, else an SQLite file."""
    bus: Literal["rabbitmq", "in-process"] | None = None
    """Where signals come from and events go to. Unset: RabbitMQ if RABBITMQ_USER is set, else
    (dry run only) inside the process."""
    shared_schema: Name = "public"
    """Schema of the neighbours' tables, kept up when they are there and the store is PostgreSQL."""
    owns_positions: bool = True
    """Write the neighbours' tables of positions too."""
    signal_queue: QueueName = "model-service.trading_signals"
    """Queue of signals; declared without arguments, never changed."""
    event_queue: QueueName = "order-manager.order_events"
    """Queue of the neighbours, bound to filled, partially_filled, cancelled and rejected."""
    event_exchange: QueueName = "order-manager.events"
    """Topic exchange of every event, live.<type> and dry.<type>."""
    dead_letter_queue: QueueName = "order-manager.signals.dead"
    """Queue of refused signals, each with its reason."""
    publish_partial_fills: bool = True
    """Tell the neighbours' queue of partial fills too."""
    event_source: Literal["bybit", "gateway"] = "bybit"
    """Who tells of orders: Bybit's own private stream, or the ws-gateway service."""
    shutdown_timeout: Seconds = Field(timedelta(seconds=20), ge=ZERO, le=timedelta(minutes=5))
    """Seconds that a stop may take to finish what was begun."""
    instrument_info_refresh_interval: Seconds = Field(timedelta(hours=1), ge=MS, le=WEEK)
    """Seconds between two readings of the trading rules."""


class Execution(Section):
    """Order Execution Configuration"""  # noqa: D415

    enable_dry_run: bool = False
    """Trade on the simulated exchange: same code, no connection to the real one."""
    dry_run_symbols: Names = frozenset({"BTCUSDT", "ETHUSDT"})
    """Symbols that the dry run's own market quotes."""
    dry_run_balance: Money = Decimal(100000)
    """Quote units (USDT) in the wallet of a new dry-run account."""
    max_single_order_size: Money = Decimal("10000.0")
    """Quote units (USDT) of one child order; above it: split, resized or denied."""
    enable_order_splitting: bool = False
    """Split an order above the limit of one child into equal children, sent in sequence."""
    order_execution_timeout: Seconds = Field(timedelta(seconds=30), ge=MS, le=WEEK)
    """Seconds from the decision in which an order may still be sent. Never ends a working order."""
    limit_time_in_force: Literal[TimeInForce.POST_ONLY, TimeInForce.GTC] = TimeInForce.POST_ONLY
    """Time in force of limit orders."""
    requote_post_only: bool = True
    """Place a post-only order that would have taken once more, at the touch."""
    market_slippage: Number | None = Field(None, ge=Decimal(0), le=Decimal(1))
    """Largest slippage of a market order as a ratio of price. Unset: the exchange's own."""
    close_amount_is_base: bool = True
    """The amount of a close signal is base units (true) or quote units (false)."""
    snapshot_spread_is_percent: bool = True
    """The spread in a signal's own snapshot is percent (true) or quote units (false)."""
    warmup_size_factor: Number = Field(Decimal("1.0"), ge=Decimal(0), le=Decimal(1))
    """Ratio by which the amount of a warm-up signal is multiplied."""
    adopt_existing: bool = False
    """Consent to take over positions and open orders found at the first start on an account."""


class RiskLimits(Section):
    """Risk Limits Configuration"""  # noqa: D415

    max_position_size: LimitBySymbol = BySymbol(Decimal("1.0"))
    """Base units of one position, with exceptions by symbol: 1.0,ETHUSDT=20."""
    max_exposure: Money = Decimal("50000.0")
    """Quote units (USDT) of all positions and orders together."""
    max_order_size_ratio: Number = Field(Decimal("0.1"), gt=Decimal(0), le=Decimal(1))
    """Ratio of MAX_EXPOSURE (or of the available balance) that one child order may be."""
    order_size_ratio_of_balance: bool = False
    """Measure MAX_ORDER_SIZE_RATIO against the available balance instead of MAX_EXPOSURE."""
    max_order_quantity: Money | None = None
    """Base units of a single order. Unset: the exchange's maximum."""
    enable_order_size_reduction: bool = True
    """Over a limit: resize down to the largest allowed step (true) or deny (false)."""
    enable_balance_check: bool = True
    """Deny what the available balance does not cover."""
    price_collar_percent: Number = Field(Decimal(5), gt=Decimal(0), le=Decimal(100))
    """Percent that an order's price may lie away from the mark price."""
    max_open_orders: int = Field(50, ge=1, le=500)
    """Open orders per symbol."""
    max_orders_per_signal: int = Field(50, ge=1, le=500)
    """Orders that one signal may make."""
    max_orders_per_second: Number = Field(Decimal(8), ge=Decimal("0.01"), le=Decimal(1000))
    """New orders and amends per second; more wait, then expire."""
    max_daily_loss: Money | None = None
    """Quote units lost since midnight UTC, realised and unrealised. Unset: off."""
    duplicate_window: Seconds | None = Field(None, ge=MS, le=WEEK)
    """Seconds in which a like order of the same strategy is denied. Unset: off."""
    signal_max_age: Seconds = Field(timedelta(seconds=300), ge=MS, le=WEEK)
    """Seconds after which a signal is no longer executed."""
    signal_future_skew: Seconds = Field(timedelta(seconds=5), ge=ZERO, le=WEEK)
    """Seconds that a signal's time may be ahead of ours."""
    quote_max_age: Seconds = Field(timedelta(seconds=5), ge=MS, le=WEEK)
    """Seconds after which a quote is too old to decide by."""
    symbol_allow_list: Names | None = None
    """Symbols that may be traded, separated by commas. Unset: all."""
    strategy_allow_list: Names | None = None
    """Strategies that may trade, separated by commas. Unset: all."""
    allow_flip: bool = True
    """Allow one order to turn a position round."""
    supersede_out_of_order: bool = False
    """Deny a signal older than the last decided one of its strategy and symbol."""


class Retry(Section):
    """Bybit API Retry Configuration"""  # noqa: D415

    bybit_api_retry_max_attempts: int = Field(3, ge=1, le=100)
    """Attempts in all of a command that the exchange definitely did not accept."""
    bybit_api_retry_base_delay: Seconds = Field(timedelta(seconds=1), ge=ZERO, le=HOUR)
    """Seconds before the second attempt."""
    bybit_api_retry_max_delay: Seconds = Field(timedelta(seconds=30), ge=ZERO, le=HOUR)
    """Longest wait between two attempts, seconds."""
    bybit_api_retry_multiplier: Number = Field(Decimal("2.0"), ge=Decimal(1), le=Decimal(100))
    """Factor from one wait to the next."""


class OrderTypes(Section):
    """Order Type Selection Configuration"""  # noqa: D415

    market_order_confidence_threshold: Number = Field(Decimal("0.9"), ge=Decimal(0), le=Decimal(1))
    """Confidence from which an order is a market order, 0..1."""
    market_order_spread_threshold: Number = Field(Decimal("0.1"), ge=Decimal(0), le=Decimal(100))
    """Percent of spread below which an order is a market order."""
    limit_order_price_offset_ratio: Number = Field(Decimal("0.5"), ge=Decimal(0), le=Decimal(1))
    """Ratio of the spread that a limit price lies away from mid, on the passive side."""


class Positions(Section):
    """Position Management Configuration"""  # noqa: D415

    position_snapshot_interval: Seconds = Field(timedelta(seconds=300), ge=MS, le=WEEK)
    """Seconds between two snapshots of every position."""
    position_validation_interval: Seconds = Field(timedelta(seconds=3600), ge=MS, le=WEEK)
    """Seconds between two comparisons of positions with the exchange."""


class Cancellation(Section):
    """Order Cancellation Configuration"""  # noqa: D415

    cancel_opposite_orders_only: bool = False
    """A new signal cancels only orders of the other side."""
    cancel_stale_order_timeout: Seconds = Field(timedelta(seconds=3600), ge=ZERO, le=WEEK)
    """Seconds after which a resting order is cancelled; 0 is never."""
    cancel_same_strategy_only: bool = False
    """A new signal cancels only orders of its own strategy."""
    cancel_partially_filled: bool = False
    """A new signal also cancels partially filled orders."""


class RiskManagement(Section):
    """Risk Management Configuration"""  # noqa: D415

    unrealized_loss_warning_threshold: Number = Field(
        Decimal("10.0"), gt=Decimal(0), le=Decimal(1000)
    )
    """Percent of a position's value that it may lose before a warning is published."""


class Protocol(Section):
    """Protocol Timers"""  # noqa: D415

    recv_window: Seconds = Field(timedelta(milliseconds=2500), ge=MS, le=timedelta(seconds=60))
    """Seconds after its request time in which the exchange may still take a command."""
    clock_skew: Seconds = Field(timedelta(milliseconds=250), ge=ZERO, le=timedelta(seconds=60))
    """Seconds that our clock may differ from the exchange's after correction."""
    visibility: Seconds = Field(timedelta(seconds=10), ge=ZERO, le=timedelta(minutes=10))
    """Seconds from acceptance until an order can be looked up."""
    lookup_delays: Delays = tuple(timedelta(seconds=each) for each in (0, 0.5, 1, 2, 4))
    """Seconds after which an unanswered order is looked up; the last one repeats."""
    absence_gap: Seconds = Field(timedelta(seconds=2), ge=MS, le=timedelta(minutes=10))
    """Least seconds between the two look-ups that together prove absence."""
    acked_silence: Seconds = Field(timedelta(seconds=5), ge=MS, le=timedelta(minutes=10))
    """Seconds without a report after which an acknowledged order is looked up."""
    sweep_interval: Seconds = Field(timedelta(seconds=30), ge=MS, le=HOUR)
    """Seconds between two complete readings of the account."""
    watermark_overlap: Seconds = Field(timedelta(seconds=120), ge=ZERO, le=WEEK)
    """Seconds that a reading of executions goes back before the last complete one."""
    lease_ttl: Seconds = Field(timedelta(seconds=10), ge=timedelta(seconds=1), le=HOUR)
    """Seconds after which another service may take over from one that is silent."""
    audit_interval: Seconds = Field(timedelta(seconds=30), ge=timedelta(seconds=1), le=HOUR)
    """Seconds between two looks of the auditor; a broken invariant restricts the account."""
    max_parked: int = Field(1000, ge=1, le=100_000)
    """Signals of one symbol that may wait for a fact."""
    retention: Seconds = Field(timedelta(minutes=15), ge=MS, le=WEEK)
    """Seconds that ended orders and decided signals stay in memory."""
    retention_orders: int = Field(50_000, ge=1, le=10_000_000)
    """Ended orders that stay in memory at most."""
