"""One account over a million orders: does it keep its pace, and its memory?

Run by itself (`python -m benchmarks.memory 1000000`), so that no other case is in its memory.
It prints one JSON object: orders done, orders a second in that stretch, and resident MiB.
"""

import json
import sys
import time
from pathlib import Path

from benchmarks import loop
from benchmarks.loop import Loop
from benchmarks.measure import floor_speed
from order_service.heap import look_for_cycles_rarely

STRETCHES = 20
CHUNK = 1_000
"""Orders whose signals are made at once, so that they do not show in the memory."""


def resident() -> float:
    """Resident memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def walk(count: int) -> dict[str, object]:
    """Drive this many orders through one account and sample after each stretch.

    The engine has a store that has seen none of them: it asks for every signal id, as it does
    beside a database, and so keeps only what its retention says. Making signals is not timed.
    """
    account = Loop(has_store=True)
    account.open()
    size = count // STRETCHES
    samples = []
    base = floor_speed()
    for stretch in range(STRETCHES):
        first, spent = stretch * size, 0.0
        for begin in range(first, first + size, CHUNK):
            moments = list(loop.market_orders(min(CHUNK, first + size - begin), begin))
            began = time.process_time()
            account.run(moments)
            spent += time.process_time() - began
            del moments
        after = floor_speed()
        samples.append(
            {
                "orders": (stretch + 1) * size,
                "per_second": size / spent,
                "floor": (base + after) / 2,
                "mib": resident(),
            }
        )
        base = after
    loop.check(account, size * STRETCHES)
    return {"samples": samples, "retained_orders": len(account.engine.book.orders)}


if __name__ == "__main__":
    look_for_cycles_rarely()
    print(json.dumps(walk(int(sys.argv[1]))))
