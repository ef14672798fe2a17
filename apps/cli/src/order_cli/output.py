"""Output: tables and colours on a terminal, aligned text otherwise, one object with --json."""

import json
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from order_service.plain import Plain, Row

if TYPE_CHECKING:
    from rich.console import Console


@cache
def console() -> "Console":
    """The person's console on stdout; imported late, for a pipe never needs it."""
    from rich.console import Console  # noqa: PLC0415

    return Console(highlight=False, soft_wrap=True)


def is_terminal() -> bool:
    """Whether a person is looking."""
    return sys.stdout.isatty()


def note(text: str) -> None:
    """Say something beside the result, on stderr."""
    print(text, file=sys.stderr)


def say(text: str, style: str = "") -> None:
    """Print a line of the result."""
    if is_terminal():
        console().print(text, style=style or None, markup=False)
    else:
        print(text)


def show_json(value: Plain) -> None:
    """Print one JSON object."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns; numbers (columns marked with a leading `>`) align right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    names = [column.removeprefix(">") for column in columns]
    right = [column.startswith(">") for column in columns]
    if is_terminal():
        _rich_table(title, names, right, texts)
    else:
        _plain_table(title, names, right, texts)


def show_fields(title: str, row: Row) -> None:
    """Print one object as name and value, a line each; fields without a value are left out."""
    rows = [(name, value) for name, value in row.items() if value not in (None, "", [], {})]
    show_table(title, ("field", "value"), rows)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, list | tuple):
        return ", ".join(map(str, cell))
    if isinstance(cell, dict):
        return ", ".join(f"{key} {value}" for key, value in cell.items())
    return str(cell)


def _rich_table(title: str, names: list[str], right: list[bool], texts: list[list[str]]) -> None:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name, is_number in zip(names, right, strict=True):
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in texts:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console().print(table)


def _plain_table(title: str, names: list[str], right: list[bool], texts: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    print(title)
    for row in (names, *texts):
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, right, strict=True)
        )
        print("  " + "  ".join(cells).rstrip())
    print()


_STYLES = {
    **dict.fromkeys(("FILLED", "ordered", "ACTIVE", "Buy"), "green"),
    **dict.fromkeys(("DENIED", "REJECTED", "denied", "invalid", "HALTED", "Sell"), "red"),
    **dict.fromkeys(("PARTIALLY_FILLED", "UNKNOWN", "EXPIRED", "expired", "REDUCE_ONLY"), "yellow"),
    **dict.fromkeys(("CANCELLED", "duplicate", "CANCEL_ONLY"), "dim"),
}
