"""Progress: how far a replay is, on stderr, while a person looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

Tell = Callable[[datetime, datetime, datetime], None]


@contextmanager
def progress(title: str, *, quiet: bool) -> Iterator[Tell | None]:
    """Show a bar that follows virtual time; nothing when quiet or when nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 -- only for a person
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[at]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1, at="")

        def tell(first: datetime, at: datetime, last: datetime) -> None:
            span = (last - first).total_seconds() or 1
            done = min(1, (at - first).total_seconds() / span)
            bar.update(task, completed=done, at=f"{at:%H:%M:%S}")

        yield tell
