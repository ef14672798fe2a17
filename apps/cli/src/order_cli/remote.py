"""Remote: the same commands on a running service, over its API, with `--url` or a profile.

`--json` prints what the service answers. A command whose answer was lost ends with the exit code
for an unknown outcome and tells the request id: the same id again does nothing new.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

from cyclopts import Parameter

from order_cli import output
from order_cli.closing import part_of
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Json, Number, RequestId, Wait, end_of_amend, request
from order_cli.speaking import get, post
from order_cli.telling import LONGEST_WAIT, OPEN, ORDERS, followed, is_held, orders_of, table, told
from order_domain.model.enums import PositionSide, TimeInForce, Trading

LIVE_MAX: Final = 10_000
Scope = Annotated[str, Parameter(help="account, strategy:NAME or symbol:BTCUSDT.")]
Reason = Annotated[str, Parameter(help="Why; kept and shown.")]


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
    return told(post("/orders", form, request(request_id), wait=_asked(wait)), json=json)


def amend(
    order_id: str,
    /,
    *,
    price: Number | None = None,
    quantity: Number | None = None,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Change price or quantity of a working order, to new absolute values."""
    if price is None and quantity is None:
        raise CommandError(ExitCode.USAGE, "give --price, --quantity or both")
    form = {"price": _text(price), "quantity": _text(quantity)}
    outcome = post(f"/orders/{order_id}/amend", form, request(request_id))
    end = ""

    def has_ended() -> bool:
        nonlocal end
        story = get(f"/orders/{order_id}/explanation")
        outcome["orders"] = [story["order"]]
        kinds = (each["kind"] for each in story["events"])
        end = end_of_amend(kinds, int(outcome["result"]["number"]))
        return bool(end)

    is_known = followed(wait, has_ended)
    code = told(outcome, json=json)
    if not is_known:
        return ExitCode.UNKNOWN
    return ExitCode.REFUSED if end == "amend_refused" else code


def cancel(
    order_id: str, /, *, wait: Wait = 10.0, request_id: RequestId = "", json: Json = False
) -> int:
    """Cancel one order, and wait until the exchange says that it has ended."""
    path, asked = f"/orders/{order_id}/cancel", request(request_id)
    return told(post(path, {}, asked, wait=_asked(wait)), json=json, ended=True)


def cancel_all(
    symbol: str | None = None,
    /,
    *,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Cancel every order, foreign ones too, and wait until all have ended."""
    live = _live(symbol)
    form = {"asset": None if symbol is None else symbol.upper()}
    outcome = post("/orders/cancel-all", form, request(request_id))
    still = _until_ended(live, symbol, wait)
    outcome["result"]["cancelled"] = len(live - still)
    code = told(outcome, json=json)
    return ExitCode.UNKNOWN if still else code


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
    form = {"part": f"{part_of(part):f}", "position_side": position_side.value}
    path, asked = f"/positions/{symbol.upper()}/close", request(request_id)
    return told(post(path, form, asked, wait=_asked(wait)), json=json)


def flatten(
    symbol: str | None = None,
    /,
    *,
    preview: Annotated[bool, Parameter(help="Only say what would be ended.")] = False,
    wait: Wait = 20.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Cancel everything, then close every position. Works also while trading is halted."""
    if preview:
        return _preview(symbol, json=json)
    live = _live(symbol)
    form = {"asset": None if symbol is None else symbol.upper()}
    outcome = post("/flatten", form, request(request_id))
    made = {order_id for _, _, ids in outcome["result"].get("closing", ()) for order_id in ids}
    still = _until_ended(live | made, symbol, wait)
    left = len(_held(symbol))
    outcome["result"]["positions left"] = left
    code = told(outcome, json=json)
    if still:
        return ExitCode.UNKNOWN
    return ExitCode.REFUSED if left else code


def _preview(symbol: str | None, *, json: bool) -> int:
    """Show the orders that flatten would cancel and the positions it would close."""
    orders, _ = orders_of(limit=LIVE_MAX, states=OPEN, asset=_upper(symbol))
    closing = {each["asset"]: each["size"] for each in _held(symbol)}
    if json:
        output.show_json({"cancel": orders, "close": closing})
    else:
        table("Orders", ORDERS, orders)
        output.show_table("Positions", ("symbol", ">size"), closing.items())
    return ExitCode.DONE


def _live(symbol: str | None) -> set[str]:
    """Client order ids of all orders that have not ended."""
    orders, _ = orders_of(limit=LIVE_MAX, states=OPEN, asset=_upper(symbol))
    return {order["client_order_id"] for order in orders}


def _until_ended(names: set[str], symbol: str | None, wait: float) -> set[str]:
    """Wait for the end of orders; return those that still live."""
    still = set(names)

    def are_ended() -> bool:
        still.intersection_update(_live(symbol))
        return not still

    followed(wait, are_ended)
    return still


def _held(symbol: str | None) -> list[Any]:
    return [each for each in get("/positions", asset=_upper(symbol))["positions"] if is_held(each)]


def halt(*, scope: Scope = "account", reason: Reason = "", json: Json = False) -> int:
    """Halt trading: no order is opened until resume; cancels, closes and flatten still work."""
    form = {"scope": scope, "reason": reason}
    return _states(post("/halt", form, str(uuid4())), json=json)


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
    return _states(post("/resume", form, str(uuid4())), json=json)


def set_state(
    state: Trading, /, *, scope: Scope = "account", reason: Reason = "", json: Json = False
) -> int:
    """Set what may be traded in a scope, as the operator's cause."""
    form = {"state": state.value, "scope": scope, "reason": reason}
    return _states(post("/trading-state", form, str(uuid4())), json=json)


def show_states(*, json: Json = False) -> int:
    """Show every restriction. Ends with 7 while the account is halted."""
    found = get("/trading-state")
    _states(found, json=json)
    return ExitCode.HALTED if found["account"] == Trading.HALTED else ExitCode.DONE


def _states(found: Mapping[str, Any], *, json: bool) -> int:
    if json:
        output.show_json(dict(found))
        return ExitCode.DONE
    output.say(f"The account is {found['account']}.", "bold")
    columns = ("scope", "cause", "state", "version", "reason", "actor", "at")
    table("Causes", [(name, name) for name in columns], found["states"])
    return ExitCode.DONE


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
            table("Repairs", [(name, name) for name in names], found["repairs"])
    return ExitCode.DONE if found["status"] == "completed" else ExitCode.FAILURE


def _asked(wait: float) -> float:
    return min(wait, LONGEST_WAIT)


def _upper(symbol: str | None) -> str | None:
    return None if symbol is None else symbol.upper()


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
