"""A crash point kills without clean-up at the pass it is armed for, and never otherwise."""

import signal
import subprocess
import sys

import pytest

from order_domain.errors import InvalidValue
from order_service.runtime import crash

SCRIPT = """
from order_service.runtime.crash import arm, crash_point
import atexit
atexit.register(print, "cleaned up")
arm("here:3")
for number in range(5):
    crash_point("elsewhere")
    print(number, flush=True)
    crash_point("here")
"""


def test_the_process_dies_at_the_nth_pass() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60
    )

    assert result.returncode == -signal.SIGKILL
    assert result.stdout.split() == ["0", "1", "2"]


@pytest.mark.parametrize("spec", ["name", "name:", "name:0", ":1", "name:x", "name:-1"])
def test_a_malformed_order_to_crash_is_refused(spec: str) -> None:
    with pytest.raises(InvalidValue):
        crash.arm(spec)
    assert not crash.is_armed()


def test_an_unarmed_point_is_passed() -> None:
    crash.arm("somewhere:1")
    assert crash.is_armed()
    crash.arm("")

    crash.crash_point("somewhere")
    assert not crash.is_armed()
