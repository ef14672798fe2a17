"""Whatever runs in the simulation takes time, chance and threads from outside, or is named here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.determinism import uncontrolled

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = ROOT / "packages/adapters/src/order_adapters"
PLACES: Final = (
    ROOT / "packages/order_domain/src/order_domain",
    ROOT / "apps/service/src/order_service/runtime",
    ADAPTERS,
)
EDGES: Final = {
    ADAPTERS / "clock.py": "the clock itself",
    ADAPTERS / "stores/sqlite/creation.py": "waits for another process before there is a loop",
    ADAPTERS / "stores/sqlite/worker.py": "the disk blocks: it has a thread of its own",
    ADAPTERS / "testing/local_bybit.py": "serves tests whose client blocks their thread",
    ADAPTERS / "tracing/otel.py": "spans are for a collector, whose SDK has clocks and threads",
    ADAPTERS / "venues/bybit/socket_wire.py": "masks what it says unpredictably, as WebSocket asks",
    ADAPTERS / "venues/simulated/venue.py": "keeps an account on disk in a thread",
}
"""Adapters that touch the machine; the simulation puts others in their place."""


def simulated_files() -> Iterator[Path]:
    for place in PLACES:
        yield from (path for path in sorted(place.rglob("*.py")) if path not in EDGES)


def test_nothing_simulated_reads_a_clock_throws_dice_or_starts_a_thread() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{violation}"
        for path in simulated_files()
        for violation in uncontrolled(path.read_text())
    ]

    assert found == []


def test_every_named_edge_is_one() -> None:
    assert [path for path in EDGES if not uncontrolled(path.read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import monotonic\nmonotonic()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "import random\nrandom.random()",
        "from random import choice\nchoice([1])",
        "from uuid import uuid4\nuuid4()",
        "import secrets\nsecrets.token_hex()",
        "import os\nos.urandom(8)",
        "import asyncio\nasyncio.to_thread(print)",
        "loop.run_in_executor(None, print)",
        "import threading\nthreading.Thread()",
    ],
)
def test_each_way_out_is_found(source: str) -> None:
    assert uncontrolled(source) != []


def test_what_is_seeded_or_handed_in_is_fine() -> None:
    source = (
        "from random import Random\n\ndef f(clock, seed):\n    return clock.now(), Random(seed)"
    )

    assert uncontrolled(source) == []
