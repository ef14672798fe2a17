"""`db`: the schema of a PostgreSQL store."""

import os
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Json
from order_cli.serve import ENV_FILE
from order_service.plain import Plain

if TYPE_CHECKING:
    from order_service.migrations import Place

Store = Annotated[
    str, Parameter(help="postgresql://USER@HOST/DATABASE[?schema=NAME]; else by the settings.")
]
Yes = Annotated[bool, Parameter(help="Do it without asking.")]


async def migrate(*, store: Store = "", json: Json = False) -> int:
    """Bring the schema up to date. Any number may do it at once; a neighbour's table is no concern.

    A service refuses to start on another schema than its own.
    """
    from order_service import migrations  # noqa: PLC0415 -- the driver is slow to import

    place = _place(store)
    done = await migrations.migrate(place)
    if json:
        output.show_json({"store": place.shown, "applied": list(done)})
        return ExitCode.DONE
    for name in done:
        output.say(f"applied {name}")
    output.say(f"{place.shown} is up to date.", "green")
    return ExitCode.DONE


async def status(*, store: Store = "", json: Json = False) -> int:
    """Say which migrations are applied; ends with 1 when one is missing."""
    from order_service import migrations  # noqa: PLC0415 -- as above

    place = _place(store)
    standings = await migrations.status(place)
    rows = [
        (each.migration.name, each.applied_at.isoformat() if each.applied_at else None)
        for each in standings
    ]
    if json:
        found: list[Plain] = [{"migration": name, "applied_at": at} for name, at in rows]
        output.show_json({"store": place.shown, "migrations": found})
    else:
        table = [(name, at or "not yet") for name, at in rows]
        output.show_table(place.shown, ("migration", "applied"), table)
    return ExitCode.DONE if all(at for _, at in rows) else ExitCode.FAILURE


async def rollback(
    *,
    number: Annotated[int, Parameter(help="How many, from the newest.")] = 1,
    store: Store = "",
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Take the newest migrations back, with every row they hold."""
    from order_service import migrations  # noqa: PLC0415 -- as above

    place = _place(store)
    if not yes:
        question = f"This deletes rows of {place.shown} for good"
        raise CommandError(ExitCode.USAGE, question, "say --yes to do it")
    done = await migrations.rollback(place, number)
    if json:
        output.show_json({"store": place.shown, "rolled_back": list(done)})
        return ExitCode.DONE
    for name in done:
        output.say(f"took back {name}")
    return ExitCode.DONE


def export(
    *, schema: Annotated[str, Parameter(help="Name of the schema.")] = "order_manager"
) -> int:
    """Print all migrations as one script, for whoever applies them with tools of their own."""
    from order_service import migrations  # noqa: PLC0415 -- as above

    print(migrations.export(schema), end="")
    return ExitCode.DONE


def _place(store: str) -> "Place":
    from order_service import migrations  # noqa: PLC0415 -- as above
    from order_service.settings import Settings, SettingsError  # noqa: PLC0415 -- as above

    given = {"ORDERMANAGER_STORE_URL": store} if store else {}
    try:
        return migrations.place_of(Settings.from_environment(dict(os.environ) | given, ENV_FILE))
    except SettingsError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None
