"""`replay`: recorded signals against a recorded market, decided as the service would."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import Json, Seed
from order_cli.progress import progress
from order_cli.summary import show_summary, summary_row
from order_cli.wiring import engine_config, markets
from order_service.replay.files import only_symbol, read_faults, read_rules
from order_service.replay.market import Survey
from order_service.replay.plan import ReplayPlan
from order_service.replay.resumption import StoreNotEmpty
from order_service.replay.run import Replayed, run_replay

BROKEN_TOLD: Final = 20


async def replay(  # noqa: PLR0913 -- one parameter per option
    *,
    signals: Annotated[Path, Parameter(help="Signals, one JSON object a line.")],
    market: Annotated[
        tuple[str, ...],
        Parameter(
            help="[SYMBOL=]FILE.csv[.gz], repeatable. Without SYMBOL: the signals' only symbol."
        ),
    ],
    instruments: Annotated[
        Path | None,
        Parameter(help="Trading rules as JSON. Else a catalogue, else what the market shows."),
    ] = None,
    store: Annotated[
        str, Parameter(help="Keep all rows, for example sqlite:///replay.sqlite. Else in memory.")
    ] = "",
    seed: Seed = 0,
    speed: Annotated[str, Parameter(help="`max`, or times real time.")] = "max",
    faults: Annotated[
        Path | None, Parameter(help="What shall go wrong on the exchange, one fault a line.")
    ] = None,
    resume: Annotated[
        bool, Parameter(help="Go on with a store; lines that have a verdict are passed over.")
    ] = False,
    json: Json = False,
) -> int:
    """Run recorded signals against a recorded market, in virtual time, on the simulated exchange.

    100,000 USDT, fees 0.055 / 0.02 %, 20 ms to the exchange and back. Settings come from the
    ORDERMANAGER_ variables. The same seed and files give the same rows.
    """
    plan = ReplayPlan(
        signals=signals,
        markets=markets(market, lambda: only_symbol(signals)),
        config=engine_config(),
        rules=read_rules(instruments),
        store_url=store,
        resume=resume,
        seed=seed,
        faults=read_faults(faults),
        speed=_speed(speed),
    )
    replayed = await run_plan(plan, "replay", quiet=json)
    if json:
        output.show_json(summary_row(replayed))
    else:
        show_summary(replayed)
    return ExitCode.DONE if replayed.report.is_sound else ExitCode.FAILURE


async def run_plan(plan: ReplayPlan, title: str, *, quiet: bool) -> Replayed:
    """Run a plan with its progress shown; tell on stderr what was wrong with the files."""
    try:
        with progress(title, quiet=quiet) as tell:
            replayed = await run_replay(plan, tell)
    except StoreNotEmpty:
        message = "the store holds rows of an earlier run"
        hint = "give --resume to go on with it, or another --store"
        raise CommandError(ExitCode.USAGE, message, hint) from None
    for survey in replayed.surveys:
        _tell_survey(survey)
    if replayed.signals_error:
        output.note(f"signals: {replayed.signals_error}")
    for broken in replayed.report.broken[:BROKEN_TOLD]:
        output.note(f"broken {broken.code} {broken.subject}: {broken.text}")
    return replayed


def _tell_survey(survey: Survey) -> None:
    if survey.source not in ("file", "catalogue"):
        output.note(f"{survey.symbol}: trading rules {survey.source}")
    for row in survey.bad_rows:
        message = f"{row.field}: must be {row.rule}, got {row.value!r}"
        output.note(f"{survey.symbol} line {row.line}: {message}")
    if survey.bad > len(survey.bad_rows):
        output.note(f"{survey.symbol}: {survey.bad - len(survey.bad_rows)} more bad rows")
    if survey.error:
        output.note(f"{survey.symbol}: {survey.error}; what was read is used")


def _speed(text: str) -> Decimal | None:
    if text == "max":
        return None
    try:
        speed = Decimal(text)
    except InvalidOperation:
        speed = Decimal(0)
    if not speed.is_finite() or speed <= 0:
        raise CommandError(ExitCode.USAGE, f"--speed: must be max or a number above 0, got {text}")
    return speed
