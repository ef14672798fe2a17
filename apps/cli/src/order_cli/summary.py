"""Summary: what a replay came to, as one JSON object and as tables for a person."""

from collections.abc import Mapping
from decimal import Decimal

from order_cli import output
from order_domain.model.identifiers import InstrumentId, symbol_of
from order_domain.model.position import Position
from order_service import rows
from order_service.plain import Plain, Row, number
from order_service.replay.run import Replayed
from order_service.replay.totals import Totals


def summary_row(replayed: Replayed) -> Row:
    """Make the object that `replay --json` prints."""
    totals = replayed.totals
    return {
        "signals": totals.deliveries,
        "duplicates": totals.outcomes["duplicate"],
        "invalid": totals.outcomes["invalid"],
        "verdicts": _counts(totals.verdicts),
        "outcomes": _counts(totals.outcomes),
        "orders": _counts(totals.orders),
        "executions": totals.executions,
        "events": sum(totals.events.values()),
        "positions": [rows.position_row(position) for position in totals.positions],
        "realized_pnl": number(totals.realized_pnl),
        "unrealized_pnl": number(totals.unrealized_pnl(replayed.marks)),
        "fees": number(totals.fees),
        "invariants": {
            "checked": replayed.report.checked,
            "broken": len(replayed.report.broken),
        },
        "market": {
            survey.symbol: {"rows": survey.rows, "bad_rows": survey.bad, "rules": survey.source}
            for survey in replayed.surveys
        },
    }


def show_summary(replayed: Replayed) -> None:
    """Print the same for a person."""
    totals = replayed.totals
    output.show_table("Signals", ("verdict", ">lines"), _sorted(totals.outcomes))
    if totals.denials:
        output.show_table("Denied because", ("code", ">signals"), _sorted(totals.denials))
    output.show_table(
        "Orders",
        ("status", ">orders"),
        [*_sorted(totals.orders), ("in all", sum(totals.orders.values()))],
    )
    _show_work(totals)
    _show_positions(replayed)
    _show_strategies(totals, replayed.marks)
    checked, broken = replayed.report.checked, len(replayed.report.broken)
    output.say(f"Invariants: {checked:,} checked, {broken} broken.", "red" if broken else "green")


def _show_work(totals: Totals) -> None:
    events = totals.events
    output.show_table(
        "What happened to them",
        ("", ">times"),
        [
            ("market orders", totals.order_types["Market"]),
            ("limit orders", totals.order_types["Limit"]),
            ("children of split signals", totals.legs),
            ("resized", totals.resized + events["order_resized"]),
            ("re-quoted", totals.requotes),
            ("partial fills", events["order_partially_filled"]),
            ("cancels asked for", events["cancel_requested"]),
            ("unknown outcomes", events["order_unknown"]),
            ("sent again", events["order_retried"]),
            ("executions", totals.executions),
            ("events", sum(events.values())),
        ],
    )


def _show_positions(replayed: Replayed) -> None:
    totals, marks = replayed.totals, replayed.marks
    table = [
        (
            symbol_of(each.instrument_id),
            number(each.size),
            _money(each.average_price or Decimal(0)) if each.size else "",
            _money(each.realized_pnl),
            _money(_unrealized(each, marks)),
            _money(sum(each.fees.values(), Decimal(0))),
        )
        for each in totals.positions
    ]
    table.append(
        (
            "all",
            "",
            "",
            _money(totals.realized_pnl),
            _money(totals.unrealized_pnl(marks)),
            _money(totals.fees),
        )
    )
    output.show_table(
        "Positions",
        ("symbol", ">size", ">average price", ">realised PnL", ">unrealised PnL", ">fees"),
        table,
    )


def _show_strategies(totals: Totals, marks: Mapping[InstrumentId, Decimal]) -> None:
    table = []
    for (strategy, instrument, _), book in totals.strategies.items():
        realized, fees = book.realized_pnl, sum(book.fees.values(), Decimal(0))
        unrealized = _unrealized(book, marks)
        table.append(
            (
                strategy,
                symbol_of(instrument),
                number(book.size),
                _money(realized),
                _money(unrealized),
                _money(fees),
                _money(realized + unrealized - fees),
            )
        )
    columns = ("strategy", "symbol", ">size", ">realised PnL", ">unrealised PnL", ">fees", ">net")
    output.show_table("PnL per strategy", columns, sorted(table))


def _unrealized(position: Position, marks: Mapping[InstrumentId, Decimal]) -> Decimal:
    mark = marks.get(position.instrument_id)
    return Decimal(0) if mark is None else position.unrealized_pnl(mark)


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"


def _counts(counter: Mapping[str, int]) -> dict[str, Plain]:
    return {name: counter[name] for name in sorted(counter)}


def _sorted(counter: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
