"""How long a fresh interpreter takes to import, and what it then holds."""

import json
import os
import subprocess
import sys

_SCRIPT = """
import json, sys, time
began = time.process_time()
import {module}
spent = time.process_time() - began
pages = int(open("/proc/self/statm").read().split()[1])
print(json.dumps([spent * 1000, pages * 4096 / 2**20]))
"""


def importing(module: str) -> tuple[float, float]:
    """CPU milliseconds of one import in a new process, and the process's resident MiB after it."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(module=module)],
        check=True,
        capture_output=True,
        text=True,
        # With compiled files, as an installed package has them; the first run may write them.
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    )
    milliseconds, mebibytes = json.loads(done.stdout)
    return milliseconds, mebibytes
