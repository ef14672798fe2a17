"""`doctor`: looks at everything a service needs, and says what is wrong in plain words."""

import logging
from typing import TYPE_CHECKING

from order_cli import output
from order_cli.config import read_settings
from order_cli.exit_codes import ExitCode
from order_cli.options import Json
from order_service.plain import Plain

if TYPE_CHECKING:
    from order_service.doctor.findings import Finding

_STYLES = {"good": "green", "warning": "yellow", "wrong": "red", "not tried": "dim"}


async def doctor(*, json: Json = False) -> int:
    """Look at settings, store, broker, clock, key, position mode, instruments and streams.

    Sends no order and changes nothing. Ends with 1 if something is wrong that keeps the service
    from trading; warnings do not count.
    """
    from order_service.doctor.diagnosis import diagnose  # noqa: PLC0415 -- drivers are slow to import

    found = []
    logging.disable(logging.WARNING)  # what the adapters would log is what the findings say
    try:
        async for each in diagnose(read_settings()):
            found.append(each)
            if not json:
                _say(each)
    finally:
        logging.disable(logging.NOTSET)
    is_well = all(each.state != "wrong" for each in found)
    if json:
        rows: list[Plain] = [
            {"about": e.about, "state": e.state.value, "text": e.text, "advice": e.advice}
            for e in found
        ]
        output.show_json({"well": is_well, "findings": rows})
    return ExitCode.DONE if is_well else ExitCode.FAILURE


def _say(finding: "Finding") -> None:
    style = _STYLES[finding.state]
    output.say(f"{finding.state.upper():9}  {finding.about}: {finding.text}", style)
    if finding.advice:
        output.say(f"{'':9}  {finding.advice}")
