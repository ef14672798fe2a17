"""`simulator serve`: a local Bybit that any V5 client can trade on, until it is stopped."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Number, Seed
from order_domain.model.instrument import ONE


async def serve(  # noqa: PLR0913 -- one parameter per option
    *,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="TCP port; 0 takes a free one.")] = 4680,
    market: Annotated[
        tuple[str, ...],
        Parameter(help="[[CATEGORY:]SYMBOL=]FILE.csv[.gz], repeatable. Else a synthetic market."),
    ] = (),
    speed: Annotated[Number, Parameter(help="Times real time.")] = ONE,
    seed: Seed = 0,
    faults: Annotated[Path | None, Parameter(help="What shall go wrong, one fault a line.")] = None,
    accounts: Annotated[Path | None, Parameter(help="Accounts as a JSON array.")] = None,
    admin: Annotated[
        bool, Parameter(help="Serve /admin to this machine: faults, prices, foreign orders.")
    ] = False,
    no_limits: Annotated[bool, Parameter(help="Refuse nothing for coming too often.")] = False,
) -> int:
    """Serve a local Bybit V5: REST, and the private, trade and public streams.

    Nothing of it is real, and its keys open nothing else. Ctrl-C stops it.
    """
    # The web server is slow to import; other commands must not wait for it.
    from order_service.bybit_simulator import (  # noqa: PLC0415
        SimulatorChoices,
        make_simulator,
        run_simulator,
    )

    if speed <= 0:
        raise CommandError(ExitCode.USAGE, "--speed: must be above 0")
    choices = SimulatorChoices(
        host=host,
        port=port,
        markets=market,
        speed=speed,
        seed=seed,
        faults=faults,
        accounts=accounts,
        has_admin=admin,
        is_limited=not no_limits,
    )
    await run_simulator(make_simulator(choices), lambda text: print(text, flush=True))
    return ExitCode.DONE
