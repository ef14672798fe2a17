"""Choices: which store, bus and exchange the settings choose, and why a choice is refused."""

from collections.abc import Mapping
from typing import Final

import attrs

from order_service.settings import Problem, Settings, SettingsError

DEFAULT_STORE: Final = "sqlite:///order-manager.sqlite"
TWO_WAYS: Final = """\
order-manager serve needs to be told what to trade on. There are two ways:

  1. order-manager serve --dry-run
     The simulated exchange with a market of its own. No keys, no servers.

  2. cp env.example .env, set ORDERMANAGER_ENABLE_DRY_RUN=true and what else you want, then
     order-manager serve

This version trades on the simulated exchange only."""


@attrs.frozen(slots=True)
class Choices:
    """What stands behind the ports; said in the first log line and in /health."""

    store: str
    bus: str
    venue: str
    account: str
    environment: str


def choose(settings: Settings) -> Choices:
    """Choose by what is set.

    Raises:
        SettingsError: What is set asks for something this version does not have.
    """
    ours = settings.ordermanager
    problems: list[Problem] = []
    if not ours.enable_dry_run:
        rule = "must be true: this version trades on the simulated exchange only"
        problems.append(Problem("ORDERMANAGER_ENABLE_DRY_RUN", rule, "false"))
    store = ours.store_url
    if store is None and settings.postgres.user is not None:
        rule = "chooses PostgreSQL, which this version does not have; set ORDERMANAGER_STORE_URL"
        problems.append(Problem("POSTGRES_USER", rule, settings.postgres.user))
    if settings.rabbitmq.user is not None:
        rule = "chooses RabbitMQ, which this version does not have; leave it unset"
        problems.append(Problem("RABBITMQ_USER", rule, settings.rabbitmq.user))
    if problems:
        raise SettingsError(problems)
    return Choices(
        store=store or DEFAULT_STORE,
        bus="in-process",
        venue="simulated",
        account=f"dry:{ours.account}",
        environment="dry",
    )


def says_nothing(environment: Mapping[str, str]) -> bool:
    """Tell whether an environment has no setting of ours at all."""
    return not any(name.startswith(("ORDERMANAGER_", "BYBIT_")) for name in environment)
