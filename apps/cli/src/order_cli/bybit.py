"""`bybit decode`: what we understand of a recorded message or response, record by record."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category
from order_service.plain import Row, line, plain
from order_service.recorded import Understood, decode_recorded


def decode(
    file: Annotated[Path, Parameter(help="One message, or one message a line.")],
    /,
    *,
    topic: Annotated[
        str, Parameter(help="What the rows are, where the message does not tell.")
    ] = "",
    category: Annotated[
        Category, Parameter(help="Category of rows whose message tells none.")
    ] = Category.LINEAR,
) -> int:
    """Print a recorded Bybit message or response by our names, one JSON object a record.

    Each object lists the keys that nothing here reads. Ends with 1 if a record could not be read.
    """
    code = ExitCode.DONE
    try:
        for understood in decode_recorded(file.read_bytes(), topic, category):
            print(line(_row(understood)))
            if understood.quarantined is not None:
                code = ExitCode.FAILURE
    except InvalidValue as error:
        details = error.details
        about = file if details["field"] == "file" else details["field"]
        message = f"{about}: must be {details['rule']}, got {details['value']}"
        raise CommandError(ExitCode.FAILURE, message) from None
    return code


def _row(understood: Understood) -> Row:
    row: Row = {"record": understood.kind}
    row |= {name: plain(value) for name, value in understood.fields.items()}
    wrong = understood.quarantined
    if wrong is not None:
        row["error"] = {"field": wrong.field, "rule": wrong.rule, "value": wrong.value}
    row["unread"] = list(understood.unread)
    return row
