"""`guardian`: watches a service from outside, and cancels everything when it is gone."""

import os

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.serve import ENV_FILE


async def guardian() -> int:
    """Watch the service; when it is gone for 15 s, cancel every order of the account.

    Gone means both: its heartbeat in the database stands still (or cannot be read), and it does not
    answer at its address. It cancels until nothing is open, again after the time in which an old
    request may still be born, and as long as nobody is back. It needs neither database nor broker
    for that, only GUARDIAN_API_KEY and GUARDIAN_API_SECRET. Every step is a line of GUARDIAN_FILE.
    """
    # pydantic is slow to import; other commands must not wait for it.
    from order_service.guarding import guard  # noqa: PLC0415
    from order_service.settings import Settings, SettingsError  # noqa: PLC0415

    try:
        settings = Settings.from_environment(os.environ, ENV_FILE)
        await guard(settings, lambda text: print(text, flush=True))
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
    return ExitCode.DONE
