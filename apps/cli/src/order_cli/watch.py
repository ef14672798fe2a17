"""`watch`: a running service as a live view of the terminal: state, positions, orders, events."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import httpx
from cyclopts import Parameter

from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.output import console, is_terminal
from order_cli.speaking import get, service

SHOWN: Final = 12
EVERY_S: Final = 1.0
_POSITIONS: Final = ("asset", "size", "average_entry_price", "current_price", "unrealized_pnl")
_EVENTS: Final = ("at", "kind", "symbol", "side", "code")
_ORDERS: Final = (
    "updated_at",
    "asset",
    "side",
    "order_type",
    "price",
    "quantity",
    "filled_quantity",
    "state",
    "code",
)
_TITLES: Final = {
    "asset": "symbol",
    "average_entry_price": "entry",
    "current_price": "mark",
    "unrealized_pnl": "unrealised",
    "updated_at": "updated",
    "order_type": "type",
    "filled_quantity": "filled",
    "kind": "event",
}


def watch(*, seconds: Annotated[float | None, Parameter(help="End after so long.")] = None) -> int:
    """Watch a running service until Ctrl-C. Without a terminal: its events, one a line."""
    events: deque[dict[str, Any]] = deque(maxlen=SHOWN)
    if not is_terminal():
        return _lines(seconds)
    from rich.live import Live  # noqa: PLC0415 -- only a terminal needs it

    follower = threading.Thread(target=_follow, args=(events,), daemon=True)
    follower.start()
    ends_at = None if seconds is None else time.monotonic() + seconds
    with Live(console=console(), screen=True, auto_refresh=False) as live:
        while ends_at is None or time.monotonic() < ends_at:
            live.update(_view(events), refresh=True)
            time.sleep(EVERY_S)
    return ExitCode.DONE


def _lines(seconds: float | None) -> int:
    ends_at = None if seconds is None else time.monotonic() + seconds
    after = None
    while ends_at is None or time.monotonic() < ends_at:
        page = get("/events", after=after, limit=200)
        for event in page["events"]:
            print(json.dumps(event, separators=(",", ":")), flush=True)
        after = page["last"]
        time.sleep(EVERY_S if not page["events"] else 0)
    return ExitCode.DONE


def _follow(events: deque[dict[str, Any]]) -> None:
    """Keep the newest events, by the stream; begin again where it broke."""
    after: int | None = None
    while True:
        try:
            if after is None:
                page = get("/events", limit=SHOWN)
                events.extend(page["events"])
                after = page["last"]
            with (
                service() as client,
                client.stream(
                    "GET", "/api/v1/events/stream", params={"after": after}, timeout=None
                ) as stream,
            ):
                stream.raise_for_status()
                for event in streamed(stream.iter_lines()):
                    events.append(event)
                    after = event["number"]
        except (httpx.HTTPError, CommandError):
            pass
        time.sleep(EVERY_S)


def streamed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Events in the lines of the stream; its signs of life are none."""
    for line in lines:
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data:
            yield json.loads(data)


def _view(events: deque[dict[str, Any]]) -> Any:
    from rich.columns import Columns  # noqa: PLC0415 -- as above
    from rich.console import Group  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    try:
        states, exposure = get("/trading-state"), get("/exposure")
        positions, orders = get("/positions")["positions"], get("/orders", limit=SHOWN)["orders"]
    except CommandError as error:
        return Text(str(error), style="bold red")
    held = [each for each in positions if each["size"] != "0"]
    tables = [
        _table("Positions", _rows(held, _POSITIONS), _POSITIONS),
        _table("Events", _rows([*reversed(events)], _EVENTS), _EVENTS),
    ]
    live = _table("Orders", _rows(orders, _ORDERS), _ORDERS)
    return Group(_head(states, exposure), Text(""), Columns(tables, padding=(0, 4)), live)


def _head(states: Any, exposure: Any) -> Any:
    from rich.text import Text  # noqa: PLC0415 -- as above

    colour = "green" if states["account"] == "ACTIVE" else "red"
    return Text.assemble(
        ("order manager  ", "bold"),
        (states["account"], f"bold {colour}"),
        f"   exposure {exposure['total']} of {exposure['max_exposure']}"
        f" ({exposure['used_percent']} %)   open orders {exposure['open_orders']}",
    )


def _rows(found: list[Any], names: tuple[str, ...]) -> list[list[str]]:
    """Cells as text; of times the time of day."""
    texts = []
    for row in found:
        cells = ["" if row.get(name) is None else str(row[name]) for name in names]
        texts.append([cell[11:19] if cell[10:11] == "T" else cell for cell in cells])
    return texts


def _table(title: str, rows: list[list[str]], names: tuple[str, ...]) -> Any:
    from rich import box  # noqa: PLC0415 -- as above
    from rich.table import Table  # noqa: PLC0415 -- as above

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for name in names:
        table.add_column(_TITLES.get(name, name))
    for row in rows:
        table.add_row(*row)
    return table
