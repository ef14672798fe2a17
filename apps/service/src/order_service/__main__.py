"""`python -m order_service [--dry-run]`: the service without the command line package."""

import argparse
import os
import sys
from pathlib import Path

from order_domain.errors import InvalidValue
from order_service.arming import arm_from
from order_service.choices import TWO_WAYS, says_nothing
from order_service.heap import look_for_cycles_rarely
from order_service.serving import serve
from order_service.settings import Settings, SettingsError, retired

CONFIGURATION = 5


def main() -> int:
    """Read the arguments and the environment, and serve."""
    look_for_cycles_rarely()
    parser = argparse.ArgumentParser(prog="python -m order_service", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="trade on the simulated exchange")
    arguments = parser.parse_args()
    environment = dict(os.environ)
    if arguments.dry_run:
        environment["ORDERMANAGER_ENABLE_DRY_RUN"] = "true"
    env_file = Path(".env")
    if says_nothing(environment) and not env_file.is_file():
        print(TWO_WAYS, file=sys.stderr)  # noqa: T201 -- a person reads it
        return CONFIGURATION
    try:
        arm_from(os.environ)
        settings = Settings.from_environment(environment, env_file)
        return serve(settings, retired=retired(environment, env_file))
    except (SettingsError, InvalidValue) as error:
        print(error, file=sys.stderr)  # noqa: T201 -- as above
        return CONFIGURATION


if __name__ == "__main__":
    sys.exit(main())
