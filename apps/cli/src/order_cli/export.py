"""`export`: committed rows as JSON lines."""

from typing import Annotated, Literal

from cyclopts import Parameter

from order_cli.options import DEFAULT_STORE, StoreUrl
from order_cli.wiring import reading
from order_service.exporting import Kind, exported
from order_service.plain import line

Format = Annotated[Literal["jsonl"], Parameter(name="--format", help="One object a line.")]


async def export(
    kind: Kind, /, *, store: StoreUrl = DEFAULT_STORE, output: Format = "jsonl"
) -> None:
    """Write committed rows to stdout, one JSON object a line.

    Decimals are text, times are UTC with Z; the fields are stable and documented. The same store
    gives the same bytes, read directly or through a running service.

    Args:
        kind: What to write.
    """
    del output  # there is one format yet
    async with reading(store) as access:
        async for row in exported(kind, access.views, access.outbox):
            print(line(row))
