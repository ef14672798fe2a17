"""Choices: which store, bus and venue the settings choose, and why a choice is refused."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

import attrs

from order_service.settings import Problem, Settings, SettingsError

DEFAULT_STORE: Final = "sqlite:///order-manager.sqlite"
IN_PROCESS: Final = "in-process"
RABBITMQ: Final = "rabbitmq"
BYBIT: Final = "bybit"
SIMULATED: Final = "simulated"
TWO_WAYS: Final = """\
order-manager serve needs to be told what to trade on. There are two ways:

  1. order-manager serve --dry-run
     The simulated exchange with a market of its own. No keys, no servers.

  2. cp env.example .env, set BYBIT_API_KEY, BYBIT_API_SECRET, BYBIT_ENVIRONMENT and the servers
     of POSTGRES_* and RABBITMQ_*, then
     order-manager serve
     Real orders, on testnet unless you say otherwise."""


@attrs.frozen(slots=True, kw_only=True)
class Choices:
    """What stands behind the ports; said in the first log line and in /health.

    Attributes:
        store: URL of the store, with its password.
        shown_store: The same for people, without.
        bus, venue: Names.
        account: Key of the account's rows; mode and environment are part of it, so that a store
            is never written by another mode or for another site.
        environment: Part of every client order id.
    """

    store: str = attrs.field(repr=False)
    shown_store: str
    bus: str
    venue: str
    account: str
    environment: str

    @property
    def is_dry(self) -> bool:
        """Whether no exchange is traded on."""
        return self.venue == SIMULATED

    @property
    def mode(self) -> str:
        """In one word."""
        return "dry-run" if self.is_dry else "live"


def choose(settings: Settings) -> Choices:
    """Choose by what is set.

    Raises:
        SettingsError: A choice would lose something, or asks for what is not there.
    """
    ours = settings.ordermanager
    is_dry = ours.enable_dry_run
    environment = "dry" if is_dry else settings.bybit.environment
    problems: list[Problem] = []
    bus = ours.bus or (IN_PROCESS if settings.rabbitmq.user is None else RABBITMQ)
    if not is_dry and bus == IN_PROCESS and ours.bus is None:
        rule = "chooses the bus of a live service; set it, or say ORDERMANAGER_BUS=in-process"
        problems.append(Problem("RABBITMQ_USER", rule))
    if problems:
        raise SettingsError(problems)
    store = store_of(settings)
    return Choices(
        store=store,
        shown_store=without_password(store),
        bus=bus,
        venue=SIMULATED if is_dry else BYBIT,
        account=f"{environment}:{ours.account}",
        environment=environment,
    )


def says_nothing(environment: Mapping[str, str]) -> bool:
    """Tell whether an environment has no setting of ours at all."""
    return not any(name.startswith(("ORDERMANAGER_", "BYBIT_")) for name in environment)


def store_of(settings: Settings) -> str:
    """URL of the store, with its password."""
    server = settings.postgres
    if settings.ordermanager.store_url is not None:
        return settings.ordermanager.store_url
    if server.user is None:
        return DEFAULT_STORE
    password = "" if server.password is None else server.password.get_secret_value()
    user = quote(server.user, safe="") + (f":{quote(password, safe='')}" if password else "")
    database = quote(server.db or server.user, safe="")
    return f"postgresql://{user}@{server.host}:{server.port}/{database}"


def without_password(url: str) -> str:
    """The URL as people may see it."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
