"""`verify`: whether a store says the same thing everywhere."""

from typing import Annotated

from cyclopts import Parameter

from order_cli import output
from order_cli.exit_codes import ExitCode
from order_cli.options import DEFAULT_STORE, Json, StoreUrl
from order_cli.wiring import ACCOUNT, ENVIRONMENT, reading
from order_domain.invariants import NAMES
from order_service.audit import audit_store


async def verify(
    *,
    store: StoreUrl = DEFAULT_STORE,
    account: Annotated[str, Parameter(help="The account whose rows these are.")] = ACCOUNT,
    environment: Annotated[str, Parameter(help="`dry`, or where the account is.")] = ENVIRONMENT,
    json: Json = False,
) -> int:
    """Rebuild orders, positions and sequences from the ledger and the events, and compare.

    Ends with 1 when anything differs, and says what.
    """
    async with reading(store) as access:
        report = await audit_store(access, account=account, environment=environment)
    if json:
        output.show_json(
            {
                "checked": report.checked,
                "broken": [
                    {
                        "code": each.code,
                        "subject": each.subject,
                        "expected": each.expected,
                        "actual": each.actual,
                        "text": each.text,
                    }
                    for each in report.broken
                ],
            }
        )
    else:
        if report.broken:
            output.show_table(
                "Broken",
                ("code", "subject", "expected", "actual", "what should hold"),
                [
                    (
                        each.code,
                        each.subject,
                        each.expected,
                        each.actual,
                        NAMES.get(each.code, each.text),
                    )
                    for each in report.broken
                ],
            )
        style = "green" if report.is_sound else "red"
        output.say(f"{report.checked:,} checked, {len(report.broken)} broken.", style)
    return ExitCode.DONE if report.is_sound else ExitCode.FAILURE
