"""`demo`: a seeded market, its signals and its faults through the whole pipeline."""

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from order_cli import output
from order_cli.chart import area, sparkline
from order_cli.exit_codes import ExitCode
from order_cli.options import Json, Seed
from order_cli.replay import run_plan
from order_cli.summary import show_summary, summary_row
from order_cli.wiring import ACCOUNT, reading
from order_domain.config import EngineConfig
from order_domain.model.enums import EventKind
from order_domain.model.events import Event
from order_domain.model.identifiers import AccountId, symbol_of
from order_service.replay.demo import DemoFiles, demo_plan, write_demo
from order_service.replay.run import Replayed

POINTS: Final = 72
HEIGHT: Final = 6


async def demo(
    *,
    seed: Seed = 7,
    out: Annotated[Path, Parameter(help="Folder for market, signals, faults and rows.")] = Path(
        "demo-output"
    ),
    json: Json = False,
) -> int:
    """Run six minutes of a seeded market and its signals through the whole pipeline.

    No keys, no servers: the exchange is simulated, time is virtual. It shows resting, partially
    filled, cancelled, re-quoted, resized, split and denied orders, and unknown outcomes resolved.
    """
    files = write_demo(out, seed)
    config = EngineConfig(account=AccountId(ACCOUNT))
    replayed = await run_plan(demo_plan(files, config, seed, POINTS), "demo", quiet=json)
    if json:
        output.show_json(summary_row(replayed))
    else:
        show_summary(replayed)
        _show_picture(replayed)
        await _show_next(files)
    return ExitCode.DONE if replayed.report.is_sound else ExitCode.FAILURE


def _show_picture(replayed: Replayed) -> None:
    points = replayed.curve
    output.say("")
    output.say("Prices", "bold")
    for instrument in replayed.marks:
        prices = [point.prices[instrument] for point in points if instrument in point.prices]
        low, high = min(prices), max(prices)
        output.say(f"  {symbol_of(instrument):8} {sparkline(prices)}  {low:,.2f} … {high:,.2f}")
    profits = [point.pnl for point in points]
    output.say("")
    output.say(f"Profit after fees: {profits[-1]:,.2f} USDT at the last prices", "bold")
    labels = [f"{max(profits):>9,.2f}", *[" " * 9] * (HEIGHT - 2), f"{min(profits):>9,.2f}"]
    for label, row in zip(labels, area(profits, HEIGHT), strict=True):
        output.say(f"{label} {row}", "cyan")
    output.say("")


async def _show_next(files: DemoFiles) -> None:
    store = f"--store {files.store_url}"
    order_id = await _worth_explaining(files.store_url)
    output.say(f"Market, signals, faults and all rows lie in {files.folder}/. Next:", "bold")
    for command in (
        f"order-manager order list {store}",
        f"order-manager explain {order_id} {store}",
        f"order-manager export events {store}",
        f"order-manager verify {store}",
    ):
        output.say(f"  {command}")


async def _worth_explaining(store: str) -> str:
    """The first order whose answer was lost on the way."""
    async with reading(store) as access:
        async for event in access.views.stream(Event):
            if event.kind is EventKind.ORDER_UNKNOWN:
                return event.subject
    return "ORDER_ID"
