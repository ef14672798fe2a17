"""`cancel-all --direct`: ends every order at the exchange alone, for when nothing else works."""

import asyncio
from typing import Annotated

from cyclopts import Parameter

from order_cli import output
from order_cli.config import read_settings
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Json


async def cancel_all(
    symbol: str | None = None,
    /,
    *,
    direct: Annotated[
        bool, Parameter(help="By the exchange alone: no store, broker or service is needed.")
    ] = False,
    wait: Annotated[
        float | None, Parameter(help="Give up after so many seconds; else never.")
    ] = None,
    json: Json = False,
) -> int:
    """Cancel every order at the exchange, foreign ones too, until none is open.

    It needs only BYBIT_API_KEY, BYBIT_API_SECRET and BYBIT_ENVIRONMENT. It keeps nobody from
    placing new orders: `halt`, or stop the service, first. A running service learns of the cancels
    from the exchange. `order cancel-all` does it through the engine.

    Args:
        symbol: Only orders of this symbol.
    """
    if not direct:
        hint = "`order cancel-all` does it through the store or a running service"
        raise CommandError(ExitCode.USAGE, "say --direct to cancel at the exchange alone", hint)
    try:
        async with asyncio.timeout(wait):
            await _at_the_exchange(symbol)
    except TimeoutError:
        message = f"after {wait:g} s it is not known whether all orders have ended"
        raise CommandError(ExitCode.UNKNOWN, message) from None
    if json:
        output.show_json({"open": 0})
    else:
        output.say("No order is open at the exchange.")
    return ExitCode.DONE


async def _at_the_exchange(symbol: str | None) -> None:
    from order_service.direct import cancel_all_direct  # noqa: PLC0415 -- HTTP is slow to import
    from order_service.settings import SettingsError  # noqa: PLC0415 -- as above

    named = None if symbol is None else symbol.upper()
    try:
        await cancel_all_direct(read_settings(), named, output.note)
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
