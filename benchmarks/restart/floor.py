"""The floor of a restart: the driver alone reads the same open rows into slotted objects.

In a process of its own. It is told the queries, and which columns are amounts and times; it makes
Decimals and times of them, as whoever trades has to. Prints what was spent as JSON.
"""

import asyncio
import gc
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any


def row_class(names: Sequence[str]) -> Callable[[Sequence[object]], object]:
    """A class with a slot for every column, made of the cells of a row."""
    body = "".join(f"  self.{name} = row[{at}]\n" for at, name in enumerate(names))
    source = f"class Row:\n __slots__ = {tuple(names)!r}\n def __init__(self, row):\n{body}"
    found: dict[str, Any] = {}
    exec(source, found)
    made: Callable[[Sequence[object]], object] = found["Row"]
    return made


def objects(table: dict[str, Any], rows: Iterable[Iterable[Any]]) -> list[object]:
    """Make the objects of one table."""
    make, texts = row_class(table["columns"]), table["texts"]
    amounts, times = table["amounts"], table["times"]
    found = []
    for row in rows:
        cells = list(row)
        if texts:
            for at in amounts:
                if cells[at] is not None:
                    cells[at] = Decimal(cells[at])
            for at in times:
                if cells[at] is not None:
                    cells[at] = datetime.fromisoformat(cells[at])
        found.append(make(cells))
    return found


def from_sqlite(told: dict[str, Any]) -> list[list[object]]:
    connection = sqlite3.connect(told["path"])
    kept = [objects(table, connection.execute(table["query"])) for table in told["tables"]]
    connection.close()
    return kept


def from_postgres(told: dict[str, Any]) -> list[list[object]]:
    import asyncpg  # noqa: PLC0415 -- the other floor does without it

    async def read() -> list[list[object]]:
        settings = {"search_path": told["schema"]}
        connection = await asyncpg.connect(told["dsn"], server_settings=settings)
        kept = [objects(table, await connection.fetch(table["query"])) for table in told["tables"]]
        await connection.close()
        return kept

    return asyncio.run(read())


def main() -> None:
    told = json.loads(sys.argv[1])
    read = from_sqlite if "path" in told else from_postgres
    if read is from_postgres:
        import asyncpg  # noqa: F401, PLC0415 -- imported before the clock runs
    gc.collect()
    cpu, wall = time.process_time(), time.time()
    kept = read(told)
    cpu, wall = time.process_time() - cpu, time.time() - wall
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    figures = {"cpu": cpu, "wall": wall, "mib": pages * 4096 / 2**20, "orders": len(kept[0])}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
