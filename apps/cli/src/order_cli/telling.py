"""Telling: what came of a command on a running service: its orders followed, shown, judged."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from order_cli import output
from order_cli.exit_codes import ExitCode
from order_cli.speaking import get
from order_domain.model.enums import OrderStatus
from order_domain.model.order import TERMINAL

LOOK_S: Final = 0.1
LONGEST_WAIT: Final = 20.0
"""What the service waits in one request; a command that waits longer looks again itself."""
PAGE: Final = 100
OPEN: Final = ",".join(status for status in OrderStatus if status not in TERMINAL)
ORDERS: Final = (
    ("created", "created_at"),
    ("client order id", "client_order_id"),
    ("symbol", "asset"),
    ("side", "side"),
    ("type", "order_type"),
    (">price", "price"),
    (">quantity", "quantity"),
    (">filled", "filled_quantity"),
    (">average", "average_price"),
    ("status", "state"),
    ("code", "code"),
)
MADE: Final = tuple(
    (title, {"asset": "symbol", "state": "status"}.get(name, name)) for title, name in ORDERS[1:]
)
UNSETTLED: Final = ("INTENT", "SUBMITTING", "UNKNOWN", "ACKED")
FAILED: Final = ("DENIED", "REJECTED", "EXPIRED")


def table(title: str, columns: Sequence[tuple[str, str]], found: Sequence[Any]) -> None:
    """Print what a service answered, a row each."""
    output.show_table(
        title,
        [heading for heading, _ in columns],
        [[row.get(name) for _, name in columns] for row in found],
    )


def told(outcome: Mapping[str, Any], *, json: bool, ended: bool = False) -> int:
    """Show what came of a command; return the exit code.

    Args:
        ended: The orders must have ended for it to be done.
    """
    orders = outcome["orders"]
    if json:
        output.show_json(dict(outcome))
    else:
        for name, value in outcome["result"].items():
            if not name.startswith("client_order_id"):
                output.say(f"{name}: {value}")
        if orders:
            table("Orders", MADE, orders)
    return judged([order["status"] for order in orders], ended=ended)


def judged(statuses: Sequence[str], *, ended: bool = False) -> ExitCode:
    """Say in an exit code what orders came to."""
    still = [status for status in statuses if status not in TERMINAL]
    if any(status in UNSETTLED for status in statuses) or (ended and still):
        return ExitCode.UNKNOWN
    return ExitCode.REFUSED if any(each in FAILED for each in statuses) else ExitCode.DONE


def orders_of(*, limit: int, offset: int = 0, **filters: str | None) -> tuple[list[Any], int]:
    """Up to so many orders, newest first, and how many match in all."""
    found: list[Any] = []
    while True:
        size = min(PAGE, limit - len(found))
        page = get("/orders", limit=size, offset=offset + len(found), **filters)
        found += page["orders"]
        if len(found) >= limit or len(page["orders"]) < size:
            return found, page["total"]


def is_held(position: Mapping[str, Any]) -> bool:
    """Whether it is not flat on every side."""
    sides = ("size", "long_size", "short_size")
    return any(position[name] not in ("0", None) for name in sides)


def followed(wait: float, is_done: Callable[[], bool]) -> bool:
    """Look at least once, and for so many seconds, until it is done; False if it never was."""
    ends_at = time.monotonic() + wait
    while not is_done():
        if time.monotonic() >= ends_at:
            return False
        time.sleep(LOOK_S)
    return True


def settled(order_ids: Sequence[str], wait: float) -> list[Any]:
    """Orders as they stand once all of them rest or have ended, or after so many seconds."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = [get(f"/orders/{each}/explanation")["order"] for each in order_ids]
        return not any(order["status"] in UNSETTLED for order in found)

    followed(wait, look)
    return found
