"""`serve`: the service in the foreground, until it is stopped."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode

ENV_FILE: Final = Path(".env")


def serve(
    *,
    dry_run: Annotated[bool, Parameter(help="Trade on the simulated exchange.")] = False,
    host: Annotated[str | None, Parameter(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, Parameter(help="TCP port; 0 takes a free one [4600].")] = None,
    store: Annotated[
        str | None, Parameter(help="Where to keep rows [sqlite:///order-manager.sqlite].")
    ] = None,
) -> int:
    """Run the service: signals over HTTP, orders decided, executed and followed.

    Settings come from the environment and from .env; what is given here beats both.
    SIGTERM or Ctrl-C finishes what was begun.
    """
    # The web framework and pydantic are slow to import; other commands must not wait for them.
    from order_domain.errors import InvalidValue  # noqa: PLC0415
    from order_service.arming import arm_from  # noqa: PLC0415
    from order_service.choices import TWO_WAYS, says_nothing  # noqa: PLC0415
    from order_service.serving import serve as run  # noqa: PLC0415
    from order_service.settings import Settings, SettingsError, retired  # noqa: PLC0415

    environment = dict(os.environ)
    given = {
        "ENABLE_DRY_RUN": "true" if dry_run else None,
        "HOST": host,
        "PORT": None if port is None else str(port),
        "STORE_URL": store,
    }
    environment |= {f"ORDERMANAGER_{name}": text for name, text in given.items() if text}
    if says_nothing(environment) and not ENV_FILE.is_file():
        print(TWO_WAYS, file=sys.stderr)
        return ExitCode.CONFIGURATION
    try:
        arm_from(os.environ)
    except InvalidValue as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
    try:
        settings = Settings.from_environment(environment, ENV_FILE)
        return run(settings, retired=retired(environment, ENV_FILE))
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
