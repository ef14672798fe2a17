"""Remote: the same commands on a running service, over its API, with `--url` or a profile.

`--json` prints what the service answers. A command whose answer was lost ends with the exit code
for an unknown outcome and tells the request id: the same id again does nothing new.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

import httpx
from cyclopts import Parameter

from order_cli import output
from order_cli.exit_codes import ExitCode
from order_cli.options import Json, Number
from order_cli.speaking import away, get, post, read, service, show_decision
from order_domain.model.enums import OrderStatus, PositionSide, Side, TimeInForce, Trading
from order_domain.model.order import TERMINAL

RequestId = Annotated[
    str, Parameter(help="The same id again does nothing new and answers the same.")
]
Wait = Annotated[float, Parameter(help="Seconds to follow the order for, at most 20.")]
Scope = Annotated[str, Parameter(help="account, strategy:NAME or symbol:BTCUSDT.")]
Reason = Annotated[str, Parameter(help="Why; kept and shown.")]
_ORDERS: Final = (
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
_MADE: Final = tuple(
    (title, {"asset": "symbol", "state": "status"}.get(name, name)) for title, name in _ORDERS[1:]
)
_POSITIONS: Final = (
    ("symbol", "asset"),
    (">size", "size"),
    (">average", "average_entry_price"),
    (">mark", "current_price"),
    (">unrealised PnL", "unrealized_pnl"),
    (">realised PnL", "realized_pnl"),
    ("updated", "last_updated"),
)
_UNSETTLED: Final = ("INTENT", "SUBMITTING", "UNKNOWN", "ACKED")
_FAILED: Final = ("DENIED", "REJECTED", "EXPIRED")


def _table(title: str, columns: Sequence[tuple[str, str]], found: Sequence[Any]) -> None:
    output.show_table(
        title,
        [heading for heading, _ in columns],
        [[row.get(name) for _, name in columns] for row in found],
    )


def _told(outcome: Mapping[str, Any], *, json: bool, ended: bool = False) -> int:
    """Show what came of a command; return the exit code."""
    orders = outcome["orders"]
    if json:
        output.show_json(dict(outcome))
    else:
        for name, value in outcome["result"].items():
            if not name.startswith("client_order_id"):
                output.say(f"{name}: {value}")
        if orders:
            _table("Orders", _MADE, orders)
    statuses = [order["status"] for order in orders]
    still = [status for status in statuses if status not in TERMINAL]
    if any(status in _UNSETTLED for status in statuses) or (ended and still):
        return ExitCode.UNKNOWN
    return ExitCode.REFUSED if any(each in _FAILED for each in statuses) else ExitCode.DONE


def _request(given: str) -> str:
    if given:
        return given
    made = str(uuid4())
    output.note(f"request {made}")
    return made


def place(  # noqa: PLR0913 -- one parameter per field of an order
    side: Literal["buy", "sell"],
    symbol: str,
    quantity: Number,
    /,
    *,
    price: Number | None = None,
    tif: TimeInForce | None = None,
    reduce_only: bool = False,
    position_side: PositionSide = PositionSide.BOTH,
    take: Number | None = None,
    stop: Number | None = None,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Place an order; without a price it is a market order."""
    form = {
        "asset": symbol.upper(),
        "side": side,
        "quantity": f"{quantity:f}",
        "price": _text(price),
        "time_in_force": None if tif is None else tif.value,
        "reduce_only": reduce_only,
        "position_side": position_side.value,
        "take_profit": _text(take),
        "stop_loss": _text(stop),
    }
    return _told(post("/orders", form, _request(request_id), wait=min(wait, 20.0)), json=json)


