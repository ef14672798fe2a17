"""The setting of a process: how often Python looks for cycles."""

import subprocess
import sys

from order_service.heap import THRESHOLDS

_PROGRAM = """
import gc, sys
import order_cli.__main__ as entry
try:
    entry.main(["--version"])
except SystemExit:
    print(gc.get_threshold(), gc.get_freeze_count() > 1000)
"""


def test_the_command_line_looks_for_cycles_rarely_and_never_at_what_it_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines()[-1] == f"{THRESHOLDS} True"
