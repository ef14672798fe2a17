"""Speaking: HTTP to a running service, with its key, and its errors in words and exit codes."""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import httpx

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_domain.model.enums import Trading

PROFILES: Final = Path("~/.config/order-manager/profiles.toml")
TIMEOUT_S: Final = 45.0


@attrs.frozen(slots=True)
class Place:
    """A running service and the key for it."""

    url: str
    key: str = attrs.field(repr=False)


@attrs.define(slots=True)
class _Chosen:
    place: Place | None = None


_CHOSEN = _Chosen()


def choose(url: str, profile: str) -> None:
    """Say which service the commands of this process speak to. Raises CommandError."""
    if profile:
        url, key = _profile(profile)
    else:
        key = os.environ.get("ORDERMANAGER_API_KEY", "")
    if not url.startswith(("http://", "https://")):
        raise CommandError(ExitCode.CONFIGURATION, f"--url: must be http(s)://..., got {url}")
    if not key:
        hint = "set ORDERMANAGER_API_KEY, or use a profile; a key never stands on the command line"
        raise CommandError(ExitCode.CONFIGURATION, f"no key for {url}", hint)
    _CHOSEN.place = Place(url.rstrip("/"), key)


def _profile(name: str) -> tuple[str, str]:
    path = PROFILES.expanduser()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))[name]
        return str(found["url"]), Path(found["key_file"]).expanduser().read_text().strip()
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        rule = f"must be a table of {path} with url and key_file ({error})"
        raise CommandError(ExitCode.CONFIGURATION, f"--profile {name}: {rule}") from None


@contextmanager
def service() -> Iterator[httpx.Client]:
    """A client of the chosen service."""
    if _CHOSEN.place is None:
        raise CommandError(ExitCode.USAGE, "say --url or --profile")
    place = _CHOSEN.place
    with httpx.Client(
        base_url=place.url, headers={"X-API-Key": place.key}, timeout=TIMEOUT_S
    ) as client:
        yield client


def get(path: str, **parameters: object) -> Any:
    """Read something. Raises CommandError."""
    wanted = {name: value for name, value in parameters.items() if value is not None}
    with service() as client:
        try:
            answer = client.get(f"/api/v1{path}", params=wanted)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise away(error) from None
    return read(answer)


def post(path: str, body: Mapping[str, object], request_id: str, **parameters: object) -> Any:
    """Ask for something, once. Raises CommandError; a lost answer is an unknown outcome."""
    wanted = {name: value for name, value in body.items() if value is not None}
    with service() as client:
        try:
            answer = client.post(
                f"/api/v1{path}",
                json=wanted,
                params=parameters,  # type: ignore[arg-type]
                headers={"Idempotency-Key": request_id},
            )
        except httpx.ConnectError as error:
            raise away(error) from None
        except httpx.HTTPError as error:
            hint = f"ask again with --request-id {request_id}: it does nothing new"
            told = f"the answer was lost: {type(error).__name__}"
            raise CommandError(ExitCode.UNKNOWN, told, hint) from None
    return read(answer)


def away(error: httpx.HTTPError) -> CommandError:
    return CommandError(ExitCode.FAILURE, f"the service does not answer: {error}")


def read(answer: httpx.Response) -> Any:
    try:
        body = answer.json()
    except json.JSONDecodeError:
        told = f"that is no order manager: {answer.status_code} {answer.reason_phrase}"
        raise CommandError(ExitCode.FAILURE, told) from None
    if answer.is_success:
        return body
    outcome = body.get("outcome") or {}
    if outcome:
        show_decision(outcome)
    text = body.get("detail") or body.get("title")
    errors = "; ".join(f"{e.get('field')}: {e.get('rule')}" for e in body.get("errors", ()))
    message = ": ".join(filter(None, (body.get("code"), text, errors)))
    raise CommandError(_code_of(answer.status_code, str(body.get("code", ""))), message)


def _code_of(status: int, code: str) -> ExitCode:
    if status == 404:
        return ExitCode.NOT_FOUND
    if status in (401, 403):
        return ExitCode.CONFIGURATION
    if status == 504:
        return ExitCode.UNKNOWN
    if code == "TRADING_STATE" and get("/trading-state")["account"] == Trading.HALTED:
        return ExitCode.HALTED
    return ExitCode.REFUSED if status in (409, 422) else ExitCode.FAILURE


def show_decision(outcome: Mapping[str, Any]) -> None:
    """Print every check of a decision, a line each; what failed stands out."""
    for check in outcome.get("decision", ()):
        output.say(f"  {check['text']}", "" if check["passed"] else "red")
