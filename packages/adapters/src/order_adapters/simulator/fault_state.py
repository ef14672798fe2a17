"""Faults: carries a script out. Counts matches, draws chances, says what becomes of a message."""

from datetime import datetime, timedelta

import attrs

from order_adapters.simulator.faults import (
    ACTIONS,
    DEFAULT_CODES,
    MUTES,
    NONE,
    ON_REPORTS,
    ON_REQUESTS,
    Fault,
    FaultKind,
    FaultScript,
)
from order_adapters.simulator.randomness import MILLION, Randomness
from order_domain.model.identifiers import InstrumentId, symbol_of


@attrs.define(slots=True)
class Plan:
    """What becomes of one request.

    Attributes:
        code: Answer with this retCode; None answers by the rules.
        executed: Whether the request is carried out.
        rejected: rejectReason with which an accepted order ends at once; empty for none.
    """

    lost: bool = False
    answer_lost: bool = False
    request_delay: timedelta = NONE
    answer_delay: timedelta = NONE
    code: int | None = None
    executed: bool = True
    rejected: str = ""


NO_FAULT = Plan()


class Faults:
    """The runtime of one script; times count from `begin`."""

    def __init__(self, script: FaultScript, randomness: Randomness) -> None:
        self._matches: list[int] = []
        self._requests: list[tuple[int, Fault]] = []
        self._reports: list[tuple[int, Fault]] = []
        self._mutes: list[Fault] = []
        self._skews: list[Fault] = []
        self._hides: list[Fault] = []
        self._actions: list[Fault] = []
        self._rates = script.rates
        self._randomness = randomness
        self._start: datetime | None = None
        for fault in script.faults:
            self._file(fault)

    def begin(self, now: datetime) -> list[tuple[datetime, Fault | bool]]:
        """Start the clock; return what is due by itself: actions, the stream's falls and rises."""
        self._start = now
        return [due for fault in (*self._actions, *self._mutes) for due in _dues(fault, now)]

    def add(self, fault: Fault, now: datetime) -> list[tuple[datetime, Fault | bool]]:
        """Add a fault whose times count from now; return what of it is due by itself."""
        elapsed = self._elapsed(now)
        after, until = fault.after, fault.until
        self._file(
            attrs.evolve(
                fault,
                after=after if after is None else after + elapsed,
                until=until if until is None else until + elapsed,
            )
        )
        return _dues(fault, now)

    def _file(self, fault: Fault) -> None:
        kind = fault.kind
        if kind in ON_REQUESTS:
            self._requests.append((len(self._matches), fault))
        elif kind in ON_REPORTS:
            self._reports.append((len(self._matches), fault))
        elif kind in MUTES:
            self._mutes.append(fault)
        elif kind in ACTIONS:
            self._actions.append(fault)
        else:
            (self._skews if kind is FaultKind.CLOCK_SKEW else self._hides).append(fault)
        self._matches.append(0)

    def plan(
        self, request: str, client_order_id: str, instrument: InstrumentId, now: datetime
    ) -> Plan:
        """Say what becomes of a request sent now."""
        plan = Plan()
        symbol, elapsed = symbol_of(instrument), self._elapsed(now)
        for index, fault in self._requests:
            if fault.request and fault.request != request:
                continue
            if fault.meets(client_order_id, symbol) and fault.covers(elapsed):
                self._matches[index] += 1
                if fault.strikes(self._matches[index]):
                    _spoil(plan, fault)
        self._draw(plan)
        return plan

    def deliveries(
        self, report: str, client_order_id: str, instrument: InstrumentId, due: datetime
    ) -> list[datetime]:
        """Say when a report that is due then arrives: never, once or twice."""
        elapsed = self._elapsed(due)
        if any(fault.covers(elapsed) for fault in self._mutes):
            return []
        arrivals = [due]
        symbol = symbol_of(instrument)
        for index, fault in self._reports:
            if fault.report and fault.report != report:
                continue
            if fault.meets(client_order_id, symbol) and fault.covers(elapsed):
                self._matches[index] += 1
                if fault.strikes(self._matches[index]):
                    arrivals = self._mangled(arrivals, fault)
        return self._drawn(arrivals)

    def skew(self, now: datetime) -> timedelta:
        """How far the exchange's clock is ahead of the caller's."""
        if not self._skews:
            return NONE
        elapsed = self._elapsed(now)
        return sum((fault.by for fault in self._skews if fault.covers(elapsed)), NONE)

    def lag(self, client_order_id: str, instrument: InstrumentId, now: datetime) -> timedelta:
        """How much longer an order stays invisible to look-ups and sweeps."""
        if not self._hides:
            return NONE
        symbol, elapsed = symbol_of(instrument), self._elapsed(now)
        return max(
            (
                fault.by
                for fault in self._hides
                if fault.meets(client_order_id, symbol) and fault.covers(elapsed)
            ),
            default=NONE,
        )

    def _elapsed(self, now: datetime) -> timedelta:
        return NONE if self._start is None else now - self._start

    def _mangled(self, arrivals: list[datetime], fault: Fault) -> list[datetime]:
        if fault.kind is FaultKind.LOSE_REPORT:
            return []
        if fault.kind is FaultKind.DUPLICATE_REPORT:
            return arrivals + [arrival + fault.by for arrival in arrivals]
        if fault.kind is FaultKind.DELAY_REPORT:
            return [arrival + fault.by for arrival in arrivals]
        return [arrival + self._randomness.up_to(fault.by) for arrival in arrivals]

    def _draw(self, plan: Plan) -> None:
        rates, chance = self._rates, self._randomness.chance
        plan.lost |= chance(rates.lose_request)
        plan.answer_lost |= chance(rates.lose_answer)
        if chance(rates.delay_request):
            plan.request_delay += self._randomness.up_to(rates.longest)
        if chance(rates.delay_answer):
            plan.answer_delay += self._randomness.up_to(rates.longest)
        if chance(rates.busy):
            plan.code, plan.executed = 10006, False
        if chance(rates.internal_error):
            plan.code, plan.executed = 10016, chance(MILLION // 2)

    def _drawn(self, arrivals: list[datetime]) -> list[datetime]:
        rates, chance = self._rates, self._randomness.chance
        if chance(rates.lose_report):
            return []
        if chance(rates.delay_report):
            arrivals = [each + self._randomness.up_to(rates.longest) for each in arrivals]
        if chance(rates.duplicate_report):
            arrivals = arrivals + [
                each + self._randomness.up_to(rates.longest) for each in arrivals
            ]
        return arrivals


def _dues(fault: Fault, now: datetime) -> list[tuple[datetime, Fault | bool]]:
    """What a fault brings by itself, counted from now."""
    start = now + (fault.after or NONE)
    if fault.kind in ACTIONS:
        return [(start, fault)]
    if fault.kind is not FaultKind.DISCONNECT:
        return []
    ends: list[tuple[datetime, Fault | bool]] = []
    if fault.until is not None:
        ends.append((now + fault.until, True))
    return [(start, False), *ends]


def _spoil(plan: Plan, fault: Fault) -> None:
    match fault.kind:
        case FaultKind.LOSE_REQUEST:
            plan.lost = True
        case FaultKind.DELAY_REQUEST:
            plan.request_delay += fault.by
        case FaultKind.LOSE_ANSWER:
            plan.answer_lost = True
        case FaultKind.DELAY_ANSWER:
            plan.answer_delay += fault.by
        case FaultKind.REJECT_LATER:
            plan.rejected = fault.reason
        case FaultKind.ANSWER_CODE:
            plan.code, plan.executed = fault.code, fault.accepted
        case _:
            plan.code, plan.executed = DEFAULT_CODES[fault.kind], False
