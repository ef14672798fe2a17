"""How long a fresh interpreter takes to import, and what it then holds, beside its own start."""

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.results import figure

_SCRIPT = """
import json, sys, time
began = time.process_time()
import {module}
spent = time.process_time() - began
pages = int(open("/proc/self/statm").read().split()[1])
print(json.dumps([spent * 1000, pages * 4096 / 2**20, began * 1000]))
"""


MODULES = ("order_domain", "order_domain.engine", "order_service.container", "order_cli.commands")


def importing(module: str) -> tuple[float, float, float]:
    """CPU milliseconds of one import in a new process, resident MiB after it, milliseconds before.

    The last is the floor: what the interpreter used until it came to the import.
    """
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(module=module)],
        check=True,
        capture_output=True,
        text=True,
        # With compiled files, as an installed package has them; the first run may write them.
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    )
    milliseconds, mebibytes, before = json.loads(done.stdout)
    return milliseconds, mebibytes, before


def measure(rounds: int) -> list[dict[str, Any]]:
    """Every module; the first import may compile, and is not counted."""
    rows = []
    for module in MODULES:
        importing(module)
        runs = [importing(module) for _ in range(rounds)]
        rows.append(
            {
                "name": module,
                "cpu_ms": figure([spent for spent, _, _ in runs]),
                "ratio": figure([spent / before for spent, _, before in runs]),
                "mib": figure([mib for _, mib, _ in runs]),
            }
        )
    return rows
