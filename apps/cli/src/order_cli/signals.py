"""`signal send|decide|retry`: signals by hand, through the same pipeline as those of a model."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from order_cli import output
from order_cli.acting import (
    ACTOR,
    acting,
    dry_run_settings,
    exit_code,
    finish,
    is_settled,
    show_orders,
)
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.explain import show_trace, trace_rows
from order_cli.options import DEFAULT_STORE, Json, RequestId, StoreUrl, Wait, request
from order_domain.model.enums import Verdict
from order_domain.model.identifiers import SignalId
from order_domain.model.inputs import RetrySignal
from order_domain.model.rows import DeliveryRow, SignalRow
from order_service import rows
from order_service.plain import Row

Source = Annotated[Path, Parameter(allow_leading_hyphen=True)]
_CODES = {
    Verdict.ORDERED: ExitCode.DONE,
    Verdict.DUPLICATE: ExitCode.DONE,
    Verdict.DENIED: ExitCode.REFUSED,
    Verdict.EXPIRED: ExitCode.REFUSED,
    Verdict.INVALID: ExitCode.USAGE,
    Verdict.PARKED: ExitCode.UNKNOWN,
}


async def send(
    source: Source,
    /,
    *,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 10.0,
    json: Json = False,
) -> int:
    """Send one signal: it is decided, its orders are placed, and followed until they rest or end.

    Args:
        source: A file with one JSON object, or - for stdin.
    """
    raw = read_signal(source)
    async with acting(store) as session:
        delivery, verdict = await session.hand_in(raw)
        found: SignalRow | DeliveryRow | None = None
        if verdict.verdict in (Verdict.ORDERED, Verdict.DENIED, Verdict.EXPIRED, Verdict.PARKED):
            name = delivery.signal.signal_id  # type: ignore[union-attr]  # only signals get these
            found = await session.decided(name, wait)
        else:
            found = await session.delivery(delivery.number)
        ids = found.order_ids if isinstance(found, SignalRow) else ()
        orders = await session.follow(ids, wait, is_settled)
        _show(found, json=json)
        if not json:
            show_orders(orders)
        if found.verdict in (Verdict.ORDERED, Verdict.DENIED):
            return await exit_code(session.views, found.code, orders)
        return _CODES[found.verdict]


async def decide(source: Source, /, *, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Say what a signal would do and why, without sending it. Nothing is written.

    Args:
        source: A file with one JSON object, or - for stdin.
    """
    from order_service.what_if import what_if  # noqa: PLC0415 -- imports what this command needs

    told = await what_if(dry_run_settings(store), read_signal(source))
    if json:
        decision = trace_rows(told.row.trace) if isinstance(told.row, SignalRow) else []
        output.show_json(
            {
                "signal": _row(told.row),
                "decision": list(decision),
                "orders": [rows.order_row(order) for order in told.orders],
            }
        )
    else:
        _show(told.row, json=False)
        show_orders(told.orders)
    return _CODES[told.row.verdict]


async def retry(
    signal_id: str,
    /,
    *,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Decide a denied, expired or failed signal again, as its next generation, inside its age.

    Args:
        signal_id: The id of the signal.
    """
    wish = RetrySignal(
        request_id=request(request_id), actor=ACTOR, signal_id=SignalId(signal_id.lower())
    )
    async with acting(store) as session:
        reply = await session.ask(wish)
        ids = dict(reply.result).get("client_order_ids", ())
        names = [str(each) for each in ids] if isinstance(ids, tuple) else []
        orders = await session.follow(names, wait, is_settled)
        return await finish(session.views, reply, orders, json=json, more={})


def read_signal(source: Path) -> bytes:
    """The bytes of one signal. Raises CommandError, OSError."""
    raw = sys.stdin.buffer.read() if str(source) == "-" else source.read_bytes()
    if not raw.strip():
        raise CommandError(ExitCode.USAGE, f"{source}: there is no signal in it")
    return raw.strip()


def _row(row: SignalRow | DeliveryRow) -> Row:
    return rows.signal_row(row) if isinstance(row, SignalRow) else rows.delivery_row(row)


def _show(row: SignalRow | DeliveryRow, *, json: bool) -> None:
    if json:
        decision = trace_rows(row.trace) if isinstance(row, SignalRow) else []
        output.show_json({"signal": _row(row), "decision": list(decision)})
        return
    output.show_fields("Signal", _row(row))
    if isinstance(row, SignalRow):
        show_trace(row.trace)