def amend(
    order_id: str,
    /,
    *,
    price: Number | None = None,
    quantity: Number | None = None,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Change price or quantity of a working order, to new absolute values."""
    form = {"price": _text(price), "quantity": _text(quantity)}
    return _told(post(f"/orders/{order_id}/amend", form, _request(request_id)), json=json)


def cancel(
    order_id: str, /, *, wait: Wait = 10.0, request_id: RequestId = "", json: Json = False
) -> int:
    """Cancel one order, and wait until the exchange says that it has ended."""
    path, asked = f"/orders/{order_id}/cancel", _request(request_id)
    return _told(post(path, {}, asked, wait=min(wait, 20.0)), json=json, ended=True)


def cancel_all(
    symbol: str | None = None, /, *, request_id: RequestId = "", json: Json = False
) -> int:
    """Cancel every order, foreign ones too."""
    form = {"asset": None if symbol is None else symbol.upper()}
    return _told(post("/orders/cancel-all", form, _request(request_id)), json=json)


def close(
    symbol: str,
    /,
    *,
    part: Annotated[str, Parameter(help="How much of it: 50% or 0.5.")] = "100%",
    position_side: PositionSide = PositionSide.BOTH,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Close a position, or a part of it, by a reduce-only market order."""
    share = Decimal(part.removesuffix("%")) / (100 if part.endswith("%") else 1)
    form = {"part": f"{share:f}", "position_side": position_side.value}
    path, asked = f"/positions/{symbol.upper()}/close", _request(request_id)
    return _told(post(path, form, asked, wait=min(wait, 20.0)), json=json)


def flatten(symbol: str | None = None, /, *, request_id: RequestId = "", json: Json = False) -> int:
    """Cancel everything, then close every position. Works also while trading is halted."""
    form = {"asset": None if symbol is None else symbol.upper()}
    return _told(post("/flatten", form, _request(request_id)), json=json)


def list_orders(
    *,
    symbol: str | None = None,
    status: OrderStatus | None = None,
    strategy: str | None = None,
    side: Side | None = None,
    limit: int = 50,
    offset: int = 0,
    json: Json = False,
) -> int:
    """List orders, newest first."""
    found = get(
        "/orders",
        asset=symbol,
        status=None if status is None else status.value,
        strategy_id=strategy,
        side=None if side is None else side.value,
        limit=limit,
        offset=offset,
    )
    if json:
        output.show_json(found)
    else:
        _table(f"{len(found['orders'])} of {found['total']} orders", _ORDERS, found["orders"])
    return ExitCode.DONE


def show_order(order_id: str, /, *, json: Json = False) -> int:
    """Show one order and its executions."""
    order = get(f"/orders/{order_id}")
    executions = get(f"/orders/{order_id}/executions")["executions"]
    if json:
        output.show_json({**order, "executions": executions})
        return ExitCode.DONE
    output.show_fields("Order", order)
    columns = ("executed_at", "exec_id", "quantity", "price", "fee", "fee_coin", "is_maker")
    _table("Executions", [(name.replace("_", " "), name) for name in columns], executions)
    return ExitCode.DONE


def explain(order_id: str, /, *, json: Json = False) -> int:
    """Tell the whole decision and life of an order: signal, checks, events, executions."""
    story = get(f"/orders/{order_id}/explanation")
    if json:
        output.show_json(story)
        return ExitCode.DONE
    output.show_fields("Order", story["order"])
    output.say("Decision", "bold")
    show_decision(story)
    life = ("sequence", "at", "kind", "status", "filled_quantity", "code", "text")
    _table("Life", [(name, name) for name in life], story["events"])
    return ExitCode.DONE


def list_positions(*, symbol: str | None = None, json: Json = False) -> int:
    """List positions with their unrealised PnL."""
    found = get("/positions", asset=symbol)
    if json:
        output.show_json(found)
    else:
        held = [each for each in found["positions"] if each["size"] != "0"]
        _table("Positions", _POSITIONS, held)
    return ExitCode.DONE


def show_position(symbol: str, /, *, json: Json = False) -> int:
    """Show the position of one symbol, both sides in hedge mode."""
    found = get(f"/positions/{symbol.upper()}")
    if json:
        output.show_json(found)
    else:
        output.show_fields(f"Position {symbol.upper()}", found)
    return ExitCode.DONE


def send(source: str, /, *, json: Json = False) -> int:
    """Send one signal: a file with one JSON object, or - for stdin."""
    import sys  # noqa: PLC0415 -- for stdin alone

    raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    with service() as client:
        try:
            answer = client.post("/api/v1/signals", content=raw)
        except httpx.HTTPError as error:
            raise away(error) from None
    verdict = read(answer)
    if json:
        output.show_json(verdict)
    else:
        output.show_fields("Verdict", verdict)
    return ExitCode.DONE if verdict["verdict"] in ("ordered", "duplicate") else ExitCode.REFUSED


def halt(*, scope: Scope = "account", reason: Reason = "", json: Json = False) -> int:
    """Halt trading: no order is opened until resume; cancels, closes and flatten still work."""
    _states(post("/halt", {"scope": scope, "reason": reason}, str(uuid4())), json=json)
    return ExitCode.DONE


def resume(
    *,
    scope: Scope = "account",
    cause: str = "OPERATOR",
    version: int | None = None,
    reason: Reason = "",
    json: Json = False,
) -> int:
    """Lift a restriction. Each cause clears only itself."""
    form = {"scope": scope, "cause": cause, "version": version, "reason": reason}
    _states(post("/resume", form, str(uuid4())), json=json)
    return ExitCode.DONE


def set_state(
    state: Trading, /, *, scope: Scope = "account", reason: Reason = "", json: Json = False
) -> int:
    """Set what may be traded in a scope, as the operator's cause."""
    form = {"state": state.value, "scope": scope, "reason": reason}
    _states(post("/trading-state", form, str(uuid4())), json=json)
    return ExitCode.DONE


def show_states(*, json: Json = False) -> int:
    """Show every restriction. Ends with 7 while the account is halted."""
    found = get("/trading-state")
    _states(found, json=json)
    return ExitCode.HALTED if found["account"] == Trading.HALTED else ExitCode.DONE


def _states(found: Mapping[str, Any], *, json: bool) -> None:
    if json:
        output.show_json(dict(found))
        return
    output.say(f"The account is {found['account']}.", "bold")
    columns = ("scope", "cause", "state", "version", "reason", "actor", "at")
    _table("Causes", [(name, name) for name in columns], found["states"])


def sync(
    *,
    scope: Annotated[
        Literal["orders", "positions", "active", "all"], Parameter(help="What is told of it.")
    ] = "all",
    json: Json = False,
) -> int:
    """Read the whole account from the exchange now, and repair what differs."""
    found = post("/sync", {"scope": scope}, str(uuid4()))
    if json:
        output.show_json(found)
    else:
        output.show_fields("Sync", {name: v for name, v in found.items() if name != "repairs"})
        if found["repairs"]:
            names = list(found["repairs"][0])
            _table("Repairs", [(name, name) for name in names], found["repairs"])
    return ExitCode.DONE if found["status"] == "completed" else ExitCode.FAILURE


def status(*, json: Json = False) -> int:
    """Say how the service is: what it stands on, what is open, how much of the limits is used."""
    with service() as client:
        try:
            health = client.get("/health").json()
        except httpx.HTTPError as error:
            raise away(error) from None
    exposure, states = get("/exposure"), get("/trading-state")
    shown = {
        "account": health["account"],
        "mode": health["mode"],
        "ready": health["ready"],
        "trading": states["account"],
        "store": health["store"],
        "bus": health["bus"],
        "venue": health["venue"],
        **exposure,
    }
    if json:
        output.show_json(shown)
    else:
        output.show_fields("Service", shown)
    return ExitCode.DONE if health["ready"] else ExitCode.FAILURE


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
