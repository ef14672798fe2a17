"""Remote reads: what a running service has stored, and how it is."""

import sys
from typing import Annotated, Final

import httpx
from cyclopts import Parameter

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.export import Format
from order_cli.options import Json
from order_cli.speaking import away, get, read, service, show_decision
from order_cli.telling import OPEN, ORDERS, is_held, orders_of, table
from order_domain.model.enums import OrderStatus, Side
from order_service.exporting import Kind

_POSITIONS: Final = (
    ("symbol", "asset"),
    (">size", "size"),
    (">average", "average_entry_price"),
    (">mark", "current_price"),
    (">unrealised PnL", "unrealized_pnl"),
    (">realised PnL", "realized_pnl"),
    ("updated", "last_updated"),
)


def list_orders(
    *,
    symbol: str | None = None,
    status: tuple[OrderStatus, ...] = (),
    open_: Annotated[bool, Parameter(name="--open", help="Only orders that still live.")] = False,
    strategy: str | None = None,
    side: Side | None = None,
    limit: int = 50,
    offset: int = 0,
    json: Json = False,
) -> int:
    """List orders, newest first."""
    orders, total = orders_of(
        limit=limit,
        offset=offset,
        asset=symbol,
        states=OPEN if open_ else ",".join(status) or None,
        strategy_id=strategy,
        side=None if side is None else side.value,
    )
    if json:
        output.show_json({"total": total, "orders": orders})
    else:
        table(f"{len(orders)} of {total} orders", ORDERS, orders)
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
    table("Executions", [(name.replace("_", " "), name) for name in columns], executions)
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
    table("Life", [(name, name) for name in life], story["events"])
    return ExitCode.DONE


def list_positions(
    *,
    symbol: str | None = None,
    all_: Annotated[bool, Parameter(name="--all", help="Flat ones too.")] = False,
    json: Json = False,
) -> int:
    """List positions with their unrealised PnL."""
    found = get("/positions", asset=symbol)["positions"]
    held = [each for each in found if all_ or is_held(each)]
    if json:
        output.show_json({"positions": held})
    else:
        table("Positions", _POSITIONS, held)
    return ExitCode.DONE


def show_position(symbol: str, /, *, json: Json = False) -> int:
    """Show the position of one symbol, both sides in hedge mode."""
    found = get(f"/positions/{symbol.upper()}")
    if json:
        output.show_json(found)
    else:
        output.show_fields(f"Position {symbol.upper()}", found)
    return ExitCode.DONE


def export(kind: Kind, /, *, output: Format = "jsonl") -> int:
    """Write committed rows to stdout, one JSON object a line: the bytes of the service."""
    del output  # there is one format yet
    sys.stdout.flush()
    with service() as client:
        try:
            with client.stream("GET", f"/api/v1/export/{kind}") as answer:
                if not answer.is_success:
                    answer.read()
                    read(answer)
                # bytes, not lines: some characters of a text would end a line
                for chunk in answer.iter_bytes():
                    sys.stdout.buffer.write(chunk)
        except httpx.RemoteProtocolError as error:
            told = f"the export broke off, what was written is not all: {error}"
            raise CommandError(ExitCode.FAILURE, told) from None
        except httpx.HTTPError as error:
            raise away(error) from None
    sys.stdout.buffer.flush()
    return ExitCode.DONE


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
