"""CommandError: an end of a command that has an exit code and a message for a person."""

from collections.abc import Mapping
from typing import Final

from order_cli.exit_codes import ExitCode
from order_domain.errors import InvalidValue, OrderManagerError
from order_domain.ports.journal import LeaseHeld, WrongMode


class CommandError(Exception):
    """Ends the command: the message goes to stderr, the code to the shell."""

    def __init__(self, code: ExitCode, message: str, hint: str = "") -> None:
        self.code = code
        self.hint = hint
        super().__init__(message)


_CODES: Final[Mapping[type[OrderManagerError], ExitCode]] = {
    InvalidValue: ExitCode.USAGE,
    WrongMode: ExitCode.CONFIGURATION,
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
        return CommandError(ExitCode.FAILURE, message, "stop it first, or let it finish")
    code = next((c for kind, c in _CODES.items() if isinstance(error, kind)), ExitCode.FAILURE)
    return CommandError(code, str(error))
