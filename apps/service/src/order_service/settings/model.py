"""Settings: the whole environment of the service, read once, strictly, and frozen."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import attrs
from dotenv import dotenv_values
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from order_domain.config import EngineConfig
from order_domain.errors import InvalidValue
from order_domain.model.identifiers import AccountId
from order_service.settings import names
from order_service.settings.errors import Problem, SettingsError, problems_of
from order_service.settings.files import secrets_of_files, spellings
from order_service.settings.groups import Bybit, OrderManager, Postgres, RabbitMQ, WsGateway
from order_service.settings.guardian import Guardian

_LONGEST_HTTP_TIMEOUT = timedelta(seconds=4)
_RENAMED: Mapping[str, str] = {
    "retry_max_attempts": "bybit_api_retry_max_attempts",
    "retry_base_delay": "bybit_api_retry_base_delay",
    "retry_max_delay": "bybit_api_retry_max_delay",
    "retry_multiplier": "bybit_api_retry_multiplier",
}
_NOT_OURS = frozenset(
    # read from the account, given by the caller, or made from another variable
    ("account", "environment", "hedge_mode", "max_position_size", "max_position_size_by_symbol")
)


class Settings(BaseSettings):
    """One group per prefix. Make it with `from_environment`, which reads nothing else."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="_",
        env_nested_max_split=1,
        enable_decoding=False,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    ordermanager: OrderManager = Field(default_factory=OrderManager)
    ws_gateway: WsGateway = Field(default_factory=WsGateway)
    bybit: Bybit = Field(default_factory=Bybit)
    postgres: Postgres = Field(default_factory=Postgres)
    rabbitmq: RabbitMQ = Field(default_factory=RabbitMQ)
    guardian: Guardian = Field(default_factory=Guardian)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `from_environment` hands over: a test's settings never depend on its shell."""
        return (init_settings,)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], env_file: Path | None = None) -> Self:
        """Read the settings; a variable of the environment beats the same one of the file.

        Raises:
            SettingsError: A value breaks its rule, or a name of our prefix is unknown.
        """
        merged = _merged(environment, env_file)
        merged, unreadable = secrets_of_files(merged, secrets())
        strange = names.unknown(merged, variables())
        problems = [
            Problem(name, f"unknown; did you mean {meant}?" if meant else "unknown")
            for name, meant in strange.items()
        ]
        problems += unreadable
        known = {name: merged[name] for name in variables() if merged.get(name, "").strip()}
        try:
            settings = cls(**_MappingSource(cls, known)())
        except ValidationError as error:
            raise SettingsError([*problems, *problems_of(error, known, secrets())]) from None
        if problems:
            raise SettingsError(problems)
        return settings

    def engine_config(self, *, account: str, environment: str) -> EngineConfig:
        """What the engine decides by.

        Args:
            account: Key of the account's rows, for example `dry:default`.
            environment: Part of every client order id: `dry`, or where the key belongs to.
        """
        ours = self.ordermanager
        limits = ours.max_position_size
        values = {
            field.name: getattr(ours, _RENAMED.get(field.name, field.name))
            for field in attrs.fields(EngineConfig)
            if field.name not in _NOT_OURS
        }
        try:
            return EngineConfig(
                account=AccountId(account),
                environment=environment,
                max_position_size=limits.default,
                max_position_size_by_symbol=limits.overrides,
                **values,
            )
        except InvalidValue as error:
            details = error.details
            name = str(details["field"])
            variable = f"{names.PREFIX}{_RENAMED.get(name, name).upper()}"
            raise SettingsError(
                [Problem(variable, f"must be {details['rule']}", str(details["value"]))]
            ) from None

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What no log may show, also as an address or JSON writes it.

        A password that is its user's name is none.
        """
        found = set[str]()
        for name in secrets():
            group, field = variables()[name]
            settings = getattr(self, group)
            value = getattr(settings, field)
            if value is not None and value.get_secret_value() != getattr(settings, "user", None):
                found |= spellings(value.get_secret_value())
        url = urlsplit(self.ordermanager.store_url or "")
        if url.password and url.password != url.username:
            found |= spellings(unquote(url.password)) | {url.password}
        # the longest first: one may be the beginning of another
        return tuple(sorted(found, key=lambda each: (-len(each), each)))

    @property
    def http_timeout(self) -> timedelta:
        """How long an answer of the exchange is waited for."""
        return min(_LONGEST_HTTP_TIMEOUT, self.ordermanager.order_execution_timeout)


def variables() -> dict[str, tuple[str, str]]:
    """Every variable, with its group and field."""
    return {
        f"{group}_{name}".upper(): (group, name)
        for group, field in Settings.model_fields.items()
        for name in _fields(field.annotation)
    }


def secrets() -> frozenset[str]:
    """Variables whose values are never shown."""
    return frozenset(
        name for name in variables() if name.endswith(("_API_KEY", "_SECRET", "_PASSWORD"))
    )


def retired(environment: Mapping[str, str], env_file: Path | None = None) -> tuple[str, ...]:
    """Names that are set and no longer do anything; whoever starts the service says so once."""
    return names.retired(_merged(environment, env_file))


def from_file(env_file: Path) -> dict[str, str]:
    """What stands in a file of settings; nothing where there is none."""
    if not env_file.is_file():
        return {}
    return {name: text or "" for name, text in dotenv_values(env_file).items()}


def _fields(group: Any) -> Mapping[str, object]:
    fields: Mapping[str, object] = group.model_fields
    return fields


def _merged(environment: Mapping[str, str], env_file: Path | None) -> dict[str, str]:
    return {**({} if env_file is None else from_file(env_file)), **environment}


class _MappingSource(EnvSettingsSource):
    """Variables out of a given mapping instead of the process's environment."""

    def __init__(self, settings_cls: type[BaseSettings], given: Mapping[str, str]) -> None:
        self._given = given
        super().__init__(settings_cls)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): text for name, text in self._given.items()}
