"""`key make`: a further key of the API. Only its hash is kept, so it is shown once."""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_service.http.keys import Key, KeysInvalid, Scope, make_key, read_keys

_OWNER_ONLY: Final = 0o600


def make(
    name: str,
    /,
    *,
    scope: Annotated[list[Scope], Parameter(help="What it may do; may be given more than once.")],
    file: Path = Path("keys.jsonl"),
    days: Annotated[int | None, Parameter(help="It expires after so many days.")] = None,
) -> int:
    """Draw a key, add its hash to a file, print it. A running service lets it in within a second.

    The service reads the file that ORDERMANAGER_API_KEYS_FILE names. To revoke a key, delete its
    line.

    Args:
        name: Letters, digits and _; shows in rows and logs as who did it.
        file: Is made if it is not there; nobody else may read it then.
    """
    if not name.isidentifier() or name in ("default", *(each.id for each in _known(file))):
        raise CommandError(ExitCode.USAGE, f"{name}: must be letters, digits and _, and new")
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    key, line = make_key(name, scope, expires_at)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_RDWR, _OWNER_ONLY), "a+") as lines:
        lines.seek(0)
        found = lines.read()
        lines.write(f"{'' if not found or found.endswith(chr(10)) else chr(10)}{line}\n")
    print(key)
    print(f"added to {file}; it is not kept anywhere else", file=sys.stderr)
    return ExitCode.DONE


def _known(file: Path) -> tuple[Key, ...]:
    if not file.exists():
        return ()
    try:
        return read_keys(file)
    except KeysInvalid as error:
        raise CommandError(ExitCode.USAGE, str(error)) from None
