"""CommandError: an end of a command that has an exit code and a message for a person."""

from collections.abc import Mapping
from typing import Final

from order_cli.exit_codes import ExitCode
from order_domain.errors import InvalidValue, OrderManagerError
from order_domain.ports.journal import LeaseHeld


class CommandError(Exception):
    """Ends the command: the message goes to stderr, the code to the shell."""

    def __init__(self, code: ExitCode, message: str, hint: str = "") -> None:
        self.code = code
        self.hint = hint
        super().__init__(message)


# By code, not by class: a class would have to be imported, with all that stands behind it.
_CODES: Final[Mapping[str, ExitCode]] = {
    "SETTINGS_INVALID": ExitCode.CONFIGURATION,
    "WRONG_MODE": ExitCode.CONFIGURATION,
    "WRONG_SCHEMA": ExitCode.CONFIGURATION,
    "STATE_FILE_REFUSED": ExitCode.CONFIGURATION,
    "STATE_CHANGED": ExitCode.REFUSED,
    "UNDECIDED": ExitCode.UNKNOWN,
}


def as_command_error(error: OrderManagerError) -> CommandError:
    """Say an error of the layers below in the words of the command line."""
    details = error.details
    if isinstance(error, InvalidValue):
        message = f"{details['field']}: must be {details['rule']}, got {details['value']}"
        return CommandError(ExitCode.USAGE, message)
    if isinstance(error, LeaseHeld):
        owner = details.get("url") or details.get("owner")
        message = f"the store is in use by {owner}"
        hint = "stop it first, or let it finish"
        if url := details.get("url"):
            hint = f"add --url {url} to let it do this, or stop it first"
        return CommandError(ExitCode.FAILURE, message, hint)
    return CommandError(_CODES.get(error.code, ExitCode.FAILURE), str(error))
