"""The first start on an account: what it holds is taken over, each execution counts once (8.5).

A reading shows positions of one moment and executions of another, and both may lag by `visibility`.
So the positions of a reading are taken over only when a later reading has shown that nothing had
moved them for so long before it and while it was made; whatever was executed until then and is not
in the ledger is in the OPENING entries, whatever comes after is booked. Only an account that is
empty and at rest begins at once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import attrs

from order_domain.book import PositionKey
from order_domain.engine import states
from order_domain.engine.executions import book, by_time, opening, signed
from order_domain.engine.work import OPENED, Work
from order_domain.model.enums import Trading
from order_domain.model.execution import Execution
from order_domain.model.identifiers import is_ours
from order_domain.model.instrument import ZERO
from order_domain.model.reports import OrderReport, SweepResult

ADOPTION: Final = "ADOPTION"
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_SOON: Final = timedelta(milliseconds=100)


def since(work: Work) -> datetime:
    """Since when executions must be read.

    The first reading looks a day back, for what this store should know and does not.
    """
    reading = work.watch.reading
    if reading is None:
        return work.exchange_now - _DAY
    return _quiet_since(work, reading) - work.config.clock_skew


def may_begin(work: Work, result: SweepResult) -> bool:
    """Tell whether what a reading shows can be taken over; if not, the next one is due soon."""
    watch = work.watch
    if not result.complete:
        watch.sweep_at = work.now + _SECOND
        return False
    told: list[OrderReport | Execution] = [*result.orders, *result.executions]
    for one in told:
        if is_ours(one.client_order_id) and not work.find(one.client_order_id, one.venue_order_id):
            states.own_without_row(work, one.client_order_id)
    result = _with_earlier(work, result)
    strangers = any(
        work.find(report.client_order_id, report.venue_order_id) is None for report in result.orders
    )
    if not work.config.adopt_existing and (strangers or _unexplained(work, result)):
        reason = "first start on an account with open orders or positions: consent to adopt them"
        states.restrict(work, ADOPTION, reason, Trading.HALTED)
        return False
    reading = watch.reading
    begin = _quiet_since(work, reading or result)
    watch.early = {key: each for key, each in watch.early.items() if each.executed_at > begin}
    if reading is None:
        reading = watch.reading = result
        if _is_empty(work, result) and not _moved(work, result, result.executions):
            return True
    elif result.began_at >= _due(work, reading):
        moved = _moved(work, reading, result.executions)
        if not moved:
            return True
        reading = watch.reading = result
        reason = f"traded while the account is taken over: {', '.join(moved)}"
        states.restrict(work, ADOPTION, reason, Trading.HALTED)
    due = _due(work, reading) - watch.clock_offset
    watch.sweep_at = max(work.now, due) + _SOON
    return False


def take_over(work: Work, result: SweepResult) -> None:
    """Book what the account held beyond the ledger, and remember until when that counts."""
    watch = work.watch
    reading = watch.reading or result
    # an empty account begins at once: its next execution may be there within the clocks' skew
    at_once = reading.began_at - work.config.clock_skew
    opened_at = at_once if reading is result else reading.ended_at
    known = [
        execution
        for execution in _new(work, _with_earlier(work, result).executions)
        if execution.executed_at < opened_at
        and work.find(execution.client_order_id, execution.venue_order_id) is not None
    ]
    missing = {
        (report.instrument_id, report.position_side): report.size for report in reading.positions
    }
    for key, position in work.book.positions.items():
        missing[key] = missing.get(key, ZERO) - position.size
    for execution in watch.early.values():
        if execution.executed_at >= opened_at:
            _add(missing, execution, 1)
    for execution in known:
        _add(missing, execution, -1)
    for key, quantity in missing.items():
        if quantity:
            price = _price(work, reading, known, key)
            name = f"opening-{key[0]}-{key[1]}"
            book(work, opening(name, key, quantity, price, opened_at), None)
    for execution in known:
        book(work, execution, work.find(execution.client_order_id, execution.venue_order_id))
    work.put_mark(OPENED, opened_at)
    states.lift(work, ADOPTION)
    watch.reading = None
    watch.early = {}


def _with_earlier(work: Work, result: SweepResult) -> SweepResult:
    """A reading with the executions of those before it: the first one looked back furthest."""
    reading = work.watch.reading
    if reading is None or reading is result:
        return result
    told = {(each.instrument_id, each.exec_id): each for each in reading.executions}
    told |= {(each.instrument_id, each.exec_id): each for each in result.executions}
    return attrs.evolve(result, executions=tuple(sorted(told.values(), key=by_time)))


def _due(work: Work, reading: SweepResult) -> datetime:
    """From when on (exchange time) a reading shows every execution of before the end of another."""
    return reading.ended_at + work.config.visibility + work.config.clock_skew


def _quiet_since(work: Work, reading: SweepResult) -> datetime:
    """Since when nothing may have been executed if the positions of a reading are to be right."""
    return reading.began_at - work.config.visibility - work.config.clock_skew


def _moved(work: Work, reading: SweepResult, told: Iterable[Execution]) -> list[str]:
    """Instruments of which something was executed too near a reading to be sure of its side."""
    begin, end = _quiet_since(work, reading), reading.ended_at + work.config.clock_skew
    return sorted(
        {
            execution.instrument_id
            for execution in (*told, *work.watch.early.values())
            if execution.quantity and begin < execution.executed_at <= end
        }
    )


def _is_empty(work: Work, result: SweepResult) -> bool:
    sizes = [report.size for report in result.positions]
    sizes += [position.size for position in work.book.positions.values()]
    return not (any(sizes) or result.orders or any(work.book.live.values()))


def _unexplained(work: Work, result: SweepResult) -> bool:
    """Whether the account holds what neither the ledger nor new fills of known orders explain."""
    missing = {
        (report.instrument_id, report.position_side): report.size for report in result.positions
    }
    for key, position in work.book.positions.items():
        missing[key] = missing.get(key, ZERO) - position.size
    for execution in _new(work, result.executions):
        if work.find(execution.client_order_id, execution.venue_order_id) is not None:
            _add(missing, execution, -1)
    return any(missing.values())


def _new(work: Work, executions: Iterable[Execution]) -> list[Execution]:
    booked = work.book.executions
    return [each for each in executions if (each.instrument_id, each.exec_id) not in booked]


def _add(sizes: dict[PositionKey, Decimal], execution: Execution, times: int) -> None:
    key = (execution.instrument_id, execution.position_side)
    sizes[key] = sizes.get(key, ZERO) + times * signed(execution)


def _price(
    work: Work, reading: SweepResult, known: Iterable[Execution], key: PositionKey
) -> Decimal:
    """The exchange's average, else the price of a trade, else our own average."""
    prices = [
        report.average_price
        for report in reading.positions
        if (report.instrument_id, report.position_side) == key and report.average_price
    ] + [each.price for each in known if (each.instrument_id, each.position_side) == key]
    position = work.book.positions.get(key)
    average = None if position is None else position.average_price
    return prices[0] if prices else average or ZERO
