"""Wiring: how commands get what they work with: a store to read, settings, market files."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_domain.config import EngineConfig
from order_service.stores import Store, file_of, open_store, system_clock

ACCOUNT: Final = "dry:default"
ENVIRONMENT: Final = "dry"


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[Store]:
    """Open an existing store to read it; nobody who writes it is disturbed.

    Raises:
        CommandError: There is no such store.
    """
    path = file_of(url)
    if path is not None and not path.is_file():
        raise CommandError(ExitCode.NOT_FOUND, f"there is no store {url}")
    store = open_store(url, system_clock())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def engine_config(environment: Mapping[str, str] | None = None) -> EngineConfig:
    """Read the engine's settings from the environment.

    Raises:
        CommandError: A variable is unknown or breaks its rule.
    """
    from order_service.settings import Settings, SettingsError  # noqa: PLC0415 -- pydantic is slow

    try:
        settings = Settings.from_environment(os.environ if environment is None else environment)
        return settings.engine_config(account=ACCOUNT, environment=ENVIRONMENT)
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None


def markets(given: Iterable[str], only_symbol: Callable[[], str]) -> dict[str, Path]:
    """Read `--market [SYMBOL=]FILE`; without SYMBOL it is the one symbol that the signals name.

    Raises:
        CommandError: A symbol is missing or comes twice.
    """
    found: dict[str, Path] = {}
    for text in given:
        head, mark, tail = text.partition("=")
        named = bool(mark) and head.isascii() and head.isalnum() and head.isupper()
        symbol, path = (head, tail) if named else (only_symbol(), text)
        if not symbol:
            message = f"--market {text}: the signals do not name one symbol only; give SYMBOL=FILE"
            raise CommandError(ExitCode.USAGE, message)
        if symbol in found:
            raise CommandError(ExitCode.USAGE, f"--market {text}: {symbol} has a file already")
        found[symbol] = Path(path)
    return found
