"""Effective: every setting as it holds and where it comes from; whether a start would take them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
from pydantic import SecretStr

from order_service.broker import broker_config, make_relay
from order_service.bybit_account import bybit_config
from order_service.choices import RABBITMQ, Choices, choose, without_password
from order_service.settings import Settings
from order_service.settings.files import SUFFIX
from order_service.settings.model import from_file, secrets, variables
from order_service.settings.values import write
from order_service.stores import open_store, system_clock
from order_service.traces import check_traces

MASK: Final = "***"
DEFAULT: Final = "default"


@attrs.frozen(slots=True)
class Effective:
    """One variable.

    Attributes:
        value: As it stands in the environment, masked where it is secret; empty is not set.
        source: `environment`, the name of the file it stands in, or `default`.
    """

    variable: str
    value: str
    source: str


def effective(
    settings: Settings, environment: Mapping[str, str], env_file: Path
) -> Iterator[Effective]:
    """Tell every variable, in the order of the reference."""
    in_file = from_file(env_file)
    hidden = secrets()
    for name, (group, field) in variables().items():
        value = getattr(getattr(settings, group), field)
        source = DEFAULT
        for spelled in (name, name + SUFFIX) if name in hidden else (name,):
            if environment.get(spelled, "").strip():
                source = "environment"
            elif source == DEFAULT and in_file.get(spelled, "").strip():
                source = str(env_file)
        yield Effective(name, _shown(name, value), source)


def dry_checked(settings: Settings) -> Choices:
    """Make everything a start makes before it opens anything.

    Raises:
        SettingsError: A setting is missing, or does not go with another.
        InvalidValue: The store's URL names none.
    """
    choices = choose(settings)
    settings.engine_config(account=choices.account, environment=choices.environment)
    open_store(choices.store, system_clock())
    if not choices.is_dry:
        bybit_config(settings)
        make_relay(settings)
    if choices.bus == RABBITMQ:
        broker_config(settings)
    check_traces(settings)
    return choices


def _shown(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return MASK
    text = write(value)
    return without_password(text) if name.endswith("_URL") else text
