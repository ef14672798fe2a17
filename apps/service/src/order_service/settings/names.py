"""Names of variables: which have retired, and which were probably meant."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

RETIRED: Final = frozenset(
    (
        *(
            f"ORDERMANAGER_{name}"
            for name in (
                "AUTO_SYNC_POSITION_AFTER_BYBIT_FETCH",
                "CLOSE_POSITION_BEFORE_OPPOSITE_SIGNAL",
                "ENABLE_BYBIT_POSITION_FALLBACK",
                "ENABLE_MIN_NOTIONAL_FEE_CHECK",
                "EXCHANGE_TRAILING_STOP_ENABLED",
                "EXIT_SL_ENABLED",
                "EXIT_SL_THRESHOLD_PCT",
                "EXIT_TP_ENABLED",
                "EXIT_TP_THRESHOLD_PCT",
                "FEE_DATA_TTL_SECONDS",
                "MAX_FALLBACK_FEE_RATE",
                "PENDING_ORDER_CHECK_INTERVAL",
                "PENDING_ORDER_TIMEOUT_MINUTES",
                "POSITION_CLOSE_MIN_SIZE_THRESHOLD",
                "POSITION_CLOSE_TIMEOUT_SECONDS",
                "POSITION_CLOSE_WAIT_MODE",
                "POSITION_MAX_AGE_SECONDS",
                "SIGNAL_PROCESSING_DELAY_ALERT_THRESHOLD_SECONDS",
                "SL_ENABLED",
                "SL_THRESHOLD_PCT",
                "SNAPSHOT_PRICE_MAX_AGE_SECONDS",
                "TP_ENABLED",
                "TP_SL_ENABLED",
                "TP_SL_PRIORITY",
                "TP_SL_TRIGGER_BY",
                "TP_THRESHOLD_PCT",
                "TRAILING_STOP_ACTIVATION_PCT",
                "TRAILING_STOP_APPLY_TO_SIDE",
                "TRAILING_STOP_DISTANCE_PCT",
            )
        ),
        "POSITION_MANAGER_API_KEY",
        "POSITION_MANAGER_HOST",
        "POSITION_MANAGER_PORT",
        "REDIS_HOST",
        "REDIS_PASSWORD",
        "REDIS_PORT",
    )
)
"""Names of the system whose place we take: accepted, said once, without effect."""

PREFIX: Final = "ORDERMANAGER_"
OF_THE_COMMAND_LINE: Final = frozenset({"ORDERMANAGER_URL"})
"""Where commands find a running service; nothing to the service itself."""


def retired(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Names that are set and no longer do anything."""
    return tuple(sorted(RETIRED & environment.keys()))


def unknown(environment: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """Names of our prefix that nobody knows, each with what was probably meant (or nothing)."""
    names = frozenset(known)
    strange = (
        name
        for name in environment
        if name.upper().startswith(PREFIX)
        and name not in names
        and name not in RETIRED | OF_THE_COMMAND_LINE
    )
    return {name: _meant(name, names) for name in sorted(strange)}


def _meant(name: str, known: frozenset[str]) -> str:
    ours = sorted(each.removeprefix(PREFIX) for each in known if each.startswith(PREFIX))
    close = get_close_matches(name.upper().removeprefix(PREFIX), ours, n=1)
    return PREFIX + close[0] if close else ""
