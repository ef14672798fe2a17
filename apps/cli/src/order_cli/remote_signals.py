"""Remote signals: handed in, tried out and decided again by a running service."""

from typing import Any, Final

import httpx

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Json, RequestId, Wait, request
from order_cli.signals import Source, read_signal
from order_cli.speaking import away, get, post, read, service, show_decision
from order_cli.telling import LONGEST_WAIT, MADE, ORDERS, judged, settled, table, told
from order_domain.model.enums import Trading

_CODES: Final = {
    "ordered": ExitCode.DONE,
    "duplicate": ExitCode.DONE,
    "denied": ExitCode.REFUSED,
    "expired": ExitCode.REFUSED,
    "parked": ExitCode.UNKNOWN,
}
_UNUSABLE: Final = (409, 422)
"""Its id is known with another body, or its body breaks a rule."""


def send(source: Source, /, *, wait: Wait = 10.0, json: Json = False) -> int:
    """Send one signal: it is decided, its orders are placed and followed until they rest or end."""
    verdict = _handed("", source)
    is_new = verdict["verdict"] == "ordered"
    orders = settled(verdict["order_ids"], wait) if is_new else []
    if json:
        output.show_json({**verdict, "orders": orders})
    else:
        output.show_fields("Verdict", verdict)
        if orders:
            table("Orders", MADE, orders)
    return judged([order["status"] for order in orders]) if is_new else _code(verdict)


def decide(source: Source, /, *, json: Json = False) -> int:
    """Say what a signal would do and why, without sending it. Nothing is written."""
    preview = _handed("/decide", source)
    if json:
        output.show_json(preview)
        return _code(preview)
    output.show_fields("Signal", {each: preview[each] for each in _SHOWN})
    output.say("Decision", "bold")
    show_decision(preview)
    if orders := preview["orders"]:
        table("Orders", [each for each in ORDERS if each[1] in orders[0]], orders)
    return _code(preview)


_SHOWN: Final = ("signal_id", "verdict", "code", "text", "cancels")


def retry(
    signal_id: str,
    /,
    *,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Decide a denied, expired or failed signal again, as its next generation, inside its age."""
    path, asked = f"/signals/{signal_id}/retry", request(request_id)
    return told(post(path, {}, asked, wait=min(wait, LONGEST_WAIT)), json=json)


def _handed(path: str, source: Source) -> Any:
    """What the service says of a signal. Raises CommandError."""
    raw = read_signal(source)
    with service() as client:
        try:
            answer = client.post(f"/api/v1/signals{path}", content=raw)
        except httpx.HTTPError as error:
            raise away(error) from None
    try:
        return read(answer)
    except CommandError as error:
        if answer.status_code in _UNUSABLE:
            raise CommandError(ExitCode.USAGE, str(error), error.hint) from None
        raise


def _code(verdict: Any) -> int:
    is_state = verdict["code"] == "TRADING_STATE"
    if is_state and get("/trading-state")["account"] == Trading.HALTED:
        return ExitCode.HALTED
    return _CODES[verdict["verdict"]]
