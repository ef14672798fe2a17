"""`config check|show`: whether the service would start on these settings, and what holds."""

import os
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Json
from order_cli.serve import ENV_FILE
from order_service.plain import Plain

if TYPE_CHECKING:
    from order_service.settings import Settings


def check(*, json: Json = False) -> int:
    """Check the settings of the environment and .env as a start would; nothing is connected.

    Ends with 5 and a line for each variable that cannot be used. `doctor` also tries the servers.
    """
    from order_service.effective import dry_checked  # noqa: PLC0415 -- pydantic is slow to import
    from order_service.settings import SettingsError, retired  # noqa: PLC0415 -- as above

    settings = read_settings()
    try:
        choices = dry_checked(settings)
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
    without_effect = retired(os.environ, ENV_FILE)
    shown: dict[str, Plain] = {
        "mode": choices.mode,
        "account": choices.account,
        "store": choices.shown_store,
        "bus": choices.bus,
        "venue": choices.venue,
    }
    if json:
        output.show_json({**shown, "without_effect": list(without_effect)})
    else:
        output.show_fields("The service would start", shown)
        for name in without_effect:
            output.say(f"{name} is set, and no longer does anything.", "yellow")
    return ExitCode.DONE


def show(
    *,
    set_: Annotated[
        bool, Parameter(name="--set", help="Only those that are set, no defaults.")
    ] = False,
    json: Json = False,
) -> int:
    """Show every setting as it holds and where it comes from. Secrets are masked."""
    from order_service.effective import DEFAULT, effective  # noqa: PLC0415 -- as above

    told = effective(read_settings(), os.environ, ENV_FILE)
    found = [each for each in told if not set_ or each.source != DEFAULT]
    if json:
        rows: dict[str, Plain] = {
            each.variable: {"value": each.value, "source": each.source} for each in found
        }
        output.show_json({"settings": rows})
    else:
        rows_ = [(each.variable, each.value, each.source) for each in found]
        output.show_table(f"{len(found)} settings", ("variable", "value", "from"), rows_)
    return ExitCode.DONE


def read_settings() -> "Settings":
    """Read the settings of the environment and .env. Raises CommandError."""
    from order_service.settings import Settings, SettingsError  # noqa: PLC0415 -- as above

    try:
        return Settings.from_environment(os.environ, ENV_FILE)
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
