"""`dlq`: signals that were refused, as they lie in the broker's dead letter queue."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Json
from order_cli.serve import ENV_FILE
from order_service.plain import Plain

if TYPE_CHECKING:
    from order_service.dead_letters import DeadLetter, DeadLetters

WIDEST: Final = 40
Ids = Annotated[str, Parameter(help="Ids or delivery numbers, as `dlq list` shows them.")]
All = Annotated[bool, Parameter(name="--all", help="All of them.")]


async def list_letters(
    *,
    limit: Annotated[int, Parameter(help="At most so many, the oldest first.")] = 50,
    json: Json = False,
) -> int:
    """List refused signals with their reasons. Nothing is taken out of the queue."""
    letters = await _letters().look(limit)
    if json:
        output.show_json({"letters": [_shown(each) for each in letters]})
        return ExitCode.DONE
    rows = [
        (each.delivery, each.id, each.code, each.field, each.rule, _short(each.value))
        for each in letters
    ]
    names = ("delivery", "id", "code", "field", "must be", "was")
    output.show_table(f"{len(rows)} refused signals", names, rows)
    return ExitCode.DONE


async def show(which: Annotated[str, Parameter(help="Id or delivery number.")]) -> int:
    """Print one refused signal as one JSON object: reason and body."""
    found = [each for each in await _letters().look() if which in (each.id, each.delivery)]
    if not found:
        raise CommandError(ExitCode.NOT_FOUND, f"no refused signal {which} lies in the queue")
    output.show_json(_shown(found[0]))
    return ExitCode.DONE


async def replay(*ids: Ids, every: All = False, json: Json = False) -> int:
    """Send refused signals to the signal queue again, unchanged; twice is decided once."""
    return _told(await _letters().replay(_wanted(ids, every=every)), "sent again", ids, json=json)


async def drop(
    *ids: Ids,
    every: All = False,
    yes: Annotated[bool, Parameter(help="Do it without asking.")] = False,
    json: Json = False,
) -> int:
    """Throw refused signals away. Their rows stay in the store."""
    wanted = _wanted(ids, every=every)
    if not yes:
        raise CommandError(ExitCode.USAGE, "This cannot be taken back", "say --yes to do it")
    return _told(await _letters().drop(wanted), "thrown away", ids, json=json)


def _wanted(ids: Sequence[str], *, every: bool) -> Callable[["DeadLetter"], bool]:
    from order_service.dead_letters import named  # noqa: PLC0415 -- the driver is slow to import

    if bool(ids) == every:
        raise CommandError(ExitCode.USAGE, "name some, or say --all")
    return (lambda _: True) if every else named(set(ids))


def _told(done: Sequence["DeadLetter"], word: str, ids: Sequence[str], *, json: bool) -> int:
    if json:
        output.show_json({"letters": [_shown(each) for each in done]})
    else:
        output.say(f"{len(done)} {word}.")
    return ExitCode.NOT_FOUND if ids and len(done) < len(set(ids)) else ExitCode.DONE


def _shown(letter: "DeadLetter") -> dict[str, Plain]:
    return {
        "id": letter.id,
        "delivery": letter.delivery,
        "code": letter.code,
        "field": letter.field,
        "rule": letter.rule,
        "value": letter.value,
        "signal_id": letter.signal_id,
        "refused_at": letter.refused_at,
        "body": letter.body.decode("utf-8", "replace"),
    }


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _letters() -> "DeadLetters":
    from order_service.dead_letters import dead_letters  # noqa: PLC0415 -- as above
    from order_service.settings import Settings, SettingsError  # noqa: PLC0415 -- as above

    try:
        return dead_letters(Settings.from_environment(os.environ, ENV_FILE))
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
