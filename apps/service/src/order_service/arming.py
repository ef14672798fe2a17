"""Arming: lets a test have this process killed at a named point, told by the environment alone."""

from collections.abc import Mapping
from typing import Final

from order_adapters.passing import watch
from order_service.runtime import crash

VARIABLE: Final = "ORDER_MANAGER_CRASH_AT"


def arm_from(environment: Mapping[str, str]) -> None:
    """Arm the point that is named, in runtime and adapters. Raises InvalidValue."""
    spec = environment.get(VARIABLE, "")
    crash.arm(spec)
    watch(crash.crash_point if spec else None)
