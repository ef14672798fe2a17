"""Groups of variables: one per prefix."""

from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from order_domain.model.enums import Category
from order_service.settings.sections import (
    MS,
    Cancellation,
    Execution,
    OrderTypes,
    Positions,
    Protocol,
    QueueName,
    Retry,
    RiskLimits,
    RiskManagement,
    Section,
    Service,
)
from order_service.settings.values import NO_CATEGORIES, CategoryBySymbol, Names, Seconds


class OrderManager(  # the right-most base's fields come first
    Protocol,
    RiskManagement,
    Cancellation,
    Positions,
    OrderTypes,
    Retry,
    RiskLimits,
    Execution,
    Service,
):
    """Everything of this service. Unknown names of its prefix are refused."""

    SECTIONS: ClassVar[tuple[type[Section], ...]] = (
        Service,
        Execution,
        RiskLimits,
        Retry,
        OrderTypes,
        Positions,
        Cancellation,
        RiskManagement,
        Protocol,
    )

    @model_validator(mode="after")
    def _inequalities(self) -> Self:
        """What must hold between two settings; each breaks the protocol otherwise."""
        rules = (
            (
                self.bybit_api_retry_base_delay <= self.bybit_api_retry_max_delay,
                "BYBIT_API_RETRY_BASE_DELAY must be at most BYBIT_API_RETRY_MAX_DELAY",
            ),
            (self.clock_skew < self.recv_window, "CLOCK_SKEW must be below RECV_WINDOW"),
            (
                self.sweep_interval < self.watermark_overlap,
                "SWEEP_INTERVAL must be below WATERMARK_OVERLAP",
            ),
            (
                self.retention > self.recv_window + self.clock_skew + self.visibility,
                "RETENTION must be above RECV_WINDOW + CLOCK_SKEW + VISIBILITY",
            ),
            (
                self.duplicate_window is None or self.duplicate_window <= self.retention,
                "DUPLICATE_WINDOW must be at most RETENTION",
            ),
            (bool(self.dry_run_symbols), "DRY_RUN_SYMBOLS must name at least one symbol"),
        )
        broken = [text for holds, text in rules if not holds]
        if broken:
            raise ValueError("; ".join(broken))
        return self


class Neighbour(Section):
    """A group whose prefix others use too: names we do not know are left to them."""

    model_config = ConfigDict(extra="ignore")


class WsGateway(Neighbour):
    """WebSocket Gateway Configuration (shared with other services)"""  # noqa: D415

    host: str = "ws-gateway"
    """Host of the gateway that relays the exchange's private stream."""
    port: int = Field(4400, ge=1, le=65535)
    """TCP port of the gateway."""
    api_key: SecretStr | None = None
    """Key for the gateway's API."""
    order_queue: QueueName = "ws-gateway.order"
    """Queue of the gateway's order updates."""
    check_every: Seconds = Field(timedelta(seconds=2), ge=MS * 10, le=timedelta(seconds=3))
    """Seconds between two looks at our subscription, which is made again where it is lost: within 5
    seconds after the gateway is back, whatever an answer of it takes."""


class Bybit(Neighbour):
    """Bybit Account Configuration"""  # noqa: D415

    api_key: SecretStr | None = None
    """API key with trade rights only. Never used by a dry run."""
    api_secret: SecretStr | None = None
    """Secret of the API key; of a key made with a public RSA key, its private half as PEM."""
    environment: Literal["testnet", "mainnet", "demo", "custom"] = "testnet"
    """Which Bybit the key belongs to; custom needs the two URLs below."""
    rest_url: str | None = None
    """Of a custom site, https://host[:port]; plain http only on this machine."""
    stream_url: str | None = None
    """Of a custom site, wss://host[:port]; plain ws only on this machine."""
    market_category: Category = Category.LINEAR
    """Product category of symbols that come without one."""
    asset_categories: CategoryBySymbol = NO_CATEGORIES
    """Symbols traded in another category: SYMBOL=CATEGORY,..."""
    symbols: Names = frozenset()
    """Symbols whose quotes are asked for from the start; others follow with their first signal."""
    settle_coins: Names = frozenset({"USDT", "USDC"})
    """Coins in which linear contracts settle; the account is read coin by coin."""
    hedge_mode: bool = False
    """The account keeps long and short positions apart. Checked at the start, never switched."""
    user_id: int | None = Field(None, ge=1)
    """Account that the key must belong to. Unset: any."""
    allow_withdrawal: bool = False
    """Take a key that may withdraw or transfer. Better: make a key that may not."""
    trade_by_socket: bool = True
    """Send orders over the order entry socket where the site has one; else by REST."""
    fast_executions: bool = False
    """Listen to early fills too: an order is known to be filled sooner, its fee comes later."""
    disconnect_window: Seconds | None = None
    """Bybit cancels every order after so long without our private stream, where an account has
    that: 3 to 300 whole seconds. Unset: left as it is."""
    smp_type: Literal["None", "CancelMaker", "CancelTaker", "CancelBoth"] | None = None
    """What the exchange does when our orders would meet. Unset: its own default."""

    @model_validator(mode="after")
    def _site(self) -> Self:
        """A custom site needs both of its URLs, and no other site may have one."""
        given = (self.rest_url is not None, self.stream_url is not None)
        if self.environment == "custom" and not all(given):
            raise ValueError("ENVIRONMENT custom needs BYBIT_REST_URL and BYBIT_STREAM_URL")
        if self.environment != "custom" and any(given):
            raise ValueError("ENVIRONMENT must be custom where a URL is given")
        return self

    def category_of(self, symbol: str) -> Category:
        """In which category a symbol is traded."""
        return self.asset_categories.get(symbol, self.market_category)


class Postgres(Neighbour):
    """PostgreSQL Configuration (shared with other services)"""  # noqa: D415

    host: str = "postgres"
    """Host of the server."""
    port: int = Field(5432, ge=1, le=65535)
    """TCP port of the server."""
    db: str | None = None
    """Name of the database."""
    user: str | None = None
    """User; set, it chooses PostgreSQL as the store unless ORDERMANAGER_STORE_URL is set."""
    password: SecretStr | None = None
    """Password of the user."""


class RabbitMQ(Neighbour):
    """RabbitMQ Configuration (shared with other services)"""  # noqa: D415

    host: str = "rabbitmq"
    """Host of the broker."""
    port: int = Field(5672, ge=1, le=65535)
    """TCP port of the broker."""
    user: str | None = None
    """User; set, it chooses RabbitMQ as the bus."""
    password: SecretStr | None = None
    """Password of the user."""
    vhost: str = "/"
    """Virtual host."""
    heartbeat: Seconds = Field(
        timedelta(seconds=4), ge=timedelta(seconds=1), le=timedelta(minutes=10)
    )
    """Seconds between heartbeats, rounded to whole ones. The broker gives the signals of an owner
    that fell silent (a frozen machine, a cut line) to the next one after two to three of these."""
