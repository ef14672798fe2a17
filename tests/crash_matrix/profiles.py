"""Profiles: the settings under which the service is killed, and how long things may take then."""

from collections.abc import Mapping
from typing import Final

import attrs

LIMITS: Final[Mapping[str, str]] = {
    "ORDERMANAGER_MAX_ORDERS_PER_SECOND": "50",
    "ORDERMANAGER_MAX_POSITION_SIZE": "1000",
    "ORDERMANAGER_MAX_EXPOSURE": "100000000",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE": "100000",
    "ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true",
    "BYBIT_SYMBOLS": "BTCUSDT,ETHUSDT",
    "ORDERMANAGER_SHARED_SCHEMA": "nowhere",
}
"""What lets random signals become orders; no timer is among it."""
TIMERS: Final[Mapping[str, str]] = {
    "ORDERMANAGER_LEASE_TTL": "1",
    "ORDERMANAGER_RECV_WINDOW": "0.8",
    "ORDERMANAGER_CLOCK_SKEW": "0.1",
    "ORDERMANAGER_VISIBILITY": "0.3",
    "ORDERMANAGER_ABSENCE_GAP": "0.2",
    "ORDERMANAGER_LOOKUP_DELAYS": "0,0.1,0.2,0.4",
    "ORDERMANAGER_ACKED_SILENCE": "0.5",
    "ORDERMANAGER_SWEEP_INTERVAL": "2",
    "ORDERMANAGER_SHUTDOWN_TIMEOUT": "5",
}
"""Every timer of the protocol, short."""


@attrs.frozen
class Profile:
    """How the service is set, and what is expected of it then.

    Attributes:
        life_s: In which an armed service must have come to its point.
        drain_s: In which a healthy one must have finished everything.
        late_s: How late a request may come to the exchange, below the receive window.
    """

    settings: Mapping[str, str]
    life_s: float
    drain_s: float
    late_s: float


FAST: Final = {**LIMITS, **TIMERS}
PROFILES: Final[Mapping[str, Profile]] = {
    "fast": Profile(FAST, life_s=30.0, drain_s=60.0, late_s=0.6),
    "production": Profile(LIMITS, life_s=120.0, drain_s=180.0, late_s=2.0),
}
"""By name; production leaves every timer at its default."""
